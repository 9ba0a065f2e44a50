"""The pieces in which a body goes out, each a write and an HTTP chunk of its own: the outermost cursor of a stream, if
its mock says where the borders are."""

from __future__ import annotations

import math
import random
import re
from collections import deque
from collections.abc import Callable, Iterator
from itertools import accumulate, count, repeat
from typing import Protocol

from mockd.config.framing import FramingConfig, SplitEvery
from mockd.journal.exchange import Exchange, Outcome
from mockd.streaming.calendar import ROUNDING_S
from mockd.streaming.cursors.around import Around, Due
from mockd.streaming.cursors.cursor import AT_ONCE, NEVER, ONE, Cursor
from mockd.streaming.cursors.whole import NO_ROWS
from mockd.streaming.ops import TURN_TO_END, Op, Stage

RANDOM_BYTES = 64
"""Most bytes of a piece of random size."""
MOST_GATHERED = 1024 * 1024
"""Most bytes that wait for more events; they go out by themselves then."""

ROWS = 8
"""Most rows that one batch looks at for a piece: others get their turn after some batches."""

Border = Callable[[bytearray, int, int, int], int | None]
"""Finds the next border of a piece that begins at a position of the bytes, which is at an offset of the body. There is
none before a third position. It is None if it is not in these bytes, or cannot be told without those that follow."""


class Opened(Protocol):
    """What chunks know of their stream."""

    exchange: Exchange


class Chunks(Around):
    """The rows in pieces, one in each batch. An event counts once the piece with its last byte was taken. What the
    cursor inside has to do that is not data comes after the pieces of all that it gave before."""

    batch = ONE

    def __init__(self) -> None:
        super().__init__(NO_ROWS)
        self._exchange: Exchange | None = None
        self._data = bytearray()
        self._at = 0
        """Position in the bytes at which the next piece begins."""
        self._sent: tuple[int, str | None] = (0, None)
        """Number of events, and the ID of the last, that the pieces that were taken make."""
        self._marks: deque[tuple[int, tuple[int, str | None]]] = deque()
        """Where events end in the bytes that wait, with what is sent then."""
        self._out = 0
        """Number of bytes of the body before the first that waits."""

    def over(self, inner: Cursor, stream: Opened) -> Chunks:
        """These chunks with the rows of another cursor behind those that wait: the first, or the end's."""
        self._exchange = stream.exchange
        self.inner = inner
        return self

    @property
    def waits(self) -> bool:
        """Whether there are bytes that were taken from the cursor inside, and are still to go out."""
        return self._at < len(self._data)

    @property
    def op(self) -> Op | None:
        return None if self.waits else self.inner.op

    @property
    def outcome(self) -> Outcome | None:
        return None if self.waits else self.inner.outcome

    @property
    def events_sent(self) -> int:
        return self._sent[0] if self._marks else self.inner.events_sent

    @property
    def last_event_id(self) -> str | None:
        return self._sent[1] if self._marks else self.inner.last_event_id

    def _pull(self, until: float) -> list[bytes] | None:
        """Take the next row of the cursor inside that is due by then. Returns it, or nothing if an encoder keeps it
        back; None if there is none."""
        inner = self.inner
        if inner.op is not None or inner.next_due > until:
            return None
        before = inner.events_sent
        if not self._marks:
            self._sent = (before, inner.last_event_id)
        rows = inner.take(until, 1)
        if not self.waits:
            self._let_go()
        self._data += b"".join(rows)
        if inner.events_sent != before and self.waits:
            self._marks.append((self._out + len(self._data) - self._at, (inner.events_sent, inner.last_event_id)))
        return rows

    def close(self) -> None:
        """Let go of the cursor inside, as the program has these chunks for longer."""
        super().close()
        self.inner = NO_ROWS

    def _let_go(self) -> None:
        self._data, self._at = bytearray(), 0

    def _piece(self, end: int) -> list[bytes]:
        """The piece that ends there."""
        piece = bytes(self._data[self._at : end])
        self._at = end
        self._out += len(piece)
        while self._marks and self._marks[0][0] <= self._out:
            self._sent = self._marks.popleft()[1]
        return [piece] if piece else []


class Split(Chunks):
    """The rows in pieces with borders at certain places of the body, and `pause_s` between them. What is due at one
    moment is one; so borders do not depend on how late a stream is."""

    def __init__(self, border: Border, pause_s: float) -> None:
        super().__init__()
        self._border = border
        self._pause_s = pause_s
        self._next = AT_ONCE
        """When the next piece may go out."""
        self._moment = AT_ONCE
        """The end of the moment at which the bytes that wait were due."""
        self._seen = 0
        """Position before which there is no border."""
        self._leads_to_end = False
        """Whether what waits has no border, and the stream turns to its end, whose bytes belong to the same piece."""

    def over(self, inner: Cursor, stream: Opened) -> Chunks:
        self._leads_to_end = False
        return super().over(inner, stream)

    @property
    def op(self) -> Op | None:
        return TURN_TO_END if self._leads_to_end else super().op

    @property
    def outcome(self) -> Outcome | None:
        return self.inner.outcome if self._leads_to_end else super().outcome

    @property
    def next_due(self) -> float:
        if self.waits:
            return self._next
        return self.inner.next_due if self.inner.op is not None else max(self.inner.next_due, self._next)

    def take(self, now: float, most: int = 0) -> list[bytes]:
        if self._next > now:
            return []
        if not self.waits:
            due = self.inner.next_due
            self._moment = now if due == AT_ONCE else min(now, due + ROUNDING_S)
        for _ in range(ROWS):
            if (end := self._next_border()) is not None:
                break
            if self._pull(self._moment) is None:
                if self.waits and self.inner.op is TURN_TO_END:
                    self._leads_to_end = True
                    return []
                end = len(self._data)
                break
        else:
            return []  # and goes on with it, once others had their turn
        piece = self._piece(end)
        if piece and self._pause_s:
            self._next = now - ROUNDING_S + self._pause_s
        return piece

    def _next_border(self) -> int | None:
        data, at = self._data, self._at
        end = self._border(data, at, self._out, max(self._seen, at)) if self.waits else None
        self._seen = max(0, len(data) - 1) if end is None else end
        return len(data) if end is None and len(data) - at >= MOST_GATHERED else end

    def _let_go(self) -> None:
        super()._let_go()
        self._seen = 0

    def broken_by(self, stage: Stage) -> Due | None:
        # Pieces that wait for their pauses come before the place.
        return None if self.waits and self._pause_s else super().broken_by(stage)

    def hurry(self) -> None:
        self._pause_s, self._next = 0.0, AT_ONCE
        super().hurry()


