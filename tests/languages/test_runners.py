"""Suites with the helper for Node, under the runners that people have."""

from __future__ import annotations

import pytest

from tests.cli.harness import Served
from tests.languages.conftest import Folder, wait_until_over
from tests.languages.runners import RUNNERS, Runner

pytestmark = pytest.mark.clients(group="node")

HEAD = """
import assert from "node:assert";
import { connect, start } from "./mockd.mjs";

const admin = process.env.ADMIN;
const server = admin ? await connect({ admin, patienceSeconds: 60 }) : await start();
let mockd;
beforeEach(() => (mockd = server.test()));
afterEach(() => mockd.close());
afterAll(() => server.close());
const body = JSON.stringify({ model: "gpt-4.1", stream: true, messages: [{ role: "user", content: "Hi" }] });
const headers = { "Content-Type": "application/json" };
const ask = (path) => fetch(mockd.url + path, { method: "POST", headers, body });
"""
PASSING = """
for (const number of [1, 2, 3]) {
  test(`half a reply ${number}`, async () => {
    const chat = await mockd.llm("Hello there, friend");
    await chat.holdAt(3);
    const answer = await ask("/v1/chat/completions");
    const stream = await chat.waitForStream();
    await stream.waitHeld();
    await stream.step();
    await stream.waitReached(4);
    await stream.cut("reset");
    await assert.rejects(answer.text());
    assert.strictEqual((await stream.waitEnded()).outcome, "aborted");
    await mockd.verify("POST /v1/chat/completions", { times: 1 });
  });
}
"""
FAILING = """
test("asks elsewhere", async () => {
  await mockd.llm("Hello");
  await ask("/v1/completions?n=2");
  await mockd.verify("POST /v1/chat/completions", { withinSeconds: 0 }); // here it fails
});
test("asks too often", async () => {
  await mockd.response("/orders", { ok: true });
  await ask("/orders");
  await ask("/orders");
  await mockd.verify("POST /orders", { times: 1 });
});
test("does not ask", async () => {
  const chat = await mockd.llm("Hello");
  await chat.waitForStream({ timeoutSeconds: 0.1 });
});
test("leaves in the middle", async () => {
  const ticks = await mockd.sse("/ticks", [1, 2, 3]);
  await ticks.holdAt(2);
  const left = new AbortController();
  await fetch(ticks.url, { signal: left.signal });
  const stream = await ticks.waitForStream();
  await stream.waitHeld();
  left.abort();
  await stream.waitReached(3);
});
test("is misspelt", async () => {
  await mockd.sse("/ticks", [1], { timing: { fixedDelai: 5 }, lifecycle: { maxEvent: 1 } });
});
"""
MESSAGES = (
    "expected POST /v1/chat/completions at least once, but it came 0 times; the nearest request: ",
    "Requests of this test:\n",
    "AT MS  REQUEST                   STATUS  MOCK  EVENTS  END\n",
    "POST /v1/completions?n=2  404     none  0       completed; nearest: v1-chat-completions: method matched, but ",
    "expected POST /orders exactly once, but it came 2 times, the last time as req-",
    "expected a stream of the mock 'v1-chat-completions' within 0.1 s, and none has begun\n",
    "Requests of this test: none.\n",
    "within 60 s, but it has sent 2 events and is over: client_disconnected (client-",
    "$.sse.timing.fixedDelai: unknown key `fixedDelai`; did you mean `fixedDelay`?\n",
    "$.sse.lifecycle.maxEvent: unknown key `maxEvent`; did you mean `maxEvents`?\n",
)


@pytest.mark.parametrize("runner", RUNNERS, ids=str)
def test_a_suite_that_passes_leaves_nothing(runner: Runner, packages_folder: Folder) -> None:
    ran = runner.run(packages_folder, HEAD + PASSING)
    assert ran.code == 0, ran.text
    [server] = packages_folder.servers()
    wait_until_over(server)


@pytest.mark.parametrize("runner", RUNNERS, ids=str)
def test_what_a_client_that_is_broken_makes_it_say(runner: Runner, packages_folder: Folder) -> None:
    ran = runner.run(packages_folder, HEAD + FAILING)
    assert ran.code != 0
    said = "\n".join(line.strip() for line in ran.text.splitlines()) + "\n"
    assert "MockdError" in said
    assert [message for message in MESSAGES if message not in said] == [], ran.text
    place = (runner.head + HEAD + FAILING).partition("// here it fails")[0].count("\n") + 1
    assert f"suite.test.mjs:{place}:" in said
    assert "mockd.mjs:" not in said
    wait_until_over(packages_folder.servers()[0])


@pytest.mark.parametrize("runner", RUNNERS, ids=str)
def test_on_a_server_that_runs(runner: Runner, packages_folder: Folder, served: Served) -> None:
    ran = runner.run(packages_folder, HEAD + PASSING, ADMIN=served.admin)
    assert ran.code == 0, ran.text
