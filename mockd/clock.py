"""Time, as everything in mockd asks for it: one clock that tests can replace.

Due times are on the monotonic clock, timestamps that users see on the wall clock.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What mockd needs to know of time. Seconds everywhere."""

    def monotonic(self) -> float:
        """Seconds since an arbitrary moment; never goes back."""

    def wall(self) -> float:
        """Seconds since the Unix epoch."""

    def call_at(self, when: float, callback: Callable[[], None]) -> asyncio.TimerHandle:
        """Call back on the running event loop, not before the monotonic time `when`."""


class SystemClock:
    """The machine's clocks and the running loop's timers."""

    monotonic = staticmethod(time.monotonic)
    wall = staticmethod(time.time)

    def call_at(self, when: float, callback: Callable[[], None]) -> asyncio.TimerHandle:
        # In whole milliseconds, upwards: there are event loops that take less than half of one for now, and who is
        # called too early would ask again and again until it is time.
        delay_ms = math.ceil(max(0.0, when - time.monotonic()) * 1000)
        return asyncio.get_running_loop().call_later(delay_ms / 1000, callback)


def rfc3339(wall_s: float) -> str:
    """A moment as RFC 3339 in UTC, in whole seconds: `2024-01-15T10:30:00Z`."""
    return datetime.fromtimestamp(int(wall_s), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
