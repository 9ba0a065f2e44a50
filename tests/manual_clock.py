"""A clock that stands still until a test moves it: streams in time, exact and at once."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from itertools import count

START_S = 1000.0
WALL_S = 1_705_312_800.0
"""2024-01-15T10:00:00Z."""
MOST_TURNS = 100
"""Turns of the event loop after which a stream that never rests is left to itself."""
_ROUNDING_S = 1e-9


class ManualClock:
    """`mockd.clock.Clock` for tests. Timers are called in order by `advance`, each at its own time."""

    def __init__(self) -> None:
        self._now = self._goal = START_S
        self._timers: list[tuple[float, int, asyncio.TimerHandle, Callable[[], None]]] = []
        self._numbers = count()
        self.calls = 0
        """How often somebody asked for the time."""

    def monotonic(self) -> float:
        self.calls += 1
        return self._now

    def wall(self) -> float:
        return WALL_S + self._now - START_S

    def call_at(self, when: float, callback: Callable[[], None]) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(when, callback, (), asyncio.get_running_loop())
        heapq.heappush(self._timers, (when, next(self._numbers), handle, callback))
        return handle

    @property
    def elapsed_ms(self) -> int:
        """Whole milliseconds since the clock was made."""
        return round((self._now - START_S) * 1000)

    async def advance(self, seconds: float) -> None:
        """Let time pass: what is due is done, at its moment, before this returns."""
        self._goal += seconds
        await settle()
        while self._timers and self._timers[0][0] <= self._goal + _ROUNDING_S:
            when, _, handle, callback = heapq.heappop(self._timers)
            if not handle.cancelled():
                self._now = max(self._now, when)
                callback()
                await settle()
        self._now = max(self._now, self._goal)

    def skip(self, seconds: float) -> None:
        """Let time pass while the process does nothing, as when it was busy or suspended."""
        self._now += seconds
        self._goal = max(self._goal, self._now)


async def settle() -> None:
    """Give every other task its turns until none has anything to do but wait."""
    ready = asyncio.get_running_loop()._ready  # type: ignore[attr-defined]
    for _ in range(MOST_TURNS):
        await asyncio.sleep(0)
        if not ready:
            return
