// A server of streams as one writes it by hand with node:http: one write an event, timers for pauses.
"use strict";
const { randomInt, randomUUID } = require("node:crypto");
const { readFileSync } = require("node:fs");
const http = require("node:http");
const { join } = require("node:path");
const EVENT = require("./event.json");
const PLAIN = readFileSync(join(__dirname, "plain.json"));

const EVENTS = 500;
const TOKENS = { short: 20, long: 500 };
const sse = (value) => `data: ${JSON.stringify(value)}\n\n`;
const head = (response, type) => {
  response.writeHead(200, { "Content-Type": type, "Cache-Control": "no-cache" });
  response.flushHeaders();
};

const times = (count, type, frame) => (request, response) => {
  head(response, type);
  for (let n = 0; n < count; n++) response.write(frame());
  response.end();
};

const every = (ms, first, frame) => (request, response) => {
  head(response, "text/event-stream");
  if (first) response.write(frame());
  const timer = setInterval(() => response.write(frame()), ms);
  response.on("close", () => clearInterval(timer));
};

function endless(request, response) {
  head(response, "text/event-stream");
  const write = () => {
    while (!response.destroyed && response.write(sse(EVENT)));
  };
  response.on("drain", write);
  write();
}

function chat(request, response) {
  let text = "";
  request.setEncoding("utf8");
  request.on("data", (part) => (text += part));
  request.on("end", () => {
    const body = JSON.parse(text);
    const tokens = TOKENS[body.messages.at(-1).content];
    if (request.method !== "POST" || !body.stream || !tokens) return missing(request, response);
    const chunk = {
      id: `chatcmpl-${randomUUID()}`,
      object: "chat.completion.chunk",
      created: Math.floor(Date.now() / 1000),
      model: body.model,
      service_tier: "default",
      system_fingerprint: "fp_peer",
    };
    const send = (delta, finish_reason = null) =>
      response.write(sse({ ...chunk, choices: [{ index: 0, delta, logprobs: null, finish_reason }] }));
    head(response, "text/event-stream");
    send({ role: "assistant", content: "" });
    for (let n = 0; n < tokens; n++) send({ content: "word " });
    send({}, "stop");
    response.end("data: [DONE]\n\n");
  });
}

function plain(request, response) {
  response.writeHead(200, { "Content-Type": "application/json", "Content-Length": PLAIN.length });
  response.end(PLAIN);
}

function missing(request, response) {
  response.writeHead(404, { "Content-Length": 0 });
  response.end();
}

const routes = {
  "/events": times(EVENTS, "text/event-stream", () => sse(EVENT)),
  "/uuid": times(EVENTS, "text/event-stream", () => sse({ ...EVENT, id: randomUUID() })),
  "/random": times(EVENTS, "text/event-stream", () => sse({ ...EVENT, volume: randomInt(10000, 100000) })),
  "/ndjson": times(EVENTS, "application/x-ndjson", () => JSON.stringify(EVENT) + "\n"),
  "/one": times(1, "text/event-stream", () => sse(EVENT)),
  "/paced": every(50, true, () => sse(EVENT)),
  "/idle": every(15000, false, () => ": keepalive\n\n"),
  "/endless": endless,
  "/plain": plain,
  "/v1/chat/completions": chat,
};

http
  .createServer((request, response) => (routes[request.url] ?? missing)(request, response))
  .listen({ port: Number(process.argv[2]), host: "127.0.0.1", backlog: 4096 });
