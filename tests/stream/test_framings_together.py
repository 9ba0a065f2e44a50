"""Any three variants together, on any kind of stream: what is neutral by itself is so with others, wherever the borders
of chunks are, and each event counts."""

from __future__ import annotations

import asyncio
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from mockd.framing.variants import Variant, variants
from tests.stream.harness import Exchange, Lab
from tests.wire.framing.reading import decoded, event_stream
from tests.wire.framing.streams import together

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
