"""Streams that are held, in time: due times stand still and move, to the millisecond; what is beside them goes on."""

from __future__ import annotations

import asyncio

import pytest

from mockd.config.events import EventConfig
from mockd.config.hand import Hold
from mockd.hand.push import event_of
from mockd.hand.waits import Conditions
from tests.manual_clock import settle
from tests.stream.hands import KINDS, PACED, SLACK_MS, opened, times, unheld
from tests.stream.harness import PATH, Lab, words

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("moment", [0.1, 1.4, 3.05])
async def test_due_times_move_by_the_time_held(kind: str, lab: Lab, moment: float) -> None:
    expected = await unheld(kind, lab)
    hands = lab.engine.streams.take_in_hand()
    exchange, stream, start = await opened(lab)
    await lab.clock.advance(moment)
    hands.hold(stream, Hold())
    await settle()
    await lab.clock.advance(10)
    hands.release(stream)
    await lab.clock.advance(60)
    assert [at - start for at in times(exchange)] == [at if at <= moment * 1000 else at + 10_000 for at in expected]


@pytest.mark.parametrize("kind", KINDS)
async def test_a_stream_is_held_twice_and_at_its_places(kind: str, lab: Lab) -> None:
    expected = await unheld(kind, lab)
    hands = lab.engine.streams.take_in_hand()
    exchange, stream, start = await opened(lab, at=2)
    await lab.clock.advance(20)
    assert [at - start for at in times(exchange)] == expected[:2]
    hands.hold(stream, Hold(at=5))
    await lab.clock.advance(40)
    moved = 20_000 - expected[1]
    assert [at - start for at in times(exchange)] == [*expected[:2], *(at + moved for at in expected[2:5])]
    hands.release(stream)
    await lab.clock.advance(60)
    assert times(exchange)[5] - start == 60_000 + expected[5] - expected[4]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "stalled"])
async def test_the_interval_behind_a_step_counts_from_it(kind: str, lab: Lab) -> None:
    expected = await unheld(kind, lab)
    hands = lab.engine.streams.take_in_hand()
    exchange, stream, start = await opened(lab, at=1)
    await lab.clock.advance(5)
    for moment in (5_000, 5_010):
        hands.step(stream, 1)
        await lab.clock.advance(0.01)
        assert times(exchange)[-1] - start == moment
    hands.step(stream, 1)
    await lab.clock.advance(0.01)
    hands.release(stream)
    await lab.clock.advance(60)
    first = 5_030 + expected[4] - expected[3]
    assert [at - start for at in times(exchange)][4:] == [first, first + expected[5] - expected[4]]


async def test_a_step_takes_the_comments_before_its_event(lab: Lab) -> None:
    events = [{"data": "1"}, {"comment": "a"}, {"comment": "b"}, {"data": "2"}, {"comment": "c"}, {"data": "3"}]
    lab.mock(events=events)
    exchange, stream, _ = await opened(lab, at=0)
    for text in ("data: 1\n\n", ": a\n: b\ndata: 2\n\n", ": c\ndata: 3\n\n"):
        before = len(exchange.body)
        lab.engine.streams.take_in_hand().step(stream, 1)
        await settle()
        assert exchange.body[before:].decode() == text
        assert exchange.is_open
    lab.engine.streams.take_in_hand().step(stream, 1)  # the end
    await settle()
    assert not exchange.is_open


@pytest.mark.parametrize("faults", [[], ["drop after 90 events"]])
async def test_heartbeats_go_on_in_step(lab: Lab, faults: list[str]) -> None:
    life = {"heartbeat": {"every": 300, "text": "h"}}
    lab.engine.create(
        {
            "id": "mock",
            "matcher": {"path": PATH},
            "sse": {"events": words(4), **PACED, "lifecycle": life},
            "faults": faults,
        }
    )
    hands = lab.engine.streams.take_in_hand()
    exchange, stream, _ = await opened(lab, at=2)
    await lab.clock.advance(2.65)
    hands.release(stream)
    await lab.clock.advance(0.1)
    beats = [at for at, block in exchange.blocks if block == ": h"]
    assert beats == pytest.approx([300, 600, 900, 1300, 1600, 1900, 2200, 2500], abs=SLACK_MS)
    await lab.clock.advance(0.8)
    beats = [at for at, block in exchange.blocks if block == ": h"]
    assert beats[8:] == pytest.approx([2800, 3100, 3400], abs=SLACK_MS)
    await lab.clock.advance(0.2)
    assert exchange.times[2:] == [3650]
    hands.hold(stream, Hold(keepalives=False))
    await lab.clock.advance(5)
    assert exchange.blocks[-1] == (3650, "data: 3")


@pytest.mark.parametrize("faults", [[], ["drop after 90 events"]])
@pytest.mark.parametrize(("limit", "ends_at"), [("timeout", 6_000 + 10_000), ("connectionTimeout", 5_000 + 10_000)])
async def test_time_limits_stand_still_if_they_are_frozen(
    lab: Lab, faults: list[str], limit: str, ends_at: int
) -> None:
    life = {limit: 5, "keepOpen": True}
    sse = {"events": [*words(2), {"comment": "c", "delay": 50_000}], **PACED, "lifecycle": life}
    lab.engine.create({"id": "mock", "matcher": {"path": PATH}, "sse": sse, "faults": faults})
    hands = lab.engine.streams.take_in_hand()
    exchange, stream, _ = await opened(lab)
    await lab.clock.advance(2)
    hands.hold(stream, Hold(freeze_timeouts=True))
    await lab.clock.advance(5)
    hands.step(stream, 1)
    await lab.clock.advance(5)
    hands.release(stream)
    await lab.clock.advance(ends_at / 1000 - 12 - 0.01)
    assert exchange.is_open
    await lab.clock.advance(0.02)
    assert lab.ended["outcome"] == "timed_out"


