"""The due times of events: a function of the timing, an event's own delay and its place."""

from __future__ import annotations

import random

from mockd.config.timing import Timing, in_seconds
from mockd.events import Event, Pause, drawn


class Pacing:
    """The rule for a mock's delays. If several modes are given, the first one counts (see `Timing`).

    `default` is the pause between events if the timing gives none. `token_delay` is the pause before content events if
    the timing has neither `itl` nor `tokensPerSecond`. `is_random` is true if some pause is drawn.
    """

    def __init__(self, timing: Timing, default: Pause = 0.0, token_delay: Pause | None = None) -> None:
        self._initial = in_seconds(timing.initial_delay)
        self._ttft = None if timing.ttft is None else in_seconds(timing.ttft)
        self._token = _token_pause(timing, token_delay)
        self.per_event = tuple(in_seconds(delay) for delay in timing.per_event_delays or ())
        self._burst = timing.burst.count if timing.burst else 0
        self._in_burst = in_seconds(timing.burst.interval) if timing.burst else 0.0
        self._between_bursts = in_seconds(timing.burst.pause) if timing.burst else 0.0
        fixed = default if timing.fixed_delay is None else in_seconds(timing.fixed_delay)
        self._between = fixed if timing.random_delay is None else in_seconds(timing.random_delay)
        pauses = (self._initial, self._ttft, self._token, self._in_burst, self._between_bursts, self._between)
        self.is_random = any(map(callable, (*pauses, *self.per_event)))

    @property
    def period(self) -> int:
        """Number of events of the stream after which the rule repeats, apart from positions in the list."""
        return self._burst or 1

    def due_s(self, number: int, position: int, event: Event, rng: random.Random, after_s: float) -> float:
        """Due time of event `number` of the stream (from 0, at `position` in its list), in seconds from the head.
        `after_s` is the due time of the event before it."""
        if number == 0:
            after_s += drawn(self._initial, rng)
        pause = event.delay_s
        if pause is None:
            if self._ttft is not None and (number == 0 or (event.opens and number == position)):
                return max(after_s, drawn(self._ttft, rng))
            if self._token is not None:
                pause = self._token if number or event.opens else 0.0
            elif position < len(self.per_event):
                pause = self.per_event[position]
            elif number == 0:
                pause = 0.0
            elif self._burst:
                pause = self._in_burst if number % self._burst else self._between_bursts
            else:
                pause = self._between
        return after_s + (pause(rng) if callable(pause) else pause)

    def whole_delay_s(self, tokens: int | None, rng: random.Random) -> float:
        """Time, in seconds, that a model takes for a reply of so many tokens that is sent in one piece; 0 if `tokens`
        is None, as for answers that are no model's."""
        if tokens is None:
            return 0.0
        pause = 0.0 if self._token is None else self._token
        said_s = sum(pause(rng) for _ in range(tokens)) if callable(pause) else tokens * pause
        return drawn(self._initial, rng) + drawn(self._ttft or 0.0, rng) + said_s


def _token_pause(timing: Timing, token_delay: Pause | None) -> Pause | None:
    if timing.itl is not None:
        return in_seconds(timing.itl)
    return token_delay if timing.tokens_per_second is None else 1 / timing.tokens_per_second
