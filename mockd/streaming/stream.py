"""One answer on its way to its client: every stream, whole answer and refusal goes out through it.

`advance` is the only place that sends. The request's own task calls it, and rests while nothing is due; then the
calendar calls it, so that no task is woken for a plain event. All that is not data (an end, a slow client, an order to
stop) is the task's.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable, Sequence

from msgspec import Struct

from mockd.clock import Clock
from mockd.events import Event, Fill
from mockd.framing import Framing, Row
from mockd.headers import FixedHeaders
from mockd.journal.exchange import Exchange, Outcome
from mockd.journal.registry import Registry
from mockd.lines import Line
from mockd.program.terms import Ending, Lifetime
from mockd.streaming.calendar import ROUNDING_S, Calendars
from mockd.streaming.cursors.cursor import AT_ONCE, NEVER, Cursor
from mockd.streaming.cursors.end import EndCursor
from mockd.streaming.cursors.whole import WholeCursor
from mockd.streaming.ops import ABORT, CLOSE, FINISH, STUCK_GRACE_S, Op
from mockd.streaming.vigil import Vigil

logger = logging.getLogger("mockd")

SLICE = 64 * 1024
"""Bytes handed to the server at once, so that what waits for a slow client stays within its limit. A frame that is to
be one HTTP chunk is not cut, however long."""
SENDS_PER_TURN = 16
"""Sends before others get their turn: a write does not suspend while the kernel takes the bytes."""
KEEPALIVE_GRID_S = 0.05
"""Keepalives of all streams fall due at these moments: ten thousand idle streams wake the event loop twenty times a
second so, and not a thousand. One may be this much late."""
REASONS: dict[Outcome, str] = {
    "completed": "the stream is complete",
    "max_events": "the stream has sent all events it may send",
    "timed_out": "the stream has reached its time limit",
    "closed_by_admin": "the stream was closed through the admin API, or its mock was changed",
    "shutdown": "the server is shutting down",
}
"""What the default error event says, by outcome."""


_NOTHING = WholeCursor(b"")
"""The cursor of a stream that has not begun, or is over."""


class Services(Struct, frozen=True):
    """What every stream of an engine shares. `send_buffer` is in bytes; `send_timeout_s` of 0 is no limit."""

    clock: Clock
    calendars: Calendars
    registry: Registry
    send_buffer: int
    send_timeout_s: float


class Program(Struct):
    """What one stream does: its head, `delay_s` after the request; the cursor over its rows, opened at the head; and
    how it ends. `is_whole`: one answer of known length. `is_listed`: a mock's, with a body. `prepare` is awaited for
    the program to go by instead, if it is not known yet."""

    status: int
    headers: FixedHeaders
    own: Sequence[tuple[bytes, bytes]]
    open: Callable[[Stream, float], Cursor]
    framing: Framing
    lifetime: Lifetime
    ending: Ending
    fill: Fill | None
    delay_s: float = 0.0
    flush_each: bool = False
    is_whole: bool = False
    is_listed: bool = True
    prepare: Awaitable[Program] | None = None


class Stream:
    """Sends one answer, and sees to its end. `arrived` is the monotonic time at which the request came in."""

    __slots__ = (
        "_arrived",
        "_backlog",
        "_is_begun",
        "_is_cut",
        "_is_ending",
        "_last_sent",
        "_loop",
        "_most",
        "_order",
        "_reached",
        "_services",
        "_silence_s",
        "_stopped",
        "_task",
        "_uncounted",
        "_vigil",
        "clock",
        "cursor",
        "exchange",
        "last_event",
        "line",
        "outcome",
        "program",
    )

    def __init__(self, services: Services, line: Line, exchange: Exchange, program: Program, arrived: float) -> None:
        self.line = line
        self.exchange = exchange
        self.program = program
        self.clock = services.clock
        self.cursor: Cursor = _NOTHING
        self.outcome: Outcome | None = None
        self.last_event = arrived
        self._services = services
        self._arrived = self._last_sent = arrived
        self._reached = arrived
        self._uncounted = 0
        self._backlog: memoryview | bytes = b""
        self._stopped: Outcome | None = None
        self._order: Outcome | None = None
        self._is_begun = False
        self._is_ending = False
        self._is_cut = False
        self._task: asyncio.Task[None] | None = None
        self._vigil: Vigil | None = None

    # -- from the head to the end ----------------------------------------------------------------------------------

    async def run(self) -> None:
        """Send it all, each row when it is due."""
        self._loop = asyncio.get_running_loop()
        is_listed = self.program.is_listed
        if is_listed:
            self._services.registry.opened(self.exchange, self)
        outcome: Outcome = "failed"
        try:
            if self.program.prepare is not None or self.program.delay_s:
                await self._wait_for_head()
            if self.outcome is None:
                self._begin()
            sends = 0
            while self.outcome is None:
                again = self.advance()
                if again is not None and again <= self._reached:  # more is due than goes out at once
                    sends += 1
                    if not self._most or sends % SENDS_PER_TURN == 0:
                        await self._give_way()
                elif self.outcome is None:
                    await self._go_on(again)
            if self.line.queued:
                await self._drain()
            outcome = self.outcome
        except asyncio.CancelledError:
            outcome = self._stopped or "aborted"
            if not self._is_cut or self._task is None:
                raise
            self._task.uncancel()
            self.line.abort()
        finally:
            self._release(outcome)
            if is_listed:
                self._services.registry.closed(self.exchange, outcome)

    async def _wait_for_head(self) -> None:
        if self.program.prepare is not None:
            await self._prepare(self.program.prepare)
        if self.program.prepare is None and self.program.delay_s:
            await self.sleep_until(self._arrived + self.program.delay_s)
        if self._stopped == "client_disconnected" or self.program.prepare is not None:
            self.outcome = self._stopped

    def _begin(self) -> None:
        """The head: due times count from here."""
        program = self.program
        self._most = 1 if program.flush_each else 0
        self._is_begun = not program.framing.has_opening
        # Without keepalives, silence is never too long.
        self._silence_s = (program.framing.keepalive and program.lifetime.keepalive_s) or NEVER
        self.line.head(program.status, program.headers, program.own)
        self.exchange.http_status = program.status
        self.last_event = self._last_sent = now = self.clock.monotonic()
        self.cursor = program.open(self, now)

    async def _prepare(self, coming: Awaitable[Program]) -> None:
        """Wait for the program, and for the client to leave before it is there."""
        preparing = asyncio.ensure_future(coming)
        preparing.add_done_callback(lambda _: self.wake())
        try:
            while not preparing.done() and self._stopped is None:
                await self.sleep_until(NEVER)
            if preparing.done():
                self.program = preparing.result()
        finally:
            preparing.cancel()

    async def _go_on(self, again: float | None) -> None:
        """See to what is not only to send, or rest until it is time to send again."""
        if self.line.is_gone and self._stopped != "client_disconnected":
            self.order("client_disconnected")
        cursor = self.cursor
        if self._order is not None:
            self._obey()
        elif self.line.pending:
            await self._drain()
            await self._give_way()
        elif self._backlog:
            self._push()
        elif cursor.op is not None and cursor.next_due <= self._reached:
            assert cursor.outcome is not None
            await cursor.op.perform(self, cursor.outcome)
        elif again is not None and again > self._reached:
            # A message waits for the task anyway, and others may run before that.
            await self._rest(again, self._step if self.line.writes_at_once else self.wake)

    async def _give_way(self) -> None:
        """Give others their turn: a write does not suspend while the kernel takes the bytes."""
        self._settle()
        await asyncio.sleep(0)

    # -- sending ---------------------------------------------------------------------------------------------------

    def advance(self) -> float | None:
        """Send what is due. Returns when to come again; None if there is more to do than to send."""
        line = self.line
        if self._order is not None or self._backlog or line.pending:
            return None
        cursor, now = self.cursor, self.clock.monotonic()
        self._reached = reached = now + ROUNDING_S
        if cursor.next_due <= reached:
            if cursor.op is None:
                rows = cursor.take(reached, self._most)
                if cursor.op is FINISH and cursor.next_due <= reached:
                    self._emit_last(rows, now)
                elif rows:
                    self._emit(rows, now)
            if cursor.op is not None and cursor.next_due <= reached:
                return None
        elif self._keepalive_at() <= reached:
            self._write(self.program.framing.keepalive, now)
        if line.queued or self._backlog:
            return None
        # A keepalive comes so long after what was sent last, or later: mostly a row is due before.
        due = cursor.next_due
        return due if due - self._last_sent <= self._silence_s else min(due, self._keepalive_at())

    def _emit(self, rows: list[bytes], now: float) -> None:
        """Send rows together."""
        payload = rows[0] if len(rows) == 1 else b"".join(rows)
        if len(payload) <= SLICE or self._most:
            self._write(payload, now)
        else:
            self._backlog = memoryview(payload)
            self._push()

    def _emit_last(self, rows: list[bytes], now: float) -> None:
        """Send the last rows, and the end of the body with them."""
        payload = rows[0] if len(rows) == 1 else b"".join(rows)
        if len(payload) <= SLICE or self._most:
            self.finish(payload)
            self.outcome = self.cursor.outcome
        else:
            self._emit(rows, now)

    def _push(self) -> None:
        """Write the next slices of a large payload, as far as the client has room."""
        while self._backlog and not self.line.pending:
            data, self._backlog = bytes(self._backlog[:SLICE]), self._backlog[SLICE:]
            self._write(data, self.clock.monotonic())

    def finish(self, payload: bytes = b"") -> None:
        """Send the last part of the body, and its clean end."""
        payload += self.program.framing.end
        if not self._is_begun:
            payload = self._begun(payload)
        self.line.finish(payload)
        self._note(len(payload), self._last_sent)

    def _begun(self, payload: bytes) -> bytes:
        """The first bytes of the body, as the framing begins it."""
        if not payload:
            return payload
        self._is_begun = True
        return self.program.framing.opening(payload)

    def _write(self, payload: bytes, now: float) -> None:
        if not self._is_begun:
            payload = self._begun(payload)
        self.line.write(payload)
        self._last_sent = now
        self._note(len(payload), now)

    def _note(self, size: int, now: float) -> None:
        """Count what was written, once the server has it."""
        exchange, cursor = self.exchange, self.cursor
        if self.line.queued:
            self._uncounted += size
            return
        exchange.bytes_sent += size
        if self._backlog:
            return
        if cursor.events_sent != exchange.events_sent:
            exchange.events_sent = cursor.events_sent
            self.last_event = now
        exchange.last_event_id = cursor.last_event_id

    def _keepalive_at(self) -> float:
        if self._silence_s == NEVER or self._is_ending:
            return NEVER
        return math.ceil((self._last_sent + self._silence_s - ROUNDING_S) / KEEPALIVE_GRID_S) * KEEPALIVE_GRID_S

    # -- rest ------------------------------------------------------------------------------------------------------

    async def sleep_until(self, when: float) -> None:
        """Rest until the monotonic time `when`, or until something else wants this stream's attention."""
        await self._rest(when, self.wake)

    async def _rest(self, when: float, callback: Callable[[], None]) -> None:
        self.line.flush()
        vigil = self._settle()
        if self.line.pending and not self.line.is_gone:
            await self._drain()
        if self._stopped != "client_disconnected":
            await vigil.rest(when, callback)

    def _step(self) -> None:
        """The calendar's turn while the task rests: send what is due, and come again. The task is woken for all that
        is not plain."""
        assert self._vigil is not None
        again = self.advance()
        if again is None or again <= self._reached:
            self._vigil.wake()
        else:
            self._vigil.call_at(again, self._step)

    def wake(self) -> None:
        """Look again at what is due."""
        if self._vigil is not None:
            self._vigil.wake()

    def _settle(self) -> Vigil:
        """This stream stays: watch its client and its deadlines."""
        if self._vigil is None:
            self._task = asyncio.current_task()
            services = self._services
            # What is unsent may grow by a slice after a look at it, and the transport keeps a little on top.
            room = max(services.send_buffer - 2 * SLICE, SLICE // 2)
            calendar = services.calendars.of(self._loop)
            self._vigil = Vigil(self, calendar, self.program.lifetime, self._arrived, services.send_timeout_s, room)
        return self._vigil

    async def _drain(self) -> None:
        if self._vigil is not None or self.line.unsent() >= SLICE:  # less may still be on its way out
            await self._settle().drain()
        else:
            self._task = asyncio.current_task()
            await self.line.drain()
        if not self.line.is_gone and self._uncounted:
            self._last_sent = self.clock.monotonic()
            size, self._uncounted = self._uncounted, 0
            self._note(size, self._last_sent)

    # -- orders to stop, and the end -------------------------------------------------------------------------------

    def request_stop(self, outcome: Outcome) -> None:
        """End the stream through its termination; from any thread."""
        try:
            is_here = asyncio.get_running_loop() is self._loop
        except RuntimeError:
            is_here = False
        if is_here:
            self.order(outcome)
        elif not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.order, outcome)

    def order(self, outcome: Outcome) -> None:
        """End the stream through its termination, from its own loop; or take note that its client has left."""
        if self._stopped is None or outcome == "client_disconnected":
            self._stopped = self._order = outcome
        if self._vigil is not None:
            self._vigil.wake()
            self._vigil.cut_if_stuck(self.program.ending.close_delay_s + STUCK_GRACE_S)

    def cut(self) -> None:
        """Give the stream up at once, whatever it is waiting for."""
        self._stopped = self._stopped or "aborted"
        self._is_cut = True
        if self._task is not None:
            self._task.cancel()

    def _obey(self) -> None:
        """Do as the order to stop says."""
        order, self._order = self._order, None
        assert order is not None
        if order == "client_disconnected":
            self.outcome = self.cursor.outcome if self._is_ending else order
        elif self._is_ending:
            self.cursor.next_due = AT_ONCE
        elif not self.program.is_whole:  # a whole answer has said how long it is: it is sent at once
            self.turn_to_end(order)

    def turn_to_end(self, outcome: Outcome) -> None:
        """Leave the rows, and go on with the end that the termination says."""
        cursor, ending = self.cursor, self.program.ending
        row, pause_s = ending.final, ending.close_delay_s
        op: Op = FINISH
        if outcome == "slow_client":
            row, op, pause_s = None, ABORT, 0.0
        elif outcome == "aborted" or ending.type == "abrupt":
            row, op = None, CLOSE
        elif outcome == "failed" or ending.type == "error":
            row, pause_s = self._error_row(outcome), 0.0
        payload = b"" if row is None else self._filled(row)
        self.cursor = EndCursor(cursor, outcome, payload, op, self.clock.monotonic(), pause_s)
        self._is_ending = True
        cursor.close()

    def _filled(self, row: Row) -> bytes:
        """The bytes of the last row. Its id is noted, so that a client may come back with it."""
        assert self.program.fill is not None
        payload, id_ = row.filled(self.program.fill)
        if id_ is not None:
            self.cursor.note_last_id(id_)
        if row.takes_retry and self.cursor.retry is not None:
            payload = self.program.framing.with_retry(payload, self.cursor.retry)
        return payload

    def _error_row(self, outcome: Outcome) -> Row:
        failure = self.cursor.failure if outcome == "failed" else None
        if failure is not None:
            logger.warning("%s: %s", self.exchange.mock_id, failure.__cause__ or failure)
        if self.program.ending.error is not None:
            return self.program.ending.error
        code, message = (failure.code, failure.message) if failure else (outcome, REASONS.get(outcome, outcome))
        return self.program.framing.row(Event(type="error", data={"error": {"code": code, "message": message}}))

    def _release(self, outcome: Outcome) -> None:
        """It is over: let go of everything, so that nothing is left for the garbage collector."""
        exchange, line = self.exchange, self.line
        if self._vigil is not None:
            self._vigil.end()
            self._vigil = None
            line.release()
        exchange.delivery, exchange.wire_end = line.receipt()
        exchange.ended_by = None if outcome == "client_disconnected" else "mockd"
        self.cursor.close()
        self.cursor = _NOTHING
