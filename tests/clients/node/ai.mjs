// npm `ai`: streamText and generateText with each of its providers. It validates every chunk that comes in.
import { createAnthropic } from "@ai-sdk/anthropic";
import { createCohere } from "@ai-sdk/cohere";
import { createGoogleGenerativeAI } from "@ai-sdk/google";
import { createMistral } from "@ai-sdk/mistral";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateObject, generateText, jsonSchema, stepCountIs, streamObject, streamText, tool } from "ai";
import { z } from "zod";
import { MOST_RETRIES, QUESTION, Reply, TOOLS } from "./ask.mjs";

const apiKey = "any";
const COMPATIBLE = { name: "compatible", includeUsage: true, supportsStructuredOutputs: true };
const MODELS = {
  openaiChat: (url) => createOpenAI({ baseURL: url + "/v1", apiKey }).chat("gpt-4.1"),
  openaiCompatible: (url) =>
    createOpenAICompatible({ ...COMPATIBLE, baseURL: url + "/v1", apiKey })("moonshotai/kimi-k2"),
  openaiResponses: (url) => createOpenAI({ baseURL: url + "/v1", apiKey }).responses("gpt-5"),
  anthropic: (url) => createAnthropic({ baseURL: url + "/v1", apiKey })("claude-sonnet-4-5"),
  google: (url) => createGoogleGenerativeAI({ baseURL: url + "/v1beta", apiKey })("gemini-2.5-flash"),
  mistral: (url) => createMistral({ baseURL: url + "/v1", apiKey })("mistral-small-latest"),
  cohere: (url) => createCohere({ baseURL: url + "/v2", apiKey })("command-a-03-2025"),
};
const ASK = { prompt: QUESTION, maxRetries: MOST_RETRIES, onError() {} };

function tools(more) {
  return Object.fromEntries(
    TOOLS.map(({ name, description, schema }) => [
      name,
      tool({ description, inputSchema: jsonSchema(schema), ...more }),
    ]),
  );
}

/** One step: the caller is to answer the model's calls. */
const streamed = (model) => async (url) => {
  const reply = new Reply();
  for await (const part of streamText({ ...ASK, tools: tools(), model: model(url) }).fullStream) {
    if (part.type === "error") throw part.error;
    if (part.type === "text-delta") reply.text += part.text;
    if (part.type === "reasoning-delta") reply.reasoning += part.text;
    if (part.type === "source") reply.sources.push(toldSource(part));
    if (part.type === "tool-call") reply.calls.push(toldCall(part));
    if (part.type === "finish") {
      reply.finish = part.finishReason;
      reply.usage = toldUsage(part.totalUsage);
    }
  }
  return reply;
};

const whole = (model) => async (url) => {
  const result = await generateText({ ...ASK, tools: tools(), model: model(url) });
  return {
    text: result.text,
    reasoning: result.reasoningText ?? "",
    refusal: "",
    sources: result.sources.map(toldSource),
    calls: result.toolCalls.map(toldCall),
    finish: result.finishReason,
    usage: toldUsage(result.usage),
  };
};

/** Steps until the model has said what it makes of the tools' results. */
const agent = (generate) => (model) => async (url) => {
  const running = { tools: tools({ execute: () => "sunny" }), stopWhen: stepCountIs(3) };
  const result = await generate({ ...ASK, ...running, model: model(url) });
  return { text: await result.text, steps: (await result.steps).length };
};

const FORECAST = z.object({
  city: z.string().min(2),
  weather: z.enum(["sunny", "rainy"]),
  days: z.array(z.object({ date: z.iso.date(), degrees: z.number().min(-90).max(60), windy: z.boolean() })).min(1),
});

/** The SDK validates them against the schema. */
const streamedObject = (model) => async (url) => {
  const result = streamObject({ ...ASK, model: model(url), schema: FORECAST });
  for await (const part of result.fullStream) if (part.type === "error") throw part.error;
  return await result.object;
};

const wholeObject = (model) => async (url) => {
  return (await generateObject({ ...ASK, model: model(url), schema: FORECAST })).object;
};

function toldSource({ url, title }) {
  return { url, title };
}

function toldCall({ toolCallId, toolName, input, invalid, error }) {
  if (invalid) throw error;
  return { id: toolCallId, name: toolName, arguments: input };
}

function toldUsage({ inputTokens, outputTokens }) {
  return { input: inputTokens, output: outputTokens };
}

export const openaiChatStream = streamed(MODELS.openaiChat);
export const openaiChatWhole = whole(MODELS.openaiChat);
export const openaiChatAgentStream = agent(streamText)(MODELS.openaiChat);
export const openaiChatAgentWhole = agent(generateText)(MODELS.openaiChat);
export const openaiCompatibleStream = streamed(MODELS.openaiCompatible);
export const openaiCompatibleWhole = whole(MODELS.openaiCompatible);
export const openaiCompatibleAgentStream = agent(streamText)(MODELS.openaiCompatible);
export const openaiCompatibleAgentWhole = agent(generateText)(MODELS.openaiCompatible);
export const openaiResponsesStream = streamed(MODELS.openaiResponses);
export const openaiResponsesWhole = whole(MODELS.openaiResponses);
export const openaiResponsesAgentStream = agent(streamText)(MODELS.openaiResponses);
export const openaiResponsesAgentWhole = agent(generateText)(MODELS.openaiResponses);
export const anthropicStream = streamed(MODELS.anthropic);
export const anthropicWhole = whole(MODELS.anthropic);
export const anthropicAgentStream = agent(streamText)(MODELS.anthropic);
export const anthropicAgentWhole = agent(generateText)(MODELS.anthropic);
export const googleStream = streamed(MODELS.google);
export const googleWhole = whole(MODELS.google);
export const googleAgentStream = agent(streamText)(MODELS.google);
export const googleAgentWhole = agent(generateText)(MODELS.google);
export const mistralStream = streamed(MODELS.mistral);
export const mistralWhole = whole(MODELS.mistral);
export const mistralAgentStream = agent(streamText)(MODELS.mistral);
export const mistralAgentWhole = agent(generateText)(MODELS.mistral);
export const cohereStream = streamed(MODELS.cohere);
export const cohereWhole = whole(MODELS.cohere);
export const cohereAgentStream = agent(streamText)(MODELS.cohere);
export const cohereAgentWhole = agent(generateText)(MODELS.cohere);
export const openaiChatObjectStream = streamedObject(MODELS.openaiChat);
export const openaiChatObjectWhole = wholeObject(MODELS.openaiChat);
export const openaiCompatibleObjectStream = streamedObject(MODELS.openaiCompatible);
export const openaiCompatibleObjectWhole = wholeObject(MODELS.openaiCompatible);
export const openaiResponsesObjectStream = streamedObject(MODELS.openaiResponses);
export const openaiResponsesObjectWhole = wholeObject(MODELS.openaiResponses);
export const anthropicObjectStream = streamedObject(MODELS.anthropic);
export const anthropicObjectWhole = wholeObject(MODELS.anthropic);
export const googleObjectStream = streamedObject(MODELS.google);
export const googleObjectWhole = wholeObject(MODELS.google);
export const mistralObjectStream = streamedObject(MODELS.mistral);
export const mistralObjectWhole = wholeObject(MODELS.mistral);
export const cohereObjectStream = streamedObject(MODELS.cohere);
export const cohereObjectWhole = wholeObject(MODELS.cohere);
