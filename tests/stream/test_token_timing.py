"""Pacing in the words of those who measure models: time to first token, inter-token latency, tokens a second; and
delays that are drawn."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import accumulate, pairwise
from typing import Any

import pytest

from mockd.errors import ConfigError
from tests.stream.harness import Exchange, Lab, files_are_read, words
from tests.stream.test_timing import after

pytestmark = pytest.mark.anyio

TALE = "tests.stream.plug_ins:TALE"
LINES = "tests.stream.plug_ins:TALE_IN_LINES"
ON = {"enabled": True}

TOLD = [
    pytest.param({}, {}, [0, 0, 0, 0, 0], id="nothing given: all at once"),
    pytest.param({"itl": 10}, {}, after(0, 10, 10, 10, 0), id="itl: only the content waits"),
    pytest.param({"tokensPerSecond": 30}, {}, [0, 34, 67, 100, 100], id="fractions are kept, and rounded up once"),
    pytest.param({}, {"delayPerToken": 40}, after(0, 40, 40, 40, 0), id="delayPerToken of the template"),
    pytest.param({"fixedDelay": 5}, {"delayPerToken": 40}, after(0, 40, 40, 40, 0), id="delayPerToken before fixed"),
    pytest.param({"itl": 10}, {"delayPerToken": 40}, after(0, 10, 10, 10, 0), id="itl before delayPerToken"),
    pytest.param(
        {"tokensPerSecond": 100}, {"delayPerToken": 40}, after(0, 10, 10, 10, 0), id="the rate before delayPerToken"
    ),
    pytest.param({"itl": 20, "tokensPerSecond": 100}, {}, after(0, 20, 20, 20, 0), id="itl before the rate"),
    pytest.param({"ttft": 300, "itl": 10}, {}, after(0, 300, 10, 10, 0), id="ttft counts from the head"),
    pytest.param({"ttft": 300}, {"delayPerToken": 40}, after(0, 300, 40, 40, 0), id="ttft with delayPerToken"),
    pytest.param({"ttft": 300}, {}, after(0, 300, 0, 0, 0), id="ttft alone"),
    pytest.param(
        {"initialDelay": 100, "ttft": 300, "itl": 10}, {}, after(100, 200, 10, 10, 0), id="ttft covers initialDelay"
    ),
    pytest.param(
        {"initialDelay": 500, "ttft": 300, "itl": 10}, {}, after(500, 0, 10, 10, 0), id="initialDelay past the ttft"
    ),
]


@pytest.mark.parametrize("more", [{}, {"resume": ON}, {"rateLimit": {"eventsPerSecond": 1e6}}], ids=str)
@pytest.mark.parametrize(("timing", "params", "moments"), TOLD)
async def test_events_of_a_template(
    lab: Lab, timing: dict[str, Any], params: dict[str, Any], moments: list[int], more: dict[str, Any]
) -> None:
    stream = await lab.run(template=TALE, templateParams=params, timing=timing, **more)
    assert stream.events == list(zip(moments, ["head", "1", "2", "3", "end"], strict=True))
    assert stream.ended_at == moments[-1]


@pytest.mark.parametrize(("timing", "params", "moments"), TOLD)
async def test_lines_of_a_template(
    lab: Lab, timing: dict[str, Any], params: dict[str, Any], moments: list[int]
) -> None:
    stream = await lab.run("chunked", template=LINES, templateParams=params, timing=timing)
    assert lines(stream) == list(zip(moments, ["head", "1", "2", "3", "end"], strict=True))


def lines(stream: Exchange) -> list[tuple[int, str]]:
    return [(at, line) for at, part in stream.writes for line in part.decode().splitlines()]


@pytest.mark.parametrize(
    ("timing", "moments"),
    [
        ({"itl": 10}, after(0, 10, 10, 10)),
        ({"ttft": 300, "itl": 10}, after(300, 10, 10, 10)),
        ({"ttft": 300, "tokensPerSecond": 50}, after(300, 20, 20, 20)),
        ({"ttft": 300, "fixedDelay": 7}, after(300, 7, 7, 7)),
        ({"ttft": 300, "perEventDelays": [50, 60]}, after(300, 60, 0, 0)),
        ({"itl": 10, "perEventDelays": [50, 60]}, after(0, 10, 10, 10)),
        ({"initialDelay": 400, "ttft": 300, "itl": 10}, after(400, 10, 10, 10)),
        ({"initialDelay": 100, "ttft": 300, "itl": 10}, after(300, 10, 10, 10)),
    ],
    ids=str,
)
async def test_events_of_a_list(lab: Lab, timing: dict[str, Any], moments: list[int]) -> None:
    assert (await lab.run(events=words(4), timing=timing)).times == moments
    lab.engine.delete("mock")
    stream = await lab.run("chunked", ndjsonItems=[1, 2, 3, 4], timing=timing)
    started = stream.messages[0][0]
    assert [at - started for at, _ in lines(stream)] == moments


async def test_in_later_passes_every_event_is_a_token(lab: Lab) -> None:
    stream = await lab.run(events=words(2), repeat=3, timing={"ttft": 500, "itl": 10})
    assert stream.times == after(500, 10, 10, 10, 10, 10)


async def test_a_source_that_runs(lab: Lab) -> None:
    template = "tests.stream.plug_ins:PLAIN"
    stream = await lab.run(template=template, templateParams={"count": 3}, timing={"ttft": 500, "itl": 10})
    assert stream.times == after(500, 10, 10)


async def test_openai_chat_sends_its_role_at_once(lab: Lab) -> None:
    stream = await lab.run(
        template="openai-chat", templateParams={"tokens": ["a", "b", "c"]}, timing={"ttft": 300, "itl": 20}
    )
    assert stream.times == after(0, 300, 20, 20, 0, 0)


# -- drawn delays ------------------------------------------------------------------------------------------------------

NORMAL = {"dist": "normal", "mean": 100, "stddev": 30}


def drawn(seed: int, count: int, distribution: Callable[[random.Random], float]) -> list[int]:
    """Gaps of whole milliseconds as a stream with that seed has them, each due time rounded up."""
    rng = random.Random(seed)
    sums = accumulate(distribution(rng) for _ in range(count))
    return [-int(-at // 1) for at in sums]


async def test_gaps_are_those_of_the_distribution_in_order(lab: Lab) -> None:
    expected = drawn(7, 9, lambda rng: max(0.0, rng.normalvariate(100, 30)))
    stream = await lab.run(events=words(10), timing={"itl": NORMAL}, seed=7)
    assert stream.times == [0, *expected]


@pytest.mark.parametrize(
    "timing",
    [
        {"initialDelay": NORMAL},
        {"ttft": NORMAL},
        {"itl": NORMAL},
        {"fixedDelay": NORMAL},
        {"perEventDelays": [0, NORMAL, NORMAL]},
        {"burst": {"count": 2, "interval": NORMAL, "pause": 5}},
        {"burst": {"count": 2, "interval": 5, "pause": NORMAL}},
    ],
    ids=str,
)
async def test_a_distribution_may_stand_wherever_timing_has_a_delay(lab: Lab, timing: dict[str, Any]) -> None:
    lab.mock(events=words(3), timing=timing)
    streams = [await lab.open() for _ in range(5)]
    await lab.clock.advance(60)
    assert len({tuple(stream.times) for stream in streams}) > 1


async def test_an_event_may_draw_its_own_delay(lab: Lab) -> None:
    events = [{"data": "a"}, {"data": "b", "delay": {"dist": "uniform", "min": 1000, "max": 2000}}, {"data": "c"}]
    lab.mock(events=events, repeat=20, timing={"fixedDelay": 10})
    stream = await lab.open()
    await lab.clock.advance(60)
    gaps = [late - early for early, late in pairwise(stream.times)]
    assert all(1000 <= gap <= 2001 for gap in gaps[::3])
    assert len(set(gaps[::3])) > 5
    assert {gap for place, gap in enumerate(gaps) if place % 3} <= {9, 10, 11}


async def test_a_template_may_draw_its_delay_per_token(lab: Lab) -> None:
    stream = await lab.run(template=TALE, templateParams={"delayPerToken": NORMAL, "words": 5}, seed=7)
    expected = drawn(7, 5, lambda rng: max(0.0, rng.normalvariate(100, 30)))
    assert stream.times == [0, *expected, expected[-1]]


async def test_notifications_may_draw_their_interval(lab: Lab) -> None:
    stream = await lab.run(template="notification-stream", templateParams={"interval": NORMAL}, seed=7)
    assert stream.times == [0, *drawn(7, 3, lambda rng: max(0.0, rng.normalvariate(100, 30)))]


@pytest.mark.parametrize("more", [{}, {"resume": ON}], ids=str)
async def test_a_seed_makes_drawn_delays_repeat(lab: Lab, more: dict[str, Any]) -> None:
    timing = {"ttft": {"dist": "lognormal", "mean": 400, "stddev": 200}, "itl": NORMAL}
    lab.mock(events=words(10), timing=timing, seed=7, **more)
    first = await lab.open()
    await lab.clock.advance(60)
    second = await lab.open()
    await lab.clock.advance(60)
    begun = second.messages[0][0]
    assert [at - begun for at in second.times] == first.times


async def test_a_seed_of_the_server_tells_streams_apart_and_repeats_from_run_to_run() -> None:
    async def two_streams() -> tuple[list[int], list[int]]:
        lab = Lab(seed=7)
        lab.mock(events=words(10), timing={"itl": NORMAL})
        first, second = await lab.open(), await lab.open()
        await lab.clock.advance(60)
        return first.times, second.times

    once, again = await two_streams(), await two_streams()
    assert once == again
    assert once[0] != once[1]


async def test_a_seed_of_a_chunked_mock(lab: Lab) -> None:
    lab.mock("chunked", ndjsonItems=[{"id": "$uuid"}] * 5, chunkDelay=NORMAL, seed=7)
    first = await lab.open()
    await lab.clock.advance(60)
    second = await lab.open()
    await lab.clock.advance(60)
    begun = second.messages[0][0]
    assert [(at - begun, part) for at, part in second.writes] == first.writes
    assert len(first.writes) == 5


# -- at the ends of a stream -------------------------------------------------------------------------------------------


async def test_a_close_delay_may_be_drawn(lab: Lab) -> None:
    pause = {"dist": "uniform", "min": 1000, "max": 3000}
    lifecycle = {"termination": {"finalEvent": {"data": "bye"}, "closeDelay": pause}}
    lab.mock(events=words(2), timing={"fixedDelay": 10}, lifecycle=lifecycle)
    streams = [await lab.open() for _ in range(5)]
    await lab.clock.advance(60)
    assert [stream.times for stream in streams] == [[0, 10, 10]] * 5
    ends = [stream.ended_at or 0 for stream in streams]
    assert len(set(ends)) > 1
    assert all(1010 <= end <= 3011 for end in ends)


async def test_a_drawn_close_delay_leaves_what_the_stream_draws_as_it_is(lab: Lab) -> None:
    events = [{"data": "$uuid"}] * 3
    termination = {"closeDelay": {"dist": "uniform", "max": 3000}}
    plain = await lab.run(events=events, timing={"itl": NORMAL}, seed=7)
    lab.engine.delete("mock")
    drawn_end = await lab.run(events=events, timing={"itl": NORMAL}, seed=7, lifecycle={"termination": termination})
    begun = drawn_end.messages[0][0]
    assert [(at - begun, data) for at, data in drawn_end.events] == plain.events
    assert drawn_end.ended_at != drawn_end.times[-1]


async def test_the_delay_of_an_answer_may_be_drawn(lab: Lab) -> None:
    lab.mock("response", body="x", delay={"dist": "uniform", "min": 100, "max": 900})
    answers = [await lab.open() for _ in range(5)]
    await lab.clock.advance(60)
    moments = {answer.messages[0][0] for answer in answers}
    assert len(moments) > 1
    assert all(100 <= at <= 901 for at in moments)


async def test_the_delay_of_a_file_may_be_drawn(tmp_path: Any) -> None:
    (tmp_path / "body.txt").write_text("x")
    lab = Lab(files_root=str(tmp_path))
    lab.mock("response", bodyFile="body.txt", delay={"dist": "uniform", "min": 100, "max": 900})
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
    stream = await lab.open()
    await files_are_read()
    await lab.clock.advance(1)
    assert 100 <= stream.messages[0][0] <= 901


# -- chunked -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("timing", "moments"),
    [
        ({"fixedDelay": 100}, after(0, 100, 100, 100)),
        ({"initialDelay": 50, "fixedDelay": 100}, after(50, 100, 100, 100)),
        ({"perEventDelays": [10, 20]}, after(10, 20, 0, 0)),
        ({"burst": {"count": 2, "interval": 1, "pause": 50}}, after(0, 1, 50, 1)),
    ],
    ids=str,
)
async def test_every_mode_works_for_chunks(lab: Lab, timing: dict[str, Any], moments: list[int]) -> None:
    stream = await lab.run("chunked", data="abcd", chunkSize=1, timing=timing, flush="event")
    assert stream.writes == list(zip(moments, [b"a", b"b", b"c", b"d"], strict=True))


async def test_chunk_delay_goes_with_the_other_modes(lab: Lab) -> None:
    stream = await lab.run("chunked", data="abcd", chunkSize=1, chunkDelay=100, timing={"initialDelay": 50})
    assert [at for at, _ in stream.writes] == after(50, 100, 100, 100)


@pytest.mark.parametrize("delay", [0, 5])
async def test_chunk_delay_and_fixed_delay_are_one(lab: Lab, delay: int) -> None:
    with pytest.raises(ConfigError) as caught:
        lab.mock("chunked", data="x", chunkDelay=delay, timing={"fixedDelay": 5})
    assert str(caught.value) == "$.chunked.chunkDelay: `chunkDelay` is the same as `timing.fixedDelay`: give one"
