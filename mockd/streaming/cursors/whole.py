"""One answer in one piece."""

from __future__ import annotations

from mockd.errors import MockdError
from mockd.journal.exchange import Outcome
from mockd.streaming.cursors.cursor import AT_ONCE
from mockd.streaming.ops import FINISH, Op


class WholeCursor:
    """A body in one piece, due at its head. It has no events."""

    __slots__ = ("_rows", "next_due", "op", "outcome")

    events_sent = 0
    last_event_id: str | None = None
    failure: MockdError | None = None
    retry: int | None = None

    def __init__(self, body: bytes) -> None:
        self._rows = [body]
        self.next_due = AT_ONCE
        self.op: Op | None = None
        self.outcome: Outcome | None = None

    def take(self, now: float, most: int = 0) -> list[bytes]:
        self.op, self.outcome = FINISH, "completed"
        return self._rows

    def note_last_id(self, id_: str) -> None:
        """A whole answer has no events."""

    def close(self) -> None:
        """Nothing is held."""
