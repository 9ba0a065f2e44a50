"""Streams whose pieces are made once for all clients: nobody can tell them from those that are made for each, whatever
happens to them on the way."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from mockd.config.events import EventConfig
from mockd.config.hand import Hold, MockHold
from mockd.framing.variants import Variant, variants
from mockd.hand.cut import fault_of
from mockd.hand.push import event_of
from mockd.mocks import builder
from tests.manual_clock import settle
from tests.stream.harness import PATH, Exchange, Lab

pytestmark = pytest.mark.anyio

EVENTS = [
    {"data": "één 😀", "id": "1"},
    {"comment": "alone"},
    {"data": "2\n2"},
    {"raw": "data: 3\r\n\r\n"},
    {"data": "4"},
]
PARTS: dict[str, dict[str, Any]] = {
    "at once": {"events": EVENTS},
    "paced": {"events": EVENTS, "timing": {"fixedDelay": 100}},
    "repeated": {"events": EVENTS, "timing": {"fixedDelay": 10}, "repeat": 3},
    "limited": {"events": EVENTS, "timing": {"burst": {"count": 2, "pause": 100}}, "lifecycle": {"maxEvents": 3}},
}
VARIANTS = [one for one in variants("sse") if "pause" not in one.framing and "600000" not in one.name]


def record(lab: Lab) -> Any:
    return lab.engine.connections.exchanges()[-1]


async def nothing(lab: Lab, exchange: Exchange) -> None:
    pass


async def stop(lab: Lab, exchange: Exchange) -> None:
    lab.engine.begin_shutdown()


async def hold(lab: Lab, exchange: Exchange) -> None:
    hands = lab.engine.streams.take_in_hand()
    hands.hold(record(lab), Hold())
    await lab.clock.advance(1)
    hands.step(record(lab), 1)
    await lab.clock.advance(1)
    hands.release(record(lab))


async def push(lab: Lab, exchange: Exchange) -> None:
    lab.engine.streams.take_in_hand().push(record(lab), event_of(EventConfig(data="pushed")))


async def cut(lab: Lab, exchange: Exchange) -> None:
    hands = lab.engine.streams.take_in_hand()
    hands.cut(record(lab), fault_of("stall ms=1000"), None)


async def leave(lab: Lab, exchange: Exchange) -> None:
    await exchange.hang_up()


async def read_late(lab: Lab, exchange: Exchange) -> None:
    await exchange.stop_reading()
    await lab.clock.advance(0.15)
    await exchange.read_on()


HAPPENS: dict[str, Callable[[Lab, Exchange], Awaitable[None]]] = {
    "nothing": nothing,
    "stop": stop,
    "hold": hold,
    "push": push,
    "cut": cut,
    "leave": leave,
    "read late": read_late,
}


async def told(framing: Any, part: str, happens: str, *, in_memory: bool) -> tuple[Any, Any, bool]:
    """All that is sent, what is recorded, and whether it was made in advance."""
    lab = Lab(in_memory=in_memory)
    lab.engine.create({"id": "mock", "matcher": {"path": PATH}, "sse": {**PARTS[part], "framing": dict(framing)}})
    exchange = await lab.open()
    await lab.clock.advance(0.12)
    if exchange.is_open:
        await HAPPENS[happens](lab, exchange)
        await settle()
    await lab.clock.advance(10)
    kept = {key: value for key, value in lab.ended.items() if key not in ("id", "connectedAt", "lateness")}
    plan = lab.engine.mock_set.served.find("mock").parts[0].plan
    script = plan.compiled(plan.source.script)
    has_chunks = "split" in framing or "coalesce" in framing
    return exchange.writes if has_chunks else by_moment(exchange), kept, script.pieces is not None


def by_moment(exchange: Exchange) -> list[tuple[int, bytes]]:
    """What goes out at each moment: without chunks, the writes may be others."""
    moments = sorted({at for at, _ in exchange.writes})
    found = [(moment, b"".join(part for at, part in exchange.writes if at == moment)) for moment in moments]
    return [*found, (-1 if exchange.ended_at is None else exchange.ended_at, b"")]


@pytest.mark.parametrize("in_memory", [True, False], ids=["memory", "messages"])
@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("variant", VARIANTS, ids=lambda one: one.name)
async def test_nobody_can_tell(monkeypatch: pytest.MonkeyPatch, variant: Variant, part: str, in_memory: bool) -> None:
    in_advance = {name: await told(variant.framing, part, name, in_memory=in_memory) for name in HAPPENS}
    monkeypatch.setattr(builder, "make_pieces", lambda plan: None)
    for name in HAPPENS:
        anew = await told(variant.framing, part, name, in_memory=in_memory)
        assert in_advance[name][:2] == anew[:2], name
        assert not anew[2]


@pytest.mark.parametrize(
    ("framing", "more", "is_made"),
    [
        ({"encoding": "gzip"}, {}, True),
        ({"split": "utf8"}, {}, True),
        ({"lineEnding": "crlf"}, {}, False),
        ({"split": "utf8", "pause": 5}, {}, False),
        ({"encoding": "gzip"}, {"retry": 5}, False),
        ({"encoding": "gzip"}, {"events": [{"data": "$uuid"}]}, False),
        ({"encoding": "gzip"}, {"repeat": 0}, False),
        ({"split": {"bytes": 1}}, {"events": [{"data": "x" * 5000}]}, False),
        ({"encoding": "gzip"}, {"lifecycle": {"keepOpen": True}}, False),
        ({"encoding": "gzip"}, {"lifecycle": {"heartbeat": {"every": 5, "text": "x"}}}, False),
        ({"encoding": "gzip"}, {"lifecycle": {"termination": {"type": "abrupt"}}}, False),
        ({"encoding": "gzip"}, {"resume": {"enabled": True}}, False),
    ],
    ids=str,
)
async def test_what_is_made_in_advance(framing: dict[str, Any], more: dict[str, Any], is_made: bool) -> None:
    lab = Lab()
    lab.mock(**{"events": EVENTS, "framing": framing, **more})
    plan = lab.engine.mock_set.served.find("mock").parts[0].plan
    assert (plan.compiled(plan.source.script).pieces is not None) is is_made


@pytest.mark.parametrize("framing", [{"encoding": "gzip"}, {"split": "lines"}, {"coalesce": 3}], ids=str)
async def test_a_stream_is_held_at_its_place_before_it_begins(framing: dict[str, Any]) -> None:
    lab = Lab(in_memory=True)
    lab.mock(**PARTS["paced"], framing=framing)
    whole = await lab.open()
    await lab.clock.advance(10)
    hands = lab.engine.streams.take_in_hand()
    hands.hold_upcoming(("", "mock"), None, MockHold(at=2, upcoming=1))
    exchange = await lab.open()
    await lab.clock.advance(10)
    assert record(lab).events_sent == 2
    hands.release(record(lab))
    await lab.clock.advance(10)
    assert exchange.body == whole.body


@pytest.mark.parametrize("framing", [{"encoding": "gzip"}, {"split": "lines"}, {"coalesce": 3}], ids=str)
async def test_a_fault_strikes_it(framing: dict[str, Any]) -> None:
    lab = Lab(in_memory=True)
    part = {**PARTS["paced"], "framing": framing}
    lab.engine.create({"id": "mock", "matcher": {"path": PATH}, "sse": part, "faults": ["end after 2 events"]})
    await lab.open()
    await lab.clock.advance(10)
    assert lab.ended["eventsSent"] == 2


async def test_what_is_due_at_the_head_is_one_write() -> None:
    exchange = await Lab(in_memory=True).run(events=EVENTS, framing={"encoding": "gzip"})
    assert len(exchange.writes) == 1
