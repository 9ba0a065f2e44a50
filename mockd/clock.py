"""The clock of everything in mockd, which tests can replace.

Due times are times of the monotonic clock. Timestamps that users see are times of the wall clock.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal, Protocol


class Clock(Protocol):
    """The interface of a clock. All times are in seconds."""

    def monotonic(self) -> float:
        """Seconds since an arbitrary moment. They never decrease."""

    def wall(self) -> float:
        """Seconds since the Unix epoch."""

    def call_at(self, when: float, callback: Callable[[], None]) -> asyncio.TimerHandle:
        """Call `callback` on the running event loop, not before the monotonic time `when`."""


class SystemClock:
    """The machine's clocks and the running loop's timers."""

    monotonic = staticmethod(time.monotonic)
    wall = staticmethod(time.time)

    def call_at(self, when: float, callback: Callable[[], None]) -> asyncio.TimerHandle:
        # The time of an event loop is the monotonic clock's.
        return asyncio.get_running_loop().call_at(when, callback)


def rfc3339(wall_s: float, precision: Literal["seconds", "milliseconds"] = "seconds") -> str:
    """A wall-clock time in the form of RFC 3339, in UTC, cut at whole seconds or milliseconds:
    `2024-01-15T10:30:00Z`."""
    whole_s = int(wall_s)
    moment = datetime.fromtimestamp(whole_s, UTC).replace(microsecond=int((wall_s - whole_s) * 1_000_000))
    return moment.isoformat(timespec=precision).replace("+00:00", "Z")
