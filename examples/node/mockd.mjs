// A helper for tests in Node 18 and later, under any test runner. Copy it, and mockd.d.mts for its documentation and
// types, to your tests; it needs nothing else.
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

// Fields of mocks. All others that a test gives are fields of their answers.
const OF_MOCK = [
  ..."id name description enabled priority matcher scenario cors sse chunked response proxy responses".split(" "),
  ..."then faults profile".split(" "),
];
const DATA_FILES = ["sse.eventsFile", "chunked.eventsFile", "chunked.dataFile", "response.bodyFile"];
// Where the clients of each provider ask for a reply, and the template that gives it, in `sse` or as said.
const CHATS = {
  openai: ["/v1/chat/completions", "openai-chat"],
  "openai-responses": ["/v1/responses", "openai-responses"],
  azure: ["/openai/deployments/{deployment}/chat/completions", "azure-openai"],
  anthropic: ["/v1/messages", "anthropic-messages"],
  gemini: ["/*/models/*", "gemini"],
  mistral: ["/v1/chat/completions", "mistral-chat"],
  cohere: ["/v2/chat", "cohere-chat"],
  ollama: ["/api/chat", "ollama-chat", "chunked"],
  vertex: ["/*/publishers/google/models/*", "gemini"],
  vercel: ["/api/chat", "vercel-ui"],
  "ag-ui": ["/agent", "ag-ui"],
};
const PATIENCE_S = 4; // runners of tests give up after 5, and do not say why
const ANSWER_MS = 10_000;
const START_MS = 20_000;
const HERE = fileURLToPath(import.meta.url);

export class MockdError extends Error {
  name = "MockdError";

  constructor(message, { code, status, details } = {}) {
    super(message);
    Object.assign(this, { code, status, details });
    // Runners show the first place of a stack: it is to be in the test and not in here.
    this.stack = this.stack.split("\n").filter((line) => !line.includes(HERE)).join("\n");
  }
}

export async function connect({ admin = "http://localhost:4290", ...options } = {}) {
  const server = new Server("", admin, options);
  const { mocks } = await server.call("GET", "/health");
  await server.call("GET", "/status"); // for which the API key is needed, if there is one
  server.url = mocksAt(server.admin, mocks);
  return server;
}

export async function start({ command = ["mockd"], args = [], ...options } = {}) {
  const words = [...command, "serve", "--port", "0", "--admin-port", "0", "--log-format", "json", "--quiet", ...args];
  const env = { ...process.env, NODE_OPTIONS: "" }; // those are for this process
  const keeper = spawn(process.execPath, ["-e", KEEPER, "--", ...words], { env, stdio: ["pipe", "ignore", "pipe"] });
  const over = new Promise((done) => keeper.once("exit", done));
  const stop = async () => {
    keeper.ref();
    keeper.stdin.end();
    await over;
  };
  const timer = setTimeout(stop, START_MS);
  const said = [];
  for await (const line of createInterface(keeper.stderr)) {
    said.push(line);
    const { mocks, admin, key } = jsonOf(line) ?? {};
    if (!mocks) continue;
    clearTimeout(timer);
    for (const handle of [keeper, keeper.stdin, keeper.stderr]) handle.unref(); // they keep no test run alive
    keeper.stderr.resume(); // what nobody reads would block the server in the end
    return new Server(mocks, admin, { apiKey: key, ...options }, stop);
  }
  clearTimeout(timer);
  throw new MockdError(`\`${command.join(" ")} serve\` has not started:\n${said.join("\n")}`);
}

// A process between this one and the server. Its stdin ends with this process, also if that is killed or has crashed.
const KEEPER = `
  const [command, ...words] = process.argv.slice(1);
  const server = require("node:child_process").spawn(command, words, { stdio: ["ignore", "ignore", "inherit"] });
  server.on("error", (error) => console.error(error.message + "; install mockd, or say how it is called: { command }"));
  server.on("close", () => process.exit());
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => server.kill());
  process.stdin.on("close", () => server.kill()).resume();
`;

class Server {
  #apiKey;
  #stop;

  constructor(url, admin, { apiKey = process.env.MOCKD_API_KEY, patienceSeconds = PATIENCE_S }, stop) {
    this.url = url;
    this.admin = admin.replace(/\/$/, "");
    this.patienceSeconds = patienceSeconds;
    this.#apiKey = apiKey;
    this.#stop = stop;
  }

  test(name = "test") {
    const key = `${name.replace(/[^A-Za-z0-9._-]+/g, "-").slice(0, 60)}-${randomBytes(8).toString("hex")}`;
    return new Mockd(this, key);
  }

