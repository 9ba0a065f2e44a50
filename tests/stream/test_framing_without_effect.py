"""Fields of `framing` that change nothing in a stream that is known in advance: each is warned of, and no other is."""

from __future__ import annotations

from typing import Any

import pytest

from mockd.config.load import parse_collection
from mockd.errors import ConfigError, Problem
from mockd.framing.variants import WORDS
from tests.stream.harness import PATH, Lab

pytestmark = pytest.mark.anyio

XY = [{"data": "x"}, {"data": "y"}]
STREAMS: dict[str, tuple[str, dict[str, Any]]] = {
    "one event": ("sse", {"events": XY[:1]}),
    "two": ("sse", {"events": XY}),
    "two that are long": ("sse", {"events": [{"data": "é" * 99, "id": "1", "type": "a"}, {"data": " b"}]}),
    "paced": ("sse", {"events": XY, "timing": {"fixedDelay": 100}}),
    "repeated": ("sse", {"events": XY[:1], "repeat": 3}),
    "without data": ("sse", {"events": [{"id": "1"}, {"comment": "x"}]}),
    "comments alone": ("sse", {"events": [{"comment": "x"}, {"comment": "yy"}]}),
    "raw": ("sse", {"events": [{"raw": "data: x\n\n"}, {"raw": "data: y\n\n"}]}),
    "raw in parts": ("sse", {"events": [{"raw": "data: x\r\n"}, {"raw": "\r\n", "count": 0}]}),
    "limited": ("sse", {"events": XY, "lifecycle": {"maxEvents": 1}}),
    "broken": ("sse", {"events": XY, "lifecycle": {"simulateDisconnect": 1}}),
    "final event": ("sse", {"events": XY, "lifecycle": {"termination": {"finalEvent": {"data": "é", "id": "z"}}}}),
    "heartbeats": (
        "sse",
        {"events": XY, "timing": {"fixedDelay": 100}, "lifecycle": {"heartbeat": {"every": 30, "text": "é"}}},
    ),
    "NDJSON": ("chunked", {"ndjsonItems": [1, 2]}),
    "one line": ("chunked", {"ndjsonItems": [1]}),
    "text": ("chunked", {"data": "abc"}),
    "chunks": ("chunked", {"data": "abcdé\r\nf", "chunkSize": 3}),
}
MORE: list[dict[str, Any]] = [
    {"comments": {"every": 2, "text": "c"}},
    {"comments": {"every": 500, "text": "c"}},
    {"fieldOrder": ["data"]},
    {"fieldOrder": ["event"]},
    {"split": [5, 50_000]},
    {"split": [50_000]},
    {"split": {"bytes": 50_000}},
    {"split": {"bytes": 5}, "pause": 5},
    {"split": "crlf"},
    {"encoding": "gzip", "split": {"bytes": 50_000}},
]
SENDING_MORE = ("broken", "final event", "heartbeats")
"""Streams that send more than their events, or may: of these, less is known in advance."""
FRAMINGS = [dict(variant.framing) for word in WORDS.values() for variant in word.variants] + MORE


def is_as_by_default(framing: dict[str, Any], stream: str) -> bool:
    """Whether a field says what is so by default, or may be so: that is no mistake."""
    if "coalesce" in framing:
        return stream not in ("one event", "limited", "one line", "text")
    if framing == {"split": "crlf"} and stream == "final event":
        return True  # though it joins what goes out together
    return framing == {"lineEnding": "lf"} or framing == {"charset": "utf-8"}


def said_of(field: str, problem: Problem) -> bool:
    """Whether a warning says that a field has no effect at all: a pause is between the pieces of a split, and of
    several offsets some may be borders."""
    path = problem.path[3:]
    return path[0] == (field if field != "pause" else "split") and path[1:] in ((), ("every",), (0,))


async def sent(stream: str, framing: dict[str, Any]) -> tuple[object, list[Problem]]:
    """What is sent of a stream, with its head and moments, and what is said when its mock is loaded."""
    lab, found = Lab(in_memory=True), list[Problem]()
    kind, config = STREAMS[stream]
    mock = {"id": "mock", "matcher": {"path": PATH}, kind: {**config, "framing": framing}}
    lab.engine.load(parse_collection([mock], root=None), found.append)
    exchange = await lab.open()
    await lab.clock.advance(5)
    return (exchange.headers, exchange.writes), found


@pytest.mark.parametrize("stream", STREAMS)
@pytest.mark.parametrize("framing", FRAMINGS, ids=lambda framing: str(framing)[:60])
async def test_what_changes_nothing_is_warned_of(stream: str, framing: dict[str, Any]) -> None:
    if is_as_by_default(framing, stream):
        return
    try:
        got, warnings = await sent(stream, framing)
    except ConfigError:
        return  # this body cannot have it
    for field in framing:
        try:
            without, _ = await sent(stream, {name: value for name, value in framing.items() if name != field})
        except ConfigError:
            continue  # another field goes with it
        is_said = any(said_of(field, problem) for problem in warnings)
        assert not is_said or without == got, warnings
        assert is_said or without != got or stream in SENDING_MORE, warnings


@pytest.mark.parametrize("framing", FRAMINGS, ids=lambda framing: str(framing)[:60])
async def test_of_a_stream_without_an_end_nothing_is_said_about_it(framing: dict[str, Any]) -> None:
    found: list[Problem] = []
    mock = {"id": "mock", "matcher": {"path": PATH}, "sse": {"events": XY, "repeat": 0, "framing": framing}}
    Lab(in_memory=True).engine.load(parse_collection([mock], root=None), found.append)
    assert {problem.path[3] for problem in found} <= {"fieldOrder", "spaceAfterColon", "split"}
