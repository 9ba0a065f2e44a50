"""Streams on a manual clock that are held: their kinds, and the moments of their events."""

from __future__ import annotations

from typing import Any

from mockd.config.hand import MockHold
from mockd.journal.exchange import Exchange as Record
from tests.stream.harness import PATH, Exchange, Lab, words

PACED: dict[str, Any] = {"timing": {"fixedDelay": 1000}}
SLACK_MS = 20
"""Heartbeats that are rows, as faults have them, each may be a millisecond late."""
KINDS: dict[str, dict[str, Any]] = {
    "list": {"sse": {"events": words(6), **PACED}},
    "one by one": {"sse": {"events": words(6), **PACED, "flush": "event"}},
    "burst": {"sse": {"events": words(6), "timing": {"burst": {"count": 2, "interval": 300, "pause": 1700}}}},
    "own delays": {"sse": {"events": [{"data": str(n), "delay": 500 * n} for n in range(1, 7)]}},
    "drawn": {"sse": {"events": words(6), "timing": {"randomDelay": {"min": 200, "max": 1500}}, "seed": 3}},
    "resume": {"sse": {"events": words(6), **PACED, "resume": {"enabled": True}}},
    "rate": {"sse": {"events": words(6), "rateLimit": {"eventsPerSecond": 1, "burstSize": 1}}},
    "generator": {"sse": {"generator": {"type": "sequence", "count": 6}, **PACED}},
    "NDJSON": {"chunked": {"ndjsonItems": [1, 2, 3, 4, 5, 6], "timing": {"fixedDelay": 1000}}},
    "delayed": {"sse": {"events": words(6), **PACED}, "faults": ["delay ms=700 after 4 events"]},
    "stalled": {"sse": {"events": words(6), **PACED}, "faults": ["stall ms=2500 after 4 events"]},
    "punctuated": {"sse": {"events": words(6), **PACED, "framing": {"comments": {"text": "c"}, "bom": True}}},
    "split": {"sse": {"events": words(6), **PACED, "framing": {"split": "utf8"}}},
    "split and resumable": {
        "sse": {"events": words(6), **PACED, "framing": {"split": "utf8"}, "resume": {"enabled": True}}
    },
    "later": {"sse": {"events": words(6), **PACED}, "faults": ["delay ms=400 after 4200 ms"]},
}


def record(lab: Lab) -> Record:
    return lab.engine.connections.exchanges()[-1]


def times(exchange: Exchange) -> list[int]:
    """The moment of each event, or of each line."""
    return [at for at, part in exchange.writes for _ in range(part.count(b"data: ") or part.count(b"\n"))]


async def unheld(kind: str, lab: Lab) -> list[int]:
    lab.engine.create({"id": "mock", "matcher": {"path": PATH}, **KINDS[kind]})
    exchange = await lab.open()
    await lab.clock.advance(60)
    return times(exchange)


async def opened(lab: Lab, at: Any = None) -> tuple[Exchange, Record, int]:
    """A new stream, held there if it is said, its record, and the moment of its head."""
    if at is not None:
        lab.engine.streams.take_in_hand().hold_upcoming(("", "mock"), None, MockHold(at=at, upcoming=1))
    start = lab.clock.elapsed_ms
    exchange = await lab.open()
    return exchange, record(lab), start
