"""The delay rule, as numbers."""

from __future__ import annotations

import random
from itertools import accumulate
from statistics import fmean, median, pstdev
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockd.config.base import MAX_MS
from mockd.config.timing import Timing
from mockd.events import Event, Pause
from mockd.program.pacing import Pacing


def pacing(default: Pause = 0.0, token_delay: Pause | None = None, **timing: Any) -> Pacing:
    return Pacing(msgspec.convert(timing, Timing), default, token_delay)


def delays(rule: Pacing, count: int, length: int | None = None, own: dict[int, float] | None = None) -> list[float]:
    rng = random.Random(1)
    length = length or count
    events = [Event("x", delay_s=(own or {}).get(position)) for position in range(length)]
    numbers = range(count)
    return [rule.due_s(number, number % length, events[number % length], rng, 0.0) for number in numbers]


def due(rule: Pacing, events: list[Event]) -> list[float]:
    rng = random.Random(1)
    numbered = enumerate(events)
    return list(accumulate(numbered, lambda at, one: rule.due_s(one[0], one[0], one[1], rng, at), initial=0.0))[1:]


@pytest.mark.parametrize(
    ("timing", "expected"),
    [
        ({}, [0, 0, 0, 0]),
        ({"initialDelay": 100}, [0.1, 0, 0, 0]),
        ({"fixedDelay": 100}, [0, 0.1, 0.1, 0.1]),
        ({"fixedDelay": 0}, [0, 0, 0, 0]),
        ({"perEventDelays": [1, 2]}, [0.001, 0.002, 0, 0]),
        ({"perEventDelays": []}, [0, 0, 0, 0]),
        ({"initialDelay": 5, "perEventDelays": [1, 2], "fixedDelay": 9}, [0.006, 0.002, 0.009, 0.009]),
        ({"burst": {"count": 2, "interval": 1, "pause": 50}}, [0, 0.001, 0.05, 0.001]),
        ({"burst": {"count": 2, "interval": 1, "pause": 50}, "fixedDelay": 9}, [0, 0.001, 0.05, 0.001]),
        ({"randomDelay": {"min": 7, "max": 7}, "fixedDelay": 9}, [0, 0.007, 0.007, 0.007]),
    ],
    ids=str,
)
def test_modes(timing: dict[str, Any], expected: list[float]) -> None:
    assert delays(pacing(**timing), 4) == pytest.approx(expected)


def test_own_delay_before_all_others() -> None:
    rule = pacing(perEventDelays=[1, 2, 3], burst={"count": 2}, randomDelay={"max": 5}, fixedDelay=6)
    assert delays(rule, 3, own={0: 0.5, 1: 0.0, 2: 0.25}) == [0.5, 0, 0.25]


def test_positions_are_those_in_the_list() -> None:
    rule = pacing(perEventDelays=[1, 2], fixedDelay=9)
    assert delays(rule, 6, length=3) == pytest.approx([0.001, 0.002, 0.009, 0.001, 0.002, 0.009])


def test_bursts_count_over_passes() -> None:
    rule = pacing(burst={"count": 4, "interval": 1, "pause": 50})
    assert delays(rule, 9, length=3) == pytest.approx([0, 0.001, 0.001, 0.001, 0.05, 0.001, 0.001, 0.001, 0.05])


@pytest.mark.parametrize(
    ("timing", "expected"),
    [({}, 0.7), ({"initialDelay": 5}, 0.7), ({"fixedDelay": 0}, 0.0), ({"fixedDelay": 9}, 0.009)],
)
def test_a_source_may_bring_a_delay_for_where_nothing_is_given(timing: dict[str, Any], expected: float) -> None:
    assert delays(pacing(0.7, **timing), 2)[1] == expected


@given(low=st.integers(0, 10_000), span=st.integers(0, 50), seed=st.integers(0, 1000))
def test_random_delays_are_whole_milliseconds_within_their_bounds(low: int, span: int, seed: int) -> None:
    rule = pacing(randomDelay={"min": low, "max": low + span})
    delay = rule.due_s(1, 0, Event("x"), random.Random(seed), 0.0) * 1000
    assert round(delay) == pytest.approx(delay)
    assert low <= round(delay) <= low + span


