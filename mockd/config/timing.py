"""The timing of events as it is configured (in milliseconds), and its conversion for streams (to seconds)."""

# This module does not postpone its annotations: msgspec would have to compile each of them at every start.

import math
from typing import Annotated, Literal

from msgspec import Meta

from mockd.config.base import (
    MAX_MS,
    Config,
    DurationText,
    Milliseconds,
    WholeMilliseconds,
    doc,
    milliseconds,
    read_milliseconds,
    read_whole_milliseconds,
)
from mockd.events import Draw, Pause


class Distribution(Config, frozen=True, kw_only=True):
    """A distribution from which each pause is drawn."""

    dist: Annotated[Literal["normal", "lognormal", "uniform"], doc("Kind of distribution.")]
    mean: Annotated[
        Milliseconds | None, doc("Mean of the pauses, in milliseconds; for `lognormal` too, not of the logarithm.")
    ] = None
    stddev: Annotated[Milliseconds | None, doc("Standard deviation of the pauses, in milliseconds.")] = None
    min: Annotated[Milliseconds, doc("Shortest pause, in milliseconds; a shorter draw becomes this.")] = 0.0
    max: Annotated[Milliseconds | None, doc("Longest pause, in milliseconds; a longer draw becomes this.")] = None

    def __post_init__(self) -> None:
        read_milliseconds(self, "mean", "stddev", "min", "max")
        if self.max is not None and self.max < self.min:
            raise ValueError("`max` must not be less than `min`")
        if self.dist == "uniform":
            self._check_uniform()
        else:
            self._check_bell()

    def _check_uniform(self) -> None:
        if self.mean is not None:
            raise ValueError("`mean` does not go with `uniform`: give `min` and `max`")
        if self.stddev is not None:
            raise ValueError("`stddev` does not go with `uniform`: give `min` and `max`")
        if self.max is None:
            raise ValueError("`uniform` needs `max`")

    def _check_bell(self) -> None:
        if self.mean is None or self.stddev is None:
            raise ValueError(f"`{self.dist}` needs `mean` and `stddev`")
        if self.dist == "lognormal" and not self.mean:
            raise ValueError("`mean` of a `lognormal` must be above 0")
        if self.mean < self.min or (self.max is not None and self.mean > self.max):
            raise ValueError("`mean` must lie between `min` and `max`")


Delay = Annotated[float, Meta(ge=0, le=MAX_MS, description="Milliseconds.")] | DurationText | Distribution
"""A pause: a number of milliseconds, text with a unit, or the distribution from which it is drawn. It is read by
`in_seconds`."""


class RandomDelay(Config, frozen=True, kw_only=True):
    """A random pause: a whole number of milliseconds, each equally likely."""

    min: Annotated[WholeMilliseconds, doc("Shortest pause, in milliseconds.")] = 0
    max: Annotated[WholeMilliseconds, doc("Longest pause, in milliseconds, inclusive.")]

    def __post_init__(self) -> None:
        read_whole_milliseconds(self, "min", "max")
        if self.max < self.min:
            raise ValueError("`max` must not be less than `min`")
        if self.max > MAX_MS:
            raise ValueError(f"`max` must be at most {MAX_MS:.0f}")


class Burst(Config, frozen=True, kw_only=True):
    """Groups of events with a pause between the groups."""

    count: Annotated[int, Meta(ge=1, description="Number of events in a group.")]
    interval: Annotated[Delay, doc("Pause between the events of a group, in milliseconds.")] = 0.0
    pause: Annotated[Delay, doc("Pause between groups, in milliseconds.")] = 0.0


class Timing(Config, frozen=True, kw_only=True):
    """When events are sent. If several modes are given, the first of this list decides: an event's own `delay`, `itl`,
    `tokensPerSecond`, a template's `delayPerToken`, `perEventDelays`, `burst`, `randomDelay`, `fixedDelay`."""

    initial_delay: Annotated[Delay, doc("Pause before the first event, in milliseconds.")] = 0.0
    ttft: Annotated[
        Delay | None, doc("Time to first token, in milliseconds: from the head to the first content event.")
    ] = None
    itl: Annotated[Delay | None, doc("Inter-token latency, in milliseconds: pause between content events.")] = None
    tokens_per_second: Annotated[
        Annotated[float, Meta(gt=0, le=1e6)] | None, doc("Content events per second, instead of `itl`.")
    ] = None
    fixed_delay: Annotated[Delay | None, doc("Pause between events, in milliseconds.")] = None
    random_delay: Annotated[RandomDelay | None, doc("Random pause between events.")] = None
    burst: Annotated[Burst | None, doc("Groups of events with a pause between the groups.")] = None
    per_event_delays: Annotated[
        list[Delay] | None, doc("Pauses before the events of the list, in milliseconds, in the same order.")
    ] = None


def in_seconds(delay: Delay | RandomDelay) -> Pause:
    """A configured delay in the form that a stream takes: seconds, or a function that draws them."""
    if isinstance(delay, Distribution):
        return _within_bounds(delay)
    if isinstance(delay, RandomDelay):
        low, count = delay.min, delay.max - delay.min + 1
        return lambda rng: (low + int(rng.random() * count)) / 1000
    return (milliseconds(delay) if isinstance(delay, str) else delay) / 1000


def _within_bounds(distribution: Distribution) -> Draw:
    low, high = distribution.min, MAX_MS if distribution.max is None else distribution.max
    draw_ms = _drawn_ms(distribution)
    return lambda rng: min(high, max(low, draw_ms(rng))) / 1000


def _drawn_ms(distribution: Distribution) -> Draw:
    if distribution.dist == "uniform":
        low, high = distribution.min, distribution.max
        assert high is not None
        return lambda rng: rng.uniform(low, high)
    mean, stddev = distribution.mean, distribution.stddev
    assert mean is not None
    assert stddev is not None
    if distribution.dist == "normal":
        return lambda rng: rng.normalvariate(mean, stddev)
    # `lognormvariate` takes the mean and the standard deviation of the logarithm.
    log_mean, log_root_mean_square = math.log(mean), math.log(math.hypot(mean, stddev))
    mu = 2 * log_mean - log_root_mean_square
    sigma = math.sqrt(max(0.0, 2 * (log_root_mean_square - log_mean)))
    return lambda rng: rng.lognormvariate(mu, sigma)
