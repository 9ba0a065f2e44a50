// npm `@anthropic-ai/sdk`: messages, streamed, by the stream helper, and in one piece.
import Anthropic from "@anthropic-ai/sdk";
import { MOST_RETRIES, QUESTION, Reply, TOOLS } from "./ask.mjs";

const MESSAGE = {
  model: "claude-haiku-4-5",
  max_tokens: 2048,
  messages: [{ role: "user", content: QUESTION }],
  tools: TOOLS.map(({ name, description, schema }) => ({ name, description, input_schema: schema })),
  thinking: { type: "enabled", budget_tokens: 1024 },
};

function client(url) {
  return new Anthropic({ baseURL: url, apiKey: "any", maxRetries: MOST_RETRIES });
}

export async function stream(url) {
  const reply = new Reply();
  const fragments = new Map();
  const usage = {};
  for await (const event of await client(url).messages.create({ ...MESSAGE, stream: true })) {
    if (event.type === "message_start") Object.assign(usage, event.message.usage);
    if (event.type === "content_block_start" && event.content_block.type === "tool_use") {
      fragments.set(event.index, { id: event.content_block.id, name: event.content_block.name, json: "" });
    }
    if (event.type === "content_block_delta") {
      const { delta } = event;
      if (delta.type === "text_delta") reply.text += delta.text;
      if (delta.type === "thinking_delta") reply.reasoning += delta.thinking;
      if (delta.type === "input_json_delta") fragments.get(event.index).json += delta.partial_json;
    }
    if (event.type === "message_delta") {
      reply.finish = event.delta.stop_reason;
      Object.assign(usage, event.usage);
    }
  }
  reply.calls = [...fragments.values()].map(({ id, name, json }) => ({ id, name, arguments: JSON.parse(json) }));
  reply.usage = toldUsage(usage);
  return reply;
}

export async function helper(url) {
  return messageReply(await client(url).messages.stream(MESSAGE).finalMessage());
}

export async function whole(url) {
  return messageReply(await client(url).messages.create(MESSAGE));
}

function messageReply({ content, stop_reason, usage }) {
  const of = (type) => content.filter((block) => block.type === type);
  return {
    text: of("text").map((block) => block.text).join(""),
    reasoning: of("thinking").map((block) => block.thinking).join(""),
    refusal: "",
    calls: of("tool_use").map(({ id, name, input }) => ({ id, name, arguments: input })),
    finish: stop_reason,
    usage: toldUsage(usage),
  };
}

function toldUsage({ input_tokens, output_tokens }) {
  return { input: input_tokens, output: output_tokens };
}
