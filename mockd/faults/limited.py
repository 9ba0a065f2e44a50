"""The limits of a stream in events, for faults that change how many there are."""

from __future__ import annotations

import math

from mockd.journal.exchange import Outcome
from mockd.program.terms import Terms
from mockd.program.timetable import BATCH
from mockd.streaming.cursors.around import Around
from mockd.streaming.cursors.cursor import AT_ONCE, NEVER, Cursor, op_after
from mockd.streaming.ops import Op


class Limited(Around):
    """The rows up to the limits of the terms, counted as they are sent. `before` is the number of events that earlier
    connections have sent of the same stream."""

    def __init__(self, inner: Cursor, terms: Terms, before: int) -> None:
        super().__init__(inner)
        self._terms = terms
        life = terms.lifetime
        self._breaks_at = math.inf if life.disconnect_after is None else life.disconnect_after
        self._most = min(self._breaks_at, life.max_events - before if life.max_events else math.inf)

    @property
    def _is_reached(self) -> bool:
        return self.inner.events_sent >= self._most

    @property
    def outcome(self) -> Outcome | None:
        if not self._is_reached:
            return self.inner.outcome
        return "aborted" if self.inner.events_sent >= self._breaks_at else "max_events"

    @property
    def op(self) -> Op | None:
        outcome = self.outcome
        return op_after(self._terms, outcome) if outcome is not None and self._is_reached else self.inner.op

    @property
    def next_due(self) -> float:
        if not self._is_reached:
            return self.inner.next_due
        return NEVER if self.op is None else AT_ONCE

    def take(self, now: float, most: int = 0) -> list[bytes]:
        inner, most = self.inner, most or BATCH
        rows: list[bytes] = []
        while (left := min(self._most - inner.events_sent, most - len(rows))) > 0:
            taken = inner.take(now, int(left))
            rows += taken
            if not taken or inner.op is not None or inner.next_due > now:
                break
        return rows
