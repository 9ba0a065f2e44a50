"""An order to stop while part of the body waits: in the pieces of a split, behind a pause of a fault, for a client that
reads late. What has begun goes out before the end that the termination says, and all that is sent is counted."""

from __future__ import annotations

from typing import Any

import pytest

from mockd.config.events import EventConfig
from mockd.hand.push import event_of
from tests.manual_clock import settle
from tests.stream.harness import PATH, Exchange, Lab
from tests.wire.framing.reading import decoded, event_stream

pytestmark = pytest.mark.anyio

EVENTS = [{"data": f"{number} " + "y" * 30, "id": f"e{number}"} for number in range(8)]
LAST = {"termination": {"finalEvent": {"data": "bye"}}}
FRAMINGS: dict[str, dict[str, Any]] = {
    "none": {},
    "split": {"split": {"bytes": 25}},
    "pause": {"split": "lines", "pause": 300},
    "coalesce": {"coalesce": 3},
    "gzip": {"encoding": "gzip"},
    "kept back": {"encoding": "gzip", "flush": "end"},
    "gzip and split": {"encoding": "gzip", "split": {"bytes": 9}},
    "comments": {"comments": {"text": "c"}, "emptyLines": 1},
}
FAULTS: dict[str, list[str]] = {
    "none": [],
    "wire bytes": ["reset after 50000 wire bytes"],
    "bytes": ["reset after 50000 bytes"],
    "stall inside an event": ["stall after 57 bytes"],
    "stall between two": ["stall after 2 events"],
    "throttle": ["throttle bytesPerSecond=40"],
    "stall before a shape": ["stall after 57 bytes", "drop after 50000 bytes"],
    "throttle before a shape": ["throttle bytesPerSecond=40", "drop after 50000 bytes"],
}


async def read_late(exchange: Exchange, lab: Lab) -> None:
    """The client reads nothing for some events, and then one write."""
    await exchange.stop_reading()
    await lab.clock.advance(4)
    note = exchange.line.note
    exchange.line.note = lambda command: (exchange.line.stop_reading(), note(command))[1]
    await exchange.read_on()
    exchange.line.note = note


@pytest.mark.parametrize("is_late", [False, True], ids=["in time", "late"])
@pytest.mark.parametrize("more", [{}, {"resume": {"enabled": True}}], ids=["script", "session"])
@pytest.mark.parametrize("faults", FAULTS)
@pytest.mark.parametrize("name", FRAMINGS)
async def test_what_has_begun_goes_out_before_the_end(
    name: str, faults: str, more: dict[str, Any], is_late: bool
) -> None:
    lab, framing = Lab(in_memory=True), FRAMINGS[name]
    part = {"events": EVENTS, "timing": {"fixedDelay": 1000}, "lifecycle": LAST, "framing": framing, **more}
    lab.engine.create({"id": "mock", "matcher": {"path": PATH}, "sse": part, "faults": FAULTS[faults]})
    exchange = await lab.open()
    await lab.clock.advance(1.5)
    if is_late:
        await read_late(exchange, lab)
    lab.engine.begin_shutdown()
    await settle()
    await exchange.read_on()
    await lab.clock.advance(20)
    found = event_stream(decoded(framing.get("encoding"), exchange.body))
    *events, last = [message.data for message in found.messages]
    assert last == "bye"
    assert events == [event["data"] for event in EVENTS[: len(events)]]
    assert lab.ended["eventsSent"] == len(events)
    assert lab.ended.get("lastEventId") == (found.last_event_id or None)
    assert lab.ended["bytesSent"] == len(exchange.body)


@pytest.mark.parametrize(
    ("fault", "body"),
    [
        ("close after 60 bytes", ""),
        (
            "error message=broken after 60 bytes",
            'event: error\ndata: {"error":{"code":"error","message":"broken"}}\n\n',
        ),
    ],
)
async def test_an_event_that_was_cut_is_not_the_last_that_was_sent(fault: str, body: str) -> None:
    lab = Lab(in_memory=True)
    part = {"events": EVENTS, "timing": {"fixedDelay": 1000}}
    lab.engine.create({"id": "mock", "matcher": {"path": PATH}, "sse": part, "faults": [fault]})
    exchange = await lab.open()
    await lab.clock.advance(20)
    assert exchange.text[60:] == body
    assert (lab.ended["eventsSent"], lab.ended["lastEventId"]) == (1, "e0")


@pytest.mark.parametrize("faults", ["none", "wire bytes", "bytes"])
@pytest.mark.parametrize("more", [{}, {"resume": {"enabled": True}}], ids=["script", "session"])
@pytest.mark.parametrize("name", FRAMINGS)
async def test_what_is_pushed_comes_between_two_events(name: str, more: dict[str, Any], faults: str) -> None:
    lab, framing = Lab(in_memory=True), FRAMINGS[name]
    part = {"events": EVENTS, "timing": {"fixedDelay": 1000}, "framing": framing, **more}
    lab.engine.create({"id": "mock", "matcher": {"path": PATH}, "sse": part, "faults": FAULTS[faults]})
    exchange = await lab.open()
    for number in range(6):
        await lab.clock.advance(0.45)
        lab.engine.streams.take_in_hand().push(
            lab.engine.connections.exchanges()[-1], event_of(EventConfig(data=f"pushed {number}"))
        )
        await settle()
    await lab.clock.advance(60)
    found = [message.data for message in event_stream(decoded(framing.get("encoding"), exchange.body)).messages]
    assert [data for data in found if "pushed" not in data] == [event["data"] for event in EVENTS]
    assert [data for data in found if "pushed" in data] == [f"pushed {number}" for number in range(6)]
    assert lab.ended["eventsSent"] == len(found)
    assert lab.ended["bytesSent"] == len(exchange.body)
