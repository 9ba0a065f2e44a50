"""Places in the bytes of the response as they go over the connection: in the head, in a chunk, between two."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

from mockd.faults.armed import Armed
from mockd.faults.places import Trap
from mockd.faults.strikes import Strike
from mockd.journal.exchange import Outcome
from mockd.streaming.calendar import ROUNDING_S
from mockd.streaming.cursors.around import Around, Beats, Due, Sent
from mockd.streaming.cursors.cursor import AT_ONCE, Batch, Cursor
from mockd.streaming.ops import CLOSE, FINISH, Op, Stage
from mockd.streaming.program import Opening, Outermost
from mockd.streaming.stream import SLICE, Stream

MOST_PARTS = 256
"""Most writes that are made in advance of a stream that is late."""
MOST_AHEAD = 16 * MOST_PARTS
"""Most writes that are made in advance to find out whether the place is due."""


class _Part:
    """A part of the body that is one write: so many of the rows' bytes, and whether the body ends with it."""

    __slots__ = ("data", "due", "is_last", "marks")

    def __init__(self, data: bytes, marks: list[tuple[int, Sent]], due: float) -> None:
        self.data = data
        self.due = due
        self.marks = marks
        """For each row the position of its end in the part, and what is sent by then."""
        self.is_last = False

    def sent_at(self, position: int, before: Sent) -> Sent:
        """What is sent when so many of the bytes are out."""
        return next((sent for end, sent in reversed(self.marks) if end <= position), before)


class AtWireBytes(Trap):
    """A place after so many bytes of the response. The writes are those that there would be without the fault. The one
    in which the place is goes out in two pieces, past the server's own framing.

    It is around all else, also around the chunks of a stream and the hand on it: what was taken from these goes out,
    whatever is to be done next.
    """

    def __init__(
        self, inner: Cursor, armed: Armed, strike: Strike, beats: Beats | None, place: int, stream: Stream
    ) -> None:
        super().__init__(inner, armed, strike, beats)
        self._place = place
        self._stream = stream
        self._parts: deque[_Part] = deque()
        self._out: Sent = (inner.events_sent, inner.last_event_id)
        """What is sent once the parts that were taken are out."""
        self._rest: tuple[bytes, bool] | None = None
        """What is left of the write in which the place was, and whether it ends the body."""
        self._cut: bytes | None = None
        if not armed.reached and self._sent() + len(self._head()) >= place:
            self._reach_in(self._head(), 0, None)

    @property
    def is_inside(self) -> bool:
        """Whether the place is inside a write, of which the rest is not sent yet."""
        return bool(self._rest and self._rest[0]) and self._cut is None

    def _sent(self) -> int:
        return self._stream.line.wire_bytes or 0

    def _head(self) -> bytes:
        """The head, if it is still kept back."""
        return self._stream.line.image(b"")[0]

    @property
    def next_due(self) -> float:
        return AT_ONCE if self._can_go_on or (self._parts and not self._strikes) else super().next_due

    @property
    def op(self) -> Op | None:
        if self._can_go_on:
            return _GoOn(self)
        return None if self._parts and not self._strikes else super().op

    @property
    def _can_go_on(self) -> bool:
        return self._rest is not None and not self._is_due and self._until is None

    @property
    def outcome(self) -> Outcome | None:
        return super().outcome or ("completed" if self._rest is not None else None)

    def take(self, now: float, most: int = 0) -> list[bytes]:
        if self._rest is not None:
            if self._until is not None and now >= self._until:
                self._go_on()
            return []
        if self._strikes or (self.armed.reached and not self._parts):
            return super().take(now, most)
        if not self._parts:
            self._out = (self.inner.events_sent, self.inner.last_event_id)
            self._collect(now, most)
        if not self._parts:
            return []
        part = self._parts.popleft()
        before, self._out = self._out, part.sent_at(len(part.data), self._out)
        if self.armed.reached:
            return [part.data]
        image, start = self._stream.line.image(part.data, is_last=part.is_last)
        if self._sent() + len(image) < self._place:
            return [part.data]
        self._out = before
        self._reach_in(image, start, part)
        return []

    @property
    def events_sent(self) -> int:
        return self._out[0] if self._parts and self._at_cut is None else super().events_sent

    @property
    def last_event_id(self) -> str | None:
        return self._out[1] if self._parts and self._at_cut is None else super().last_event_id

    def pause(self, now: float, seconds: float, *, beats: bool = False, shifts: bool = False) -> None:
        # By the time of the stream: rows that somebody has held have another.
        super().pause(self._stream.clock.monotonic(), seconds, beats=beats, shifts=shifts)

    def broken_by(self, stage: Stage) -> Due | None:
        if self.armed.reached:
            return super().broken_by(stage)
        stream, beats = self._stream, self._beats
        if not self._parts:
            self._out = (self.inner.events_sent, self.inner.last_event_id)
        with nullcontext() if beats is None else beats.silenced():  # nobody is to hear them
            now, most = stream.clock.monotonic() + ROUNDING_S, 1 if stream.program.flush_each else 0
            self._collect(now, most, MOST_AHEAD)
        size = self._sent()
        for part in self._parts:
            size += len(stream.line.image(part.data, is_last=part.is_last)[0])
            if size >= self._place:
                return Due(part.due, self) if self._breaks(stage) else None
        return None

    def _collect(self, now: float, most: int, most_parts: int = MOST_PARTS) -> None:
        """Take the rows that are due, as the writes that the stream would make of them: one for each moment, also if
        the stream is late, so that the place does not depend on the load."""
        inner = self.inner
        while inner.op is None and inner.next_due <= now and len(self._parts) < most_parts:
            due = inner.next_due
            until = now if inner.next_due == AT_ONCE else min(now, inner.next_due + ROUNDING_S)
            marks: list[tuple[int, Sent]] = []
            rows: list[bytes] = []
            size, batch = 0, Batch(most) if most else inner.batch
            while inner.op is None and inner.next_due <= until:
                is_full = len(rows) >= batch.rows or size >= batch.bytes
                if is_full and (most or inner.outcome is None):
                    break  # the end of the body, which is all that is left then, goes with the last rows
                taken = inner.take(until, 1)
                if not taken:
                    break
                rows += taken
                size += sum(map(len, taken))
                marks.append((size, (inner.events_sent, inner.last_event_id)))
            if not rows:
                break
            self._add(b"".join(rows), marks, due)
        if inner.op is FINISH and inner.next_due <= now:
            if not self._parts or len(self._parts[-1].data) == SLICE:
                self._add(b"", [], inner.next_due)
            self._parts[-1].is_last = True

    def _add(self, payload: bytes, marks: list[tuple[int, Sent]], due: float) -> None:
        """Add the writes of one moment; a large one is cut into slices."""
        for begin in range(0, max(1, len(payload)), SLICE):
            inside = [(end - begin, sent) for end, sent in marks]
            self._parts.append(_Part(payload[begin : begin + SLICE], inside, due))

    def _reach_in(self, image: bytes, start: int, part: _Part | None) -> None:
        """The place is in this write."""
        left = max(0, self._place - self._sent())
        self._cut = image[:left]
        self._rest = (image[left:], part is not None and part.is_last)
        body = 0 if part is None else min(max(0, left - start), len(part.data))
        exchange = self._stream.exchange
        sent = (exchange.events_sent, exchange.last_event_id)
        sent = sent if part is None else part.sent_at(body, self._out)
        self._out = self._out if part is None else part.sent_at(len(part.data), self._out)
        self._counts = (body, 0 if part is None else len(part.data) - body)
        self.reach(sent=sent)

    async def perform(self, stage: Stage, outcome: Outcome) -> None:
        if self._cut is not None:
            data, self._cut = self._cut, None
            stage.line.raw(data)
            exchange = self._stream.exchange
            exchange.bytes_sent += self._counts[0]
            exchange.events_sent, exchange.last_event_id = self.events_sent, self.last_event_id
        await stage.drain()
        self._is_due = False
        if not stage.line.is_gone:
            await self._strike(stage, self)  # type: ignore[arg-type]  # by its protocol

    async def go_on(self, stage: Any) -> None:
        """Send the rest of the write in which the place was."""
        assert self._rest is not None
        (data, is_last), self._rest = self._rest, None
        self._at_cut = None
        if data:
            stage.line.raw(data)
        exchange = self._stream.exchange
        exchange.bytes_sent += self._counts[1]
        exchange.events_sent, exchange.last_event_id = self.events_sent, self.last_event_id
        if is_last:
            stage.line.done()
            stage.outcome = self.inner.outcome


