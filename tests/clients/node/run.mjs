// Makes the calls of one SDK that stdin lists, one after the other, and prints a line of JSON for each:
// what the reply was, or the error with its stack.
import { text } from "node:stream/consumers";
import { inspect } from "node:util";

console.log = console.error; // stdout is for the outcomes only

const sdk = await import(process.argv[2]);
for (const { id, call, url } of JSON.parse(await text(process.stdin))) {
  const outcome = await attempt(() => sdk[call](url));
  process.stdout.write(JSON.stringify({ id, ...outcome }) + "\n");
}

async function attempt(act) {
  try {
    return { reply: await act() };
  } catch (error) {
    return { error: { name: error.constructor.name, message: error.message, status: statusOf(error), stack: inspect(error) } };
  }
}

function statusOf(error) {
  return error.status ?? error.statusCode ?? error.status_code ?? null;
}
