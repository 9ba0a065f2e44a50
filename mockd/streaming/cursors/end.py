"""The cursor of the end of a stream, as its termination says."""

from __future__ import annotations

from mockd.errors import MockdError
from mockd.journal.exchange import Outcome
from mockd.streaming.cursors.around import taken_from
from mockd.streaming.cursors.cursor import AT_ONCE, ONE, Cursor
from mockd.streaming.ops import Op


class EndCursor:
    """The end of a stream after the rows that `before` has taken: perhaps a last row, and after a pause the op."""

    __slots__ = ("_op", "_op_due", "_row", "events_sent", "last_event_id", "next_due", "op", "outcome")

    batch = ONE
    failure: MockdError | None = None
    retry: int | None = None

    def __init__(self, before: Cursor, outcome: Outcome, row: bytes, op: Op, now: float, pause_s: float) -> None:
        self.outcome: Outcome | None = outcome
        self.events_sent, self.last_event_id = taken_from(before)
        self._row = row
        self._op = op
        self._op_due = now + pause_s
        self.op: Op | None = None if row else op
        self.next_due = AT_ONCE if row else self._op_due

    def take(self, now: float, most: int = 0) -> list[bytes]:
        row, self._row = self._row, b""
        self.op, self.next_due = self._op, self._op_due
        return [row] if row else []

    def hurry(self) -> None:
        self.next_due = AT_ONCE

    def note_last_id(self, id_: str) -> None:
        """The cursor before this one takes note of it."""

    def close(self) -> None:
        """Nothing is held."""
