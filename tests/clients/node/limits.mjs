// npm `openai`, `@anthropic-ai/sdk`, `@google/genai` and `ai` on the preset: replies that end early, streamed and in one
// piece, and what the clients raise if they are refused.
import { createOpenAI } from "@ai-sdk/openai";
import Anthropic from "@anthropic-ai/sdk";
import { GoogleGenAI } from "@google/genai";
import { generateText, streamText } from "ai";
import OpenAI from "openai";

const SAID = "Say hello to me";
const messages = [{ role: "user", content: SAID }];
const RIGHT = "right";

/** By client: its names of most tokens, texts at which to stop and the temperature, and how it asks. */
const CLIENTS = {
  openai: { names: ["max_tokens", "stop", "temperature"], whole: chat, streamed: chatStream },
  responses: { names: ["max_output_tokens", null, "temperature"], whole: response, streamed: responseStream },
  anthropic: { names: ["max_tokens", "stop_sequences", "temperature"], whole: message, streamed: messageStream },
  google: { names: ["maxOutputTokens", "stopSequences", "temperature"], whole: content, streamed: contentStream },
  ai: { names: ["maxOutputTokens", "stopSequences", "temperature"], whole: generated, streamed: generatedStream },
};

export const short = limited(0, 2);
export const stopped = limited(1, ["o t"]);

/** What each client raises if it is refused for a number out of range. */
export const refused = raised((ask, url, [, , temperature]) => ask(url, { [temperature]: 9 }, RIGHT));
export const wrongKey = raised((ask, url) => ask(url, {}, "wrong"));
/** What each raises when it has asked as often as it may in a minute. */
export const tooMany = raised(async (ask, url) => {
  for (;;) await ask(url, {}, RIGHT);
});

function limited(kind, limit) {
  return async (url) => {
    const found = {};
    for (const [client, { names, whole, streamed }] of Object.entries(CLIENTS)) {
      if (names[kind] === null) continue;
      const asked = { [names[kind]]: limit };
      found[client] = [await whole(url, asked, RIGHT), await streamed(url, asked, RIGHT)];
    }
    return found;
  };
}

function raised(provoke) {
  return async (url) => {
    const found = {};
    for (const [client, { names, whole, streamed }] of Object.entries(CLIENTS)) {
      found[client] = [];
      for (const ask of [whole, streamed]) {
        try {
          await provoke(ask, url, names);
        } catch (error) {
          const status = error.status ?? error.statusCode;
          const after = error.headers?.get("retry-after") ?? error.responseHeaders?.["retry-after"] ?? null;
          const name = error.name.startsWith("AI_") ? error.name : error.constructor.name;
          found[client].push({ name, status, after, message: error.message });
        }
      }
    }
    return found;
  };
}

// -- how each asks ----------------------------------------------------------------------------------------------------

function openai(url, apiKey) {
  return new OpenAI({ baseURL: url + "/openai/v1", apiKey, maxRetries: 0 });
}

async function chat(url, asked, key) {
  const { choices, usage } = await openai(url, key).chat.completions.create({ model: "m", messages, ...asked });
  return { text: choices[0].message.content, finish: choices[0].finish_reason, tokens: usage.completion_tokens };
}

async function chatStream(url, asked, key) {
  const more = { stream_options: { include_usage: true }, ...asked };
  const stream = openai(url, key).chat.completions.stream({ model: "m", messages, ...more });
  const { choices, usage } = await stream.finalChatCompletion();
  return { text: choices[0].message.content, finish: choices[0].finish_reason, tokens: usage.completion_tokens };
}

function told({ output_text, status, incomplete_details, usage }) {
  return { text: output_text, finish: incomplete_details?.reason ?? status, tokens: usage.output_tokens };
}

async function response(url, asked, key) {
  return told(await openai(url, key).responses.create({ model: "m", input: SAID, ...asked }));
}

async function responseStream(url, asked, key) {
  return told(await openai(url, key).responses.stream({ model: "m", input: SAID, ...asked }).finalResponse());
}

function claude(url, apiKey) {
  return new Anthropic({ baseURL: url + "/anthropic", apiKey, maxRetries: 0 }).messages;
}

function said({ content, stop_reason, stop_sequence, usage }) {
  return { text: content[0].text, finish: stop_reason, tokens: usage.output_tokens, stop: stop_sequence };
}

async function message(url, asked, key) {
  return said(await claude(url, key).create({ model: "m", messages, max_tokens: 99, ...asked }));
}

async function messageStream(url, asked, key) {
  return said(await claude(url, key).stream({ model: "m", messages, max_tokens: 99, ...asked }).finalMessage());
}

function gemini(url, apiKey) {
  return new GoogleGenAI({ apiKey, httpOptions: { baseUrl: url + "/gemini" } }).models;
}

async function content(url, config, key) {
  const { text, candidates, usageMetadata } = await gemini(url, key).generateContent({ model: "m", contents: SAID, config });
  return { text, finish: candidates[0].finishReason, tokens: usageMetadata.candidatesTokenCount };
}

async function contentStream(url, config, key) {
  const found = { text: "" };
  for await (const chunk of await gemini(url, key).generateContentStream({ model: "m", contents: SAID, config })) {
    found.text += chunk.text ?? "";
    found.finish = chunk.candidates?.[0]?.finishReason ?? found.finish;
    found.tokens = chunk.usageMetadata?.candidatesTokenCount ?? found.tokens;
  }
  return found;
}

function model(url, apiKey) {
  return createOpenAI({ baseURL: url + "/openai/v1", apiKey }).chat("m");
}

async function generated(url, asked, key) {
  const { text, finishReason, usage } = await generateText({ model: model(url, key), prompt: SAID, maxRetries: 0, ...asked });
  return { text, finish: finishReason, tokens: usage.outputTokens };
}

async function generatedStream(url, asked, key) {
  let failure;
  const onError = ({ error }) => (failure = error);
  const given = { model: model(url, key), prompt: SAID, maxRetries: 0, onError, ...asked };
  const stream = streamText(given);
  try {
    const [text, finish, { outputTokens }] = await Promise.all([stream.text, stream.finishReason, stream.usage]);
    return { text, finish, tokens: outputTokens };
  } catch (error) {
    throw failure ?? error;
  }
}
