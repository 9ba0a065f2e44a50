// Makes the calls of one SDK that stdin lists, all at once, and prints a line of JSON for each as it ends:
// the reply, or the error with its stack. What the SDK itself prints goes to stderr.
import { text } from "node:stream/consumers";
import { inspect } from "node:util";

const PATIENCE_MS = 30_000;

console.log = console.info = console.error;

const sdk = await import(process.argv[2]);
const calls = JSON.parse(await text(process.stdin));
await Promise.all(calls.map(async ({ id, name, url }) => tell(id, await attempt(() => sdk[name](url)))));
process.exit();

async function attempt(act) {
  try {
    return { reply: await Promise.race([act(), lateness()]) };
  } catch (error) {
    return { error: told(error) };
  }
}

function lateness() {
  return new Promise((_, reject) => setTimeout(() => reject(new Error("no answer")), PATIENCE_MS));
}

function told(error) {
  const status = error.status ?? error.statusCode ?? error.status_code ?? null;
  return { name: error.constructor.name, message: error.message, status, stack: inspect(error) };
}

function tell(id, outcome) {
  process.stdout.write(JSON.stringify({ id, ...outcome }) + "\n");
}
