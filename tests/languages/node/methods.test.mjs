import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { after, afterEach, beforeEach, test } from "node:test";
import { connect, MockdError, start } from "./mockd.mjs";

const server = await start({ args: ["--files-root", "."], patienceSeconds: 60 });
after(() => server.close());
let mockd;
beforeEach(() => (mockd = server.test()));
afterEach(() => mockd.close());

const read = async (url, given) => (await fetch(url, given)).text();
const sse = (...events) => events.map((event) => `data: ${event}\n\n`).join("");

test("a name is in the key, and no two keys are the same", async () => {
  const [first, second] = [server.test("half a reply: ü"), server.test("half a reply: ü")];
  assert.match(first.key, /^half-a-reply-[-0-9a-f]+$/);
  assert.notEqual(first.key, second.key);
  assert.equal(first.url, `${server.url}/~${first.key}`);
  assert.ok((await server.test("x".repeat(500)).sse("/long", [1])).url.length < 200);
});

test("parts do not see each other", async () => {
  const other = server.test();
  await mockd.response("/who", "me");
  await other.response("/who", "the other", 201, { faults: ["status 503 for requests 1"] });
  assert.equal(await read(`${mockd.url}/who`), "me");
  assert.equal((await fetch(`${other.url}/who`)).status, 503);
  assert.equal(await read(`${other.url}/who`), "the other");
  assert.deepEqual((await other.requests()).map(({ status }) => status), [503, 201]);
  assert.deepEqual((await other.requests({ status: 503 })).length, 1);
  await other.close();
  assert.equal((await fetch(`${other.url}/who`)).status, 404);
});

test("what is answered", async () => {
  const events = await mockd.sse("/events", ["one", { type: "two", data: { n: 2 } }, [3], null], { retry: 100, priority: 3 });
  assert.equal(await read(events.url), 'data: one\nretry: 100\n\nevent: two\ndata: {"n":2}\n\ndata: [3]\n\ndata: null\n\n');
  const items = await mockd.ndjson("GET /items", [{ n: 1 }, "two"], { timing: { fixedDelay: 1 } });
  assert.equal(await read(items.url), '{"n":1}\n"two"\n');
  const whole = await mockd.response("POST /whole", { ok: true }, 202, {
    headers: { "X-Version": "2" },
    matcher: { headers: { "X-Team": "red" } },
  });
  const answer = await fetch(whole.url, { method: "POST", headers: { "X-Team": "red" } });
  assert.deepEqual([answer.status, answer.headers.get("X-Version"), await answer.json()], [202, "2", { ok: true }]);
  assert.equal((await fetch(whole.url, { method: "POST" })).status, 404);
  assert.equal(await read((await mockd.response("/empty")).url), "");
});

test("ids are made of paths, and may be given", async () => {
  const ids = ["/a/b", "/a/b", "/", "/c"].map(async (path) => (await mockd.sse(path, [1])).id);
  assert.deepEqual((await Promise.all(ids)).sort(), ["a-b", "a-b-2", "c", "mock"]);
  assert.equal((await mockd.sse("/d", [1], { id: "mine" })).id, "mine");
  assert.equal((await mockd.mock("mine")).url, `${mockd.url}/d`);
});

test("a mock for all tests is found, and its streams are the test's", async () => {
  await server.call("POST", "/mocks", { body: { id: "all", matcher: { path: "/all" }, sse: { events: [{ data: 1 }] } } });
  const all = await mockd.mock("all");
  await all.holdAt("head");
  const answer = read(all.url);
  const stream = await all.waitForStream();
  assert.equal((await stream.waitHeld()).heldAt, "head");
  assert.equal(await read(`${server.url}/all`), sse(1));
  await all.release();
  assert.equal(await answer, sse(1));
  await server.call("DELETE", "/mocks/all");
  await assert.rejects(mockd.mock("all"), { name: "MockdError", code: "not_found", status: 404, message: /all/ });
});

