"""What is pushed into streams and strikes them, in time: at once, and behind what is due before it."""

from __future__ import annotations

import re

import pytest

from mockd.config.events import EventConfig
from mockd.config.hand import Hold
from mockd.hand.cut import fault_of
from mockd.hand.push import event_of
from tests.manual_clock import settle
from tests.stream.hands import KINDS, PACED, opened, times, unheld
from tests.stream.harness import PATH, Lab, words

pytestmark = pytest.mark.anyio


async def test_a_cut_pauses_what_follows(lab: Lab) -> None:
    lab.mock(events=words(6), **PACED)
    hands = lab.engine.streams.take_in_hand()
    exchange, stream, _ = await opened(lab)
    await lab.clock.advance(0.2)
    hands.hold(stream, Hold())
    await lab.clock.advance(0.3)
    hands.release(stream)  # all moves by 300 ms
    await lab.clock.advance(1)
    hands.cut(stream, fault_of("stall ms=1500"), None)
    await lab.clock.advance(3)
    hands.cut(stream, fault_of("delay ms=100"), None)
    await lab.clock.advance(3)
    assert exchange.times == [0, 1300, 3000, 3300, 4300, 5400]


async def test_a_push_comes_at_once_and_moves_nothing(lab: Lab) -> None:
    for kind in ("list", "resume", "drawn", "NDJSON", "delayed"):
        lab = Lab(in_memory=lab.in_memory)
        expected = await unheld(kind, lab)
        hands = lab.engine.streams.take_in_hand()
        exchange, stream, start = await opened(lab, at=3)
        await lab.clock.advance(10)
        hands.push(stream, event_of(EventConfig(data="pushed")))
        await settle()
        assert times(exchange)[-1] - start == 10_000
        await lab.clock.advance(1)
        hands.release(stream)
        await lab.clock.advance(60)
        moved = 11_000 - expected[2]
        after = [at - start for at in times(exchange)][4:]
        assert after == [at + moved for at in expected[3:]], kind


@pytest.mark.parametrize("kind", [*KINDS, "manual"])
async def test_pushes_come_in_the_order_in_which_they_were_made(kind: str, lab: Lab) -> None:
    answer = KINDS.get(kind, {"sse": {"manual": True, "resume": {"enabled": True}}})
    lab.engine.create({"id": "mock", "matcher": {"path": PATH}, **answer})
    hands = lab.engine.streams.take_in_hand()
    exchange, stream, _ = await opened(lab, at=0 if kind == "manual" else 2)
    await lab.clock.advance(10)
    for number in range(3):  # in one turn, before any of them is sent
        hands.push(stream, event_of(EventConfig(data=f"pushed {number}")))
    await settle()
    assert [int(found) for found in re.findall(rb"pushed (\d)", exchange.body)] == [0, 1, 2]


@pytest.mark.parametrize("kind", ["list", "resume", "NDJSON", "delayed"])
async def test_pushed_events_count_for_the_place(lab: Lab, kind: str) -> None:
    await unheld(kind, lab)
    hands = lab.engine.streams.take_in_hand()
    exchange, stream, start = await opened(lab, at=3)
    for text in ("a", "b"):
        hands.push(stream, event_of(EventConfig(data=text)))
        await settle()
    assert stream.to_json()["held"]
    await lab.clock.advance(60)
    assert [at - start for at in times(exchange)] == [0, 0, 0]


async def test_a_push_comes_behind_a_fault_that_is_due_before_it(lab: Lab) -> None:
    sse = {"events": words(4), "resume": {"enabled": True}}
    lab.engine.create({"id": "mock", "matcher": {"path": PATH}, "sse": sse, "faults": ["stall ms=100 after 2 events"]})
    hands = lab.engine.streams.take_in_hand()
    exchange, stream, _ = await opened(lab, at=2)
    hands.push(stream, event_of(EventConfig(data="pushed")))
    calls = lab.clock.calls
    await settle()
    assert len(exchange.events) == 2
    assert lab.clock.calls - calls < 20  # the stream rests
    hands.release(stream)
    await settle()
    await lab.clock.advance(1)
    assert exchange.events == [(0, "1"), (0, "2"), (100, "pushed"), (100, "3"), (100, "4")]


async def test_a_step_behind_a_cut_sends_its_event_alone(lab: Lab) -> None:
    lab.mock(events=words(4), **PACED, lifecycle={"heartbeat": {"every": 300, "text": "h"}})
    hands = lab.engine.streams.take_in_hand()
    exchange, stream, _ = await opened(lab, at=1)
    await lab.clock.advance(0.1)
    hands.cut(stream, fault_of("delay ms=0"), None)
    await settle()
    await lab.clock.advance(0.1)
    hands.step(stream, 1)
    await settle()
    assert exchange.blocks == [(0, "data: 1"), (200, "data: 2")]


@pytest.mark.parametrize("most", [0, 4])
async def test_what_follows_a_push_counts_on_behind_it(lab: Lab, most: int) -> None:
    """Also the event that is made already, and waits until it is due."""
    life = {"maxEvents": most}
    lab.mock(events=[{"data": "$seq"}] * 4, **PACED, resume={"enabled": True}, lifecycle=life)
    hands = lab.engine.streams.take_in_hand()
    exchange, stream, _ = await opened(lab)
    await lab.clock.advance(0.5)
    hands.push(stream, event_of(EventConfig(data="pushed")))
    await settle()
    await lab.clock.advance(10)
    expected = [(0, "1"), (500, "pushed"), (1000, "3"), (2000, "4"), (3000, "5")]
    assert exchange.events == (expected[:most] if most else expected)
    ids = [event["id"] for event in lab.engine.streams.buffer("mock")]
    session = ids[1].removesuffix("-p1")
    assert ids == ["1", f"{session}-p1", *(f"{session}-{number}" for number in (3, 4, 5))][: most or 5]
    if not most:
        again = await lab.open(headers={"Last-Event-ID": f"{session}-3"})
        assert [text for _, text in again.events] == ["4", "5"]


async def test_a_generator_counts_only_its_own_events(lab: Lab) -> None:
    lab.mock(generator={"type": "sequence", "count": 4}, **PACED, resume={"enabled": True})
    exchange, stream, _ = await opened(lab)
    await lab.clock.advance(1.5)
    lab.engine.streams.take_in_hand().push(stream, event_of(EventConfig(data="pushed")))
    await settle()
    await lab.clock.advance(10)
    assert [text for _, text in exchange.events] == ["0", "1", "pushed", "2", "3"]


async def test_an_id_that_a_later_stream_sends_too_means_neither(lab: Lab) -> None:
    lab.mock(events=words(3), resume={"enabled": True})
    hands = lab.engine.streams.take_in_hand()
    _, stream, _ = await opened(lab, at=2)
    hands.push(stream, event_of(EventConfig(data="pushed")))
    await settle()
    await opened(lab, at=2)  # the same ids, and nothing is pushed
    again = await lab.open(headers={"Last-Event-ID": "2"})
    assert [text for _, text in again.events] == ["1", "2", "3"]
