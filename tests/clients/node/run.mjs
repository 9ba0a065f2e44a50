// Makes the calls of one SDK that stdin lists, all at once, and prints as JSON how they ended: each with its reply, and
// with the errors and their stacks of the attempts before it. Also the status of every answer that the SDK was given,
// by call, and what it warned of.
import { text } from "node:stream/consumers";
import { format, inspect } from "node:util";

const PATIENCE_MS = 30_000;

const warnings = [];
console.warn = (...words) => warnings.push(format(...words));
console.log = console.info = console.debug = console.error; // stdout has the outcomes

const statuses = {};
const { fetch } = globalThis;
globalThis.fetch = async (...request) => {
  const response = await fetch(...request);
  const [, id] = new URL(request[0].url ?? request[0]).pathname.split("/");
  (statuses[id] ??= []).push(response.status);
  return response;
};

const sdk = await import(process.argv[2]);
const calls = JSON.parse(await text(process.stdin));
const outcomes = Object.fromEntries(await Promise.all(calls.map(async (call) => [call.id, await make(call)])));
process.stdout.write(JSON.stringify({ outcomes, statuses, warnings }), () => process.exit());

async function make({ name, url, attempts }) {
  const errors = [];
  while (errors.length < attempts) {
    try {
      return { errors, reply: await Promise.race([sdk[name](url), lateness()]) };
    } catch (error) {
      errors.push(told(error));
    }
  }
  return { errors };
}

function lateness() {
  return new Promise((_, reject) => setTimeout(() => reject(new Error("no answer")), PATIENCE_MS));
}

function told(error) {
  const status = error.status ?? error.statusCode ?? error.status_code ?? null;
  return { name: error.constructor.name, message: error.message, status, stack: inspect(error) };
}
