"""Rate limits: what an event without a token does, and what a client is told."""

from __future__ import annotations

from typing import Any

import pytest

from tests.manual_clock import WALL_S
from tests.stream.harness import Lab, words

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("limit", "moments"),
    [
        ({"eventsPerSecond": 2}, [0, 0, 500, 1000, 1500, 2000]),
        ({"eventsPerSecond": 2, "burstSize": 1}, [0, 500, 1000, 1500, 2000, 2500]),
        ({"eventsPerSecond": 2, "burstSize": 4}, [0, 0, 0, 0, 500, 1000]),
        ({"eventsPerSecond": 0.5}, [0, 2000, 4000, 6000, 8000, 10_000]),
        ({"eventsPerSecond": 0.5, "burstSize": 3}, [0, 0, 0, 2000, 4000, 6000]),
        ({"eventsPerSecond": 2.5}, [0, 0, 200, 600, 1000, 1400]),
        ({"eventsPerSecond": 1000}, [0, 0, 0, 0, 0, 0]),
    ],
    ids=str,
)
async def test_waiting_for_tokens(lab: Lab, limit: dict[str, Any], moments: list[int]) -> None:
    stream = await lab.run(events=words(6), rateLimit=limit)
    assert stream.times == moments
    assert [data for _, data in stream.events] == list("123456")


async def test_waiting_does_not_shift_the_schedule(lab: Lab) -> None:
    timing = {"perEventDelays": [0, 0, 0, 3000, 3000, 0]}
    stream = await lab.run(events=words(6), timing=timing, rateLimit={"eventsPerSecond": 1, "burstSize": 1})
    # Due at 0, 0, 0, 3, 6, 6: those that wait go when they have their token, the others when they are due.
    assert stream.times == [0, 1000, 2000, 3000, 6000, 7000]


async def test_the_bucket_fills_up_while_nothing_is_due(lab: Lab) -> None:
    timing = {"perEventDelays": [0, 0, 10_000, 0, 0, 0]}
    stream = await lab.run(events=words(6), timing=timing, rateLimit={"eventsPerSecond": 1, "burstSize": 2})
    assert stream.times == [0, 0, 10_000, 10_000, 11_000, 12_000]


async def test_a_slower_schedule_never_waits(lab: Lab) -> None:
    stream = await lab.run(events=words(5), timing={"fixedDelay": 100}, rateLimit={"eventsPerSecond": 10})
    assert stream.times == [0, 100, 200, 300, 400]


@pytest.mark.parametrize(
    ("config", "limit", "events"),
    [
        pytest.param(
            {"events": words(8), "timing": {"fixedDelay": 100}},
            {"eventsPerSecond": 5, "burstSize": 1},
            [(0, "1"), (200, "3"), (400, "5"), (600, "7")],
            id="each second one",
        ),
        pytest.param(
            {"events": words(8), "timing": {"fixedDelay": 100}},
            {"eventsPerSecond": 5, "burstSize": 3},
            [(0, "1"), (100, "2"), (200, "3"), (300, "4"), (400, "5"), (600, "7")],
            id="after the burst each second one",
        ),
        pytest.param(
            {"events": words(5000)},
            {"eventsPerSecond": 10, "burstSize": 5},
            [(0, n) for n in "12345"],
            id="all at once",
        ),
        pytest.param(
            {"events": words(3), "timing": {"perEventDelays": [0, 0, 1000]}},
            {"eventsPerSecond": 1},
            [(0, "1"), (1000, "3")],
            id="the dropped one is left out, the next is on time",
        ),
    ],
)
async def test_dropping(lab: Lab, config: dict[str, Any], limit: dict[str, Any], events: list[tuple[int, str]]) -> None:
    stream = await lab.run(**config, rateLimit={**limit, "strategy": "drop"})
    assert stream.events == events
    assert lab.ended["outcome"] == "completed"
    assert lab.ended["eventsSent"] == len(events)


