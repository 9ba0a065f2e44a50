"""The cursors of an answer in one piece, and of no answer at all."""

from __future__ import annotations

from typing import ClassVar

from msgspec import Struct

from mockd.errors import MockdError
from mockd.journal.exchange import Outcome
from mockd.streaming.cursors.cursor import AT_ONCE, NEVER, ONE, Batch
from mockd.streaming.ops import FINISH, Op


class WholeCursor(Struct, eq=False):
    """The body of a whole answer, due at its head. It has no events. `encoding` is the one that mockd put it into."""

    body: bytes
    encoding: str | None = None
    next_due: float = AT_ONCE
    op: Op | None = None
    outcome: Outcome | None = None
    failure: MockdError | None = None
    events_sent: int = 0
    last_event_id: str | None = None
    retry: int | None = None
    batch: ClassVar[Batch] = ONE

    def take(self, now: float, most: int = 0) -> list[bytes]:
        self.op, self.outcome = FINISH, "completed"
        return [self.body]

    def hurry(self) -> None:
        """It is due at once."""

    def note_last_id(self, id_: str) -> None:
        """A whole answer has no events."""

    def close(self) -> None:
        """Nothing is held."""


class NoRows:
    """The cursor of a stream that has not begun, or is over."""

    next_due = NEVER
    op: Op | None = None
    outcome: Outcome | None = None
    failure: MockdError | None = None
    events_sent = 0
    last_event_id: str | None = None
    retry: int | None = None
    batch = ONE

    def take(self, now: float, most: int = 0) -> list[bytes]:
        return []

    def hurry(self) -> None:
        """Nothing is due."""

    def note_last_id(self, id_: str) -> None:
        """There is nothing to come back to."""

    def close(self) -> None:
        """Nothing is held."""


NO_ROWS = NoRows()
