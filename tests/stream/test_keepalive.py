"""Keepalives fill silence, and move no event."""

from __future__ import annotations

from typing import Any

import pytest

from tests.stream.harness import Lab, words

pytestmark = pytest.mark.anyio

KEEPALIVE = ": keepalive"
EVERY_5_S = {"keepaliveInterval": 5}


async def test_delays_longer_than_the_interval_are_kept_exactly(lab: Lab) -> None:
    stream = await lab.run(events=words(3), timing={"fixedDelay": 12_000}, lifecycle=EVERY_5_S)
    assert stream.blocks == [
        (0, "data: 1"), (5000, KEEPALIVE), (10_000, KEEPALIVE),
        (12_000, "data: 2"), (17_000, KEEPALIVE), (22_000, KEEPALIVE),
        (24_000, "data: 3"),
    ]  # fmt: skip


async def test_delays_as_long_as_the_interval_leave_no_silence(lab: Lab) -> None:
    stream = await lab.run(events=words(4), timing={"fixedDelay": 5000}, lifecycle=EVERY_5_S)
    assert stream.events == [(0, "1"), (5000, "2"), (10_000, "3"), (15_000, "4")]
    assert stream.text.count(KEEPALIVE) == 0


async def test_a_stream_that_is_never_silent_has_none(lab: Lab) -> None:
    stream = await lab.run(events=words(30), timing={"fixedDelay": 4900}, lifecycle=EVERY_5_S)
    assert KEEPALIVE not in stream.text


async def test_silence_counts_from_the_head(lab: Lab) -> None:
    stream = await lab.run(events=words(1), timing={"initialDelay": 11_000}, lifecycle=EVERY_5_S)
    assert stream.blocks == [(5000, KEEPALIVE), (10_000, KEEPALIVE), (11_000, "data: 1")]


async def test_a_comment_breaks_the_silence_too(lab: Lab) -> None:
    events = [{"comment": "hush", "delay": 3000}, {"data": "1", "delay": 7000}]
    stream = await lab.run(events=events, lifecycle=EVERY_5_S)
    assert stream.blocks == [(3000, ": hush"), (8000, KEEPALIVE), (10_000, "data: 1")]


async def test_fractions_of_a_second(lab: Lab) -> None:
    stream = await lab.run(events=words(1), timing={"initialDelay": 12_000}, lifecycle={"keepaliveInterval": 5.25})
    assert stream.blocks == [(5250, KEEPALIVE), (10_500, KEEPALIVE), (12_000, "data: 1")]


async def test_an_open_stream_without_events_is_kept_alive(lab: Lab) -> None:
    stream = await lab.stream(events=[], lifecycle={**EVERY_5_S, "keepOpen": True})
    await lab.clock.advance(16)
    assert stream.blocks == [(5000, KEEPALIVE), (10_000, KEEPALIVE), (15_000, KEEPALIVE)]
    assert stream.is_open


async def test_after_the_last_event_an_open_stream_is_kept_alive(lab: Lab) -> None:
    stream = await lab.stream(events=words(2), timing={"fixedDelay": 1000}, lifecycle={**EVERY_5_S, "keepOpen": True})
    await lab.clock.advance(12)
    assert stream.blocks == [(0, "data: 1"), (1000, "data: 2"), (6000, KEEPALIVE), (11_000, KEEPALIVE)]


async def test_while_an_event_waits_for_its_token(lab: Lab) -> None:
    stream = await lab.run(events=words(3), rateLimit={"eventsPerSecond": 0.125}, lifecycle=EVERY_5_S)
    assert stream.blocks == [
        (0, "data: 1"), (5000, KEEPALIVE), (8000, "data: 2"), (13_000, KEEPALIVE), (16_000, "data: 3")
    ]  # fmt: skip


@pytest.mark.parametrize(
    "extra",
    [
        {"timing": {"randomDelay": {"min": 100, "max": 30_000}}, "seed": 3},
        {"timing": {"burst": {"count": 3, "interval": 10, "pause": 12_000}}},
        {"timing": {"perEventDelays": [9000, 6000]}, "resume": {"enabled": True}},
        {"timing": {"fixedDelay": 6000}, "rateLimit": {"eventsPerSecond": 0.1}},
    ],
)
async def test_no_event_is_moved_in_any_mode(extra: dict[str, Any]) -> None:
    without = await Lab().run(events=words(20), **extra)
    stream = await Lab().run(events=words(20), lifecycle=EVERY_5_S, **extra)
    assert KEEPALIVE in stream.text
    assert stream.events == without.events


async def test_they_are_counted_as_bytes_and_not_as_events(lab: Lab) -> None:
    stream = await lab.run(events=words(1), timing={"initialDelay": 6000}, lifecycle=EVERY_5_S)
    assert lab.ended["eventsSent"] == 1
    assert lab.ended["bytesSent"] == len(stream.body) == len(": keepalive\ndata: 1\n\n")


async def test_none_unless_asked_for(lab: Lab) -> None:
    stream = await lab.run(events=words(2), timing={"fixedDelay": 100_000})
    assert stream.text == "data: 1\n\ndata: 2\n\n"


async def test_a_slow_client_is_not_sent_one_right_after_a_late_event(lab: Lab) -> None:
    stream = await lab.stream(events=words(2), timing={"fixedDelay": 20_000}, lifecycle=EVERY_5_S)
    await stream.stop_reading()
    await lab.clock.advance(19)
    await stream.read_on()
    await lab.clock.advance(1)
    assert stream.blocks == [(0, "data: 1"), (19_000, KEEPALIVE), (20_000, "data: 2")]
