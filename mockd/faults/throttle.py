"""A cursor that sends only so many bytes a second, once its fault has struck."""

from __future__ import annotations

import math
import sys
from collections import deque

from mockd.faults.armed import Armed
from mockd.faults.strikes import Struck, Trapped
from mockd.streaming.cursors.around import Keeping, Sent
from mockd.streaming.cursors.cursor import AT_ONCE, Cursor
from mockd.streaming.ops import Stage

STEP_S = 0.05
"""Time, in seconds, for which a piece of the body is large enough."""


class Throttle(Struck):
    """The strike: from there on, the cursor around sends slowly."""

    async def __call__(self, stage: Stage, trap: Trapped) -> None:
        self.note(stage, trap)
        trap.armed.left = 0


class Throttled(Keeping):
    """The rows in pieces, each of which is due once the bytes before it have had their time."""

    def __init__(self, inner: Cursor, armed: Armed) -> None:
        super().__init__(inner)
        self._armed = armed
        self._rate: float = armed.fault.bytes_per_second
        self._piece = max(1, int(self._rate * STEP_S))
        self._kept: deque[tuple[bytes, Sent]]  # the first may be what is left of a row
        self._free_at = AT_ONCE

    @property
    def _is_on(self) -> bool:
        return not self._armed.left

    @property
    def next_due(self) -> float:
        if not self._is_on:
            return self.inner.next_due
        return self._free_at if self._kept else max(self._free_at, self.inner.next_due)

    def take(self, now: float, most: int = 0) -> list[bytes]:
        if not self._is_on:
            return self.inner.take(now, most)
        if not self._kept:
            self._out = self._inner_sent()
            for row in self.inner.take(now, 1):
                self._kept.append((row, self._inner_sent()))
        if not self._kept or now < self._free_at:
            return []
        row, sent = self._kept.popleft()
        piece, rest = row[: self._piece], row[self._piece :]
        if rest:
            self._kept.appendleft((rest, sent))
        else:
            self._out = sent
        self._free_at = max(self._free_at, now) + len(piece) / self._rate
        return [piece]

    def unsent(self) -> list[bytes]:
        return [*(row for row, _ in self._kept), *super().unsent()]

    def hurry(self) -> None:
        self._rate, self._piece, self._free_at = math.inf, sys.maxsize, AT_ONCE
        super().hurry()
