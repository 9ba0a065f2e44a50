"""The interface of all cursors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from mockd.errors import MockdError
from mockd.journal.exchange import Outcome
from mockd.program.terms import Ending, Lifetime
from mockd.streaming.ops import FINISH, TURN_TO_END, Op

NEVER = math.inf
AT_ONCE = -math.inf


class Batch(NamedTuple):
    """Most rows of one batch, and the number of bytes with which it is full."""

    rows: int
    bytes: float = math.inf


ONE = Batch(1)


class Cursor(Protocol):
    """A reader of the rows of one stream, which takes them when they are due. Times are monotonic seconds.

    A fault or a hold is a cursor around another one: it takes rows from that one up to a certain place, and has its op
    there.
    """

    @property
    def next_due(self) -> float:
        """Due time of the next row or, if there is one, of the op; `NEVER` while the source has nothing ready."""

    @property
    def op(self) -> Op | None:
        """What must be done after the rows that were taken; None while there are more rows."""

    @property
    def outcome(self) -> Outcome | None:
        """The way in which the rows came to their end; None while there are more."""

    @property
    def failure(self) -> MockdError | None:
        """The error, if the outcome is "failed"."""

    @property
    def events_sent(self) -> int:
        """Number of events with data that were taken."""

    @property
    def last_event_id(self) -> str | None:
        """The ID of the last event that was taken and has one, or None."""

    @property
    def retry(self) -> int | None:
        """The `retry` that must be added to the first event of this stream, or None."""

    @property
    def batch(self) -> Batch:
        """The size of the next batch."""

    def take(self, now: float, most: int = 0) -> list[bytes]:
        """The rows that are due, in order: at most `most`, or one batch if that is 0. Sets the attributes above."""

    def hurry(self) -> None:
        """Let nothing wait any more that is due only after a pause before the end."""

    def note_last_id(self, id_: str) -> None:
        """Take note that the stream ends with a final or error event that has this id."""

    def close(self) -> None:
        """Let go of everything, as the stream is over."""


class Ends(Protocol):
    """The part of the terms of a stream, or of its program, that says how it ends."""

    @property
    def lifetime(self) -> Lifetime:
        """The limits on its life."""

    @property
    def ending(self) -> Ending:
        """The way in which mockd ends it."""


def op_after(terms: Ends, outcome: Outcome) -> Op | None:
    """The op after the last row of a stream; None if the stream is kept open."""
    if outcome == "completed" and terms.lifetime.keep_open:
        return None
    return FINISH if terms.ending.is_plain and outcome in ("completed", "max_events") else TURN_TO_END


def joined(rows: Sequence[bytes]) -> bytes:
    """Rows as one. A single one stays what it is: one of a recording knows the chunks in which it goes out."""
    return rows[0] if len(rows) == 1 else b"".join(rows)
