"""Places in the bytes of the response as they go over the connection: in the head, in a chunk, between two."""

from __future__ import annotations

from collections import deque
from typing import Any

from mockd.faults.armed import Armed
from mockd.faults.around import Beats
from mockd.faults.places import Trap
from mockd.faults.strikes import Strike
from mockd.journal.exchange import Outcome
from mockd.streaming.cursors.cursor import AT_ONCE, Cursor
from mockd.streaming.ops import FINISH, Op, Stage
from mockd.streaming.stream import SLICE, Stream


class _Part:
    """A part of the body that is one write: so many of the rows' bytes, and whether the body ends with it."""

    __slots__ = ("data", "events", "is_last")

    def __init__(self, data: bytes, events: list[tuple[int, int]], is_last: bool) -> None:
        self.data = data
        self.events = events
        """For each row the position of its end in the part, and the number of events sent by then."""
        self.is_last = is_last

    def events_at(self, position: int, before: int) -> int:
        """Number of events sent when so many of the bytes are out."""
        return max([count for end, count in self.events if end <= position], default=before)


class AtWireBytes(Trap):
    """A place after so many bytes of the response. The writes are those that there would be without the fault. The one
    in which the place is goes out in two pieces, past the server's own framing."""

    def __init__(
        self, inner: Cursor, armed: Armed, strike: Strike, beats: Beats | None, place: int, stream: Stream
    ) -> None:
        super().__init__(inner, armed, strike, beats)
        self._place = place
        self._stream = stream
        self._parts: deque[_Part] = deque()
        self._rest: tuple[bytes, bool] | None = None
        """What is left of the write in which the place was, and whether it ends the body."""
        self._cut: tuple[bytes, _Part | None] | None = None
        if not armed.reached and self._sent() + len(self._head()) >= place:
            self._reach_in(self._head(), 0, None)

    def _sent(self) -> int:
        return self._stream.line.wire_bytes or 0

    def _head(self) -> bytes:
        """The head, if it is still kept back."""
        return self._stream.line.image(b"")[0]

    @property
    def next_due(self) -> float:
        return AT_ONCE if self._parts or self._can_go_on else super().next_due

    @property
    def op(self) -> Op | None:
        if self._can_go_on:
            return _GoOn(self)
        return None if self._parts else super().op

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
        if self.armed.reached and not self._parts:
            return super().take(now, most)
        if not self._parts:
            self._collect(now, most)
        if not self._parts:
            return []
        part = self._parts.popleft()
        if self.armed.reached:
            return [part.data]
        image, start = self._stream.line.image(part.data, is_last=part.is_last)
        if self._sent() + len(image) < self._place:
            return [part.data]
        self._reach_in(image, start, part)
        return []

    def _collect(self, now: float, most: int) -> None:
        """Take the rows that are due, as the writes that the stream would make of them."""
        events: list[tuple[int, int]] = []
        rows: list[bytes] = []
        size = 0
        for _ in range(most or 1 << 16):
            if self.inner.op is not None or self.inner.next_due > now:
                break
            taken = self.inner.take(now, 1)
            rows += taken
            size += sum(map(len, taken))
            events.append((size, self.inner.events_sent))
        is_last = self.inner.op is FINISH and self.inner.next_due <= now
        payload = b"".join(rows)
        if not payload and not is_last:
            return
        for begin in range(0, len(payload), SLICE) if len(payload) > SLICE else (0,):
            inside = [(end - begin, count) for end, count in events]
            self._parts.append(_Part(payload[begin : begin + SLICE], inside, is_last=False))
        if len(payload) > SLICE and is_last:
            self._parts.append(_Part(b"", [], is_last=True))
        else:
            self._parts[-1].is_last = is_last

    def _reach_in(self, image: bytes, start: int, part: _Part | None) -> None:
        """The place is in this write."""
        left = max(0, self._place - self._sent())
        self._cut = (image[:left], part)
        self._rest = (image[left:], part is not None and part.is_last)
        body = 0 if part is None else min(max(0, left - start), len(part.data))
        exchange = self._stream.exchange
        events = exchange.events_sent if part is None else part.events_at(body, exchange.events_sent)
        self._counts = (body, 0 if part is None else len(part.data) - body, events)
        self.reach()

    async def perform(self, stage: Stage, outcome: Outcome) -> None:
        if self._cut is not None:
            (data, _), self._cut = self._cut, None
            stage.line.raw(data)
            exchange = self._stream.exchange
            exchange.bytes_sent += self._counts[0]
            exchange.events_sent = self._cut_events = self._counts[2]
        self._is_due = False
        await stage.drain()
        if not stage.line.is_gone:
            await self._strike(stage, self)  # type: ignore[arg-type]  # by its protocol

    async def go_on(self, stage: Any) -> None:
        """Send the rest of the write in which the place was."""
        assert self._rest is not None
        (data, is_last), self._rest = self._rest, None
        self._cut_events = None
        if data:
            stage.line.raw(data)
        exchange = self._stream.exchange
        exchange.bytes_sent += self._counts[1]
        exchange.events_sent = self.events_sent
        if is_last:
            stage.line.done()
            stage.outcome = self.inner.outcome


class _GoOn:
    def __init__(self, trap: AtWireBytes) -> None:
        self._trap = trap

    async def perform(self, stage: Stage, outcome: Outcome) -> None:
        await self._trap.go_on(stage)