def test_random_delays_are_even() -> None:
    rule, rng = pacing(randomDelay={"min": 1, "max": 4}), random.Random(1)
    drawn = [round(rule.due_s(1, 0, Event("x"), rng, 0.0) * 1000) for _ in range(8000)]
    assert {value: round(drawn.count(value) / 2000, 1) for value in set(drawn)} == {1: 1.0, 2: 1.0, 3: 1.0, 4: 1.0}


DRAWN = {"dist": "uniform", "max": 1}


@pytest.mark.parametrize(
    "timing",
    [
        {"randomDelay": {"max": 1}},
        {"initialDelay": DRAWN},
        {"ttft": DRAWN},
        {"itl": DRAWN},
        {"perEventDelays": [1, DRAWN]},
        {"burst": {"count": 2, "interval": DRAWN}},
        {"burst": {"count": 2, "pause": DRAWN}},
        {"fixedDelay": DRAWN},
        {"token_delay": lambda rng: 1.0},
        {"default": lambda rng: 1.0},
    ],
    ids=lambda timing: next(iter(timing)),
)
def test_what_is_drawn_is_random(timing: dict[str, Any]) -> None:
    assert pacing(**timing).is_random


def test_what_is_given_as_numbers_is_not_random() -> None:
    numbers = {"initialDelay": 1, "ttft": 1, "itl": 1, "tokensPerSecond": 1, "perEventDelays": [1], "fixedDelay": 1}
    assert not pacing(0.1, 0.1, burst={"count": 2}, **numbers).is_random


# -- the pace of tokens ------------------------------------------------------------------------------------------------

HEAD, END = Event("structure", delay_s=0.0), Event("structure", delay_s=0.0)
TOKEN = Event("token")
REPLY = [HEAD, Event("first", opens=True), TOKEN, TOKEN, END]
LATER_MODES = {"perEventDelays": [50] * 9, "burst": {"count": 2}, "randomDelay": {"max": 5}, "fixedDelay": 6}


@pytest.mark.parametrize(
    ("timing", "expected"),
    [
        ({"itl": 10}, [0, 10, 20, 30, 30]),
        ({"tokensPerSecond": 50}, [0, 20, 40, 60, 60]),
        ({"token_delay": 0.03}, [0, 30, 60, 90, 90]),
        ({"itl": 10, "tokensPerSecond": 50, "token_delay": 0.03}, [0, 10, 20, 30, 30]),
        ({"tokensPerSecond": 50, "token_delay": 0.03}, [0, 20, 40, 60, 60]),
        ({"itl": 0, "tokensPerSecond": 50, "token_delay": 0.03}, [0, 0, 0, 0, 0]),
        ({"itl": 10, **LATER_MODES}, [0, 10, 20, 30, 30]),
        ({"token_delay": 0.03, **LATER_MODES}, [0, 30, 60, 90, 90]),
        ({"ttft": 200}, [0, 200, 200, 200, 200]),
        ({"ttft": 200, "fixedDelay": 5}, [0, 200, 205, 210, 210]),
        ({"ttft": 200, "itl": 10}, [0, 200, 210, 220, 220]),
        ({"ttft": 0, "itl": 10}, [0, 0, 10, 20, 20]),
        ({"ttft": 200, "itl": 10, "initialDelay": 50}, [50, 200, 210, 220, 220]),
        ({"ttft": 200, "itl": 10, "initialDelay": 300}, [300, 300, 310, 320, 320]),
        ({"itl": 10, "initialDelay": 50}, [50, 60, 70, 80, 80]),
    ],
    ids=str,
)
def test_a_template_waits_before_its_content_only(timing: dict[str, Any], expected: list[float]) -> None:
    assert [at * 1000 for at in due(pacing(**timing), REPLY)] == pytest.approx(expected)


def test_a_template_that_opens_with_its_first_event() -> None:
    reply = [Event("first", opens=True), TOKEN, END]
    assert due(pacing(itl=10), reply) == pytest.approx([0.01, 0.02, 0.02])
    assert due(pacing(itl=10, ttft=500), reply) == pytest.approx([0.5, 0.51, 0.51])


def test_in_a_list_the_first_event_is_the_first_content() -> None:
    events = [TOKEN, TOKEN, Event("own", delay_s=0.2), TOKEN]
    assert due(pacing(itl=10), events) == pytest.approx([0, 0.01, 0.21, 0.22])
    assert due(pacing(itl=10, ttft=500), events) == pytest.approx([0.5, 0.51, 0.71, 0.72])
    assert due(pacing(itl=10, ttft=500, initialDelay=700), events) == pytest.approx([0.7, 0.71, 0.91, 0.92])


