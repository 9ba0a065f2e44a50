"""When events are sent: every mode, their combinations and their order of precedence."""

from __future__ import annotations

from typing import Any

import pytest

from tests.stream.harness import Lab, words

pytestmark = pytest.mark.anyio

BURST = {"count": 3, "interval": 10, "pause": 1000}


def after(*gaps: int) -> list[int]:
    """Moments from the gaps between them."""
    total, moments = 0, []
    for gap in gaps:
        total += gap
        moments.append(total)
    return moments


@pytest.mark.parametrize(
    ("config", "moments"),
    [
        pytest.param({}, [0, 0, 0, 0], id="nothing given: all at once"),
        pytest.param({"timing": {"initialDelay": 100}}, [100, 100, 100, 100], id="initialDelay"),
        pytest.param({"timing": {"fixedDelay": 500}}, after(0, 500, 500, 500), id="fixedDelay spares the first"),
        pytest.param(
            {"timing": {"initialDelay": 100, "fixedDelay": 500}}, after(100, 500, 500, 500), id="initial and fixed"
        ),
        pytest.param({"timing": {"fixedDelay": 0.5}}, [0, 1, 1, 2], id="fractions are kept, and rounded up once"),
        pytest.param({"timing": {"burst": BURST}}, after(0, 10, 10, 1000), id="burst: a full first group"),
        pytest.param(
            {"timing": {"burst": {**BURST, "count": 1}}}, after(0, 1000, 1000, 1000), id="burst of one pauses each time"
        ),
        pytest.param(
            {"timing": {"burst": {"count": 2, "pause": 50}}}, after(0, 0, 50, 0), id="burst without an interval"
        ),
        pytest.param(
            {"timing": {"perEventDelays": [100, 200, 500]}}, after(100, 200, 500, 0), id="perEventDelays, then nothing"
        ),
        pytest.param(
            {"timing": {"initialDelay": 7, "perEventDelays": [100, 200]}},
            after(107, 200, 0, 0),
            id="initialDelay and the first of perEventDelays add up",
        ),
        pytest.param(
            {"timing": {"perEventDelays": [1, 2, 3, 4, 5, 6]}}, after(1, 2, 3, 4), id="more perEventDelays than events"
        ),
        pytest.param(
            {"timing": {"perEventDelays": [100, 0], "fixedDelay": 30}},
            after(100, 0, 30, 30),
            id="perEventDelays before fixedDelay, a zero is one",
        ),
        pytest.param(
            {"timing": {"burst": BURST, "fixedDelay": 77, "randomDelay": {"min": 5, "max": 5}}},
            after(0, 10, 10, 1000),
            id="burst before random before fixed",
        ),
        pytest.param(
            {"timing": {"fixedDelay": 77, "randomDelay": {"min": 5, "max": 5}}},
            after(0, 5, 5, 5),
            id="random before fixed",
        ),
        pytest.param(
            {"timing": {"perEventDelays": [1, 2], "burst": BURST}},
            after(1, 2, 10, 1000),
            id="perEventDelays before burst, which counts all the same",
        ),
        pytest.param(
            {
                "timing": {
                    "initialDelay": 100,
                    "fixedDelay": 500,
                    "randomDelay": {"min": 100, "max": 500},
                    "burst": {"count": 5, "interval": 10, "pause": 1000},
                    "perEventDelays": [100, 200, 500],
                }
            },
            after(200, 200, 500, 10),
            id="all modes together",
        ),
    ],
)
async def test_modes(lab: Lab, config: dict[str, Any], moments: list[int]) -> None:
    stream = await lab.run(events=words(4), **config)
    assert stream.times == moments
    assert stream.ended_at == moments[-1]


async def test_own_delay_wins_over_every_mode(lab: Lab) -> None:
    events = words(4)
    events[1]["delay"] = 7
    events[3]["delay"] = 0
    timing = {"perEventDelays": [1, 2, 3, 4], "burst": BURST, "randomDelay": {"max": 50}, "fixedDelay": 60}
    assert (await lab.run(events=events, timing=timing)).times == after(1, 7, 3, 0)


async def test_own_delay_of_the_first_event_comes_after_the_initial_one(lab: Lab) -> None:
    events = words(2)
    events[0]["delay"] = 30
    stream = await lab.run(events=events, timing={"initialDelay": 100, "perEventDelays": [500]})
    assert stream.times == [130, 130]


