"""The cursor over a compiled script, which is known in advance: taking a batch is a slice."""

from __future__ import annotations

from bisect import bisect_right
from typing import Any

from mockd.errors import MockdError
from mockd.events import Fill
from mockd.framing import Frame, FrameTemplate
from mockd.journal.exchange import Outcome
from mockd.program.script import CompiledScript
from mockd.program.terms import Terms
from mockd.program.timetable import Lead, Timetable
from mockd.streaming.cursors.cursor import AT_ONCE, NEVER, Batch, op_after
from mockd.streaming.ops import FINISH, Op


class ScriptCursor:
    """The rows of a compiled script, from its start to a stop that is known in advance. `now` is the time of the
    head."""

    # Slots and no struct, as attributes are set for each event and this is faster.
    __slots__ = (
        "_base",
        "_due",
        "_fill",
        "_index",
        "_lead",
        "_script",
        "_stop",
        "_table",
        "_taken",
        "_terms",
        "events_sent",
        "last_event_id",
        "next_due",
        "op",
        "outcome",
        "retry",
    )

    failure: MockdError | None = None
    op: Op | None
    outcome: Outcome | None
    last_event_id: str | None
    _lead: bytes | None

    def __init__(self, terms: Terms, script: CompiledScript, table: Timetable, fill: Fill, now: float) -> None:
        # This is done for each chat of a model, so attributes with one value are set together.
        self._terms = terms
        self._script = script
        self._table = table
        self._fill = fill
        self._base = now
        self._due = due = table.first
        self._index = self._taken = self.events_sent = 0
        self._lead = self.op = self.outcome = self.last_event_id = None
        self.retry = terms.retry
        self.next_due = AT_ONCE if due is None else now + due[0]
        self._stop, _ = script.stop
        if not self._stop:
            self._end()

    @property
    def batch(self) -> Batch:
        return Batch(min(self._table.most, len(self._table.frames) - self._index))

    def take(self, now: float, most: int = 0) -> list[bytes]:
        table, index, due = self._table, self._index, self._due
        end = min(index + (most or table.most), len(table.frames))
        if self._taken + end - index > self._stop:
            end = index + int(self._stop) - self._taken
        if due is not None:
            end = bisect_right(due, now - self._base, index, end)
        if end == index:
            return []
        batch = table.frames[index:end]
        rows: list[bytes] = self._filled(batch) if table.has_holes else batch  # type: ignore[assignment]
        if table.lead is not None:
            lead, is_led = self._lead or self._filled_lead(table.lead), table.is_led[index:end]
            rows = [lead + row if led else row for row, led in zip(rows, is_led, strict=True)]
        if self.retry is not None:
            self._add_retry(rows)
        counted = table.counted
        self.events_sent += end - index if counted is None else counted[end] - counted[index]
        if table.ids is not None:
            self._note_id(table.ids[index:end])
        self._taken += end - index
        if self._taken >= self._stop:
            self._end()
            return rows
        if end == len(table.frames):
            end = 0
            if due is not None:
                self._base += due[-1]
                self._due = due = table.later
        self._index = end
        if due is not None:
            self.next_due = self._base + due[end]
        return rows

    def _filled_lead(self, lead: Lead) -> bytes:
        self._lead = lead.render(self._fill)
        return self._lead

    def _filled(self, batch: list[Frame]) -> list[bytes]:
        fill, number, place, counted = self._fill, self._taken, self._index, self._table.counted
        first = self.events_sent + 1 - (place if counted is None else counted[place])
        rows = []
        for frame in batch:
            if isinstance(frame, FrameTemplate):
                fill.number = number
                fill.seq = first + (place if counted is None else counted[place])
                frame = frame.render(fill)
            rows.append(frame)
            number += 1
            place += 1
        return rows

    def _add_retry(self, rows: list[bytes]) -> None:
        """Add `retry` to the first event of the stream."""
        script = self._script
        for place, row in enumerate(rows):
            event = script.events[(self._taken + place) % script.length]
            if event.is_block:
                if event.takes_retry and self.retry is not None:
                    rows[place] = script.framing.with_retry(row, self.retry)
                self.retry = None
                return

    def _note_id(self, ids: list[Any]) -> None:
        for id_ in reversed(ids):
            if id_ is not None:
                self.last_event_id = id_
                return

    def _end(self) -> None:
        script = self._script
        self.outcome = script.stop[1]
        self.op = FINISH if script.ends_plainly else op_after(self._terms, self.outcome)
        self.next_due = NEVER if self.op is None else AT_ONCE

    def hurry(self) -> None:
        """There is no pause before the end of its rows."""

    def note_last_id(self, id_: str) -> None:
        self.last_event_id = id_

    def close(self) -> None:
        """Nothing is held."""
