"""One calendar for every stream: due times, keepalives, time-outs.

Entries are kept in ticks of a millisecond, so that a thousand streams need one timer of the event loop and not a
thousand. Nothing is ever early: a moment belongs to the tick that ends after it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from heapq import heapify, heappop, heappush
from math import ceil, floor
from weakref import WeakKeyDictionary

from mockd.clock import Clock

logger = logging.getLogger("mockd")

TICK_S = 0.001
TURN_S = 0.002
"""How long entries that are due together may keep the loop from what else it has to do, such as new clients."""
MOST_STALE = 1000
"""Ticks without entries that the heap may hold, beside as many as there are with entries."""
ROUNDING_S = 1e-6
"""Moments so close count as the same: far more than what is lost in sums of seconds, far less than anyone can see."""
HEARTBEAT_GRID_S = 0.05
"""Heartbeats of all streams fall due at these moments: ten thousand idle streams wake the event loop twenty times a
second so, and not a thousand. One may be this much late."""
ON_GRID_S = 1.0
"""Shortest interval of heartbeats that are on the grid; shorter ones fall due when they are."""

Callback = Callable[[], float | None]
"""The work of an entry. It returns when it is to be called again, as a monotonic time; None if it is done."""


class Timer:
    """One entry of the calendar. It may be cancelled while it waits."""

    __slots__ = ("_calendar", "callback", "tick")

    def __init__(self, calendar: Calendar, callback: Callback) -> None:
        self.callback = callback
        self.tick = 0
        self._calendar = calendar

    def cancel(self) -> None:
        self._calendar.drop(self)


_NO_ENTRIES: dict[Timer, None] = {}


class Calendar:
    """The calendar of one event loop."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._buckets: dict[int, dict[Timer, None]] = {}
        """The entries of each tick, in the order they came."""
        self._ticks: list[int] = []
        """A heap of the ticks that have entries, and of some whose entries were all cancelled."""
        self._handle: asyncio.TimerHandle | None = None
        self._armed_for = 0
        self._is_running = False
        self._due_now: dict[Timer, None] = _NO_ENTRIES
        """The entries of the tick that are being called."""

    def now(self) -> float:
        """The monotonic time."""
        return self._clock.monotonic()

    def call_at(self, when: float, callback: Callback) -> Timer:
        """Call back at the monotonic time `when`, or within the millisecond after it."""
        timer = Timer(self, callback)
        self._put(timer, when)
        if not self._is_running and (self._handle is None or timer.tick < self._armed_for):
            self._arm()
        return timer

    def _put(self, timer: Timer, when: float) -> None:
        timer.tick = tick = ceil((when - ROUNDING_S / 2) / TICK_S)
        bucket = self._buckets.get(tick)
        if bucket is None:
            self._buckets[tick] = {timer: None}
            heappush(self._ticks, tick)
        else:
            bucket[timer] = None

    def drop(self, timer: Timer) -> None:
        """Take out an entry, if it is still there."""
        tick = timer.tick
        bucket = self._buckets.get(tick)
        if bucket is None or bucket.pop(timer, self) is self:
            self._due_now.pop(timer, None)
        elif not bucket:
            del self._buckets[tick]
            if len(self._ticks) > MOST_STALE + 2 * len(self._buckets):
                self._ticks = list(self._buckets)
                heapify(self._ticks)

    def _arm(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
        # Ticks whose entries were all cancelled need no wake-up.
        while self._ticks and self._ticks[0] not in self._buckets:
            heappop(self._ticks)
        if self._ticks:
            self._armed_for = self._ticks[0]
            self._handle = self._clock.call_at(self._armed_for * TICK_S, self._run)

    def _run(self) -> None:
        self._handle = None
        self._is_running = True
        started = self._clock.monotonic()
        now = floor((started + ROUNDING_S / 2) / TICK_S)
        while self._ticks and self._ticks[0] <= now:
            tick = heappop(self._ticks)
            self._due_now = bucket = self._buckets.pop(tick, _NO_ENTRIES)
            if not self._run_bucket(bucket, started + TURN_S):
                # What came for this tick meanwhile is behind what is left of it.
                bucket.update(self._buckets.get(tick, _NO_ENTRIES))
                self._buckets[tick] = bucket
                heappush(self._ticks, tick)
                break
        self._is_running = False
        self._arm()

    def _run_bucket(self, bucket: dict[Timer, None], until: float) -> bool:
        """Call back all of a tick; False if it is `until` before that, and others are to have their turn."""
        monotonic = self._clock.monotonic
        for timer in list(bucket):
            if bucket.pop(timer, self) is self:
                continue  # cancelled by one before it
            try:
                again = timer.callback()
            except Exception:
                # What fails for one stream must not stop the time of all others.
                logger.exception("an entry of the calendar failed")
                again = None
            if again is not None:
                self._put(timer, again)
            if monotonic() > until:
                return False
        return True


class Calendars:
    """A calendar for each event loop, made on first use and gone with its loop."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._by_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, Calendar] = WeakKeyDictionary()

    def of(self, loop: asyncio.AbstractEventLoop) -> Calendar:
        """The calendar of a loop."""
        calendar = self._by_loop.get(loop)
        if calendar is None:
            # A timer that is still set holds on to its loop, and that to its calendar.
            for gone in [other for other in self._by_loop if other.is_closed()]:
                del self._by_loop[gone]
            calendar = self._by_loop[loop] = Calendar(self._clock)
        return calendar
