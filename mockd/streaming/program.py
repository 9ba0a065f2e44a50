"""What one stream does, and what all of them share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from msgspec import Struct

from mockd.clock import Clock
from mockd.events import Fill
from mockd.framing import Framing
from mockd.headers import FixedHeaders
from mockd.journal.exchange import Exchange
from mockd.journal.registry import Registry
from mockd.program.prepared import Pieces, Prepared
from mockd.program.terms import Ending, Heartbeat, Lifetime
from mockd.streaming.calendar import Calendars
from mockd.streaming.cursors.cursor import Cursor
from mockd.streaming.ops import Op


class Services(Struct, frozen=True):
    """What every stream of an engine shares. `send_buffer` is in bytes; `send_timeout_s` of 0 is no limit."""

    clock: Clock
    calendars: Calendars
    registry: Registry
    send_buffer: int
    send_timeout_s: float


class Opening(Protocol):
    """What a cursor may know of its stream when it is opened."""

    exchange: Exchange

    def wake(self) -> None:
        """Look again at what is due."""


class Outermost(Protocol):
    """What is around all other cursors of a stream, first those of its rows and then those of its end: the pieces in
    which all of it goes out. `inner` is the cursor inside."""

    inner: Cursor

    def over(self, inner: Cursor, stream: Opening) -> Cursor:
        """The cursor of the stream, with the rows of another one behind those that wait."""


OpenCursor = Callable[[Opening, float], Cursor]


class Program(Struct):
    """What one stream does: its head, `delay_s` after the request; the cursor over its rows, or what
    opens one at the head, with the stream and that monotonic time; and how it ends.

    `is_whole`: one answer of known length. `is_listed`: a mock's, with a body. `prepared` is the body that the rows
    come to, if it may go out with the head. `first` are ops that are done before the head, up to one that ends the
    stream. `around` puts cursors around the one of the rows, and then around the end's. `chunks` are the pieces in
    which all of it goes out, if the mock says so. `breaking` ends it in the place of `CLOSE`, and is known to whom the
    ends of its lifecycle matter. `pieces` are what all these cursors come to, if that is known.
    `coming` is awaited for the program to go by instead, if it is not
    known yet.
    """

    status: int
    headers: FixedHeaders
    own: Sequence[tuple[bytes, bytes]]
    rows: Cursor | OpenCursor
    framing: Framing
    lifetime: Lifetime
    ending: Ending
    fill: Fill | None
    heartbeat: Heartbeat | None = None
    delay_s: float = 0.0
    flush_each: bool = False
    is_whole: bool = False
    is_listed: bool = True
    prepared: Prepared | None = None
    first: Sequence[Op] = ()
    around: Callable[[Cursor, Opening, float], Cursor] | None = None
    chunks: Outermost | None = None
    pieces: Pieces | None = None
    coming: Awaitable[Program] | None = None
    breaking: Op | None = None

    def opened(self, opening: Opening, now: float) -> Cursor:
        """The cursor over its rows, for a stream whose head goes out now."""
        if self.pieces is not None:
            from mockd.streaming.cursors.pieces import PiecesCursor

            return PiecesCursor(self.pieces, now)
        cursor = self.rows(opening, now) if callable(self.rows) else self.rows
        return self.whole(cursor, opening, now)

    def whole(self, cursor: Cursor, opening: Opening, now: float) -> Cursor:
        """A cursor, over the rows or over the end, with those that belong around it."""
        if self.around is not None:
            cursor = self.around(cursor, opening, now)
        return cursor if self.chunks is None else self.chunks.over(cursor, opening)
