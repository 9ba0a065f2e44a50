"""A clock that runs fast, so that streams of minutes are over in a moment, on real sockets all the same."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable


class QuickClock:
    """`speed` seconds pass in each second. Wall time is the machine's."""

    wall = staticmethod(time.time)

    def __init__(self, speed: float) -> None:
        self._speed = speed

    def monotonic(self) -> float:
        return time.monotonic() * self._speed

    def call_at(self, when: float, callback: Callable[[], None]) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(max(0.0, when / self._speed - time.monotonic()), callback)