test("a model's reply says what it is told, or repeats", async () => {
  const ask = async (content) => {
    const body = JSON.stringify({ model: "gpt-4.1", messages: [{ role: "user", content }] });
    const answer = await fetch(`${mockd.url}/v1/chat/completions`, { method: "POST", body });
    return (await answer.json()).choices[0].message;
  };
  await mockd.llm();
  assert.equal((await ask("Repeat this")).content, "Repeat this");
  await mockd.llm("", "openai", { priority: 1 });
  assert.equal((await ask("Hi")).content, "");
  await mockd.llm(null, "openai", { priority: 2, templateParams: { tokens: ["a", "b"] } });
  assert.equal((await ask("Hi")).content, "ab");
  await mockd.llm(undefined, "openai", { priority: 3, templateParams: { text: "said" } });
  assert.equal((await ask("Hi")).content, "said");
  const toolCalls = [{ name: "weather", arguments: { city: "Bern" } }];
  await mockd.llm("Wait", "openai", { priority: 4, templateParams: { toolCalls } });
  const { content, tool_calls } = await ask("Hi");
  assert.deepEqual([content, tool_calls[0].function.name], ["Wait", "weather"]);
  await assert.rejects(mockd.llm("Hi", "opnai"), { message: /no provider opnai; known: openai, openai-responses, / });
});

test("a file is loaded whole or not at all", async () => {
  mkdirSync("sub");
  writeFileSync("sub/events.json", JSON.stringify([{ data: "from a file" }]));
  writeFileSync("sub/body.txt", "whole");
  const mocks = [
    { id: "file", matcher: { path: "/file" }, sse: { eventsFile: "events.json" } },
    { id: "turns", matcher: { path: "/turns" }, responses: [{ response: { bodyFile: "body.txt" } }] },
    { id: "same", matcher: { path: "/same" }, response: { body: { bodyFile: "body.txt" } } },
  ];
  writeFileSync("sub/mocks.json", JSON.stringify({ mocks }));
  assert.equal(await read((await mockd.load("sub/mocks.json")).url), sse("from a file"));
  assert.equal(await read(`${mockd.url}/turns`), "whole");
  assert.equal(await read(`${mockd.url}/same`), '{"bodyFile":"body.txt"}');
  writeFileSync("one.json", JSON.stringify({ matcher: { path: "/one" }, response: { body: "one" } }));
  assert.equal(await read((await mockd.load("one.json")).url), "one");

  const other = server.test();
  writeFileSync("sub/wrong.json", JSON.stringify([...mocks, { id: "wrong", matcher: { path: "/" }, response: { bdy: 1 } }]));
  await assert.rejects(other.load("sub/wrong.json"), { message: /^sub.wrong.json, mock wrong: .*bdy.*did you mean `body`/, status: 400 });
  assert.equal((await other.call("GET", "/mocks")).total, 0);
  await other.close();

  writeFileSync("none.json", "[]");
  writeFileSync("broken.json", "{");
  await assert.rejects(mockd.load("none.json"), { message: "none.json: there are no mocks in it" });
  for (const name of ["broken.json", "mocks.yaml"]) await assert.rejects(mockd.load(name), { message: /is not JSON; give it to/ });
  await assert.rejects(mockd.load("missing.json"), { code: "ENOENT" });
});

test("a stream is held, stepped, pushed into and released", async () => {
  const ticks = await mockd.sse("/ticks", [1, 2, 3, 4, 5]);
  await ticks.holdAt(1);
  const answer = read(ticks.url);
  const stream = await ticks.waitForStream();
  assert.equal((await stream.waitHeld()).eventsSent, 1);
  await stream.step();
  await stream.step(2);
  await stream.push("pushed");
  await stream.push({ data: "too" });
  await ticks.push("all");
  assert.equal((await stream.waitReached(7)).held, true);
  assert.equal((await stream.state()).eventsSent, 7);
  await stream.hold(8);
  await stream.waitHeld();
  await stream.release();
  assert.equal(await answer, sse(1, 2, 3, 4, "pushed", "too", "all", 5));
  assert.equal((await stream.waitEnded()).outcome, "completed");
  await assert.rejects(stream.hold(), { code: "conflict", message: /completed/ });
});

test("items are pushed into NDJSON", async () => {
  const items = await mockd.ndjson("/items", [1, 2]);
  await items.holdAt(1);
  const answer = read(items.url);
  const stream = await items.waitForStream();
  await stream.waitHeld();
  await stream.push({ data: 5 });
  await items.push("x");
  await stream.release();
  assert.equal(await answer, '1\n{"data":5}\n"x"\n2\n');
});

