"""Streams that are held, in time: due times stand still and move, to the millisecond; what is beside them goes on."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest

from mockd.config.events import EventConfig
from mockd.config.hand import Hold, MockHold
from mockd.hand.cut import fault_of
from mockd.hand.push import event_of
from mockd.hand.waits import Conditions
from mockd.journal.exchange import Exchange as Record
from tests.manual_clock import settle
from tests.stream import deciding
from tests.stream.harness import PATH, Exchange, Lab, words

pytestmark = pytest.mark.anyio

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


@pytest.fixture(params=[True, False], ids=["in memory", "messages"])
def lab(request: pytest.FixtureRequest) -> Lab:
    return Lab(in_memory=request.param)


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


# -- streams that have not begun ---------------------------------------------------------------------------------------


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


async def test_a_stream_that_sends_nothing_has_opened(lab: Lab) -> None:
    lab.mock(manual=True)
    hands = lab.engine.streams.take_in_hand()
    waiting = asyncio.create_task(hands.wait_for(("", "mock"), None, Conditions(), 1, 60))
    await settle()
    await lab.open()
    assert waiting.done()
    is_so, found = await waiting
    assert (is_so, found) == (True, [record(lab)])


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


@pytest.mark.parametrize("place", [2, 9])
async def test_no_hold_is_left_of_a_stream_that_was_ended_in_it_or_before(lab: Lab, place: int) -> None:
    lab.mock(events=words(3), lifecycle={"keepOpen": True})
    await opened(lab, at=place)
    hands = lab.engine.streams.take_in_hand()
    assert hands.holds == 1
    lab.engine.streams.close_all("mock")
    await settle()
    assert hands.holds == 0


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
