"""What every cursor has."""

from __future__ import annotations

import math
from typing import Protocol

from mockd.errors import MockdError
from mockd.journal.exchange import Outcome
from mockd.program.terms import Terms
from mockd.streaming.ops import FINISH, TURN_TO_END, Op

NEVER = math.inf
AT_ONCE = -math.inf


class Cursor(Protocol):
    """Takes the rows of one stream when they are due. Times are monotonic seconds.

    A fault or a hold is a cursor around a cursor: it takes from the inner one up to its place, and has an op there.
    """

    next_due: float
    """When the next row is due, or (if there is one) the op; `NEVER` while the source has nothing ready."""
    op: Op | None
    """What is to be done behind the rows that were taken; None while there are more rows."""
    outcome: Outcome | None
    """How the rows came to their end; None while there are more."""
    failure: MockdError | None
    """What went wrong, if the outcome is "failed"."""
    events_sent: int
    """Events with data that have been taken."""
    last_event_id: str | None
    retry: int | None
    """What the first event of this connection has yet to say as `retry`."""

    def take(self, now: float, most: int = 0) -> list[bytes]:
        """The rows that are due, in order, at most `most` or (0) a batch; sets the attributes above."""

    def note_last_id(self, id_: str) -> None:
        """The stream ends with an event that has this id: its final or error event."""

    def close(self) -> None:
        """The stream is over."""


def op_after(terms: Terms, outcome: Outcome) -> Op | None:
    """What is to be done once the rows of a stream have come to their end; None if it is kept open."""
    if outcome == "completed" and terms.lifetime.keep_open:
        return None
    return FINISH if terms.ending.is_plain and outcome in ("completed", "max_events") else TURN_TO_END
