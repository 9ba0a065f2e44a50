"""The order of an exchange's lines, which redaction may hold back for a while."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from heapq import heappop, heappush
from typing import Any, NamedTuple

from mockd.recordings.lines import Line


class Place(NamedTuple):
    """The place of what happened in its exchange. `number` counts what happened, `at_us` is the time in microseconds
    from the first line, and `beyond` are the items of its line that are not known."""

    number: int
    at_us: int
    beyond: Sequence[Any] = ()


Write = Callable[[Place, Line], None]


class InOrder:
    """Lines that are written in the order of their places. Those behind one that is held back wait for it."""

    def __init__(self, write: Write) -> None:
        self._write = write
        self._waiting: list[tuple[int, int, Place, Line]] = []
        self._count = 0  # lines of one place stay as they came

    def add(self, place: Place, line: Line) -> None:
        self._count += 1
        heappush(self._waiting, (place.number, self._count, place, line))

    def release(self, before: float = math.inf) -> None:
        """Write the lines before a place, by its number: none of them is held back any more."""
        while self._waiting and self._waiting[0][0] < before:
            _, _, place, line = heappop(self._waiting)
            self._write(place, line)
