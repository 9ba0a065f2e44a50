// npm `openai`: chat completions, Azure's too, and responses, each streamed, by the stream helper, and in one piece.
import OpenAI, { AzureOpenAI } from "openai";
import { MOST_RETRIES, QUESTION, Reply, TOOLS } from "./ask.mjs";

const CHAT = {
  model: "gpt-4.1",
  messages: [{ role: "user", content: QUESTION }],
  tools: TOOLS.map(({ name, description, schema }) => ({
    type: "function",
    function: { name, description, parameters: schema },
  })),
};
const STREAMED = { stream: true, stream_options: { include_usage: true } };
const RESPONSE = {
  model: "gpt-4.1",
  input: QUESTION,
  tools: TOOLS.map(({ name, description, schema }) => ({
    type: "function",
    name,
    description,
    parameters: schema,
    strict: false,
  })),
};

const ENDS = ["response.completed", "response.incomplete"];

function openai(url) {
  return new OpenAI({ baseURL: url + "/v1", apiKey: "any", maxRetries: MOST_RETRIES });
}

function azure(url) {
  return new AzureOpenAI({ endpoint: url, apiVersion: "2024-10-21", apiKey: "any", maxRetries: MOST_RETRIES });
}

export async function chatStream(url, client = openai) {
  const reply = new Reply();
  for await (const chunk of await client(url).chat.completions.create({ ...CHAT, ...STREAMED })) {
    for (const { delta, finish_reason } of chunk.choices) {
      reply.text += delta.content ?? "";
      reply.reasoning += delta.reasoning_content ?? "";
      reply.refusal += delta.refusal ?? "";
      for (const call of delta.tool_calls ?? []) addFragment(reply.calls, call);
      reply.finish ??= finish_reason;
    }
    if (chunk.usage) reply.usage = chatUsage(chunk.usage);
  }
  for (const call of reply.calls) call.arguments = JSON.parse(call.arguments);
  return reply;
}

function addFragment(calls, { index, id, function: called }) {
  calls[index] ??= { id, name: called.name, arguments: "" };
  calls[index].arguments += called.arguments;
}

export async function chatHelper(url, client = openai) {
  const stream = client(url).chat.completions.stream({ ...CHAT, ...STREAMED });
  return chatReply(await stream.finalChatCompletion());
}

export async function chatWhole(url, client = openai) {
  return chatReply(await client(url).chat.completions.create(CHAT));
}

function chatReply({ choices: [{ message, finish_reason }], usage }) {
  const calls = (message.tool_calls ?? []).map(({ id, function: called }) => toldCall(id, called));
  return {
    text: message.content ?? "",
    reasoning: message.reasoning_content ?? "",
    refusal: message.refusal ?? "",
    calls,
    finish: finish_reason,
    usage: chatUsage(usage),
  };
}

function chatUsage({ prompt_tokens, completion_tokens }) {
  return { input: prompt_tokens, output: completion_tokens };
}

export const azureStream = (url) => chatStream(url, azure);
export const azureHelper = (url) => chatHelper(url, azure);
export const azureWhole = (url) => chatWhole(url, azure);

export async function responsesStream(url) {
  const reply = new Reply();
  for await (const event of await openai(url).responses.create({ ...RESPONSE, stream: true })) {
    if (event.type === "response.output_text.delta") reply.text += event.delta;
    if (event.type === "response.reasoning_summary_text.delta") reply.reasoning += event.delta;
    if (event.type === "response.refusal.delta") reply.refusal += event.delta;
    if (event.type === "response.output_item.done" && event.item.type === "function_call") {
      reply.calls.push(toldCall(event.item.call_id, event.item));
    }
    if (ENDS.includes(event.type)) Object.assign(reply, responseEnd(event.response));
    if (event.type === "response.failed") throw new Error(event.response.error.message);
  }
  return reply;
}

export async function responsesHelper(url) {
  return responseReply(await openai(url).responses.stream(RESPONSE).finalResponse());
}

export async function responsesWhole(url) {
  return responseReply(await openai(url).responses.create(RESPONSE));
}

function responseReply(response) {
  const of = (type) => response.output.filter((item) => item.type === type);
  const contents = of("message").flatMap((item) => item.content);
  return {
    text: response.output_text,
    reasoning: of("reasoning").flatMap((item) => item.summary.map((part) => part.text)).join(""),
    refusal: contents.map((part) => part.refusal ?? "").join(""),
    calls: of("function_call").map((item) => toldCall(item.call_id, item)),
    ...responseEnd(response),
  };
}

function responseEnd({ status, incomplete_details, usage }) {
  return {
    finish: incomplete_details?.reason ?? status,
    usage: { input: usage.input_tokens, output: usage.output_tokens },
  };
}

function toldCall(id, called) {
  return { id, name: called.name, arguments: JSON.parse(called.arguments) };
}
