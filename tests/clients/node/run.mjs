// Makes the calls of one SDK that stdin lists, all at once, and prints a line of JSON for each as it ends: the reply
// and the errors, with their stacks, of the attempts before it. What the SDK itself prints goes to stderr.
import { text } from "node:stream/consumers";
import { inspect } from "node:util";

const PATIENCE_MS = 30_000;

console.log = console.info = console.error;

const sdk = await import(process.argv[2]);
const calls = JSON.parse(await text(process.stdin));
await Promise.all(calls.map(async (call) => tell({ id: call.id, ...(await make(call)) })));
process.exit();

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

function tell(outcome) {
  process.stdout.write(JSON.stringify(outcome) + "\n");
}
