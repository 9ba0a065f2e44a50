"""Holds of streams that have not begun, and what is left of a hold when its stream ends."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from mockd.config.events import EventConfig
from mockd.config.hand import Hold
from mockd.hand.push import event_of
from mockd.hand.waits import Conditions
from tests.manual_clock import settle
from tests.stream import deciding
from tests.stream.hands import PACED, opened, record
from tests.stream.harness import PATH, Lab, words

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("at", [None, "head", 0, 1])
@pytest.mark.parametrize("what", ["script", "events", "iterator", "async iterator", "async events"])
async def test_a_stream_is_held_while_its_source_is_awaited(lab: Lab, at: Any, what: str) -> None:
    deciding.log.gate = asyncio.Event()
    try:
        lab.mock(template="tests.stream.deciding:DECIDING", templateParams={"what": what, "awaits": True})
        exchange = await lab.open()
        stream, hands = record(lab), lab.engine.streams.take_in_hand()
        hands.hold(stream, Hold(at=at))
        assert stream.to_json()["held"] is (at in (None, "head"))
        deciding.log.gate.set()
        await settle()
        await lab.clock.advance(3)
        assert stream.to_json()["heldAt"] == ("head" if at is None else at)
        assert len(exchange.messages) == 0 or at in (0, 1)
        assert stream.events_sent == (at or 0 if at != "head" else 0)
        hands.release(stream)
        await settle()
        await lab.clock.advance(60)
        assert not exchange.is_open
    finally:
        deciding.log.gate = None


async def test_a_stream_is_held_during_the_delay_of_its_head(lab: Lab) -> None:
    lab.engine.create({"id": "mock", "matcher": {"path": PATH}, "response": {"body": "x", "delay": 1000}})
    exchange = await lab.open()
    stream, hands = record(lab), lab.engine.streams.take_in_hand()
    await lab.clock.advance(0.5)
    hands.hold(stream, Hold())
    await lab.clock.advance(10)
    assert exchange.messages == []
    hands.step(stream, 1)  # there is no event, so it goes out whole
    await settle()
    await lab.clock.advance(1)
    assert exchange.body == b"x"


async def test_a_stream_is_held_during_a_fault_before_its_head(lab: Lab) -> None:
    sse = {"events": words(2)}
    lab.engine.create({"id": "mock", "matcher": {"path": PATH}, "sse": sse, "faults": ["delay 1000 before head"]})
    exchange = await lab.open()
    stream, hands = record(lab), lab.engine.streams.take_in_hand()
    await lab.clock.advance(0.5)
    hands.hold(stream, Hold(at="head"))
    await lab.clock.advance(10)
    assert exchange.messages == []
    hands.release(stream)
    await settle()
    await lab.clock.advance(1)
    assert [at for at, _ in exchange.events] == [10_500, 10_500]


async def test_nothing_is_left_of_a_hand_once_its_stream_is_over(lab: Lab) -> None:
    lab.mock(events=words(3))
    for place in ("head", 0, 2, 3):
        _, stream, _ = await opened(lab, at=place)
        lab.engine.streams.take_in_hand().release(stream)
        await settle()
        await lab.clock.advance(1)
        assert stream.hand is None
        assert stream.status == "closed"
    hands = lab.engine.streams.take_in_hand()
    assert (hands.holds, hands.waiting) == (0, 0)


async def test_a_stream_that_was_held_is_held_again_at_its_end(lab: Lab) -> None:
    lab.mock(events=words(2), **PACED, lifecycle={"termination": {"closeDelay": 2000}})
    hands = lab.engine.streams.take_in_hand()
    exchange, stream, _ = await opened(lab)
    await lab.clock.advance(0.5)
    hands.hold(stream, Hold())
    await lab.clock.advance(10)
    hands.release(stream)
    await lab.clock.advance(1.5)  # the last event was at 11 s, and the end is due at 13 s
    assert exchange.times == [0, 11_000]
    hands.hold(stream, Hold())
    await settle()
    await lab.clock.advance(5)
    assert exchange.is_open
    hands.release(stream)
    await lab.clock.advance(60)
    assert exchange.ended_at == 18_000


async def test_a_stream_that_is_told_to_end_is_held_no_longer(lab: Lab) -> None:
    lab.mock(events=words(4), **PACED, lifecycle={"termination": {"closeDelay": 2000, "finalEvent": {"data": "bye"}}})
    hands = lab.engine.streams.take_in_hand()
    exchange, stream, _ = await opened(lab, at=1)
    hands.push(stream, event_of(EventConfig(data="pushed")))
    lab.engine.streams.close_all("mock")
    await settle()
    assert stream.status == "closing"
    assert stream.to_json()["held"] is False
    assert "heldAt" not in stream.to_json()
    assert exchange.events[-1] == (0, "bye")
    await lab.clock.advance(2)
    assert not exchange.is_open


async def test_a_stream_that_sends_nothing_has_opened(lab: Lab) -> None:
    lab.mock(manual=True)
    hands = lab.engine.streams.take_in_hand()
    waiting = asyncio.create_task(hands.wait_for(("", "mock"), None, Conditions(), 1, 60))
    await settle()
    await lab.open()
    assert waiting.done()
    is_so, found = await waiting
    assert (is_so, found) == (True, [record(lab)])


@pytest.mark.parametrize("place", [2, 9])
async def test_no_hold_is_left_of_a_stream_that_was_ended_in_it_or_before(lab: Lab, place: int) -> None:
    lab.mock(events=words(3), lifecycle={"keepOpen": True})
    await opened(lab, at=place)
    hands = lab.engine.streams.take_in_hand()
    assert hands.holds == 1
    lab.engine.streams.close_all("mock")
    await settle()
    assert hands.holds == 0