class Coalesced(Chunks):
    """The rows in pieces of so many events or bytes, or of what is due within so long after the first; of less before
    something else is to be done, at the end, and while the stream is held."""

    def __init__(self, events: float = math.inf, size: int = MOST_GATHERED, wait_s: float = math.inf) -> None:
        super().__init__()
        self._most = events
        self._size = size
        self._wait_s = wait_s
        self._until = NEVER
        """When what was gathered goes out, however little it is."""

    @property
    def _is_complete(self) -> bool:
        """Whether what was gathered goes out now."""
        if not self.waits:
            return False
        inner, hand = self.inner, None if self._exchange is None else self._exchange.hand
        if inner.op is not None or inner.outcome is not None or (hand is not None and hand.is_held):
            return True
        gathered = self._marks[-1][1][0] - self._sent[0] if self._marks else 0
        return gathered >= self._most or len(self._data) - self._at >= self._size

    @property
    def next_due(self) -> float:
        return AT_ONCE if self._is_complete else min(self.inner.next_due, self._until)

    def take(self, now: float, most: int = 0) -> list[bytes]:
        for _ in range(ROWS):
            due = self.inner.next_due
            if self._is_complete or self._pull(min(now, self._until + ROUNDING_S)) is None:
                break
            # By its due time, so that it does not depend on how late the stream is.
            if self.waits and self._until == NEVER:
                self._until = (now - ROUNDING_S if due == AT_ONCE else due) + self._wait_s
        is_over = self._until <= now and self._until + ROUNDING_S < self.inner.next_due
        if not (self._is_complete or is_over):
            return []
        self._until = NEVER
        return self._piece(len(self._data))


def chunks_of(config: FramingConfig) -> Chunks | None:
    """The chunks of a new stream, or None if the server decides."""
    if isinstance(config.coalesce, int):
        return Coalesced(config.coalesce)
    if config.coalesce is not None:
        together = config.coalesce
        return Coalesced(size=together.bytes or MOST_GATHERED, wait_s=together.ms / 1000 or math.inf)
    return None if config.split is None else Split(_border(config.split), config.pause / 1000)


# -- borders -----------------------------------------------------------------------------------------------------------


def _border(split: str | SplitEvery | list[int]) -> Border:
    """The function that finds the borders of a new stream."""
    if isinstance(split, str):
        return _BY_TEXT[split]
    if isinstance(split, list):
        return _At(iter(split))
    if split.bytes is not None:
        return _At(count(split.bytes, split.bytes))
    rng = random.Random(split.random)
    return _At(accumulate(1 + int(rng.random() * RANDOM_BYTES) for _ in repeat(None)))


class _At:
    """Borders at rising offsets of the body."""

    def __init__(self, offsets: Iterator[int]) -> None:
        self._offsets = offsets
        self._next: int | None = 0

    def __call__(self, data: bytearray, at: int, offset: int, seen: int) -> int | None:
        while self._next is not None and self._next <= offset:
            self._next = next(self._offsets, None)
        end = None if self._next is None else at + self._next - offset
        return None if end is None or end > len(data) else end


_LINE_END = re.compile(rb"\n|\r(?:\n|(?=.))", re.DOTALL)
_INNER = re.compile(rb"[\x80-\xbf]")


def _after_line(data: bytearray, at: int, offset: int, seen: int) -> int | None:
    found = _LINE_END.search(data, seen)
    return None if found is None else found.end()


def _inside_line_end(data: bytearray, at: int, offset: int, seen: int) -> int | None:
    place = data.find(b"\r\n", seen)
    return None if place < 0 else place + 1


def _inside_character(data: bytearray, at: int, offset: int, seen: int) -> int | None:
    found = _INNER.search(data, max(at + 1, seen))
    return None if found is None else found.start()


_SIZES = ((0xF0, 4), (0xE0, 3), (0xC0, 2))
"""Least first byte of the characters of UTF-8 that have so many bytes."""


def _after_character(data: bytearray, at: int, offset: int, seen: int) -> int | None:
    """Behind the first character. What is no UTF-8 ends before the next byte that can begin a character."""
    size = next((size for least, size in _SIZES if data[at] >= least), 1)
    for place in range(at + 1, at + size):
        if place >= len(data):
            return None
        if data[place] & 0xC0 != 0x80:
            return place
    return at + size


_BY_TEXT: dict[str, Border] = {
    "lines": _after_line,
    "crlf": _inside_line_end,
    "utf8": _inside_character,
    "characters": _after_character,
}
