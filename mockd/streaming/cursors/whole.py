"""What goes out in one piece."""

from __future__ import annotations

from mockd.errors import MockdError
from mockd.journal.exchange import Outcome
from mockd.streaming.cursors.cursor import AT_ONCE, NEVER
from mockd.streaming.ops import FINISH, Op


class WholeCursor:
    """A body in one piece, due at its head: a whole answer, which has no events, or all the events of a stream.
    Behind it comes the op `after`; None if the stream is kept open."""

    __slots__ = (
        "_after",
        "_body",
        "_events",
        "_last_event_id",
        "_outcome",
        "events_sent",
        "last_event_id",
        "next_due",
        "op",
        "outcome",
    )

    retry: int | None = None
    failure: MockdError | None = None

    def __init__(
        self,
        body: bytes,
        events: int = 0,
        last_event_id: str | None = None,
        outcome: Outcome = "completed",
        after: Op | None = FINISH,
    ) -> None:
        self._body = body
        self._events = events
        self._last_event_id = last_event_id
        self._outcome = outcome
        self._after = after
        self.next_due = AT_ONCE
        self.op: Op | None = None
        self.outcome: Outcome | None = None
        self.events_sent = 0
        self.last_event_id: str | None = None

    def take(self, now: float, most: int = 0) -> list[bytes]:
        self.op, self.outcome = self._after, self._outcome
        self.events_sent, self.last_event_id = self._events, self._last_event_id
        if self.op is None:
            self.next_due = NEVER
        return [self._body]

    def note_last_id(self, id_: str) -> None:
        """Nobody comes back to it."""

    def close(self) -> None:
        """Nothing is held."""
