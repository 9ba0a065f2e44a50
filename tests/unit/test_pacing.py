"""The delay rule, as numbers."""

from __future__ import annotations

import random
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockd.config.models import Timing
from mockd.events import Event
from mockd.streaming.pacing import Pacing


def pacing(default_delay_s: float = 0.0, **timing: Any) -> Pacing:
    return Pacing(msgspec.convert(timing, Timing), default_delay_s)


def delays(rule: Pacing, count: int, length: int | None = None, own: dict[int, float] | None = None) -> list[float]:
    rng = random.Random(1)
    length = length or count
    events = [Event("x", delay_s=(own or {}).get(position)) for position in range(length)]
    numbers = range(count)
    return [rule.delay_s(number, number % length, events[number % length], rng) for number in numbers]


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
    delay = rule.delay_s(1, 0, Event("x"), random.Random(seed)) * 1000
    assert round(delay) == pytest.approx(delay)
    assert low <= round(delay) <= low + span


def test_random_delays_are_even() -> None:
    rule, rng = pacing(randomDelay={"min": 1, "max": 4}), random.Random(1)
    drawn = [round(rule.delay_s(1, 0, Event("x"), rng) * 1000) for _ in range(8000)]
    assert {value: round(drawn.count(value) / 2000, 1) for value in set(drawn)} == {1: 1.0, 2: 1.0, 3: 1.0, 4: 1.0}


def test_only_random_delays_are_random() -> None:
    assert pacing(randomDelay={"max": 1}).is_random
    assert not pacing(fixedDelay=1, burst={"count": 2}).is_random
