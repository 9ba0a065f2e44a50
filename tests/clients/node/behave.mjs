// npm `ai` with each of its providers, told what the reply must be like: a forced call, few tokens, an object.
import { createAnthropic } from "@ai-sdk/anthropic";
import { createCohere } from "@ai-sdk/cohere";
import { createGoogleGenerativeAI } from "@ai-sdk/google";
import { createMistral } from "@ai-sdk/mistral";
import { createOpenAI } from "@ai-sdk/openai";
import { generateText, stepCountIs, streamText, tool } from "ai";
import { z } from "zod";

const apiKey = "any";
const MODELS = {
  openaiChat: (url) => createOpenAI({ baseURL: url + "/openai/v1", apiKey }).chat("gpt-4.1"),
  openaiResponses: (url) => createOpenAI({ baseURL: url + "/openai/v1", apiKey }).responses("gpt-4.1"),
  anthropic: (url) => createAnthropic({ baseURL: url + "/anthropic/v1", apiKey })("claude-sonnet-4-5"),
  google: (url) => createGoogleGenerativeAI({ baseURL: url + "/gemini/v1beta", apiKey })("gemini-2.5-flash"),
  mistral: (url) => createMistral({ baseURL: url + "/mistral/v1", apiKey })("mistral-small-latest"),
  cohere: (url) => createCohere({ baseURL: url + "/cohere/v2", apiKey })("command-a-03-2025"),
};
const ASK = { prompt: "How is the weather in Paris?", maxRetries: 0 };
const inputSchema = z.object({ city: z.string().min(6), days: z.number().int(), unit: z.enum(["K", "C"]) });
const look = tool({ description: "The weather in a city", inputSchema });
const wait = tool({ description: "Wait", inputSchema: z.object({}) });

function told({ toolName, input, invalid }) {
  return { name: toolName, input, invalid: invalid ?? false };
}

export const required = each(async (model) => {
  const { toolCalls, text, finishReason } = await generateText({ ...ASK, model, tools: { look }, toolChoice: "required" });
  return { calls: toolCalls.map(told), text, finish: finishReason };
});

export const requiredStream = each(async (model) => {
  const asked = { ...ASK, model, tools: { look }, toolChoice: "required" };
  const { toolCalls, text, finishReason } = streamText(asked);
  return { calls: (await toolCalls).map(told), text: await text, finish: await finishReason };
});

export const named = each(async (model) => {
  const toolChoice = { type: "tool", toolName: "look" };
  const { toolCalls } = await generateText({ ...ASK, model, tools: { wait, look }, toolChoice });
  return toolCalls.map(told);
});

export const steps = each(async (model) => {
  const done = tool({ description: "The answer", inputSchema: z.object({ answer: z.string() }) });
  const tools = { look: tool({ ...look, execute: async () => "It rains" }), done };
  const { steps } = await generateText({ ...ASK, model, tools, toolChoice: "required", stopWhen: stepCountIs(5) });
  return steps.map((step) => step.toolCalls.map(({ toolName }) => toolName));
});

export const short = each(async (model) => {
  const { text, finishReason, usage } = await generateText({ ...ASK, model, maxOutputTokens: 2 });
  return { text, finish: finishReason, tokens: usage.outputTokens };
});

export const jobs = each(async (model) => {
  const getCity = tool({ description: "The city", inputSchema: z.object({}), execute: async () => "Rome, Italy" });
  const execute = async ({ city }) => `Rain in ${city}`;
  const getWeather = tool({ description: "The weather", inputSchema: z.object({ city: z.string() }), execute });
  const tools = { get_city: getCity, get_weather: getWeather };
  const found = [];
  for (const prompt of ["Do I need an umbrella?", "In turn, please"]) {
    const { steps, text } = await generateText({ model, prompt, tools, stopWhen: stepCountIs(5), maxRetries: 2 });
    found.push([steps.flatMap((step) => step.toolCalls.map(({ toolName }) => toolName)), text]);
  }
  return found;
});

/** One call with every provider, all at once. */
function each(call) {
  return async (url) =>
    Object.fromEntries(await Promise.all(Object.entries(MODELS).map(async ([name, of]) => [name, await call(of(url))])));
}