async def test_what_is_sent_after_a_long_hold_is_as_fresh_as_it_was_sent(lab: Lab) -> None:
    lab.mock(events=words(3), **PACED, resume={"enabled": True, "maxAge": 20})
    hands = lab.engine.streams.take_in_hand()
    _, stream, _ = await opened(lab, at=1)
    await lab.clock.advance(100)
    hands.release(stream)
    await lab.clock.advance(5)
    assert [event["id"] for event in lab.engine.streams.buffer("mock")] == ["2", "3"]


async def test_a_wait_is_woken_without_a_look_in_between(lab: Lab) -> None:
    lab.mock(events=words(3), timing={"fixedDelay": 3_600_000})
    hands = lab.engine.streams.take_in_hand()
    _, stream, _ = await opened(lab)
    waits = [asyncio.create_task(hands.wait(stream, Conditions(reached=2), 600)) for _ in range(1000)]
    await settle()
    calls = lab.clock.calls
    await lab.clock.advance(3000)
    assert lab.clock.calls - calls < 1000  # each minute the stream looks at its own time limits
    assert not any(wait.done() for wait in waits)
    await lab.clock.advance(600)
    assert all([await wait for wait in waits])


async def test_a_stream_is_held_once_the_server_has_all_before_the_place() -> None:
    lab = Lab(in_memory=False)
    lab.mock(events=words(4), **PACED)
    exchange, stream, _ = await opened(lab, at=2)
    await exchange.stop_reading()
    await lab.clock.advance(5)
    assert (stream.events_sent, stream.to_json()["held"]) == (1, False)
    waiting = asyncio.create_task(lab.engine.streams.take_in_hand().wait(stream, Conditions(held=True), 60))
    await settle()
    await exchange.read_on()
    assert (stream.events_sent, stream.to_json()["held"]) == (2, True)
    assert await waiting


async def test_a_step_waits_for_an_event(lab: Lab) -> None:
    lab.mock(manual=True)
    hands = lab.engine.streams.take_in_hand()
    exchange, stream, _ = await opened(lab, at=0)
    assert stream.to_json()["held"]
    hands.step(stream, 1)
    await settle()
    assert not stream.to_json()["held"]
    for text in ("a", "b"):  # which goes out also while it is held
        hands.push(stream, event_of(EventConfig(data=text)))
        await settle()
        assert stream.to_json()["held"]
    assert exchange.text == "data: a\n\ndata: b\n\n"


@pytest.mark.parametrize("faults", [[], ["drop after 90 events"]])
async def test_heartbeats_count_from_a_step(lab: Lab, faults: list[str]) -> None:
    sse = {"events": words(4), **PACED, "lifecycle": {"heartbeat": {"every": 300, "text": "h"}}}
    lab.engine.create({"id": "mock", "matcher": {"path": PATH}, "sse": sse, "faults": faults})
    exchange, stream, _ = await opened(lab, at=1)
    await lab.clock.advance(0.4)
    lab.engine.streams.take_in_hand().step(stream, 1)
    await settle()
    await lab.clock.advance(0.7)
    assert [at for at, _ in exchange.blocks] == pytest.approx([0, 300, 400, 700, 1000], abs=SLACK_MS)
    lab.engine.streams.take_in_hand().release(stream)
    await lab.clock.advance(1.1)
    after = [at for at, _ in exchange.blocks][5:]
    assert after == pytest.approx([1300, 1600, 1900, 2100], abs=SLACK_MS)


@pytest.mark.parametrize("faults", [[], ["drop after 90 events"]])
async def test_heartbeats_go_on_while_a_step_waits(lab: Lab, faults: list[str]) -> None:
    sse = {"manual": True, "lifecycle": {"heartbeat": {"every": 300, "text": "h"}}}
    lab.engine.create({"id": "mock", "matcher": {"path": PATH}, "sse": sse, "faults": faults})
    exchange, stream, _ = await opened(lab, at=0)
    await lab.clock.advance(1)
    lab.engine.streams.take_in_hand().step(stream, 1)
    await settle()
    await lab.clock.advance(1.05)
    beats = [at for at, _ in exchange.blocks]
    assert beats == pytest.approx([300, 600, 900, 1200, 1500, 1800], abs=SLACK_MS)


async def test_what_goes_out_at_once_is_not_late(lab: Lab) -> None:
    lab.mock(events=words(3), **PACED, resume={"enabled": True})
    hands = lab.engine.streams.take_in_hand()
    _, stream, _ = await opened(lab, at=1)
    await lab.clock.advance(5)
    hands.push(stream, event_of(EventConfig(data="pushed")))
    hands.step(stream, 1)
    await settle()
    hands.release(stream)
    await lab.clock.advance(5)
    assert stream.lateness is not None
    late = stream.lateness.to_json()
    assert late is None or late["maxMs"] < 10