def test_an_own_delay_of_the_first_event_wins_over_ttft() -> None:
    assert due(pacing(ttft=500), [Event("x", delay_s=0.1), TOKEN]) == pytest.approx([0.1, 0.1])


def test_the_first_content_of_a_later_pass_is_a_token_like_the_others() -> None:
    rule, rng = pacing(itl=10, ttft=500), random.Random(1)
    at = rule.due_s(6, 1, REPLY[1], rng, 0.0)
    assert at == pytest.approx(0.01)


# -- distributions -----------------------------------------------------------------------------------------------------

MS = st.integers(0, 10_000)


@st.composite
def distributions(draw: st.DrawFn) -> dict[str, Any]:
    low, middle, high = sorted(draw(st.tuples(MS, MS, MS)))
    if draw(st.booleans()):
        return {"dist": "uniform", "min": low, "max": high}
    bell = {"dist": "normal", "mean": middle, "stddev": draw(MS), "min": low, "max": high}
    return bell if not middle or draw(st.booleans()) else {**bell, "dist": "lognormal"}


@given(distribution=distributions(), seed=st.integers(0, 1000))
def test_draws_lie_within_their_bounds(distribution: dict[str, Any], seed: int) -> None:
    rule, rng = pacing(itl=distribution), random.Random(seed)
    for _ in range(20):
        drawn_ms = rule.due_s(1, 1, TOKEN, rng, 0.0) * 1000
        assert distribution["min"] - 1e-6 <= drawn_ms <= distribution["max"] + 1e-6


@given(mean=st.floats(5e-324, MAX_MS), stddev=st.floats(0, MAX_MS), dist=st.sampled_from(["normal", "lognormal"]))
def test_draws_are_never_negative_nor_endless(mean: float, stddev: float, dist: str) -> None:
    rule, rng = pacing(itl={"dist": dist, "mean": mean, "stddev": stddev}), random.Random(1)
    for _ in range(20):
        assert 0 <= rule.due_s(1, 1, TOKEN, rng, 0.0) <= MAX_MS / 1000


@pytest.mark.parametrize(
    ("distribution", "mean", "stddev"),
    [
        ({"dist": "normal", "mean": 400, "stddev": 50}, 400, 50),
        ({"dist": "lognormal", "mean": 400, "stddev": 100}, 400, 100),
        ({"dist": "lognormal", "mean": 20, "stddev": 20}, 20, 20),
        ({"dist": "uniform", "min": 100, "max": 700}, 400, 600 / 12**0.5),
        ({"dist": "normal", "mean": 30, "stddev": 0}, 30, 0),
        ({"dist": "lognormal", "mean": 30, "stddev": 0}, 30, 0),
    ],
    ids=str,
)
def test_draws_have_the_mean_and_the_deviation_that_are_given(
    distribution: dict[str, Any], mean: float, stddev: float
) -> None:
    rule, rng = pacing(itl=distribution), random.Random(1)
    draws = [rule.due_s(1, 1, TOKEN, rng, 0.0) * 1000 for _ in range(2000)]
    # Four standard errors of a sample of 2,000, and for the deviation what the long tail of a lognormal asks for.
    assert fmean(draws) == pytest.approx(mean, abs=4 * stddev / 2000**0.5 + 1e-6)
    assert pstdev(draws) == pytest.approx(stddev, rel=0.15, abs=1e-6)


def test_a_lognormal_has_its_long_tail_on_the_right() -> None:
    rule, rng = pacing(itl={"dist": "lognormal", "mean": 100, "stddev": 100}), random.Random(1)
    draws = [rule.due_s(1, 1, TOKEN, rng, 0.0) * 1000 for _ in range(2000)]
    assert median(draws) == pytest.approx(100 / 2**0.5, rel=0.1)


def test_the_bounds_catch_what_lies_beyond_them() -> None:
    rule = pacing(itl={"dist": "normal", "mean": 10, "stddev": 100, "min": 5, "max": 15})
    rng = random.Random(1)
    draws = [round(rule.due_s(1, 1, TOKEN, rng, 0.0) * 1000, 6) for _ in range(200)]
    assert (min(draws), max(draws)) == (5, 15)
    assert draws.count(5) > 50
    assert draws.count(15) > 50
