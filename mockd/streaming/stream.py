"""One answer on its way to its client: every stream, whole answer and refusal goes out through it.

`advance` is the only place that sends. The request's own task calls it, and rests while nothing is due; then the
calendar calls it, so that no task is woken for a plain event. All that is not data (an end, a slow client, an order to
stop) is the task's.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Sequence

from msgspec.structs import replace

from mockd.headers import FixedHeaders
from mockd.journal.exchange import Exchange, Outcome
from mockd.journal.lateness import Lateness
from mockd.lines import Line
from mockd.program.prepared import Prepared
from mockd.program.terms import Lifetime
from mockd.streaming.calendar import HEARTBEAT_GRID_S, ON_GRID_S, ROUNDING_S, Callback
from mockd.streaming.cursors.cursor import AT_ONCE, NEVER, Cursor
from mockd.streaming.cursors.whole import NO_ROWS
from mockd.streaming.endings import end_of
from mockd.streaming.impatience import Impatience
from mockd.streaming.ops import FINISH, STUCK_GRACE_S
from mockd.streaming.program import Program, Services
from mockd.streaming.vigil import Vigil

SLICE = 64 * 1024
"""Bytes handed to the server at once, so that what waits for a slow client stays within its limit. A frame that is to
be one HTTP chunk is not cut, however long."""
SENDS_PER_TURN = 16
"""Sends before others get their turn: a write does not suspend while the kernel takes the bytes."""
_NO_BODY = FixedHeaders([(b"content-length", b"0")])


class Stream:
    """Sends one answer, and sees to its end.

    `outcome` is how it has ended, None while it goes on; `last_event` the monotonic time of the last event, or of the
    head.
    """

    # Slots, and no struct: what is set for each event is set faster.
    __slots__ = (
        "_backlog",
        "_is_begun",
        "_is_cut",
        "_is_ending",
        "_last_sent",
        "_lateness",
        "_loop",
        "_most",
        "_order",
        "_reached",
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
        "services",
    )

    def __init__(self, services: Services, line: Line, exchange: Exchange, program: Program) -> None:
        self.services = services
        self.line = line
        self.exchange = exchange
        self.program = program
        self.cursor: Cursor = NO_ROWS
        self.outcome: Outcome | None = None
        self._vigil: Vigil | None = None
        self._lateness: Lateness | None = None

    # -- from the head to the end ----------------------------------------------------------------------------------

    async def run(self) -> None:
        """Send it all, each row when it is due."""
        rest = self.start()
        if rest is not None:
            await rest

    def start(self) -> Awaitable[None] | None:
        """Send what goes out at once. Returns what is left to be awaited, or None if that was all."""
        program, line = self.program, self.line
        if program.is_listed:  # before anything is sent: whoever has read some of it finds it listed
            self.services.registry.opened(self.exchange)
        try:
            if program.coming is None and not program.delay_s and not program.first:
                if program.prepared is None or not self._send_prepared(program.prepared):
                    self._set_up()
                    self._begin()
                    self.advance()
                if self.outcome is not None and (not line.pending or line.is_gone):
                    self._release(self.outcome)
                    return None
        except BaseException:
            self._release("failed")
            raise
        if self.cursor is NO_ROWS:
            self._set_up()
        return self._go_on_to_the_end()

    def _send_prepared(self, prepared: Prepared) -> bool:
        """Send all of it in one write, as `advance` would, but with little ado: such answers come by the thousand.
        Returns False, and sends nothing, if it must go out in pieces or has to wait."""
        line, program, exchange = self.line, self.program, self.exchange
        if line.pending or not line.writes_at_once:
            return False
        payload = prepared.payload(program.fill)
        if len(payload) > SLICE:
            return False
        line.head(program.status, program.headers, program.own)
        line.finish(payload)
        exchange.first_byte = exchange.last_byte = self.services.clock.monotonic()
        exchange.http_status, exchange.bytes_sent = program.status, len(payload)
        exchange.events_sent, exchange.last_event_id = prepared.events_sent, prepared.last_event_id
        self.outcome = prepared.outcome
        return True

    def _set_up(self) -> None:
        """Get ready for a life that takes time, in which it can be told to stop."""
        program = self.program
        self._loop = asyncio.get_running_loop()  # until Python 3.12, this is a system call
        self.last_event = self._last_sent = self._reached = self.exchange.arrived
        self.clock = self.services.clock
        self._most = 1 if program.flush_each else 0
        self._backlog: memoryview | bytes = b""  # what is left of a large payload
        self._uncounted = 0  # bytes that were written, and that the server has not taken yet
        self._is_ending = self._is_cut = False
        self._stopped: Outcome | None = None  # why it was told to stop
        self._order: Outcome | None = None  # an order to stop that is not obeyed yet
        self._task: asyncio.Task[None] | None = None  # the one that runs it, once it waits for anything
        self.exchange.stream = self

    async def _go_on_to_the_end(self) -> None:
        outcome: Outcome = "failed"
        try:
            if self.cursor is NO_ROWS:
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
            if self.line.pending:
                await self.drain()
            outcome = self.outcome
        except asyncio.CancelledError:
            outcome = self._stopped or "aborted"
            if not self._is_cut or self._task is None:
                raise
            self._task.uncancel()
            self.line.abort()
        finally:
            self._release(outcome)

    async def _wait_for_head(self) -> None:
        if self.program.coming is not None:
            await self._prepare(self.program.coming)
        if self.program.coming is None and self.program.delay_s:
            await self.sleep_until(self.exchange.arrived + self.program.delay_s)
        for op in self.program.first:
            if self.outcome is None and self._stopped is None:
                await op.perform(self, "aborted")
        if self._stopped == "client_disconnected":
            self.outcome = self._stopped
        elif self.program.coming is not None:
            self._excuse()

    async def _prepare(self, coming: Awaitable[Program]) -> None:
        """Wait for the program, and for the client to leave before it is there."""
        preparing = asyncio.ensure_future(coming)
        try:
            await asyncio.sleep(0)  # so that it has begun: a coroutine that has not cannot be told to end
            if not preparing.done():  # otherwise the call would come when something else is waited for
                preparing.add_done_callback(lambda _: self.wake())
            while not preparing.done() and self._stopped is None:
                await self.sleep_until(NEVER)
            if preparing.done():
                program, hand = preparing.result(), self.exchange.hand
                self.program = program if hand is None else hand.over(program)
                self._most = 1 if self.program.flush_each else 0
                self.live(self.program.lifetime)
        finally:
            preparing.cancel()

    def _excuse(self) -> None:
        """Answer that there will be no answer: the stream is told to end before its program is there."""
        self.exchange.http_status = 503
        self.exchange.first_byte = self.exchange.last_byte = self.clock.monotonic()
        self.line.head(503, _NO_BODY, self.program.own)
        self.line.finish()
        self.outcome = self._stopped

    def _begin(self) -> None:
        """The head: due times count from here."""
        program = self.program
        self._is_begun = not program.framing.has_opening
        self._silence_s = NEVER if program.heartbeat is None else program.heartbeat.every_s
        self.line.head(program.status, program.headers, program.own)
        self.exchange.http_status = program.status
        self.last_event = self._last_sent = self.exchange.first_byte = now = self.clock.monotonic()
        self.cursor = program.opened(self, now)

    async def _go_on(self, again: float | None) -> None:
        """See to what is not only to send, or rest until it is time to send again."""
        if self.line.is_gone and self._stopped != "client_disconnected":
            self.order("client_disconnected")
        cursor = self.cursor
        if self._order is not None:
            self._obey()
        elif self.line.pending:
            await self.drain()
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
        if (due := cursor.next_due) <= reached:
            if cursor.op is None:
                if (lateness := self._lateness) is not None and due != AT_ONCE:
                    lateness.samples.append(late_s := now - due)
                    if late_s > lateness.longest:
                        lateness.longest = late_s
                rows = cursor.take(reached, self._most)
                if cursor.op is FINISH and cursor.next_due <= reached:
                    self.finish(rows)
                    return None
                if rows:
                    payload = b"".join(rows)  # which for one alone is itself, not a copy
                    if len(payload) <= SLICE or self._most:
                        self._write(payload, now)
                    else:
                        self._slice(payload)
                elif cursor.events_sent != self.exchange.events_sent:
                    self._note(0, now)  # events of which an encoder has kept all bytes back
            if cursor.op is not None and cursor.next_due <= reached:
                return None
        elif self._heartbeat_at() <= reached:
            self._beat(now)
        if line.queued or self._backlog:
            return None
        # A heartbeat comes so long after what was sent last, or later: mostly a row is due before.
        due = cursor.next_due
        return due if due - self._last_sent <= self._silence_s else min(due, self._heartbeat_at())

    def _slice(self, payload: bytes) -> None:
        """Send a large payload in slices."""
        self._backlog = memoryview(payload)
        self._push()

    def _push(self) -> None:
        """Write the next slices of a large payload, as far as the client has room."""
        while self._backlog and not self.line.pending:
            data, self._backlog = bytes(self._backlog[:SLICE]), self._backlog[SLICE:]
            self._write(data, self.clock.monotonic())

    def finish(self, rows: Sequence[bytes] = ()) -> None:
        """Send the last rows, and the clean end of the body with them; what is too large for that goes before."""
        payload = b"".join(rows)
        if len(payload) > SLICE and not self._most:
            self._slice(payload)
            return
        payload += self.program.framing.end
        if not self._is_begun:
            payload = self._begun(payload)
        self.line.finish(payload)
        self.exchange.last_byte = self.clock.monotonic()
        self._note(len(payload), self._last_sent)
        self.outcome = self.cursor.outcome

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
            if not exchange.first_event:
                exchange.first_event = now
            exchange.events_sent = cursor.events_sent
            self.last_event = now
            if exchange.hand is not None:
                exchange.hand.sent()
        exchange.last_event_id = cursor.last_event_id

    def _beat(self, now: float) -> None:
        """Break the silence."""
        heartbeat = self.program.heartbeat
        assert heartbeat is not None
        payload, id_ = heartbeat.beat()
        if id_ is not None:
            self.cursor.note_last_id(id_)
        is_begun, self._is_begun = self._is_begun, self._is_begun or heartbeat.is_apart
        self._write(payload, now)
        self._is_begun = is_begun or not heartbeat.is_apart

    def keep_silent(self, *, is_so: bool) -> None:
        """Send no heartbeats from now on, or send them again."""
        heartbeat = self.program.heartbeat
        self._silence_s = NEVER if is_so or heartbeat is None else heartbeat.every_s

    def _heartbeat_at(self) -> float:
        if self._silence_s == NEVER or self._is_ending:
            return NEVER
        due = self._last_sent + self._silence_s
        if self._silence_s < ON_GRID_S:
            return due
        return math.ceil((due - ROUNDING_S) / HEARTBEAT_GRID_S) * HEARTBEAT_GRID_S

    # -- rest ------------------------------------------------------------------------------------------------------

    async def sleep_until(self, when: float) -> None:
        """Rest until the monotonic time `when`, or until something else wants this stream's attention."""
        await self._rest(when, self.wake)

    async def _rest(self, when: float, callback: Callback) -> None:
        self.line.flush()
        vigil = self._settle()
        await self.drain()
        if self._stopped != "client_disconnected":
            await vigil.rest(when, callback)

    def _step(self) -> float | None:
        """The calendar's turn while the task rests: send what is due, and say when to come again. The task is woken
        for all that is not plain, and ends the stream if sending fails."""
        try:
            again = self.advance()
        except Exception as error:
            assert self._vigil is not None
            self._vigil.fail(error)
            return None
        if again is None or again <= self._reached:
            self.wake()
        elif again != NEVER:
            return again
        return None

    def wake(self) -> None:
        """Look again at what is due."""
        if self._vigil is not None:
            self._vigil.wake()
            if self._vigil.is_waiting:
                self._lose_patience()  # as a break may be due since now

    def live(self, lifetime: Lifetime) -> None:
        """Hold the stream to a lifetime from now on."""
        if lifetime is not self.program.lifetime:
            self.program = replace(self.program, lifetime=lifetime)
        if self._vigil is not None:
            self._vigil.live(lifetime)

    def _settle(self) -> Vigil:
        """This stream stays: watch its client and its deadlines."""
        if self._vigil is None:
            self._task = asyncio.current_task()
            self._lateness = self.exchange.lateness = Lateness()
            services = self.services
            # What is unsent may grow by a slice after a look at it, and the transport keeps a little on top.
            room = max(services.send_buffer - 2 * SLICE, SLICE // 2)
            calendar = services.calendars.of(self._loop)
            arrived, send_timeout_s = self.exchange.arrived, services.send_timeout_s
            self._vigil = Vigil(self, calendar, self.program.lifetime, arrived, send_timeout_s, room)
        return self._vigil

    async def drain(self) -> None:
        """Wait until the server has taken what was written. A client that does not read for too long is cut off."""
        if not self.line.pending or self.line.is_gone:
            return
        if self._vigil is not None or self.line.unsent() >= SLICE:  # less may still be on its way out
            vigil = self._settle()
            vigil.wait()
            self._lose_patience()
            await vigil.drain()
        else:
            self._task = asyncio.current_task()
            await self.line.drain()
        if self._uncounted and not self.line.is_lost:  # a server may close the connection behind the last of it
            self._last_sent = self.clock.monotonic()
            size, self._uncounted = self._uncounted, 0
            self._note(size, self._last_sent)

    def _lose_patience(self) -> None:
        """Break the stream off if it waits for its client, a break is to come, and the client reads nothing."""
        # Only cursors around others have it, such as those of faults.
        patience_s, vigil = getattr(self.cursor, "patience_s", None), self._vigil
        if patience_s is not None and vigil is not None and vigil.is_waiting and vigil.impatience is None:
            vigil.impatience = Impatience(self, vigil.calendar, patience_s)

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
        # Who is cut off has not left.
        if self._stopped is None or (outcome == "client_disconnected" and not self._is_cut):
            self._stopped = self._order = outcome
        if self._vigil is not None:
            self._vigil.wake()
            self._vigil.cut_if_stuck(self.program.ending.close_delay_s + STUCK_GRACE_S)

    @property
    def request_head(self) -> bytes | None:
        """The head of the request as it came, and perhaps bytes behind it; None if it is not known."""
        return self.line.request_head

    def inform(self, status: int, reason: bytes, headers: Sequence[tuple[bytes, bytes]]) -> None:
        """Send an informational answer (1xx) before the head, if the server can."""
        self.line.inform(status, reason, headers)

    @property
    def is_told_to_end(self) -> bool:
        """Whether there is an order to stop, for which no op should wait."""
        return self._order is not None

    @property
    def rows_time(self) -> float:
        """The time of its rows, in monotonic seconds: it stands still while the stream is held."""
        hand, now = self.exchange.hand, self.clock.monotonic()
        return now if hand is None or self._is_ending else hand.rows_time(now)

    @property
    def is_ending(self) -> bool:
        """Whether the stream has turned to its end."""
        return self._is_ending

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
        elif self._is_ending or self.program.is_whole:  # a whole answer has said how long it is: it is sent at once
            self.cursor.hurry()
        else:
            self._make_anew()
            self.cursor.hurry()  # pieces of the body that wait go out before the end
            self.turn_to_end(order)

    @property
    def rows(self) -> Cursor:
        """The cursor over its rows, and then over its end, without the chunks in which they go out."""
        self._make_anew()
        return self.cursor if self.program.chunks is None else self.program.chunks.inner

    def _make_anew(self) -> None:
        """Go on with the cursors that the pieces were made of, as it will not send all of these."""
        pieces, self.program.pieces = self.program.pieces, None
        if pieces is not None and self.cursor is not NO_ROWS:
            from mockd.streaming.cursors.pieces import caught_up

            head = self.exchange.first_byte
            self.cursor = caught_up(self.program.opened(self, head), self.cursor, head)

    def lay_around(self, around: Callable[[Cursor], Cursor]) -> None:
        """Put another cursor around the one of its rows."""
        self._make_anew()
        if self.program.chunks is None:
            self.cursor = around(self.cursor)
        else:
            self.program.chunks.inner = around(self.program.chunks.inner)

    def turn_to_end(self, outcome: Outcome) -> None:
        """Leave the rows, and go on with the end that the termination says."""
        self.end_with(end_of(self.program, self.rows, outcome, self.clock.monotonic(), self.exchange.mock_id))

    def end_with(self, end: Cursor) -> None:
        """Leave the rows, and go on with that end."""
        before = self.rows
        self.cursor = self.program.whole(end, self, self.clock.monotonic())
        self._is_ending = True
        before.close()

    def _release(self, outcome: Outcome) -> None:
        """It is over: let go of everything, so that nothing is left for the garbage collector."""
        exchange, line = self.exchange, self.line
        if not exchange.last_byte and exchange.first_byte:
            exchange.last_byte = self._last_sent
        if self._vigil is not None:
            self._vigil.end()
            self._vigil = None
            line.release()
        exchange.delivery, exchange.wire_end = line.receipt()
        if outcome == "client_disconnected":
            line.left()
        else:
            exchange.ended_by = "mockd"
        self.cursor.close()
        self.cursor = NO_ROWS
        self.services.registry.ended(exchange, outcome)