class _GoOn:
    def __init__(self, trap: AtWireBytes) -> None:
        self._trap = trap

    async def perform(self, stage: Stage, outcome: Outcome) -> None:
        await self._trap.go_on(stage)


class Writes:
    """The writes of a stream with a place in its wire bytes, in the place of its chunks, which are inside."""

    def __init__(self, chunks: Outermost | None, make: Callable[[Cursor], AtWireBytes]) -> None:
        self._chunks = chunks
        self._make = make
        self._trap: AtWireBytes | None = None

    @property
    def inner(self) -> Cursor:
        """The cursor over the rows, without what says in which pieces they go out."""
        around = self._chunks or self._trap
        assert around is not None
        return around.inner

    @inner.setter
    def inner(self, cursor: Cursor) -> None:
        around = self._chunks or self._trap
        assert around is not None
        around.inner = cursor

    def over(self, inner: Cursor, stream: Opening) -> Cursor:
        """The writes with the rows of another cursor behind those that wait: the first, or the end's."""
        cursor = inner if self._chunks is None else self._chunks.over(inner, stream)
        if self._trap is None:
            self._trap = self._make(cursor)
        elif self._trap.is_inside:
            return Broken(self._trap, inner)
        else:
            self._trap.inner = cursor
        return self._trap


class Broken(Around):
    """The end of a stream whose last write was cut: nothing can follow but the end of the connection."""

    next_due = AT_ONCE
    op: Op = CLOSE

    def __init__(self, cut: AtWireBytes, end: Cursor) -> None:
        super().__init__(end)
        self._cut = cut

    @property
    def events_sent(self) -> int:
        return self._cut.events_sent

    @property
    def last_event_id(self) -> str | None:
        return self._cut.last_event_id
