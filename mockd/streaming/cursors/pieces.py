"""The cursor over pieces that were made in advance, which are the same for every client."""

from __future__ import annotations

from bisect import bisect_right

from mockd.errors import MockdError
from mockd.journal.exchange import Outcome
from mockd.program.prepared import Pieces
from mockd.program.timetable import BATCH
from mockd.streaming.calendar import ROUNDING_S
from mockd.streaming.cursors.cursor import AT_ONCE, Batch, Cursor
from mockd.streaming.ops import FINISH, Op


class PiecesCursor:
    """The pieces from the head on. `now` is the time of the head, and `taken` the number of pieces that were taken."""

    __slots__ = ("_base", "_pieces", "events_sent", "last_event_id", "next_due", "op", "outcome", "taken")

    batch = Batch(BATCH)
    failure: MockdError | None = None
    retry: int | None = None

    def __init__(self, pieces: Pieces, now: float) -> None:
        self._pieces = pieces
        self._base = now
        self.taken = self.events_sent = 0
        self.last_event_id: str | None = None
        self.op: Op | None = None
        self.outcome: Outcome | None = None
        self.next_due = now + pieces.due[0]

    def take(self, now: float, most: int = 0) -> list[bytes]:
        pieces, begin = self._pieces, self.taken
        end = bisect_right(pieces.due, now - self._base, begin, min(begin + (most or BATCH), len(pieces.due)))
        if end == begin:
            return []
        self.taken, self.events_sent, self.last_event_id = end, pieces.events[end - 1], pieces.ids[end - 1]
        if end < len(pieces.due):
            self.next_due = self._base + pieces.due[end]
        else:
            self.op, self.outcome, self.next_due = FINISH, pieces.outcome, AT_ONCE
        return [row for row in pieces.rows[begin:end] if row]

    def hurry(self) -> None:
        """There is no pause before the end of its rows."""

    def note_last_id(self, id_: str) -> None:
        self.last_event_id = id_

    def close(self) -> None:
        """Nothing is held."""


def caught_up(cursor: Cursor, before: Cursor, head: float) -> Cursor:
    """The cursor of which those pieces are, at the place where the cursor over them is."""
    assert isinstance(before, PiecesCursor)
    for due in before._pieces.due[: before.taken]:
        cursor.take(head + due + ROUNDING_S, 1)
    return cursor


def all_pieces(cursor: Cursor, most: int, most_bytes: int) -> Pieces | None:
    """All pieces of a cursor that was opened at the time 0. None if they are too many, or do not end cleanly."""
    due: list[float] = []
    rows: list[bytes] = []
    events: list[int] = []
    ids: list[str | None] = []
    size, now = 0, 0.0
    while cursor.op is None and len(due) < most and size < most_bytes:
        now = max(now, cursor.next_due)
        row = b"".join(cursor.take(now + ROUNDING_S, 1))
        size += len(row)
        due.append(now)
        rows.append(row)
        events.append(cursor.events_sent)
        ids.append(cursor.last_event_id)
    if cursor.op is not FINISH or cursor.outcome is None or not due:
        return None
    return Pieces(due, rows, events, ids, cursor.outcome)