  async call(method, path, { body, query = {}, waits = 0 } = {}) {
    const given = Object.entries(query).filter(([, value]) => value !== undefined);
    const url = `${this.admin}${path}?${new URLSearchParams(given)}`;
    const headers = { ...(this.#apiKey && { "X-API-Key": this.#apiKey }), "Content-Type": "application/json" };
    const signal = AbortSignal.timeout(ANSWER_MS + waits * 1000);
    let response, text;
    try {
      response = await fetch(url, { method, headers, signal, body: JSON.stringify(body) });
      text = await response.text();
    } catch (error) {
      const reason = error.cause?.message || error.cause?.code || error.message;
      throw new MockdError(`no answer from ${this.admin}: ${reason}; is a \`mockd serve\` running there?`);
    }
    const details = response.status === 204 ? {} : jsonOf(text);
    if (response.ok && details) return details;
    if (typeof details?.error !== "string") throw new MockdError(`${url} is not mockd's admin API: ${response.status}`);
    const message = (details.problems ?? [details]).map(problemOf).join("\n");
    throw new MockdError(message, { code: details.error, status: response.status, details });
  }

  async close() {
    await this.#stop?.();
  }

  [Symbol.asyncDispose]() {
    return this.close();
  }
}

class Mockd {
  #ids = new Set();

  constructor(server, key) {
    this.server = server;
    this.key = key;
    this.url = `${server.url}/~${key}`;
  }

  sse(request, events, fields) {
    return this.#add(request, "sse", events == null ? {} : { events: [...events].map(eventOf) }, fields);
  }

  ndjson(request, items, fields) {
    return this.#add(request, "chunked", { ndjsonItems: [...items] }, fields);
  }

  response(request, body = "", status = 200, fields = {}) {
    return this.#add(request, "response", { status, body }, fields);
  }

  async llm(text, preset = "openai", { templateParams, ...fields } = {}) {
    if (!(preset in CHATS)) throw new MockdError(`no provider ${preset}; known: ${Object.keys(CHATS).join(", ")}`);
    const [path, template, part = "sse"] = CHATS[preset];
    const params = { ...(text == null ? { echo: true } : { text }), ...templateParams };
    return this.#add(`POST ${path}`, part, { template, templateParams: params }, fields);
  }

  async load(file) {
    const config = file.endsWith(".json") && jsonOf(await readFile(file, "utf8"));
    if (!config) throw new MockdError(`${file} is not JSON; give it to \`mockd serve\`, and find mocks with mock(id)`);
    const added = [];
    for (const mock of [config.mocks ?? config].flat()) {
      for (const [part, field] of DATA_FILES.map((place) => place.split("."))) {
        for (const { [part]: answer } of [mock, mock.http ?? {}, ...(mock.responses ?? [])]) {
          if (answer?.[field]) answer[field] = resolve(dirname(file), answer[field]);
        }
      }
      try {
        added.push(await this.#create(mock));
      } catch (error) {
        for (const { id } of added) await this.call("DELETE", `/mocks/${encodeURIComponent(id)}`);
        throw new MockdError(`${file}, mock ${mock.id ?? added.length}: ${error.message}`, error);
      }
    }
    if (!added.length) throw new MockdError(`${file}: there are no mocks in it`);
    return added[0];
  }

  async mock(id) {
    const path = `/mocks/${encodeURIComponent(id)}`;
    const found = await this.call("GET", path).catch(ifMissing(() => this.server.call("GET", path)));
    return new MockHandle(this, found);
  }

  async requests(filters) {
    return (await this.call("GET", "/requests", { query: filters })).requests;
  }

  verify(request, { times, atLeast, atMost, never, withinSeconds } = {}) {
    const bounds = atLeast === undefined && atMost === undefined ? undefined : { atLeast, atMost };
    const claim = { request: this.#own(request), times: times ?? bounds, never };
    const least = times ?? atLeast ?? (never || atMost !== undefined ? 0 : 1);
    return this.#verify(claim, withinSeconds, { ...claim, times: { atLeast: least }, never: undefined });
  }

  verifyOrder(requests, { withinSeconds } = {}) {
    const claim = { order: requests.map((request) => this.#own(request)) };
    return this.#verify(claim, withinSeconds, claim);
  }

  async journal() {
    const { requests, total, dropped } = await this.call("GET", "/requests", { query: { limit: 50 } });
    if (!requests.length) return "Requests of this test: none.";
    const { connections } = await this.call("GET", "/sse/connections"); // those that are open, and where they are held
    const streams = new Map(connections.map((stream) => [stream.id, stream]));
    const rows = requests.map((request) => rowOf(request, requests[0], streams.get(request.connectionId)));
    const earlier = total - requests.length + dropped;
    const lines = ["Requests of this test:", ...table(rows)];
    return [...lines, ...(earlier ? [`${earlier} earlier ones are left out.`] : [])].join("\n");
  }

  async reset({ mocks = false, streams = false } = {}) {
    await this.call("POST", "/reset", { query: { mocks, streams } });
  }

  async close() {
    await this.server.call("DELETE", `/keys/${this.key}`).catch(ifMissing(() => {})); // a test may have used nothing
  }

  [Symbol.asyncDispose]() {
    return this.close();
  }

  call(method, path, given = {}) {
    return this.server.call(method, path, { ...given, query: { ...given.query, key: this.key } });
  }

  async fail(message) {
    const journal = await this.journal().catch((error) => `Requests of this test: not known, as ${error.message}`);
    throw new MockdError(`${message}\n\n${journal}`);
  }

  #add(request, part, answer, fields = {}) {
    const [ofMock, ofAnswer] = [{}, {}];
    for (const [name, value] of Object.entries(fields)) (OF_MOCK.includes(name) ? ofMock : ofAnswer)[name] = value;
    const matcher = { ...criteriaOf(request), ...ofMock.matcher };
    const mock = { id: this.#newId(matcher.path), ...ofMock, matcher, [part]: { ...answer, ...ofAnswer } };
    return this.#create(mock);
  }

  async #create(mock) {
    const answer = await this.call("POST", "/mocks", { body: mock });
    return new MockHandle(this, answer.mock);
  }

  #newId(path) {
    const name = path.replace(/[^A-Za-z0-9.]+/g, "-").replace(/^-|-$/g, "") || "mock";
    let id = name;
    for (let number = 2; this.#ids.has(id); number++) id = `${name}-${number}`;
    this.#ids.add(id);
    return id;
  }

  #own(request) {
    return { ...(typeof request === "string" ? criteriaOf(request) : request), key: this.key };
  }

  async #verify(claim, withinSeconds, enough) {
    const ask = (claim, waits) =>
      this.server.call("POST", "/verify", { body: { ...claim, withinSeconds: waits }, waits });
    if (withinSeconds === undefined) await ask(enough, this.server.patienceSeconds); // what is missing may still come
    const { ok, message } = await ask(claim, withinSeconds ?? 0);
    if (ok !== true) await this.fail(message.replace(` of the key '${this.key}'`, ""));
  }
}

class MockHandle {
  #mockd;
  #event;
  #given = new Set();

  constructor(mockd, mock) {
    this.#mockd = mockd;
    this.#event = mock.chunked?.ndjsonItems ? itemOf : eventOf;
    this.id = mock.id;
    this.url = mockd.url + (mock.matcher.path ?? "");
  }

  async holdAt(at, { upcoming = 1 } = {}) {
    await this.#call("POST", "hold", { body: { at, upcoming } });
  }

  hold = (at) => this.#onLive("hold", { at });
  step = (count = 1) => this.#onLive("step", { count });
  cut = (action, settings) => this.#onLive("cut", faultOf(action, settings));

  async push(event) {
    await this.#call("POST", "push", { body: this.#event(event) });
  }

  async release() {
    await this.#call("POST", "release");
  }

  async close() {
    await this.#call("POST", "close");
  }

  async waitForStream({ timeoutSeconds = this.#mockd.server.patienceSeconds } = {}) {
    const until = Date.now() + timeoutSeconds * 1000;
    for (let opened = 1; ; opened++) {
      const waits = Math.max(0, until - Date.now()) / 1000;
      const { connections } = await this.#call("GET", "wait", { query: { opened, timeoutSeconds: waits }, waits });
      const found = connections.find((stream) => !this.#given.has(stream.id));
      if (found) {
        this.#given.add(found.id);
        return new StreamHandle(this.#mockd, found);
      }
      const which = this.#given.size ? "another stream" : "a stream";
      const message = `expected ${which} of the mock '${this.id}' within ${timeoutSeconds} s, and none has begun`;
      if (connections.length < opened) await this.#mockd.fail(message);
      opened = connections.length;
    }
  }

  async #onLive(verb, body) {
    const { count } = await this.#call("POST", verb, { body });
    if (!count) await this.#mockd.fail(`expected the mock '${this.id}' to have a live stream, and it has none`);
  }

  #call(method, verb, given) {
    return this.#mockd.call(method, `/mocks/${encodeURIComponent(this.id)}/sse/${verb}`, given);
  }
}

class StreamHandle {
  #mockd;
  #event;

  constructor(mockd, { id, kind }) {
    this.#mockd = mockd;
    this.#event = kind === "ndjson" ? itemOf : eventOf;
    this.id = id;
  }

  state = () => this.#call("GET", "");
  hold = (at) => this.#do("hold", { at });
  step = (count = 1) => this.#do("step", { count });
  release = () => this.#do("release");
  push = (event) => this.#do("push", this.#event(event));
  cut = (action, settings) => this.#do("cut", faultOf(action, settings));
  close = () => this.#do("close");
  waitReached = (reached, wait) => this.#wait(`have sent ${events(reached)}`, { reached }, wait);
  waitHeld = (wait) => this.#wait("be held", { held: true }, wait);
  waitEnded = (wait) => this.#wait("end", { ended: true }, wait);

  #call(method, verb, given) {
    return this.#mockd.call(method, `/sse/connections/${this.id}${verb}`, given);
  }

  async #do(verb, body) {
    await this.#call("POST", `/${verb}`, { body });
  }

  async #wait(wanted, conditions, { timeoutSeconds = this.#mockd.server.patienceSeconds } = {}) {
    const query = { ...conditions, timeoutSeconds };
    const { ok, connection } = await this.#call("GET", "/wait", { query, waits: timeoutSeconds });
    if (ok) return connection;
    const state = `${connection.outcome ? "over: " : ""}${endOf(connection)}`;
    const but = `it has sent ${events(connection.eventsSent)} and is ${state}`;
    return this.#mockd.fail(`expected the stream ${this.id} to ${wanted} within ${timeoutSeconds} s, but ${but}`);
  }
}

function rowOf(request, first, stream) {
  const query = request.query.map((pair) => pair.join("=")).join("&");
  const faults = request.faults.map((fault) => `fault ${fault.action}`);
  const nearest = (request.nearMisses ?? []).slice(0, 1).map((near) => `nearest: ${near.mockId}: ${near.reason}`);
  return [
    Date.parse(request.time) - Date.parse(first.time),
    `${request.method} ${request.path}${query && `?${query}`}`,
    request.status || "",
    request.mockId ?? "none",
    request.eventsSent,
    [endOf({ ...stream, outcome: request.outcome, endedBy: request.endedBy }), ...faults, ...nearest].join("; "),
  ];
}

// The state of a stream in words.
function endOf({ outcome, endedBy, held, heldAt }) {
  if (outcome) return endedBy && endedBy !== "mockd" ? `${outcome} (${endedBy})` : outcome;
  if (held) return heldAt === "head" ? "open, held before its head" : "open, held";
  return heldAt == null ? "open" : `open, to be held at ${heldAt}`;
}

function table(rows) {
  const control = (char) => `\\u{${char.codePointAt(0).toString(16)}}`;
  const all = [["AT MS", "REQUEST", "STATUS", "MOCK", "EVENTS", "END"], ...rows];
  const cells = all.map((row) => row.map((cell) => String(cell).replace(/\p{C}/gu, control)));
  const widths = cells[0].map((_, column) => Math.max(...cells.map((row) => row[column].length)));
  return cells.map((row) => row.map((cell, column) => cell.padEnd(widths[column])).join("  ").trimEnd());
}

// A problem in words: the place, what is wrong, and the cure.
const problemOf = ({ path, message, hint }) => `${path ? `${path}: ` : ""}${message}${hint ? `; ${hint}` : ""}`;
const events = (count) => (count === 1 ? "1 event" : `${count} events`);
// A line of NDJSON. Text as data would be sent as it is.
const faultOf = (action, settings) => (settings ? { action, ...settings } : action);
const itemOf = (item) => ({ data: typeof item === "string" ? JSON.stringify(item) : item });
const eventOf = (given) => (Object.prototype.toString.call(given) === "[object Object]" ? given : { data: given });

// What to do with an error: if something is not there, that, and otherwise to throw it.
const ifMissing = (otherwise) => (error) => {
  if (error.status === 404) return otherwise();
  throw error;
};

function criteriaOf(text) {
  const [first, ...rest] = text.trim().split(" ");
  return /^[/*]/.test(first) || !rest.length ? { path: text.trim() } : { method: first, path: rest.join(" ").trim() };
}

function jsonOf(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

// The URL of the mocks of a server that may have told it.
function mocksAt(admin, told) {
  if (admin.endsWith("/__mockd")) return admin.slice(0, -"/__mockd".length);
  if (!told) throw new MockdError(`${admin} does not say where its mocks are; give an address that ends in /__mockd`);
  const [mocks, { hostname }] = [new URL(told), new URL(admin)];
  const isLocal = (host) => /^(localhost|127\..*|\[::1\])$/.test(host);
  // A server on all addresses of another machine tells the one that it has for itself.
  if (isLocal(mocks.hostname) && !isLocal(hostname)) mocks.hostname = hostname;
  return mocks.href.replace(/\/$/, "");
}
