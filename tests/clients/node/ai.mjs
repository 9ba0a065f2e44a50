// npm `ai`: streamText and generateText with each of its providers. It validates every chunk that comes in.
import { createAnthropic } from "@ai-sdk/anthropic";
import { createCohere } from "@ai-sdk/cohere";
import { createGoogleGenerativeAI } from "@ai-sdk/google";
import { createMistral } from "@ai-sdk/mistral";
import { createOpenAI } from "@ai-sdk/openai";
import { generateText, jsonSchema, streamText, tool } from "ai";
import { MOST_RETRIES, QUESTION, Reply, TOOL } from "./ask.mjs";

const apiKey = "any";
const MODELS = {
  openaiChat: (url) => createOpenAI({ baseURL: url + "/v1", apiKey }).chat("gpt-4.1"),
  openaiResponses: (url) => createOpenAI({ baseURL: url + "/v1", apiKey }).responses("gpt-5"),
  anthropic: (url) => createAnthropic({ baseURL: url + "/v1", apiKey })("claude-sonnet-4-5"),
  google: (url) => createGoogleGenerativeAI({ baseURL: url + "/v1beta", apiKey })("gemini-2.5-flash"),
  mistral: (url) => createMistral({ baseURL: url + "/v1", apiKey })("mistral-small-latest"),
  cohere: (url) => createCohere({ baseURL: url + "/v2", apiKey })("command-a-03-2025"),
};
const ASK = {
  prompt: QUESTION,
  tools: { [TOOL.name]: tool({ description: TOOL.description, inputSchema: jsonSchema(TOOL.schema) }) },
  maxRetries: MOST_RETRIES,
};

const streamed = (model) => async (url) => {
  const reply = new Reply();
  const { fullStream } = streamText({ ...ASK, model: model(url), onError() {} });
  for await (const part of fullStream) {
    if (part.type === "error") throw part.error;
    if (part.type === "text-delta") reply.text += part.text;
    if (part.type === "reasoning-delta") reply.reasoning += part.text;
    if (part.type === "tool-call") reply.calls.push(toldCall(part));
    if (part.type === "finish") {
      reply.finish = part.finishReason;
      reply.usage = toldUsage(part.totalUsage);
    }
  }
  return reply;
};

const whole = (model) => async (url) => {
  const result = await generateText({ ...ASK, model: model(url) });
  return {
    text: result.text,
    reasoning: result.reasoningText ?? "",
    refusal: "",
    calls: result.toolCalls.map(toldCall),
    finish: result.finishReason,
    usage: toldUsage(result.usage),
  };
};

function toldCall({ toolCallId, toolName, input, invalid, error }) {
  if (invalid) throw error;
  return { id: toolCallId, name: toolName, arguments: input };
}

function toldUsage({ inputTokens, outputTokens }) {
  return { input: inputTokens, output: outputTokens };
}

export const openaiChatStream = streamed(MODELS.openaiChat);
export const openaiChatWhole = whole(MODELS.openaiChat);
export const openaiResponsesStream = streamed(MODELS.openaiResponses);
export const openaiResponsesWhole = whole(MODELS.openaiResponses);
export const anthropicStream = streamed(MODELS.anthropic);
export const anthropicWhole = whole(MODELS.anthropic);
export const googleStream = streamed(MODELS.google);
export const googleWhole = whole(MODELS.google);
export const mistralStream = streamed(MODELS.mistral);
export const mistralWhole = whole(MODELS.mistral);
export const cohereStream = streamed(MODELS.cohere);
export const cohereWhole = whole(MODELS.cohere);