async def test_what_comes_behind_a_dropped_event_does_not_wait(lab: Lab) -> None:
    limit = {"eventsPerSecond": 0.1, "strategy": "drop"}
    stream = await lab.run(events=[*words(2), {"comment": "a"}], rateLimit=limit)
    assert (stream.text, stream.ended_at) == ("data: 1\n\n: a\n", 0)


async def test_dropped_events_are_not_counted_against_the_most(lab: Lab) -> None:
    limit = {"eventsPerSecond": 5, "burstSize": 1, "strategy": "drop"}
    stream = await lab.run(events=words(100), timing={"fixedDelay": 100}, rateLimit=limit, lifecycle={"maxEvents": 3})
    assert stream.events == [(0, "1"), (200, "3"), (400, "5")]


async def test_an_endless_stream_without_delay_sends_what_its_rate_allows_and_rests_in_between(lab: Lab) -> None:
    limit = {"eventsPerSecond": 10, "burstSize": 1, "strategy": "drop"}
    stream = await lab.stream(generator={"type": "sequence"}, rateLimit=limit)
    asked = lab.clock.calls
    await lab.clock.advance(1)
    assert stream.times == list(range(0, 1001, 100))
    assert lab.clock.calls - asked < 1000
    await stream.hang_up()


async def test_passing_the_limit_ends_the_stream(lab: Lab) -> None:
    limit = {"eventsPerSecond": 5, "burstSize": 2, "strategy": "error"}
    stream = await lab.run(events=words(8), timing={"fixedDelay": 100}, rateLimit=limit)
    assert [at for at, _ in stream.blocks] == [0, 100, 200, 300]
    assert stream.blocks[-1][1].startswith("event: error\n")
    assert lab.ended["outcome"] == "failed"
    assert lab.ended["eventsSent"] == 3
    assert lab.engine.connections.stats()["connectionErrors"] == 1


@pytest.mark.parametrize("strategy", ["wait", "drop", "error"])
async def test_comments_need_no_token(lab: Lab, strategy: str) -> None:
    events = [{"data": "1"}, {"comment": "a"}, {"comment": "b"}, {"retry": 5}]
    stream = await lab.run(events=events, rateLimit={"eventsPerSecond": 0.1, "strategy": strategy})
    assert stream.text == "data: 1\n\n: a\n: b\nretry: 5\n\n"
    assert stream.ended_at == 0


async def test_the_final_event_needs_no_token(lab: Lab) -> None:
    termination = {"finalEvent": {"data": "bye"}}
    stream = await lab.run(events=words(1), rateLimit={"eventsPerSecond": 0.1}, lifecycle={"termination": termination})
    assert stream.events == [(0, "1"), (0, "bye")]


async def test_every_stream_has_a_bucket_of_its_own(lab: Lab) -> None:
    lab.mock("sse", events=words(2), rateLimit={"eventsPerSecond": 1})
    first, second = await lab.open(), await lab.open()
    await lab.clock.advance(10)
    assert first.times == second.times == [0, 1000]


@pytest.mark.parametrize(
    ("limit", "held", "full_after"),
    [
        ({"eventsPerSecond": 10, "burstSize": 5}, "5", 1),
        ({"eventsPerSecond": 10}, "10", 1),
        ({"eventsPerSecond": 0.5}, "1", 2),
        ({"eventsPerSecond": 0.1, "burstSize": 3}, "3", 30),
    ],
)
async def test_headers(lab: Lab, limit: dict[str, Any], held: str, full_after: int) -> None:
    stream = await lab.run(events=words(1), rateLimit={**limit, "headers": True})
    assert stream.headers["x-ratelimit-limit"] == held
    assert stream.headers["x-ratelimit-remaining"] == held
    assert stream.headers["x-ratelimit-reset"] == str(int(WALL_S) + full_after)


async def test_no_headers_unless_asked_for(lab: Lab) -> None:
    stream = await lab.run(events=words(1), rateLimit={"eventsPerSecond": 1})
    assert not [name for name in stream.headers if "ratelimit" in name]
