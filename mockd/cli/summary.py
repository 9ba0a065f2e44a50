"""What a mock is, in one line: its answer, its part in a scenario."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

_TOLD = 4
"""Most answers in sequence that are summed up."""


def summary(mock: dict[str, Any]) -> str:
    """The answer of a mock in flat form, in words: `SSE: 3 events, every 500 ms`."""
    if "responses" in mock:
        return "; then ".join(_in_sequence(mock["responses"], mock.get("then")))
    if "sse" in mock:
        return "SSE: " + ", ".join(_sse(mock["sse"]))
    if "chunked" in mock:
        return _chunked(mock["chunked"])
    if proxy := mock.get("proxy"):
        return f"relayed to {proxy['target']}" + (", recorded" if proxy.get("record") else "")
    response = mock.get("response") or {}
    return f"status {response.get('status', response.get('statusCode', 200))}"


def scenario(mock: dict[str, Any]) -> str:
    """A mock's part in a scenario: its name, the states in which the mock answers, and the one that it sets."""
    part = mock.get("scenario")
    if not part:
        return ""
    when = part.get("when", "")
    states = when if isinstance(when, str) else ", ".join(when)
    becomes = f"-> {part['set']}" if part.get("set") else ""
    return f"{part['name']}: " + " ".join(filter(None, (states, becomes)))


def _in_sequence(entries: list[dict[str, Any]], then: str | None) -> Iterator[str]:
    for entry in entries[:_TOLD]:
        times = entry.get("times", 1)
        yield summary(entry) if times == 1 else f"{times} times {summary(entry)}"
    if len(entries) > _TOLD:
        yield f"{len(entries) - _TOLD} more"
    if then in _THEN:
        yield _THEN[then]


_THEN = {"cycle": "the first again", "miss": "no match"}


def _sse(sse: dict[str, Any]) -> Iterator[str]:
    yield _source(sse)
    timing, lifecycle = sse.get("timing") or {}, sse.get("lifecycle") or {}
    if delay := timing.get("fixedDelay"):
        yield f"every {_duration(delay)}"
    if (repeat := sse.get("repeat", 1)) != 1:
        yield f"{repeat} times" if repeat else "for ever"
    if most := lifecycle.get("maxEvents"):
        yield f"at most {most}"
    if lifecycle.get("keepOpen"):
        yield "stays open"


def _duration(delay: Any) -> str:
    """A delay in words, with its unit."""
    words = _milliseconds(delay)
    return words if re.search("[a-z]$", words) else f"{words} ms"


def _milliseconds(delay: Any) -> str:
    """A delay in words. It may be a number, a distribution, or an environment variable."""
    if isinstance(delay, dict):
        if "mean" in delay:
            return f"{_milliseconds(delay['mean'])}±{_milliseconds(delay['stddev'])}"
        return f"{_milliseconds(delay.get('min', 0))} to {_milliseconds(delay['max'])}"
    return delay if isinstance(delay, str) else f"{delay:g}"


def _source(sse: dict[str, Any]) -> str:
    if "template" in sse:
        return f"template {sse['template']}"
    if "eventsFile" in sse:
        return f"events of {sse['eventsFile']}"
    if generator := sse.get("generator"):
        count = generator.get("count", 0)
        return f"{generator['type']} generator, {_count(count, 'event') if count else 'for ever'}"
    return _count(len(sse.get("events") or ()), "event")


def _chunked(chunked: dict[str, Any]) -> str:
    if "template" in chunked:
        return f"NDJSON: template {chunked['template']}"
    if "ndjsonItems" in chunked:
        return "NDJSON: " + _count(len(chunked["ndjsonItems"]), "item")
    kind = "NDJSON" if chunked.get("format") == "ndjson" else "chunked"
    return f"{kind}: {chunked.get('dataFile') or chunked.get('eventsFile') or 'text'}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
