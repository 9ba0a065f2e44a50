"""A response that lasts: it rests, is woken, is told to stop, has deadlines, and notices that its client has left.

The request's own task rests on a future. A second task waits for the client's `http.disconnect`; a response that is
sent in one go has none. Nothing polls: whatever ends the rest wakes the task.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec import Struct

from mockd.clock import Clock
from mockd.request import Receive, Scope
from mockd.streaming.calendar import ROUNDING_S, Calendar, Calendars, Timer
from mockd.streaming.compile import Ending, Lifetime
from mockd.streaming.connections import Outcome, Registry
from mockd.streaming.feeds import NEVER
from mockd.streaming.transport import limit_unsent, unsent

if TYPE_CHECKING:
    from asyncio import Future

SLICE = 64 * 1024
"""Bytes handed to the server at once, so that what waits for a slow client stays within its limit. A frame that is to
be one HTTP chunk is not cut, however long."""
STUCK_GRACE_S = 0.5
"""Seconds that a stream told to end is given when its client does not read."""


class WireServices(Struct, frozen=True):
    """What every stream of an engine shares. `send_buffer` is in bytes; `send_timeout_s` of 0 is no limit."""

    clock: Clock
    calendars: Calendars
    registry: Registry
    send_buffer: int
    send_timeout_s: float


class LastingResponse:
    """What is common to all that lasts. `arrived` is the monotonic time at which the request came in.

    Whoever runs it sets `_scope`, `_receive`, `_loop` and `_task` first, keeps `_last_event` and `_sending_since` at
    the monotonic times of the last event and send, and `_unsent` at what was unsent before that send.
    """

    # Ten thousand of these may wait at once, and with so many attributes a dict takes 2 KiB each.
    __slots__ = (
        "_arrived",
        "_check",
        "_cut_check",
        "_ending",
        "_is_cut",
        "_is_sending",
        "_last_event",
        "_lifetime",
        "_loop",
        "_own_calendar",
        "_receive",
        "_room",
        "_scope",
        "_sending_since",
        "_stop_outcome",
        "_task",
        "_timer",
        "_unsent",
        "_waiter",
        "_watcher",
        "services",
    )

    _scope: Scope
    _receive: Receive
    _loop: asyncio.AbstractEventLoop
    _task: asyncio.Task[None]

    def __init__(self, services: WireServices, lifetime: Lifetime, ending: Ending, arrived: float) -> None:
        self.services = services
        self._lifetime = lifetime
        self._ending = ending
        self._arrived = self._last_event = self._sending_since = arrived
        self._stop_outcome: Outcome | None = None
        self._waiter: Future[None] | None = None
        self._own_calendar: Calendar | None = None
        # What is unsent may grow by a slice after a look at it, and the transport keeps a little on top.
        self._room = max(services.send_buffer - 2 * SLICE, SLICE // 2)
        self._unsent = 0
        self._watcher: asyncio.Task[None] | None = None
        self._check: Timer | None = None
        self._cut_check: Timer | None = None
        self._timer: Timer | None = None
        self._is_sending = False
        self._is_cut = False

    # -- waiting, and being told to stop ---------------------------------------------------------------------------

    @property
    def _is_gone(self) -> bool:
        return self._stop_outcome == "client_disconnected"

    async def _sleep_until(self, when: float, callback: Callable[[], None]) -> None:
        """Rest until woken; the calendar calls back at `when`."""
        if self._is_gone:
            return
        waiter = self._waiter = self._loop.create_future()
        self._timer = self._call_at(when, callback)
        try:
            await waiter
        finally:
            self._waiter = None
            if self._timer is not None:
                self._timer.cancel()

    @property
    def _calendar(self) -> Calendar:
        if self._own_calendar is None:
            self._own_calendar = self.services.calendars.of(self._loop)
        return self._own_calendar

    def _call_at(self, when: float, callback: Callable[[], None]) -> Timer | None:
        return None if when == NEVER else self._calendar.call_at(when, callback)

    def wake(self) -> None:
        """Look again at what is due."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def request_stop(self, outcome: Outcome) -> None:
        """End the stream through its termination; from any thread."""
        try:
            is_here = asyncio.get_running_loop() is self._loop
        except RuntimeError:
            is_here = False
        if is_here:
            self._stop(outcome)
        elif not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stop, outcome)

    def _stop(self, outcome: Outcome) -> None:
        if self._stop_outcome is None or outcome == "client_disconnected":
            self._stop_outcome = outcome
        self.wake()
        if self._cut_check is None:
            grace_s = self._ending.close_delay_s + STUCK_GRACE_S
            self._cut_check = self._calendar.call_at(self.services.clock.monotonic() + grace_s, self._cut_if_sending)

    def _cut_if_sending(self) -> None:
        if self._is_sending:
            self.cut()

    def cut(self) -> None:
        """Give the stream up at once, whatever it is waiting for."""
        self._stop_outcome = self._stop_outcome or "aborted"
        self._is_cut = True
        self._task.cancel()

    def _settle(self, now: float) -> None:
        """This stream stays: watch its client and its deadlines. One that is sent in one go needs neither."""
        if self._watcher is None:
            limit_unsent(self._scope, self._room)
            self._watcher = self._loop.create_task(self._watch_client())
            self._arm_check(now)

    async def _watch_client(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._stop("client_disconnected")

    # -- deadlines -------------------------------------------------------------------------------------------------

    def _arm_check(self, now: float) -> None:
        """One entry in the calendar stands for all of this stream's deadlines."""
        soonest = min(self._deadline(), self._idle_deadline(), self._send_deadline(now))
        self._check = self._call_at(soonest, self._check_deadlines)

    def _deadline(self) -> float:
        limit = self._lifetime.connection_timeout_s
        return self._arrived + limit if limit else NEVER

    def _idle_deadline(self) -> float:
        limit = self._lifetime.timeout_s
        return self._last_event + limit if limit else NEVER

    def _send_deadline(self, now: float) -> float:
        limit = self.services.send_timeout_s
        if not limit:
            return NEVER
        return (self._sending_since if self._is_sending else now) + limit

    def _check_deadlines(self) -> None:
        self._check = None
        now = self.services.clock.monotonic()
        reached = now + ROUNDING_S
        if min(self._deadline(), self._idle_deadline()) <= reached:
            self._stop("timed_out")
        elif self._send_deadline(now) <= reached and not self._is_read_on(now):
            self._stop("slow_client")
            self.cut()
        else:
            self._arm_check(now)

    def _is_read_on(self, now: float) -> bool:
        """Whether the client has read any of what waits for it: then its time begins again."""
        left = unsent(self._scope)
        if left >= self._unsent:
            return False
        self._unsent, self._sending_since = left, now
        return True

    def _let_go(self) -> None:
        """It is over: nothing is to call back any more, nor to refer to this, which would keep it for the garbage
        collector."""
        for timer in (self._check, self._cut_check, self._timer):
            if timer is not None:
                timer.cancel()
        self._check = self._cut_check = self._timer = None
        if self._watcher is not None:
            self._watcher.cancel()
            self._watcher = None
