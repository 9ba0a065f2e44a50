"""Any three variants together, on any kind of stream: what is neutral by itself is so with others, wherever the borders
of chunks are, and each event counts."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mockd.config.load import parse_collection
from mockd.framing.variants import Body, Variant, variants
from tests.stream.harness import PATH, Exchange, Lab, files_are_read
from tests.wire.framing.reading import READERS, decoded, event_stream
from tests.wire.framing.streams import ASKED, KINDS, TEXT, Kind, mock_of, together, write_files

EVENTS: list[dict[str, Any]] = [
    {"data": "één 😀", "type": "greeting"},
    {"comment": "alone"},
    {"data": {"text": "zwei\nDrei"}, "retry": 5},
    {"raw": "data: roh\r\n"},
    {"raw": "\r\n", "count": 0},
    {"data": " three\n\n lines "},
    {"data": "$uuid"},
]
STREAMS: dict[str, dict[str, Any]] = {
    "at once": {},
    "paced": {"timing": {"fixedDelay": 50}},
    "session": {"rateLimit": {"eventsPerSecond": 100}},
    "resumable": {"resume": {"enabled": True}, "timing": {"fixedDelay": 7}},
    "final event": {"lifecycle": {"termination": {"finalEvent": {"data": "bye ✓"}, "closeDelay": 30}}},
    "heartbeats": {"timing": {"fixedDelay": 50}, "lifecycle": {"heartbeat": {"every": 20, "text": "beat"}}},
    "limited": {"lifecycle": {"maxEvents": 3}},
    "repeated": {"repeat": 2},
    "burst": {"timing": {"burst": {"count": 2, "pause": 40}}},
}
NEUTRAL = [one for one in variants("sse") if one.neutral["sse"] != "no" and "600000" not in one.name]


async def answered(stream: str, framing: dict[str, Any], *, in_memory: bool) -> tuple[Exchange, dict[str, Any]]:
    lab = Lab(in_memory=in_memory)
    exchange = await lab.run(events=EVENTS, seed=3, framing=framing, **STREAMS[stream])
    return exchange, lab.ended


@settings(max_examples=60, deadline=None)
@given(
    chosen=st.lists(st.sampled_from(NEUTRAL), min_size=1, max_size=3),
    stream=st.sampled_from(sorted(STREAMS)),
    in_memory=st.booleans(),
)
def test_any_three_read_the_same(chosen: list[Variant], stream: str, in_memory: bool) -> None:
    framing = together(chosen)
    exchange, ended = asyncio.run(answered(stream, framing, in_memory=in_memory))
    plain, plainly_ended = asyncio.run(answered(stream, {}, in_memory=in_memory))
    assert event_stream(decoded(framing.get("encoding"), exchange.body)) == event_stream(plain.body)
    assert exchange.ended_at is not None
    for name in ("eventsSent", "lastEventId", "outcome"):
        assert ended.get(name) == plainly_ended.get(name)
    assert ended["bytesSent"] == len(exchange.body)


CODINGS = {"gzip", "deflate", "br", "zstd"}
GEMINI = "/v1beta/models/any:streamGenerateContent"
PROMPT = {"contents": [{"role": "user", "parts": [{"text": "x"}]}]}
MORE: dict[str, tuple[str, Kind, Callable[[bytes], Any]]] = {
    "whole answer": (
        "/",
        Kind("sse", {"template": "openai-chat", "templateParams": TEXT}, "sse", asked={**ASKED, "stream": False}),
        json.loads,
    ),
    "array": (GEMINI, Kind("sse", {"template": "gemini", "templateParams": TEXT}, "sse", asked=PROMPT), json.loads),
    "events of an array": (
        f"{GEMINI}?alt=sse",
        Kind("sse", {"template": "gemini", "templateParams": TEXT}, "sse", asked=PROMPT),
        event_stream,
    ),
}
"""Answers of templates that may be no event stream, each with what is asked for and who reads it."""
EVERY = {name: (PATH, kind, READERS[kind.body]) for name, kind in KINDS.items()} | MORE


def neutral(body: Body, *, has_ids: bool) -> list[Variant]:
    """The neutral variants of a body, but for the largest."""
    every = (one for one in variants(body) if "600000" not in one.name)
    return [one for one in every if one.is_neutral(body, has_ids=has_ids, accepted=CODINGS)]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("streams")
    write_files(folder)
    return folder


async def body_of(name: str, framing: dict[str, Any] | None, root: Path, *, in_memory: bool) -> bytes:
    """The body of a stream in a framing, without its encoding."""
    (path, kind, _), lab = EVERY[name], Lab(in_memory=in_memory, seed=1)
    mock = {"id": "mock", **mock_of(path.partition("?")[0], kind, framing)}
    lab.engine.load(parse_collection([mock], root=root))
    asked = {} if kind.asked is None else {"method": "POST", "body": json.dumps(kind.asked).encode()}
    exchange = await lab.open(path, **asked)
    while exchange.is_open:
        await files_are_read()
        await lab.clock.advance(1)
    encoding = None if framing is None else framing.get("encoding")
    assert exchange.status == 200
    assert exchange.headers.get("content-encoding") == encoding
    assert lab.ended["bytesSent"] == len(exchange.body)
    return decoded(encoding, exchange.body)


@settings(max_examples=150, deadline=None)
@given(data=st.data(), name=st.sampled_from(sorted(EVERY)), in_memory=st.booleans())
def test_any_three_read_the_same_on_every_kind_of_stream(
    root: Path, data: st.DataObject, name: str, in_memory: bool
) -> None:
    _, kind, read = EVERY[name]
    possible = neutral(kind.body, has_ids=kind.has_ids)
    framing = together(data.draw(st.lists(st.sampled_from(possible), min_size=1, max_size=3, unique_by=str)))
    plain = asyncio.run(body_of(name, None, root, in_memory=in_memory))
    found = asyncio.run(body_of(name, framing, root, in_memory=in_memory))
    assert read(found) == read(plain)
    assert read(plain)