@pytest.mark.parametrize(
    ("timing", "moments"),
    [
        ({"fixedDelay": 20}, after(0, 20, 20, 20, 20, 20, 20, 20, 20)),
        ({"initialDelay": 5, "fixedDelay": 20}, after(5, 20, 20, 20, 20, 20, 20, 20, 20)),
        ({"perEventDelays": [100, 200]}, after(100, 200, 0, 100, 200, 0, 100, 200, 0)),
        ({"perEventDelays": [100], "fixedDelay": 9}, after(100, 9, 9, 100, 9, 9, 100, 9, 9)),
        ({"initialDelay": 1, "perEventDelays": [100]}, after(101, 0, 0, 100, 0, 0, 100, 0, 0)),
        ({"burst": {"count": 2, "interval": 1, "pause": 50}}, after(0, 1, 50, 1, 50, 1, 50, 1, 50)),
        ({"burst": {"count": 4, "interval": 1, "pause": 50}}, after(0, 1, 1, 1, 50, 1, 1, 1, 50)),
    ],
)
async def test_between_passes_the_same_rule_holds(lab: Lab, timing: dict[str, Any], moments: list[int]) -> None:
    stream = await lab.run(events=words(3), repeat=3, timing=timing)
    assert stream.times == moments
    assert [data for _, data in stream.events] == ["1", "2", "3"] * 3


SEQUENCE = {"type": "sequence", "count": 300}
SAME = {"type": "random", "count": 300, "random": {"schema": "$uuid"}}
CYCLE = {"type": "template", "count": 300, "template": {"events": words(2)}}


@pytest.mark.parametrize("resume", [{}, {"enabled": True}], ids=str)
@pytest.mark.parametrize(
    ("generator", "delays", "gaps"),
    [
        (SEQUENCE, [100, 200, 500], [100, 200, 500] + [7] * 297),
        (SAME, [100, 200, 500], [100, 200, 500] + [7] * 297),
        (SEQUENCE, list(range(250)), [*range(250)] + [7] * 50),
        (CYCLE, [100, 200, 500], [100, 200] * 150),
    ],
    ids=["sequence", "random", "long", "template"],
)
async def test_positions_of_a_generator(
    lab: Lab, generator: dict[str, Any], delays: list[int], gaps: list[int], resume: dict[str, Any]
) -> None:
    stream = await lab.run(generator=generator, timing={"perEventDelays": delays, "fixedDelay": 7}, resume=resume)
    assert stream.times == after(*gaps)


async def test_own_delays_hold_in_every_pass(lab: Lab) -> None:
    events = [{"data": "a", "delay": 10}, {"data": "b"}]
    stream = await lab.run(events=events, repeat=3, timing={"fixedDelay": 100})
    assert stream.times == after(10, 100, 10, 100, 10, 100)


@pytest.mark.parametrize("length", [1, 2, 3, 7, 31, 33, 100])
@pytest.mark.parametrize("count", [1, 2, 3, 5, 64])
async def test_bursts_count_from_the_start_of_the_stream(lab: Lab, length: int, count: int) -> None:
    burst = {"count": count, "interval": 1, "pause": 100}
    stream = await lab.run(events=words(length), repeat=0, timing={"burst": burst}, lifecycle={"maxEvents": 150})
    assert stream.times == after(0, *(1 if number % count else 100 for number in range(1, 150)))


async def test_a_burst_too_long_to_lay_out_in_advance(lab: Lab) -> None:
    burst = {"count": 4999, "interval": 0, "pause": 100}
    stream = await lab.run(events=words(3), repeat=0, timing={"burst": burst}, lifecycle={"maxEvents": 10_001})
    assert (stream.times[4998], stream.times[4999], stream.times[9997], stream.times[9998]) == (0, 100, 100, 200)


async def test_final_event_follows_at_once(lab: Lab) -> None:
    termination = {"finalEvent": {"data": "bye"}}
    stream = await lab.run(events=words(2), timing={"fixedDelay": 100}, lifecycle={"termination": termination})
    assert stream.events == [(0, "1"), (100, "2"), (100, "bye")]


async def test_comments_take_their_place_in_the_schedule(lab: Lab) -> None:
    events = [{"data": "a"}, {"comment": "b"}, {"data": "c"}]
    stream = await lab.run(events=events, timing={"perEventDelays": [1, 20, 300]})
    assert stream.blocks == [(1, "data: a"), (21, ": b"), (321, "data: c")]