test("faults strike now, and streams are ended", async () => {
  const ticks = await mockd.sse("/ticks", [1, 2]);
  await ticks.holdAt(1, { upcoming: "all" });
  const answers = [1, 2, 3].map(() => fetch(ticks.url));
  const streams = await Promise.all(answers.map(() => ticks.waitForStream()));
  assert.equal(new Set(streams.map(({ id }) => id)).size, 3);
  for (const stream of streams) await stream.waitHeld();
  await streams[0].cut("reset");
  await streams[1].cut("stall", { ms: 1 });
  await streams[1].release();
  await streams[2].close();
  const ends = await Promise.all(streams.map((stream) => stream.waitEnded()));
  assert.deepEqual(ends.map(({ outcome }) => outcome).slice(0, 2), ["aborted", "completed"]);
  assert.deepEqual(ends.map(({ eventsSent }) => eventsSent), [1, 2, 1]);
  assert.deepEqual(ends[1].faults.map(({ action }) => action), ["stall"]);
  await Promise.allSettled(answers);
});

test("all streams of a mock are held, stepped, cut and ended", async () => {
  const ticks = await mockd.sse("/ticks", [1, 2, 3, 4]);
  await ticks.holdAt("head", { upcoming: "all" });
  const answers = [read(ticks.url), read(ticks.url)];
  const streams = [await ticks.waitForStream(), await ticks.waitForStream()];
  await ticks.hold(1);
  for (const stream of streams) await stream.waitHeld();
  await ticks.step();
  await ticks.cut("insert", { raw: "data: cut\n\n" });
  for (const stream of streams) await stream.waitReached(2);
  await ticks.close();
  assert.deepEqual(await Promise.all(answers), [sse(1, 2, "cut"), sse(1, 2, "cut")]);
  const none = { message: /^expected the mock 'ticks' to have a live stream, and it has none\n/ };
  for (const done of [ticks.hold(), ticks.step(), ticks.cut("reset")]) await assert.rejects(done, none);
});

test("streams are given one after the other, those that have ended too", async () => {
  const ticks = await mockd.sse("/ticks", [1]);
  await read(ticks.url);
  const first = await ticks.waitForStream();
  const second = ticks.waitForStream();
  await read(ticks.url);
  assert.notEqual((await second).id, first.id);
  await assert.rejects(ticks.waitForStream({ timeoutSeconds: 0 }), { message: /^expected another stream of the mock 'ticks' within 0 s/ });
});

test("a wait that can never be fails at once, with the state", async () => {
  const ticks = await mockd.sse("/ticks", [1]);
  await read(ticks.url);
  const stream = await ticks.waitForStream();
  await assert.rejects(stream.waitReached(2), { message: /to have sent 2 events .* but it has sent 1 event and is over: completed/ });
  await assert.rejects(stream.waitHeld(), { message: /to be held .* over: completed/ });
  await ticks.holdAt("head");
  const answer = read(ticks.url);
  const held = await ticks.waitForStream();
  const wait = { timeoutSeconds: 0.01 };
  await assert.rejects(held.waitEnded(wait), { message: /to end within 0.01 s, but it has sent 0 events and is open, held before its head/ });
  assert.match(await mockd.journal(), /GET \/ticks +ticks +0 +open, held before its head$/m);
  await held.hold(1);
  await held.release();
  await answer;
});

test("claims about what came", async () => {
  await mockd.response("/a");
  await mockd.response("POST /b");
  for (const path of ["/a", "/a"]) await fetch(mockd.url + path);
  await fetch(`${mockd.url}/b`, { method: "POST", body: "tea" });
  await mockd.verify("/a");
  await mockd.verify("/a", { times: 2 });
  await mockd.verify("/a", { atLeast: 2 });
  await mockd.verify("/a", { atMost: 2 });
  await mockd.verify("/a", { atLeast: 1, atMost: 3, withinSeconds: 0 });
  await mockd.verify("/c", { never: true });
  await mockd.verify("/c", { times: 0 });
  await mockd.verify({ path: "/b", bodyEquals: "tea" }, { times: 1, withinSeconds: 0.01 });
  await mockd.verifyOrder(["GET /a", { path: "/b" }]);
  const now = { withinSeconds: 0 };
  const fails = (promise, message) => assert.rejects(promise, { name: "MockdError", message });
  await fails(mockd.verify("/a", { times: 1, ...now }), /^expected a request for \/a exactly once, but it came 2 times/);
  await fails(mockd.verify("/a", { times: 1 }), /came 2 times/); // at once, although the patience is a minute
  await fails(mockd.verify("/a", { atMost: 1 }), /came 2 times/);
  await fails(mockd.verify("/a", { never: true }), /came 2 times/);
  await fails(mockd.verify("/a", { atLeast: 3, ...now }), /came 2 times/);
  await fails(mockd.verify("/c", now), /came 0 times/);
  await fails(mockd.verifyOrder(["/b", "/a"], now), /in this order/);
  await assert.rejects(mockd.verify("/c", now), ({ message }) => !message.includes(mockd.key));
  await fetch(`${mockd.url}/b`, { method: "POST", body: "x".repeat(100_000) });
  await fails(mockd.verify({ path: "/b", bodyContains: "y" }, now), /as far as that is known, which may not be all: /); // a doubt
  await assert.rejects(mockd.verify("/c", { times: -1 }), { code: "validation_error" });
});

