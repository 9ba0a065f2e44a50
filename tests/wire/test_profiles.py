"""Each profile shows its symptom to the clients that people see it with: Node's `http` and `fetch`, and OpenAI's."""

from __future__ import annotations

import json
import subprocess
import zlib
from collections.abc import Callable
from typing import Any

import openai
import pytest

from mockd.config.profiles import PROFILES
from mockd.engine import Engine
from mockd.testing import running_mockd
from tests.programs import program
from tests.spec.quick_clock import QuickClock
from tests.wire.sockets import PATIENCE_S, Client

PATHS = {"chat": "/v1/chat/completions", "numbers": "/numbers"}
SPEED = 100
"""Seconds that pass on the server in each second: no client waits a minute."""
WORDS = {"tokens": [f" word{number:03}" for number in range(40)]}
NUMBERS = json.dumps(list(range(100_000, 100_200)), separators=(",", ":"))
"""JSON of which a number ends with its comma at byte 512."""
MOCKS: dict[str, dict[str, Any]] = {
    "chat": {"sse": {"template": "openai-chat", "templateParams": WORDS, "seed": 1}},
    "numbers": {"chunked": {"data": NUMBERS, "chunkSize": 100}},
}
FETCH = """
const [url, count] = JSON.parse(process.argv[1]);
const read = async () => {
  let text = "";
  try {
    const response = await fetch(url);
    for await (const part of response.body.pipeThrough(new TextDecoderStream())) text += part;
    return { text, error: null };
  } catch (error) { return { text, error: `${error.name} ${error.cause?.code}` }; }
};
console.log(JSON.stringify(await Promise.all(Array.from({ length: count }, read))));
"""
"""Fetches all at once."""
JSON_OF = """
const [url] = JSON.parse(process.argv[1]);
const response = await fetch(url);
const error = await response.json().then(() => null, ({ name, message }) => `${name}: ${message}`);
console.log(JSON.stringify([{ status: response.status, error }]));
"""
GET = """
import http from "node:http";
const [url, count] = JSON.parse(process.argv[1]);
const get = () => new Promise((resolve) => {
  let [status, text] = [0, ""];
  const over = (error) => resolve({ status, text, error: error?.message ?? null });
  http.get(url, { agent: false }, (response) => {
    status = response.statusCode;
    response.on("data", (part) => { text += part; }).on("end", over).on("error", over);
  }).on("error", over);
});
const all = [];
for (let number = 0; number < count; number += 1) all.push(await get());
console.log(JSON.stringify(all));
"""
"""Gets one after the other."""


def node(script: str, url: str, count: int) -> list[dict[str, Any]]:
    words = [program("node"), "--input-type=module", "--eval", script, json.dumps([url, count])]
    done = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE_S, check=True)
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def flaky_mobile(url: str) -> None:
    found = node(FETCH, f"{url}{PATHS['chat']}", 60)
    lost = {len(one["text"]) for one in found if one["error"]}
    assert 1 < len(lost) < len(found)  # at several places
    assert all("ECONNRESET" in one["error"] or "UND_ERR_SOCKET" in one["error"] for one in found if one["error"])
    assert any(one["text"].endswith("data: [DONE]\n\n") for one in found)


def overloaded_provider(url: str) -> None:
    with openai.OpenAI(base_url=f"{url}/v1", api_key="any", max_retries=2, timeout=PATIENCE_S) as client:
        stream = client.chat.completions.create(model="any", messages=[], stream=True)
        assert "".join(chunk.choices[0].delta.content or "" for chunk in stream) == "".join(WORDS["tokens"])
    assert [one["status"] for one in node(GET, f"{url}{PATHS['numbers']}", 3)] == [429, 503, 200]


def idle_cutting_load_balancer(url: str) -> None:
    (found,) = node(GET, f"{url}{PATHS['chat']}", 1)
    assert found["error"] == "read ECONNRESET"
    assert found["text"].count("data: ") == 1


def truncating_proxy(url: str) -> None:
    (found,) = node(GET, f"{url}{PATHS['chat']}", 1)
    assert (found["status"], found["error"], len(found["text"])) == (200, None, 512)
    assert "[DONE]" not in found["text"]
    (found,) = node(JSON_OF, f"{url}{PATHS['numbers']}", 1)
    assert (found["status"], found["error"]) == (200, "SyntaxError: Unexpected end of JSON input")


def slow_start(url: str) -> None:
    found = node(GET, f"{url}{PATHS['chat']}", 4)
    assert [(one["status"], one["error"]) for one in found] == [
        (0, "socket hang up"),
        (502, None),
        (200, None),
        (200, None),
    ]


def chat_of(url: str) -> tuple[dict[str, str], list[bytes]]:
    """The headers and the chunks of a chat."""
    with Client(url) as client:
        _, headers = client.ask(PATHS["chat"]).read_head()
        return headers, client.read_chunks()


def buffering_proxy(url: str) -> None:
    _, chunks = chat_of(url)
    assert len(chunks) > 2
    for chunk in chunks[:-1]:  # as soon as there are so many bytes, in whole events
        *events, _ = chunk.split(b"\n\n")
        assert len(chunk) - len(events[-1]) - 2 < 4096 <= len(chunk)
        assert all(event.startswith(b"data: ") for event in events)


def byte_dribbler(url: str) -> None:
    assert {len(chunk) for chunk in chat_of(url)[1]} == {1}


def old_proxy(url: str) -> None:
    headers, chunks = chat_of(url)
    assert (headers["connection"], headers["via"]) == ("close", "1.0 proxy")
    assert b"".join(chunks).count(b"\r\n\r\n") > 40
    (found,) = node(GET, f"{url}{PATHS['chat']}", 1)
    assert "\n\n" not in found["text"]


def openrouter(url: str) -> None:
    blocks = b"".join(chat_of(url)[1]).decode().split("\n\n")
    assert blocks[:2] == [": OPENROUTER PROCESSING"] * 2
    assert blocks.count(": OPENROUTER PROCESSING") > 10
    with openai.OpenAI(base_url=f"{url}/v1", api_key="any", timeout=PATIENCE_S) as client:
        stream = client.chat.completions.create(model="any", messages=[], stream=True)
        assert "".join(chunk.choices[0].delta.content or "" for chunk in stream) == "".join(WORDS["tokens"])


def gzip_without_flush(url: str) -> None:
    headers, chunks = chat_of(url)
    assert headers["content-encoding"] == "gzip"
    assert zlib.decompressobj(31).decompress(b"".join(chunks[:-1])) == b""
    (found,) = node(FETCH, f"{url}{PATHS['chat']}", 1)
    assert found["text"].endswith("data: [DONE]\n\n")


SYMPTOMS: dict[str, Callable[[str], None]] = {
    "flaky-mobile": flaky_mobile,
    "overloaded-provider": overloaded_provider,
    "idle-cutting-load-balancer": idle_cutting_load_balancer,
    "truncating-proxy": truncating_proxy,
    "slow-start": slow_start,
    "buffering-proxy": buffering_proxy,
    "byte-dribbler": byte_dribbler,
    "old-proxy": old_proxy,
    "openrouter": openrouter,
    "gzip-without-flush": gzip_without_flush,
}


@pytest.mark.parametrize("profile", PROFILES)
def test_it_shows_its_symptom(profile: str) -> None:
    engine = Engine(clock=QuickClock(SPEED))
    for name, mock in MOCKS.items():
        engine.create({"id": name, "matcher": {"path": PATHS[name]}, **mock, "profile": profile})
    with running_mockd(engine=engine) as server:
        SYMPTOMS[profile](server.url)
