"""The cursor of what is known in advance: taking a batch is a slice."""

from __future__ import annotations

from bisect import bisect_right
from typing import Any

from msgspec import Struct

from mockd.errors import MockdError
from mockd.events import Fill
from mockd.framing import Frame, FrameTemplate
from mockd.journal.exchange import Outcome
from mockd.program.script import CompiledScript
from mockd.program.terms import Terms
from mockd.program.timetable import Lead, Timetable
from mockd.streaming.cursors.cursor import AT_ONCE, NEVER, op_after
from mockd.streaming.ops import Op


class ScriptCursor(Struct, eq=False):
    """A compiled script, from its start to a stop that is known in advance. `base` is the moment of the head, or of the
    last event of the pass before; `due` are the times of this pass, from there."""

    terms: Terms
    script: CompiledScript
    table: Timetable
    fill: Fill
    base: float = 0.0
    due: list[float] | None = None
    next_due: float = AT_ONCE
    retry: int | None = None
    op: Op | None = None
    outcome: Outcome | None = None
    failure: MockdError | None = None
    events_sent: int = 0
    last_event_id: str | None = None
    _index: int = 0
    _taken: int = 0
    _lead: bytes | None = None

    @classmethod
    def at_head(cls, terms: Terms, script: CompiledScript, table: Timetable, fill: Fill, now: float) -> ScriptCursor:
        """The cursor of a stream whose head goes out now."""
        due = table.first
        cursor = cls(terms, script, table, fill, now, due, AT_ONCE if due is None else now + due[0], terms.retry)
        if not script.stop[0]:
            cursor._end()
        return cursor

    def take(self, now: float, most: int = 0) -> list[bytes]:
        if not self._taken and not most and (burst := self.script.burst) is not None:
            self.events_sent, self.last_event_id = burst.events_sent, burst.last_event_id
            self._end()
            return [burst.payload(self.fill)]
        table, index, due = self.table, self._index, self.due
        end = min(index + (most or table.most), len(table.frames))
        stop = self.script.stop[0]
        if self._taken + end - index > stop:
            end = index + int(stop) - self._taken
        if due is not None:
            end = bisect_right(due, now - self.base, index, end)
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
        self._advance(end)
        return rows

    def _filled_lead(self, lead: Lead) -> bytes:
        self._lead = lead.render(self.fill)
        return self._lead

    def _filled(self, batch: list[Frame]) -> list[bytes]:
        fill, number = self.fill, self._taken
        rows = []
        for frame in batch:
            if isinstance(frame, FrameTemplate):
                fill.number = number
                frame = frame.render(fill)
            rows.append(frame)
            number += 1
        return rows

    def _add_retry(self, rows: list[bytes]) -> None:
        """Give the first event of the connection its `retry`."""
        script = self.script
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

    def _advance(self, end: int) -> None:
        if self._taken >= self.script.stop[0]:
            self._end()
            return
        if end == len(self.table.frames):
            if self.due is not None:
                self.base += self.due[-1]
                self.due = self.table.later
            end = 0
        self._index = end
        if self.due is not None:
            self.next_due = self.base + self.due[end]

    def _end(self) -> None:
        self.outcome = self.script.stop[1]
        self.op = op_after(self.terms, self.outcome)
        self.next_due = NEVER if self.op is None else AT_ONCE

    def note_last_id(self, id_: str) -> None:
        self.last_event_id = id_

    def close(self) -> None:
        """Nothing is held."""
