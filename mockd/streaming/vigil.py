"""What a stream that rests needs: a place to wait, deadlines, and a watch for its client.

It is made when a stream first rests; one that is sent in one go has none. Nothing polls: an order to stop, the client
that leaves, a deadline and a new event of a running source all wake the stream's task.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from mockd.journal.exchange import Outcome
from mockd.lines import Line
from mockd.program.terms import Lifetime
from mockd.streaming.calendar import ROUNDING_S, Calendar, Callback, Timer
from mockd.streaming.cursors.cursor import NEVER
from mockd.streaming.impatience import Impatience

if TYPE_CHECKING:
    from asyncio import Future


class Watched(Protocol):
    """What a vigil asks of its stream, and tells it."""

    line: Line
    last_event: float
    """Monotonic time of the last event, or of the head."""

    def order(self, outcome: Outcome) -> None:
        """End; the vigil has seen why."""

    def cut(self) -> None:
        """End at once, whatever the task waits for."""


class Vigil:
    """The rest of one stream. `arrived` is the monotonic time at which its request came in."""

    # Ten thousand of these may wait at once.
    __slots__ = (
        "_arrived",
        "_check",
        "_cut_check",
        "_is_woken",
        "_lifetime",
        "_send_timeout_s",
        "_sending_since",
        "_stream",
        "_timer",
        "_unsent",
        "_waiter",
        "_watcher",
        "calendar",
        "impatience",
    )

    def __init__(
        self, stream: Watched, calendar: Calendar, lifetime: Lifetime, arrived: float, send_timeout_s: float, room: int
    ) -> None:
        self._stream = stream
        self.calendar = calendar
        self._arrived = arrived
        self._send_timeout_s = send_timeout_s
        self._waiter: Future[None] | None = None
        self._is_woken = False  # while it was about to rest, or waited for its client
        self._timer: Timer | None = None
        self._cut_check: Timer | None = None
        self._sending_since: float | None = None
        self._unsent = 0
        self.impatience: Impatience | None = None
        """The watch on a client that a break waits for."""
        self._watcher: asyncio.Task[None] | None = None
        stream.line.limit(room)
        if not stream.line.on_departure(self._note_departure):
            self._watcher = asyncio.get_running_loop().create_task(self._watch(stream.line))
        self._check: Timer | None = None
        self.live(lifetime)

    def live(self, lifetime: Lifetime) -> None:
        """Hold the stream to a lifetime from now on."""
        self._lifetime = lifetime
        if self._check is not None:
            self._check.cancel()
        soonest = self._soonest()
        # One entry in the calendar stands for all of this stream's deadlines.
        self._check = None if soonest is None else self.calendar.call_at(soonest, self._check_deadlines)

    # -- rest ------------------------------------------------------------------------------------------------------

    async def rest(self, when: float, callback: Callback) -> None:
        """Wait until woken; the calendar calls back at `when`, and again whenever the callback says. Who was woken
        before does not wait."""
        if self._is_woken:
            self._is_woken = False
            return
        waiter = self._waiter = asyncio.get_running_loop().create_future()
        if when != NEVER:
            self._timer = self.calendar.call_at(when, callback)
        try:
            await waiter
        finally:
            self._waiter = None
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

    def wake(self) -> None:
        """Let the stream look again at what is due."""
        if self._waiter is None:
            self._is_woken = True
        elif not self._waiter.done():
            self._waiter.set_result(None)

    def fail(self, error: Exception) -> None:
        """Let the stream fail where it rests."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(error)

    @property
    def is_waiting(self) -> bool:
        """Whether the stream waits for its client."""
        return self._sending_since is not None

    def wait(self) -> None:
        """The stream begins to wait for its client, in `drain`."""
        self._sending_since, self._unsent = self.calendar.now(), self._stream.line.unsent()

    async def drain(self) -> None:
        """Wait until the server has taken what was written. A client that does not read for too long is cut off."""
        try:
            await self._stream.line.drain()
        finally:
            self._sending_since = None
            if self.impatience is not None:
                self.impatience.end()
                self.impatience = None

    # -- the client ------------------------------------------------------------------------------------------------

    async def _watch(self, line: Line) -> None:
        await line.watch()
        self._note_departure()

    def _note_departure(self) -> None:
        self._stream.order("client_disconnected")

    def cut_if_stuck(self, grace_s: float) -> None:
        """Cut the stream off if it is still waiting for its client by then."""
        if self._cut_check is None:
            self._cut_check = self.calendar.call_at(self.calendar.now() + grace_s, self._cut_if_sending)

    def _cut_if_sending(self) -> None:
        if self._sending_since is not None:
            self._stream.cut()

    # -- deadlines -------------------------------------------------------------------------------------------------

    def _soonest(self) -> float | None:
        soonest = min(self._deadline(), self._idle_deadline(), self._send_deadline())
        return None if soonest == NEVER else soonest

    def _deadline(self) -> float:
        limit = self._lifetime.connection_timeout_s
        return self._arrived + limit if limit else NEVER

    def _idle_deadline(self) -> float:
        limit = self._lifetime.timeout_s
        return self._stream.last_event + limit if limit else NEVER

    def _send_deadline(self) -> float:
        limit = self._send_timeout_s
        if not limit:
            return NEVER
        return (self.calendar.now() if self._sending_since is None else self._sending_since) + limit

    def _check_deadlines(self) -> float | None:
        reached = self.calendar.now() + ROUNDING_S
        if min(self._deadline(), self._idle_deadline()) <= reached:
            self._stream.order("timed_out")
        elif self._send_deadline() <= reached and not self._is_read_on():
            self._stream.order("slow_client")
            self._stream.cut()
        else:
            return self._soonest()
        return None

    def _is_read_on(self) -> bool:
        """Whether the client has read any of what waits for it: then its time begins again."""
        left = self._stream.line.unsent()
        if left >= self._unsent:
            return False
        self._unsent, self._sending_since = left, self.calendar.now()
        return True

    def end(self) -> None:
        """It is over: nothing is to call back any more, nor to refer to the stream, which would keep it for the
        garbage collector."""
        for timer in (self._check, self._cut_check, self._timer):
            if timer is not None:
                timer.cancel()
        self._check = self._cut_check = self._timer = None
        if self._watcher is not None:
            self._watcher.cancel()
            self._watcher = None
        del self._stream
