"""How long a stream waits for a client that reads nothing, in time."""

from __future__ import annotations

import asyncio
import math
from types import SimpleNamespace
from typing import Any

import pytest

from mockd.streaming.calendar import Calendar
from mockd.streaming.cursors.around import Due
from mockd.streaming.impatience import Impatience
from tests.manual_clock import START_S, ManualClock

pytestmark = pytest.mark.anyio
LOOK_MS = 51


class Waiting:
    """A stream that waits for its client, with a break that is due since a time."""

    def __init__(self, clock: ManualClock, since: float | None) -> None:
        self._clock = clock
        self._due = None if since is None else Due(since, self)
        self.unread = 10
        self.cursor, self.line = self, SimpleNamespace(unsent=lambda: self.unread)
        self.cut_at: int | None = None
        self.is_broken_off = False

    @property
    def rows_time(self) -> float:
        return self._clock.monotonic()

    def broken_by(self, stage: Any) -> Due | None:
        return self._due

    def break_off(self, stage: Any) -> None:
        self.is_broken_off = True

    def cut(self) -> None:
        self.cut_at = self._clock.elapsed_ms


async def waiting(since: float | None, *reads_at: float) -> tuple[Waiting, ManualClock]:
    """A stream whose client reads a little at these times, in seconds, seen for ten seconds with a patience of one."""
    clock = ManualClock()
    stream: Any = Waiting(clock, since)
    impatience = Impatience(stream, Calendar(clock), 1.0)
    before = 0.0
    for at in (*reads_at, 10.0):
        await clock.advance(at - before)
        before = at
        stream.unread -= 1
    impatience.end()
    return stream, clock


@pytest.mark.parametrize(
    ("since", "reads_at", "cut_at"),
    [
        (-math.inf, (), 1000),
        (START_S + 0.5, (), 1500),
        (START_S + 3, (), 4000),
        (-math.inf, (0.5,), 1500),
        (-math.inf, (0.9, 1.8, 2.7), 3700),
        (START_S + 3, (0.5,), 4000),
        (START_S + 3, (3.5,), 4500),
    ],
)
async def test_it_counts_from_the_place_and_from_what_was_read_last(
    since: float, reads_at: tuple[float, ...], cut_at: int
) -> None:
    stream, _ = await waiting(since, *reads_at)
    assert stream.is_broken_off
    assert stream.cut_at is not None
    assert cut_at <= stream.cut_at <= cut_at + 2 * LOOK_MS


async def test_before_the_place_is_due_nobody_is_broken_off() -> None:
    stream, _ = await waiting(None)
    assert (stream.is_broken_off, stream.cut_at) == (False, None)


async def test_who_has_read_is_not_looked_at_any_more() -> None:
    clock = ManualClock()
    stream: Any = Waiting(clock, -math.inf)
    impatience = Impatience(stream, Calendar(clock), 1.0)
    await clock.advance(0.9)
    impatience.end()
    await clock.advance(5)
    await asyncio.sleep(0)
    assert stream.cut_at is None
