"""When events are due: a pure function of the timing, an event's own delay and its place."""

from __future__ import annotations

import random

from mockd.config.models import Timing
from mockd.events import Event


class Pacing:
    """The delay rule of a mock, in seconds. Of several modes, the first given counts (see `Timing`)."""

    def __init__(self, timing: Timing, default_delay_s: float = 0.0) -> None:
        self.initial_s = timing.initial_delay / 1000
        self.per_event_s = tuple(delay / 1000 for delay in timing.per_event_delays or ())
        self.burst = timing.burst
        self.random = timing.random_delay
        self.fixed_s = default_delay_s if timing.fixed_delay is None else timing.fixed_delay / 1000

    @property
    def is_random(self) -> bool:
        return self.random is not None

    @property
    def period(self) -> int:
        """After how many events of the stream the rule repeats, apart from positions in the list."""
        return self.burst.count if self.burst else 1

    def delay_s(self, number: int, position: int, event: Event, rng: random.Random) -> float:
        """Seconds between event `number` of the stream (from 0, at `position` in its list) and the one before it;
        for the first event, between the head and it."""
        own = event.delay_s
        if own is None and position < len(self.per_event_s):
            own = self.per_event_s[position]
        if number == 0:
            return self.initial_s + (own or 0.0)
        if own is not None:
            return own
        if self.burst:
            return (self.burst.interval if number % self.burst.count else self.burst.pause) / 1000
        if self.random:
            return (self.random.min + int(rng.random() * (self.random.max - self.random.min + 1))) / 1000
        return self.fixed_s
