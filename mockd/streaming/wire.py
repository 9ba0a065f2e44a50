"""The one response class: every stream, SSE, chunked and NDJSON alike, and every plain answer, goes out through it.

So no stream can escape the registry, the limits or the shutdown. The request's own task runs the loop: take what is
due, send it, rest until the calendar says so (`LastingResponse`). While the task rests, the calendar itself writes
what falls due where the transport is to be had (`_step`): no task is woken for it, and everything out of the ordinary
is left to the loop.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable

from msgspec import Struct

from mockd.errors import MockdError
from mockd.events import Event, Fill
from mockd.framing import Framing, Row
from mockd.request import Receive, Scope, Send
from mockd.streaming.calendar import ROUNDING_S
from mockd.streaming.compile import Ending, Lifetime
from mockd.streaming.connections import Connection, Outcome
from mockd.streaming.feeds import NEVER, Feed
from mockd.streaming.headers import Headers
from mockd.streaming.lasting import SLICE, STUCK_GRACE_S, LastingResponse, WireServices
from mockd.streaming.transport import ChunkWriter, chunk_writer, delimit_by_close, transport_of, unsent

logger = logging.getLogger("mockd")

SENDS_PER_TURN = 16
"""Sends before others get their turn: `send` itself does not suspend while the kernel takes the bytes."""
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


class Head(Struct, frozen=True):
    """Status and headers of a response, and how long after the request it goes out."""

    status: int
    headers: Headers
    delay_s: float = 0.0


class StreamResponse(LastingResponse):
    """An ASGI response that sends what a feed has, when it is due, and ends as it is told to.

    `open_feed` is called with this response and the moment of the head. `arrived` is the monotonic time at which the
    request came in. `is_whole`: one answer of known length, not a stream.
    """

    __slots__ = (
        "_direct",
        "_ends_by_close",
        "_feed",
        "_fill",
        "_flush_each",
        "_framing",
        "_head",
        "_is_begun",
        "_is_complete",
        "_is_whole",
        "_last_sent",
        "_left",
        "_most",
        "_open_connection",
        "_open_feed",
        "_send",
        "_turn",
        "_turns",
        "connection",
    )

    def __init__(
        self,
        services: WireServices,
        open_connection: Callable[[StreamResponse], Connection],
        open_feed: Callable[[StreamResponse, float], Feed],
        *,
        head: Head,
        framing: Framing,
        lifetime: Lifetime,
        ending: Ending,
        fill: Fill,
        arrived: float,
        flush_each: bool = False,
        is_whole: bool = False,
    ) -> None:
        super().__init__(services, lifetime, ending, arrived)
        self._open_connection = open_connection
        self._open_feed = open_feed
        self._head = head
        self._framing = framing
        self._fill = fill
        self._is_whole = is_whole
        self._direct: ChunkWriter | None = None
        self._left: list[bytes] = []
        self._is_begun = False
        self._is_complete = False
        self._flush_each = flush_each
        self._most = 1 if flush_each else 0
        self._turns = SENDS_PER_TURN if flush_each else 1
        self._turn = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope, self._receive, self._send = scope, receive, send
        if scope["method"] == "HEAD" or self._head.status in (204, 304):
            await self._send_head()
            await send({"type": "http.response.body", "body": b""})
            return
        self._loop = asyncio.get_running_loop()
        task = asyncio.current_task()
        assert task is not None
        self._task = task
        self._ends_by_close = not self._is_whole and delimit_by_close(scope)
        self.connection = self._open_connection(self)
        del self._open_connection  # it holds the request
        outcome: Outcome = "failed"
        try:
            outcome = await self._run()
        except asyncio.CancelledError:
            outcome = self._stop_outcome or "aborted"
            if not self._is_cut:
                raise
            task.uncancel()
            self._abort()
        finally:
            self._release(outcome)

    # -- the life of a stream --------------------------------------------------------------------------------------

    async def _run(self) -> Outcome:
        self._last_event = self._last_sent = self._sending_since = self._arrived
        if self._head.delay_s:
            self._settle(self._arrived)
            await self._sleep_until(self._arrived + self._head.delay_s, self.wake)
            if self._is_gone:
                return "client_disconnected"
        await self._send_head()
        self._last_event = self._last_sent = now = self.services.clock.monotonic()
        self._feed = self._open_feed(self, now)
        del self._open_feed  # it may hold the place the stream started from, and with it every event since
        self._direct = chunk_writer(self._scope, self._send, self._room)
        try:
            outcome = await self._send_events()
        finally:
            self._feed.close()
        await self._end(outcome)
        return outcome

    async def _send_events(self) -> Outcome:
        feed, clock, life = self._feed, self.services.clock, self._lifetime
        # A whole answer has said how long it is: told to stop, it is sent at once.
        while self._stop_outcome is None or (self._is_whole and not self._is_gone):
            now = clock.monotonic()
            frames = self._left or feed.take(now + ROUNDING_S, self._most)
            self._left = []
            if frames:
                last = feed.ended is not None and self._ends_plainly(feed.ended)
                await self._write(frames, now, last=last)
                if last:
                    return feed.ended or "completed"
                self._turn += 1
                if feed.next_due <= now + ROUNDING_S and self._turn % self._turns == 0:
                    self._settle(now)
                    await asyncio.sleep(0)
            elif feed.ended is not None and not (life.keep_open and feed.ended == "completed"):
                break
            else:
                await self._rest(now)
        return self._stop_outcome or feed.ended or "completed"

    async def _rest(self, now: float) -> None:
        """Wait for the next event or keepalive, and send the keepalive."""
        self._settle(now)
        reached = now + ROUNDING_S
        if self._feed.next_due <= reached:
            await asyncio.sleep(0)
        elif self._keepalive_at() <= reached:
            await self._hand_over(self._begun(self._framing.keepalive), more=True)
        else:
            callback = self.wake if self._direct is None else self._step
            await self._sleep_until(self._next_at(), callback)

    def _next_at(self) -> float:
        """When the next event or keepalive is due."""
        due = self._feed.next_due
        # A keepalive comes so long after what was sent last, or later: mostly an event is due before.
        if due - self._last_sent <= self._lifetime.keepalive_s:
            return due
        return min(due, self._keepalive_at())

    def _keepalive_at(self) -> float:
        keepalive_s = self._lifetime.keepalive_s
        if not keepalive_s or not self._framing.keepalive:
            return NEVER
        return math.ceil((self._last_sent + keepalive_s - ROUNDING_S) / KEEPALIVE_GRID_S) * KEEPALIVE_GRID_S

    def _step(self) -> None:
        """The calendar's turn while the task rests: write what is due, and come again. The task is woken for all that
        is not plain: an end, an order to stop, a client that reads too slowly, a large frame."""
        assert self._direct is not None
        now, feed = self.services.clock.monotonic(), self._feed
        reached = now + ROUNDING_S
        if self._stop_outcome is None and self._direct.has_room():
            if feed.next_due <= reached:
                frames = feed.take(reached, self._most)
                payload = self._payload(frames)
                if feed.ended is not None or len(payload) > SLICE:
                    self._left = [payload] if frames else []
                elif frames:
                    self._write_directly(payload, now)
                    self._count(now)
            elif self._keepalive_at() <= reached:
                self._write_directly(self._begun(self._framing.keepalive), now)
            if not self._left and feed.ended is None and feed.next_due > reached:
                self._timer = self._call_at(self._next_at(), self._step)
                return
        self.wake()

    def _write_directly(self, payload: bytes, now: float) -> None:
        assert self._direct is not None
        self._direct.write(payload)
        self.connection.bytes_sent += len(payload)
        self._last_sent = now

    def _ends_plainly(self, outcome: Outcome) -> bool:
        """Whether the last event can go out together with the end of the response."""
        is_over = outcome == "max_events" or (outcome == "completed" and not self._lifetime.keep_open)
        return is_over and self._ending.is_plain

    async def _end(self, outcome: Outcome) -> None:
        """End the response as its termination says."""
        if self._is_complete or outcome == "client_disconnected":
            return
        if outcome == "slow_client":
            self._abort()
        elif outcome == "aborted" or self._ending.type == "abrupt":
            await self._break_off()
        elif outcome == "failed" or self._ending.type == "error":
            await self._finish(self._error_row(outcome), 0.0)
        else:
            await self._finish(self._ending.final, self._ending.close_delay_s)

    async def _finish(self, row: Row | None, close_delay_s: float) -> None:
        """A clean end: the last row, a pause, and the end of the body."""
        now = self.services.clock.monotonic()
        if row is not None:
            payload, id_ = row.filled(self._fill)
            if id_ is not None:
                self._feed.note_last_id(id_)
            if row.takes_retry and (retry := self._feed.retry) is not None:
                payload = self._framing.with_retry(payload, retry)
            await self._write([payload], now, last=not close_delay_s)
        if close_delay_s:
            self._settle(now)
            await self._sleep_until(now + close_delay_s, self.wake)
        if not self._is_complete:
            await self._hand_over(self._begun(self._framing.end), more=False)

    def _error_row(self, outcome: Outcome) -> Row:
        failure: MockdError | None = self._feed.failure if outcome == "failed" else None
        if failure is not None:
            logger.warning("%s: %s", self.connection.mock_id, failure.__cause__ or failure)
        if self._ending.error is not None:
            return self._ending.error
        code, message = (failure.code, failure.message) if failure else (outcome, REASONS.get(outcome, outcome))
        return self._framing.row(Event(type="error", data={"error": {"code": code, "message": message}}))

    # -- sending ---------------------------------------------------------------------------------------------------

    async def _send_head(self) -> None:
        headers = self._head.headers
        await self._send({"type": "http.response.start", "status": self._head.status, "headers": headers})

    async def _write(self, frames: list[bytes], now: float, *, last: bool = False) -> None:
        """Send frames together, the end of the response with them if they are the last; count them."""
        payload = self._payload(frames)
        if last:
            payload = self._begun(payload + self._framing.end)
        if self._direct is not None and not last and len(payload) <= SLICE and self._direct.has_room():
            self._write_directly(payload, now)
            self._count(now)
            return
        if len(payload) > SLICE and not self._flush_each:
            sent = (len(payload) - 1) // SLICE * SLICE
            for start in range(0, sent, SLICE):
                await self._hand_over(payload[start : start + SLICE], more=True)
            payload = payload[sent:]
        if await self._hand_over(payload, more=not last):
            self._count(now)

    def _payload(self, frames: list[bytes]) -> bytes:
        """Frames as one text."""
        return self._begun(b"".join(frames))  # which for one alone is itself, not a copy

    def _begun(self, payload: bytes) -> bytes:
        """Bytes of the body: the first of them as the framing begins it."""
        if self._is_begun or not payload:
            return payload
        self._is_begun = True
        return self._framing.opening(payload)

    def _count(self, now: float) -> None:
        connection, feed = self.connection, self._feed
        if feed.events_sent != connection.events_sent:
            connection.events_sent = feed.events_sent
            self._last_event = now
        if feed.last_event_id is not None:
            connection.last_event_id = feed.last_event_id

    async def _hand_over(self, body: bytes, *, more: bool) -> bool:
        """Send, and say whether there was anyone to send to."""
        if self._is_gone:
            return False
        clock = self.services.clock
        self._is_complete = not more
        self._is_sending = True
        self._sending_since = clock.monotonic()
        self._unsent = unsent(self._scope)
        if self._unsent >= SLICE:  # less than that may still be on its way out, the head for one
            self._settle(self._sending_since)
        try:
            await self._send({"type": "http.response.body", "body": body, "more_body": more or self._ends_by_close})
        except OSError:  # what ASGI has `send` raise when the client has left
            self._stop("client_disconnected")
            return False
        finally:
            self._is_sending = False
        self._last_sent = clock.monotonic()
        self.connection.bytes_sent += len(body)
        if self._is_complete and self._ends_by_close:
            await self._break_off()
        return True

    # -- the end of the connection ---------------------------------------------------------------------------------

    async def _break_off(self) -> None:
        """Close the connection without the end of the body. Where the transport is not to be had, the server closes
        it when it sees that the last message never came."""
        transport = transport_of(self._scope)
        if transport is None:
            return
        transport.close()
        self._settle(self._last_sent)
        assert self._watcher is not None
        await asyncio.wait([self._watcher], timeout=STUCK_GRACE_S)
        transport.abort()

    def _abort(self) -> None:
        transport = transport_of(self._scope)
        if transport is not None:
            transport.abort()

    def _release(self, outcome: Outcome) -> None:
        self._let_go()
        self.services.registry.closed(self.connection, outcome)
