"""Every field of an answer, in every kind of answer that has it: it changes what is sent, or is refused or warned of.

What is compared is all that a client and the admin API see: head, writes and their moments, the end, the record of the
connection, what is kept for clients that come back, and what one of them gets.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec.inspect as inspect
import pytest

from mockd.config.load import parse_collection
from mockd.config.models import (
    ChunkedConfig,
    Distribution,
    EventConfig,
    EventCycle,
    Generator,
    RandomSchema,
    ResponseConfig,
    Sequence,
    SseConfig,
)
from mockd.config.words import struct_info, structs_in
from mockd.errors import ConfigError, Problem
from tests.stream.harness import PATH, Exchange, Lab, files_are_read

pytestmark = pytest.mark.anyio

Json = dict[str, Any]
Place = tuple[str, ...]

EVENTS: list[Json] = [{"data": "1 $uuid", "type": "a"}, {"data": "2"}, {"data": "3"}, {"data": "4"}]
LAST = {"data": "last"}
PARTS: dict[str, type] = {"sse": SseConfig, "chunked": ChunkedConfig, "response": ResponseConfig}

ANSWERS: dict[str, Json] = {
    "sse events": {"events": EVENTS},
    "sse eventsFile": {"eventsFile": "events.json"},
    "sse raw": {"eventsFile": "recorded.txt", "raw": True},
    "sse recording": {"recording": "played.stream.jsonl"},
    "sse generator": {"generator": {"type": "random", "count": 4, "random": {"schema": "$uuid"}}},
    "sse openai-chat": {"template": "openai-chat", "templateParams": {"text": "a b c d"}},
    "sse notification-stream": {"template": "notification-stream", "templateParams": {"interval": 0}},
    "chunked data": {"data": "a $random:1000:9999 b c d e f g", "chunkSize": 4},
    "chunked dataFile": {"dataFile": "data.txt", "chunkSize": 5},
    "chunked ndjson": {"data": "1\n$random:1000:9999\n3\n4", "format": "ndjson"},
    "chunked ndjsonItems": {"ndjsonItems": ["$uuid", 2, 3, 4]},
    "chunked eventsFile": {"eventsFile": "recorded.txt", "raw": True},
    "chunked recording": {"recording": "played.stream.jsonl"},
    "chunked ollama-chat": {"template": "ollama-chat", "templateParams": {"text": "a b c d"}},
    "response body": {"body": "$uuid"},
    "response bodyFile": {"bodyFile": "data.txt"},
    "response recording": {"recording": "played.stream.jsonl"},
    "response template": {"template": "openai-embeddings"},
}
"""Every kind of answer: its part of a mock, and its source."""

SOURCES = frozenset(
    {
        "events",
        "eventsFile",
        "generator",
        "template",
        "manual",
        "data",
        "dataFile",
        "ndjsonItems",
        "bodyFile",
        "recording",
    }
)
"""Fields that name a source: each is a kind of answer of its own here. What is inside them has tests of its own."""

DRAWN = {"dist": "uniform", "max": 900}
BEATS = {"lifecycle": {"keepOpen": True, "heartbeat": {"every": 3000, "event": LAST}}}
"""Silence in which heartbeats are sent."""
OPEN = {"lifecycle": {"keepOpen": True}}
RATED = {"rateLimit": {"eventsPerSecond": 2, "burstSize": 1}}
RESUMED = {"resume": {"enabled": True}}
COMMENTED = {"framing": {"comments": {"text": "c"}}}
GROUPS = {"timing": {"burst": {"count": 2, "interval": 100, "pause": 500}}}
RANDOM = {"timing": {"randomDelay": {"min": 100, "max": 900}}}
FAILS = {"lifecycle": {"termination": {"type": "error"}}}
ENDS = {"lifecycle": {"termination": {"finalEvent": LAST}}}
ERRORS = {"lifecycle": {"termination": {"type": "error", "errorEvent": LAST}}}

EVENT_FIELDS: Json = {
    "type": "bye",
    "data": "other",
    "id": "9",
    "retry": 5,
    "comment": "c",
    "delay": 500,
    "raw": "raw",
    "rawBase64": "cmF3",
    "count": 1,
}
"""For each field of an event a value with an effect."""

TIMINGS: dict[str, tuple[Any, Json]] = {
    "initialDelay": (500, {}),
    "ttft": (500, {}),
    "itl": (500, {}),
    "tokensPerSecond": (2, {}),
    "fixedDelay": (500, {}),
    "randomDelay": ({"max": 900}, {}),
    "randomDelay.min": (800, RANDOM),
    "randomDelay.max": (200, RANDOM),
    "burst": ({"count": 2, "pause": 500}, {}),
    "burst.count": (3, GROUPS),
    "burst.interval": (200, GROUPS),
    "burst.pause": (900, GROUPS),
    "perEventDelays": ([0, 500], {}),
}
"""For each field of a timing a value, and the other fields that give it something to change."""

CASES: dict[str, tuple[Any, Json]] = {
    "status": (201, {}),
    "statusCode": (201, {}),
    "headers": ({"x-a": "b"}, {}),
    "body": ("other", {}),
    "delay": (500, {}),
    "templateParams": ({"model": "other"}, {}),
    "retry": (500, {}),
    "raw": (None, {}),  # the other one than it has
    "repeat": (2, {}),
    "flush": ("event", {}),
    "seed": (5, {"timing": {"randomDelay": {"max": 900}}}),
    "format": (None, {}),  # the other one than it has
    "chunkSize": (3, {}),
    "chunkDelay": (500, {}),
    "replay.speed": (2, {}),
    "replay.maxGap": (100, {}),
    "replay.ttft": (2000, {}),
    "replay.timing": ("none", {}),
    "replay.exchange": (2, {}),
    **{
        f"replay.timing.{field}": (value, {"replay": {"timing": base.get("timing", {})}})
        for field, (value, base) in TIMINGS.items()
    },
    **{f"timing.{field}": case for field, case in TIMINGS.items()},
    "lifecycle.timeout": (5, OPEN),
    "lifecycle.connectionTimeout": (5, OPEN),
    "lifecycle.keepOpen": (True, {}),
    "lifecycle.maxEvents": (2, {}),
    "lifecycle.simulateDisconnect": (2, {}),
    "lifecycle.keepaliveInterval": (5, OPEN),
    "lifecycle.termination.type": ("abrupt", {}),
    "lifecycle.termination.finalEvent": (LAST, {}),
    "lifecycle.termination.errorEvent": (LAST, FAILS),
    "lifecycle.termination.closeDelay": (500, {}),
    **{
        f"lifecycle.termination.{name}.{field}": (value, base)
        for name, base in (("finalEvent", ENDS), ("errorEvent", ERRORS))
        for field, value in EVENT_FIELDS.items()
    },
    "lifecycle.heartbeat.every": (2000, BEATS),
    "lifecycle.heartbeat.text": ("text", BEATS),
    "lifecycle.heartbeat.raw": ("raw", BEATS),
    **{f"lifecycle.heartbeat.event.{field}": (value, BEATS) for field, value in EVENT_FIELDS.items()},
    "rateLimit.eventsPerSecond": (1, RATED),
    "rateLimit.burstSize": (2, RATED),
    "rateLimit.strategy": ("drop", RATED),
    "rateLimit.headers": (True, RATED),
    "resume.enabled": (True, {}),
    "resume.bufferSize": (1, RESUMED),
    "resume.maxAge": (1, RESUMED),
    "framing.lineEnding": ("crlf", {}),
    "framing.bom": (True, {}),
    "framing.spaceAfterColon": (False, {}),
    "framing.fieldOrder": (["data"], RESUMED),
    "framing.comments.every": (2, COMMENTED),
    "framing.comments.text": ("other", COMMENTED),
    "framing.comments.blankLine": (True, COMMENTED),
    "framing.emptyLines": (1, {}),
    "framing.padding": (9, {}),
    "framing.finalBlankLine": (False, {}),
    "framing.split": ({"bytes": 3}, {}),
    "framing.split.bytes": (5, {"framing": {"split": {"bytes": 3}}}),
    "framing.split.random": (31, {"framing": {"split": {"random": 3}}}),
    "framing.pause": (100, {"framing": {"split": {"bytes": 3}}}),
    "framing.coalesce": (2, {}),
    "framing.coalesce.bytes": (100_000, {"framing": {"coalesce": {"bytes": 1}}}),
    "framing.coalesce.ms": (1, {"framing": {"coalesce": {"bytes": 100_000}}, **RANDOM}),
    "framing.encoding": ("gzip", {}),
    "framing.flush": ("end", {"framing": {"encoding": "gzip"}}),
    "framing.charset": ("utf-16", {}),
}
"""For each field: a value, and the other fields that give it something to change."""


def fields_of(struct: inspect.StructType, place: Place = ()) -> Iterator[Place]:
    """The places of all fields of a part, but for what is inside sources."""
    for field in struct.fields:
        here = (*place, field.encode_name)
        inner = [one for one in structs_in(field.type) if one.cls is not Distribution]
        if here[0] in SOURCES or here[0] == "headers":
            continue
        if not inner or ".".join(here) in CASES:
            yield here
        for one in inner:
            yield from fields_of(one, here)


def cases() -> Iterator[tuple[str, str]]:
    for answer in ANSWERS:
        kind = answer.split()[0]
        for place in (*fields_of(struct_info(PARTS[kind])), ("headers",)):
            if place != ("templateParams",) or "template" in ANSWERS[answer]:
                yield answer, ".".join(place)


def test_every_case_is_about_a_field() -> None:
    assert CASES.keys() == {field for _, field in cases()}


def merged(*values: Any) -> Any:
    """Objects merged, later ones over earlier ones."""
    first, *rest = values
    for value in rest:
        both = isinstance(first, dict) and isinstance(value, dict)
        first = {**first, **{key: merged(first.get(key), item) for key, item in value.items()}} if both else value
    return first


def at(place: str, value: Any) -> Json:
    for key in reversed(place.split(".")):
        value = {key: value}
    return value


def load(answer: str, part: Json, root: Path) -> tuple[Lab, list[Problem]]:
    lab, found = Lab(seed=1), []
    mock = {"id": "mock", "matcher": {"path": PATH}, answer.split()[0]: part}
    lab.engine.load(parse_collection([mock], root=root), found.append)
    return lab, found


async def pass_time(lab: Lab, seconds: int) -> None:
    for _ in range(seconds):
        await files_are_read()
        await lab.clock.advance(1)
    await files_are_read()


async def observed(lab: Lab) -> list[Any]:
    """All that is seen of two streams: one from its start to the end of the server, one that comes back to it."""
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
    body = json.dumps({"model": "m", "stream": True, "input": "x", "messages": [{"role": "user", "content": "x"}]})
    first = await lab.open(method="POST", body=body.encode())
    await pass_time(lab, 12)
    kept = [event["id"] for event in lab.engine.streams.buffer("mock")]
    second = await lab.open(method="POST", body=body.encode(), headers={"Last-Event-ID": kept[0] if kept else "1"})
    await pass_time(lab, 5)
    lab.engine.begin_shutdown()
    await pass_time(lab, 5)
    registry = lab.engine.connections
    records = [
        {key: value for key, value in connection.to_json().items() if key not in ("id", "connectedAt")}
        for connection in registry.listed("ended")
    ]
    return [*map(seen, (first, second)), len(kept), records]


def seen(exchange: Exchange) -> list[Any]:
    return [*exchange.messages, exchange.is_open]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "events.json").write_text(json.dumps(EVENTS))
    (tmp_path / "recorded.txt").write_text(
        "id: 1\ndata:1\n\nid: 2\ndata: $uuid\n\nid: 3\ndata: 3\n\nid: 4\ndata: 4\n\n"
    )
    recorded = [
        {"mockd-stream": 1, "request": {"method": "POST", "url": "http://a.test/", "headers": []}},
        [300_000, "head", {"status": 200, "headers": [["Content-Type", "text/event-stream"]]}],
        *[[400_000, "o", f"id: {number}\ndata: {number}\n\n"] for number in range(4)],
        [1000, "end", "complete"],
    ]
    lines = [json.dumps(line) + "\n" for line in (*recorded, recorded[0], recorded[-1])]
    (tmp_path / "played.stream.jsonl").write_text("".join(lines))
    (tmp_path / "data.txt").write_text("line 1\nline 2\nline 3\nline 4\n")
    return tmp_path


@pytest.mark.parametrize("answer", ANSWERS)
async def test_what_is_compared_is_the_same_for_the_same_mock(answer: str, root: Path) -> None:
    first, second = [await observed(load(answer, ANSWERS[answer], root)[0]) for _ in range(2)]
    assert first == second


@pytest.mark.parametrize(("answer", "field"), list(cases()))
async def test_a_field_has_an_effect_or_is_refused_or_warned_of(answer: str, field: str, root: Path) -> None:
    value, others = CASES[field]
    base = merged(ANSWERS[answer], others)
    if field == "format":
        value = "ndjson" if answer in ("chunked data", "chunked dataFile", "chunked eventsFile") else "raw"
    if field == "raw":
        value = not base.get("raw")
    try:
        lab, found = load(answer, merged(base, at(field, value)), root)
    except ConfigError:
        return
    place = tuple(field.split("."))
    if any(problem.path[2 : 2 + len(place)] == place for problem in found):
        return
    assert await observed(lab) != await observed(load(answer, base, root)[0])


SEQUENCE = {"type": "sequence", "count": 3, "sequence": {"start": 1}}
CYCLE = {"type": "template", "template": {"events": EVENTS, "repeat": 2}}

INSIDE: dict[type, tuple[Place, Json, dict[str, Any]]] = {
    EventConfig: (
        ("events", "1"),
        {"events": EVENTS},
        EVENT_FIELDS,
    ),
    Generator: (
        ("generator",),
        {"generator": SEQUENCE},
        {"type": "random", "count": 2, "sequence": {}, "random": {"schema": 1}, "template": {"events": EVENTS}},
    ),
    Sequence: (("generator", "sequence"), {"generator": SEQUENCE}, {"start": 2, "increment": 2, "format": "%03d"}),
    EventCycle: (("generator", "template"), {"generator": CYCLE}, {"events": EVENTS[:2], "repeat": 1}),
    RandomSchema: (("generator", "random"), ANSWERS["sse generator"], {"schema": "other", "type": "t", "id": "$seq"}),
}
"""The parts inside sources: the place of each, a mock that has it, and for each field a value with an effect."""


@pytest.mark.parametrize(
    ("part", "field"), [(part, field) for part, (_, _, values) in INSIDE.items() for field in values]
)
async def test_a_field_inside_a_source_has_an_effect_or_is_refused(part: type, field: str, root: Path) -> None:
    place, base, values = INSIDE[part]
    assert values.keys() == {one.encode_name for one in struct_info(part).fields}
    changed = json.loads(json.dumps(base))
    around = changed
    for step in place:
        around = around[int(step) if step.isdecimal() else step]
    around[field] = values[field]
    try:
        lab, found = load("sse events", changed, root)
    except ConfigError:
        return
    assert not found
    assert await observed(lab) != await observed(load("sse events", base, root)[0])
