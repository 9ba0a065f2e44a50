"""Sources whose events are made while the stream runs: paced, limited and ended as any other."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from typing import Any

import pytest

from mockd.streaming.sessions.session import Entry
from tests.manual_clock import settle
from tests.stream import plug_ins
from tests.stream.harness import Lab

pytestmark = pytest.mark.anyio

KINDS = ["PLAIN", "AWAITED"]


def template(name: str, **params: Any) -> dict[str, Any]:
    return {"template": f"tests.stream.plug_ins:{name}", "templateParams": params}


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    yield
    plug_ins.taken.clear()
    plug_ins.gates.clear()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("timing", "moments"),
    [
        ({}, [0, 0, 0]),
        ({"fixedDelay": 100}, [0, 100, 200]),
        ({"initialDelay": 5, "perEventDelays": [1, 20]}, [6, 26, 26]),
        ({"burst": {"count": 2, "interval": 1, "pause": 10}}, [0, 1, 11]),
    ],
    ids=str,
)
async def test_they_are_paced_as_any_other(lab: Lab, kind: str, timing: dict[str, Any], moments: list[int]) -> None:
    stream = await lab.run(**template(kind, count=3), timing=timing)
    assert stream.times == moments
    assert [data for _, data in stream.events] == ["0", "1", "2"]
    assert lab.ended["outcome"] == "completed"


@pytest.mark.parametrize("kind", KINDS)
async def test_the_time_it_takes_to_make_an_event_moves_no_schedule(lab: Lab, kind: str) -> None:
    stream = await lab.stream(**template(kind, count=500, takesMs=2), timing={"fixedDelay": 100})
    await lab.clock.advance(60)
    late = [at - 100 * number for number, at in enumerate(stream.times[100:], 100)]
    assert max(late) < 50, late[::8]


async def test_an_event_that_is_late_goes_when_it_is_there_and_the_next_after_it(lab: Lab) -> None:
    plug_ins.gates["2"] = asyncio.Event()
    stream = await lab.stream(**template("AWAITED", count=5), timing={"fixedDelay": 100})
    await lab.clock.advance(1)
    assert stream.times == [0, 100]
    plug_ins.gates["2"].set()
    await lab.clock.advance(1)
    assert stream.times == [0, 100, 1000, 1100, 1200]


@pytest.mark.parametrize("kind", KINDS)
async def test_a_client_that_lags_catches_up(lab: Lab, kind: str) -> None:
    stream = await lab.stream(**template(kind, count=6), timing={"fixedDelay": 100})
    await stream.stop_reading()
    await lab.clock.advance(0.35)
    await stream.read_on()
    await lab.clock.advance(1)
    assert stream.times == [0, 350, 350, 350, 400, 500]


@pytest.mark.parametrize("kind", KINDS)
async def test_limits_hold(lab: Lab, kind: str) -> None:
    life = {"maxEvents": 3, "termination": {"finalEvent": {"data": "bye"}}}
    stream = await lab.run(**template(kind), rateLimit={"eventsPerSecond": 1}, lifecycle=life, retry=5)
    assert stream.events == [(0, "0"), (1000, "1"), (2000, "2"), (2000, "bye")]
    assert stream.text.startswith("data: 0\nretry: 5\n\n")
    assert lab.ended["outcome"] == "max_events"


@pytest.mark.parametrize("kind", KINDS)
async def test_keepalives_while_the_source_has_nothing(lab: Lab, kind: str) -> None:
    plug_ins.gates["1"] = asyncio.Event()
    stream = await lab.stream(**template("AWAITED", count=2), lifecycle={"keepaliveInterval": 5, "timeout": 12})
    await lab.clock.advance(20)
    assert stream.blocks == [(0, "data: 0"), (5000, ": keepalive"), (10_000, ": keepalive")]
    assert stream.ended_at == 12_000


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fails_after", [0, 2])
async def test_a_source_that_fails_ends_the_stream_with_an_error(lab: Lab, kind: str, fails_after: int) -> None:
    stream = await lab.run(**template(kind, failsAfter=fails_after))
    assert [data for _, data in stream.events[:-1]] == ["0", "1"][:fails_after]
    assert stream.text.endswith(
        'event: error\ndata: {"error":{"code":"source_error","message":"ValueError: out of stock"}}\n\n'
    )
    assert stream.ended_at is not None
    assert lab.ended["outcome"] == "failed"
    assert lab.ended["eventsSent"] == fails_after


async def test_a_source_that_cannot_be_opened(lab: Lab) -> None:
    stream = await lab.run(**template("UNOPENED"))
    assert stream.status in (200, 500)
    assert "out of order" in stream.text
    assert lab.live == []


async def test_a_source_may_answer_in_one_piece(lab: Lab) -> None:
    answer = await lab.run(**template("REPLY"))
    assert (answer.status, answer.json) == (202, {"path": "/stream"})


@pytest.mark.parametrize("kind", KINDS)
async def test_an_endless_one_leaves_others_their_turn_and_dies_with_its_client(lab: Lab, kind: str) -> None:
    stream = await lab.stream(**template(kind))
    lab.engine.create({"id": "other", "matcher": {"path": "/other"}, "sse": {"events": [{"data": "1"}]}})
    assert (await lab.open("/other")).text == "data: 1\n\n"
    assert stream.is_open
    await stream.hang_up()
    assert not stream.is_open
    asked = len(plug_ins.taken)
    await settle()
    assert len(plug_ins.taken) == asked


@pytest.mark.parametrize("kind", KINDS)
async def test_not_more_is_taken_than_is_needed_soon(lab: Lab, kind: str) -> None:
    stream = await lab.stream(**template(kind), timing={"fixedDelay": 1000})
    await lab.clock.advance(10)
    assert len(stream.events) == 11
    assert len(plug_ins.taken) <= 11 + 64
    await stream.hang_up()


async def test_large_events_are_not_piled_up(lab: Lab) -> None:
    stream = await lab.stream(**template("AWAITED", size=1_000_000), timing={"fixedDelay": 1000})
    await lab.clock.advance(3)
    assert len(plug_ins.taken) <= 4 + 1
    await stream.hang_up()


@pytest.mark.parametrize("kind", KINDS)
async def test_what_was_sent_is_let_go(lab: Lab, kind: str) -> None:
    stream = await lab.stream(**template(kind), timing={"fixedDelay": 1})
    await lab.clock.advance(1)
    assert len(stream.events) > 900
    gc.collect()
    assert len([thing for thing in gc.get_objects() if isinstance(thing, Entry)]) < 200
    await stream.hang_up()
