"""Faults that change events behind a place in bytes: every byte of the body counts, whatever it is, and the first event
is struck that begins at the place or behind it."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from tests.stream.harness import PATH, Lab

pytestmark = pytest.mark.anyio

EVENTS = [{"data": f"{number}{number}", "id": str(number)} for number in range(1, 5)]
BEATS = {"lifecycle": {"heartbeat": {"every": 300, "text": "beat"}}}
BARE_BEATS = {"lifecycle": {"heartbeat": {"every": 300, "raw": "\n"}}}
BYE = {"lifecycle": {"termination": {"finalEvent": {"data": "bye"}}}}
GEMINI = f"{PATH}/v1beta/models/any:streamGenerateContent"
ASKED = {"method": "POST", "body": b'{"contents": [{"role": "user", "parts": [{"text": "x"}]}]}'}


class Stream(NamedTuple):
    """A stream. `before` is a fault that strikes it in any case; if it `comes_back`, it is its second part that is
    struck."""

    config: dict[str, Any]
    before: str | None = None
    comes_back: bool = False
    kind: str = "sse"


def sse(before: str | None = None, *, comes_back: bool = False, **fields: Any) -> Stream:
    return Stream({"events": EVENTS, **fields}, before, comes_back)


def framed(**framing: Any) -> Stream:
    return sse(framing=framing)


def lines(**fields: Any) -> Stream:
    return Stream({"ndjsonItems": [11, 22, 33, 44], **fields}, kind="chunked")


STREAMS = {
    "plain": sse(),
    "heartbeats": sse(**BEATS),
    "heartbeats that wait": sse(framing={"coalesce": {"ms": 20}}, **BEATS),
    "comments": framed(comments={"every": 1, "text": "here", "blankLine": True}),
    "comments by twos": framed(comments={"every": 2, "text": "here"}),
    "padding": framed(padding=20),
    "empty lines": framed(emptyLines=3),
    "byte order mark": framed(bom=True),
    "no last blank line": framed(finalBlankLine=False),
    "gzip": framed(encoding="gzip"),
    "gzip and more": sse(framing={"encoding": "gzip", "padding": 9, "bom": True}, **BEATS),
    "gzip that waits": framed(encoding="gzip", flush="end"),
    "retry": sse(retry=2000),
    "session": sse(resume={"enabled": True}, **BEATS),
    "who comes back": sse(comes_back=True, resume={"enabled": True}, **BEATS),
    "final event": sse(**BYE),
    "behind an insertion": sse("hugeEvent size=50 after 1 event"),
    "behind an insertion in time": sse("hugeEvent size=50 after 500 ms"),
    "behind a stall": sse("stall ms=700 keepalives=true after 2 events", **BEATS),
    "throttled": sse("throttle bytesPerSecond=40 after 1 event"),
    "NDJSON": lines(framing={"emptyLines": 2}),
    "NDJSON with heartbeats": lines(**BARE_BEATS),
    "JSON array": Stream({"template": "gemini", "templateParams": {"tokens": ["11", "22", "33"]}}),
}
ACTIONS = ("drop", "duplicate", "reorder", "malformed at=0", "corrupt bytes=2")
PACES: dict[str, dict[str, Any]] = {"paced": {"timing": {"fixedDelay": 1000}}, "at once": {}}


async def struck(stream: Stream, pace: str, line: str) -> tuple[bytes, dict[str, Any] | None]:
    """The body of a stream with a fault, and the record of that if it has struck."""
    lab = Lab(seed=1)
    action = line.partition(" ")[0]
    faults = [*filter(None, (stream.before,)), line + (" for requests 2" if stream.comes_back else "")]
    config = {**stream.config, **PACES[pace]}
    path, asked = (GEMINI, ASKED) if "template" in config else (PATH, {})
    lab.engine.create({"id": "mock", "matcher": {"path": path}, stream.kind: config, "faults": faults})
    exchange = await lab.open(path, **asked)
    await lab.clock.advance(60)
    if stream.comes_back:
        exchange = await lab.open(headers={"Last-Event-ID": "1"})
        await lab.clock.advance(60)
    assert not exchange.is_open
    records = [one for one in lab.ended.get("faults", []) if one["action"] == action]
    return exchange.body, records[0] if records else None


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("pace", PACES)
@pytest.mark.parametrize("name", STREAMS)
async def test_the_first_event_behind_so_many_bytes_is_struck(name: str, pace: str, action: str) -> None:
    stream, begins, bodies = STREAMS[name], list[int](), list[bytes]()
    while True:  # each event by itself, by the number of those before it
        body, record = await struck(stream, pace, f"{action} after {len(begins)} events")
        bodies.append(body)
        if record is None:
            break  # this one is not struck at all
        begins.append(record["bytes"])
    assert len(begins) >= 3
    for place in sorted({place + more for place in begins for more in (-1, 0, 1) if place + more >= 0}):
        body, record = await struck(stream, pace, f"{action} after {place} bytes")
        number = next((number for number, begin in enumerate(begins) if begin >= place), len(begins))
        assert body == bodies[number], place
        assert (record and record["bytes"]) == (begins[number] if number < len(begins) else None)
