// npm `@google/genai`: generateContent, streamed and in one piece.
import { GoogleGenAI } from "@google/genai";
import { QUESTION, Reply, TOOLS } from "./ask.mjs";

const ASK = {
  model: "gemini-2.5-flash",
  contents: QUESTION,
  config: {
    tools: [{ functionDeclarations: TOOLS.map(declaration) }],
    thinkingConfig: { includeThoughts: true },
  },
};

function declaration({ name, description, schema }) {
  return { name, description, parametersJsonSchema: schema };
}

function models(url) {
  return new GoogleGenAI({ apiKey: "any", httpOptions: { baseUrl: url } }).models;
}

export async function stream(url) {
  const reply = new Reply();
  for await (const chunk of await models(url).generateContentStream(ASK)) add(reply, chunk);
  return reply;
}

export async function whole(url) {
  const reply = new Reply();
  add(reply, await models(url).generateContent(ASK));
  return reply;
}

function add(reply, { candidates = [], usageMetadata }) {
  for (const { content, finishReason } of candidates) {
    for (const part of content?.parts ?? []) {
      if (part.text) reply[part.thought ? "reasoning" : "text"] += part.text;
      if (part.functionCall) reply.calls.push(toldCall(part.functionCall));
    }
    reply.finish = finishReason ?? reply.finish;
  }
  const { promptTokenCount, candidatesTokenCount = 0, thoughtsTokenCount = 0 } = usageMetadata;
  reply.usage = { input: promptTokenCount, output: candidatesTokenCount + thoughtsTokenCount };
}

function toldCall({ id = null, name, args }) {
  return { id, name, arguments: args };
}
