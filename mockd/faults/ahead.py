"""A look ahead to the place of a break, while the client does not read."""

from __future__ import annotations

from collections import deque
from contextlib import nullcontext

from mockd.faults.site import Site
from mockd.faults.strikes import OwnBreak
from mockd.program.timetable import BATCH
from mockd.streaming.calendar import ROUNDING_S
from mockd.streaming.cursors.around import Due, Keeping, Sent
from mockd.streaming.cursors.cursor import Cursor
from mockd.streaming.ops import TURN_TO_END, Stage

MOST_BYTES = 16 * 1024 * 1024
"""Most bytes that are taken ahead. Whether a place behind so many is due is not known."""


class Ahead(Keeping):
    """The rows as they are. If the client does not read, those that are due are taken in advance, up to the place of a
    break, so that it is known since when that is due. They go out as they would have, if the client reads on. `own` is
    the break that the lifecycle of the stream says, with which every end `is_abrupt` or only some are."""

    def __init__(self, inner: Cursor, site: Site, own: OwnBreak | None, *, is_abrupt: bool) -> None:
        super().__init__(inner)
        self._site = site
        self._own = own
        self._is_abrupt = is_abrupt
        self._kept: deque[tuple[float, bytes, Sent]]  # each with its due time
        self._size = 0

    @property
    def patience_s(self) -> float | None:
        return super().patience_s if self._own is None else self._site.timeout_s

    @property
    def next_due(self) -> float:
        return self._kept[0][0] if self._kept else self.inner.next_due

    def take(self, now: float, most: int = 0) -> list[bytes]:
        if not self._kept:
            return self.inner.take(now, most)
        rows: list[bytes] = []
        while self._kept and self._kept[0][0] <= now and len(rows) < (most or BATCH):
            _, row, self._out = self._kept.popleft()
            self._size -= len(row)
            rows.append(row)
        return rows

    def unsent(self) -> list[bytes]:
        return [*(row for _, row, _ in self._kept), *super().unsent()]

    def broken_by(self, stage: Stage) -> Due | None:
        beats = self._site.body.beats
        with nullcontext() if beats is None else beats.silenced():  # nobody is to hear them
            self._take_ahead(stage.rows_time + ROUNDING_S)
            found = super().broken_by(stage) or self._own_break(stage)
        if found is None or not self._kept:
            return found
        return Due(max(found.since, self._kept[-1][0]), found.breaking)

    def _take_ahead(self, now: float) -> None:
        inner = self.inner
        if not self._kept:
            self._out = self._inner_sent()
        while inner.op is None and (due := inner.next_due) <= now and self._size < MOST_BYTES:
            rows = inner.take(now, 1)
            self._kept.extend((due, row, self._inner_sent()) for row in rows)
            self._size += sum(map(len, rows))
            if not rows:
                break

    def _own_break(self, stage: Stage) -> Due | None:
        """The break that the lifecycle of the stream says, if it comes next."""
        inner, own = self.inner, self._own
        if own is None or inner.op is None or inner.next_due > stage.rows_time + ROUNDING_S:
            return None
        is_next = inner.op is own or (inner.op is TURN_TO_END and (inner.outcome == "aborted" or self._is_abrupt))
        return Due(inner.next_due, own) if is_next else None