async def test_the_head_goes_out_before_any_delay(lab: Lab) -> None:
    stream = await lab.stream(events=words(1), timing={"initialDelay": 5000})
    assert [at for at, _ in stream.messages] == [0]
    await lab.clock.advance(4.999)
    assert stream.events == []
    await lab.clock.advance(0.001)
    assert stream.times == [5000]


# -- random delays -----------------------------------------------------------------------------------------------------


async def test_random_delays_are_whole_milliseconds_and_reach_both_ends(lab: Lab) -> None:
    stream = await lab.run(
        events=words(1),
        repeat=0,
        timing={"initialDelay": 3, "randomDelay": {"min": 10, "max": 13}},
        lifecycle={"maxEvents": 400},
        seed=1,
    )
    gaps = [later - earlier for earlier, later in zip(stream.times, stream.times[1:], strict=False)]
    assert stream.times[0] == 3
    assert set(gaps) == {10, 11, 12, 13}


async def test_random_delay_may_be_nothing(lab: Lab) -> None:
    stream = await lab.run(events=words(5), timing={"randomDelay": {"min": 0, "max": 0}})
    assert stream.times == [0] * 5


RANDOM: dict[str, Any] = {
    "events": [{"data": "$uuid $random:1:1000000"}],
    "repeat": 5,
    "timing": {"randomDelay": {"min": 1, "max": 1000}},
}


async def test_a_seeded_mock_repeats_itself_in_every_stream() -> None:
    lab = Lab()
    first = await lab.run(**RANDOM, seed=7)
    started = lab.clock.elapsed_ms
    second = await lab.open()
    await lab.clock.advance(60)
    assert [(at - started, data) for at, data in second.events] == first.events


async def test_a_seeded_server_differs_between_streams_and_repeats_between_runs() -> None:
    async def two_streams(seed: int | None) -> tuple[object, object]:
        lab = Lab(seed=seed)
        lab.mock("sse", **RANDOM)
        first, second = await lab.open(), await lab.open()
        await lab.clock.advance(60)
        return first.events, second.events

    once, again, other, unseeded = [await two_streams(seed) for seed in (7, 7, 8, None)]
    assert once == again
    assert once[0] != once[1]
    assert other != once
    assert unseeded != once


# -- absolute due times ------------------------------------------------------------------------------------------------


async def test_a_client_that_lags_is_sent_what_is_due_at_once_and_then_keeps_the_schedule(lab: Lab) -> None:
    stream = await lab.stream(events=words(8), timing={"fixedDelay": 100})
    await lab.clock.advance(0.1)
    await stream.stop_reading()
    await lab.clock.advance(0.35)
    await stream.read_on()
    await lab.clock.advance(10)
    assert stream.events == [
        (0, "1"), (100, "2"), (450, "3"), (450, "4"), (450, "5"), (500, "6"), (600, "7"), (700, "8"),
    ]  # fmt: skip


@pytest.mark.parametrize("extra", [{}, {"resume": {"enabled": True}}, {"rateLimit": {"eventsPerSecond": 1000}}])
async def test_a_process_that_was_held_up_catches_up_and_skips_nothing(lab: Lab, extra: dict[str, Any]) -> None:
    stream = await lab.stream(events=words(2), repeat=5, timing={"fixedDelay": 100}, **extra)
    await lab.clock.advance(0.2)
    lab.clock.skip(0.45)
    await lab.clock.advance(10)
    assert stream.times == [0, 100, 200, 650, 650, 650, 650, 700, 800, 900]
    assert [data for _, data in stream.events] == ["1", "2"] * 5


async def test_due_times_do_not_drift_over_a_long_stream(lab: Lab) -> None:
    stream = await lab.stream(events=words(7), repeat=0, timing={"fixedDelay": 333})
    await lab.clock.advance(3330)
    assert stream.times == [333 * number for number in range(len(stream.times))]
    assert len(stream.times) == 10_001


async def test_streams_of_one_mock_run_each_from_its_own_head(lab: Lab) -> None:
    first = await lab.stream(events=words(3), timing={"fixedDelay": 100})
    await lab.clock.advance(0.05)
    second = await lab.open()
    await lab.clock.advance(10)
    assert first.times == [0, 100, 200]
    assert second.times == [50, 150, 250]