test("what is missing may still come", async () => {
  await mockd.response("/late");
  const verified = Promise.all([
    mockd.verify("/late", { times: 2 }),
    mockd.verifyOrder(["/late", "/late"]),
    mockd.verify("/late", { atLeast: 2, atMost: 5 }),
  ]);
  for (let number = 0; number < 9; number++) await mockd.verify("/late", { times: 0, withinSeconds: 0 }); // meanwhile
  await fetch(`${mockd.url}/late`);
  await fetch(`${mockd.url}/late`);
  await verified;
});

test("the journal is a table, in which nothing of a client is raw", async () => {
  assert.equal(await mockd.journal(), "Requests of this test: none.");
  await mockd.response("/fine", "", 200, { faults: ["status 503 for requests 1"] });
  await fetch(`${mockd.url}/fine?a=b&c`);
  await fetch(`${mockd.url}/f%1Bine`);
  const [title, headings, first, second, ...rest] = (await mockd.journal()).split("\n");
  assert.equal(title, "Requests of this test:");
  assert.match(headings, /^AT MS  REQUEST +STATUS  MOCK  EVENTS  END$/);
  assert.match(first, /^0 +GET \/fine\?a=b&c=? +503 +fine +0 +completed; fault status$/);
  assert.match(second, /^\d+ +GET \/f\\u\{1b\}ine +404 +none +0 +completed; nearest: fine: .*path/);
  assert.deepEqual(rest, []);
  for (let number = 0; number < 50; number++) await fetch(`${mockd.url}/fine`);
  assert.match(await mockd.journal(), /\n2 earlier ones are left out\.$/);
});

test("a reset", async () => {
  const turns = await mockd.response("/turns", "fine", 200, { faults: ["status 503 for requests 1"] });
  assert.deepEqual([(await fetch(turns.url)).status, (await fetch(turns.url)).status], [503, 200]);
  await mockd.reset();
  assert.deepEqual([(await mockd.requests()).length, (await fetch(turns.url)).status], [0, 503]);
  await mockd.reset({ mocks: true, streams: true });
  assert.equal((await fetch(turns.url)).status, 404);
});

test("closing may be done twice, and by a part that was not used", async () => {
  const unused = server.test();
  await unused.close();
  await unused[Symbol.asyncDispose]();
});

test("another server is found by its address", async () => {
  assert.equal((await connect({ admin: `${server.admin}/` })).url, server.url);
  await assert.rejects(connect({ admin: server.url }), (error) => {
    assert.ok(error instanceof MockdError);
    assert.match(error.message, /is not mockd's admin API: 404$/);
    return true;
  });
});

test("a server that wants a key", async () => {
  const other = await start({ args: ["--api-key", "s3cret"], apiKey: "s3cret" });
  const { admin } = other;
  await assert.rejects(connect({ admin }), { code: "missing_api_key", status: 401 });
  await assert.rejects(connect({ admin, apiKey: "wrong" }), { code: "invalid_api_key" });
  assert.equal((await connect({ admin, apiKey: "s3cret" })).url, other.url);
  process.env.MOCKD_API_KEY = "s3cret";
  assert.equal((await connect({ admin })).url, other.url);
  delete process.env.MOCKD_API_KEY;
  await other[Symbol.asyncDispose]();
  await assert.rejects(other.call("GET", "/health"), { message: /no answer from .*is a `mockd serve` running there/ });
});
