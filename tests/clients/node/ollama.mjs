// npm `ollama`: chat and generate, streamed and in one piece.
import { Ollama } from "ollama";
import { QUESTION, Reply, TOOLS } from "./ask.mjs";

const CHAT = {
  model: "llama3.2",
  messages: [{ role: "user", content: QUESTION }],
  tools: TOOLS.map(({ name, description, schema }) => ({
    type: "function",
    function: { name, description, parameters: schema },
  })),
  think: true,
};
const GENERATE = { model: "llama3.2", prompt: QUESTION, think: true };

function client(url) {
  return new Ollama({ host: url });
}

export async function chatStream(url) {
  const reply = new Reply();
  for await (const part of await client(url).chat({ ...CHAT, stream: true })) addChat(reply, part);
  return reply;
}

export async function chatWhole(url) {
  const reply = new Reply();
  addChat(reply, await client(url).chat({ ...CHAT, stream: false }));
  return reply;
}

export async function generateStream(url) {
  const reply = new Reply();
  for await (const part of await client(url).generate({ ...GENERATE, stream: true })) addGenerated(reply, part);
  return reply;
}

export async function generateWhole(url) {
  const reply = new Reply();
  addGenerated(reply, await client(url).generate({ ...GENERATE, stream: false }));
  return reply;
}

function addChat(reply, part) {
  const { content, thinking, tool_calls } = part.message;
  add(reply, content, thinking, part);
  for (const { function: called } of tool_calls ?? []) {
    reply.calls.push({ id: null, name: called.name, arguments: called.arguments });
  }
}

function addGenerated(reply, part) {
  add(reply, part.response, part.thinking, part);
}

function add(reply, text, thinking, { done, done_reason, prompt_eval_count, eval_count }) {
  reply.text += text ?? "";
  reply.reasoning += thinking ?? "";
  if (done) {
    reply.finish = done_reason;
    reply.usage = { input: prompt_eval_count, output: eval_count };
  }
}
