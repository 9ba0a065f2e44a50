"""The chunks of a recording: rows that know where their chunks end go out in these, and at their times."""

from __future__ import annotations

from collections import deque

from mockd.program.recorded import RecordedRow
from mockd.program.timetable import BATCH
from mockd.streaming.calendar import ROUNDING_S
from mockd.streaming.cursors.chunks import Chunks
from mockd.streaming.cursors.cursor import AT_ONCE, joined


class AsRecorded(Chunks):
    """The rows in the chunks in which they were recorded. A row that is no part of the recording, or that was changed,
    is a chunk of its own, or the end of one."""

    def __init__(self) -> None:
        super().__init__()
        self._ends: deque[tuple[int, float]] = deque()
        """Where chunks end in the body, each with the time when it is due."""
        self._rest_due = AT_ONCE
        """When bytes are due that wait for the rest of their chunk."""

    @property
    def next_due(self) -> float:
        if self._ends:
            return self._ends[0][1]
        return self._rest_due if self.waits else self.inner.next_due

    def take(self, now: float, most: int = 0) -> list[bytes]:
        if self.next_due > now:
            return []
        if not self._ends:
            self._gather(now)
        if not self._ends or self._ends[0][1] > now:
            return []
        end, _ = self._ends.popleft()
        return self._piece(self._at + end - self._out)

    def _gather(self, now: float) -> None:
        """Take rows up to the end of a chunk, of those that are due at one moment, however late it is."""
        begin = self.next_due
        moment = now if begin == AT_ONCE else min(now, begin + ROUNDING_S)
        for _ in range(BATCH):
            begin = self._out + len(self._data) - self._at
            rows, due = self._due_by(moment)
            if not rows:
                if self.waits:
                    self._ends.append((begin, AT_ONCE))
                return
            self._note_ends(joined(rows), begin, due)
            if self._ends:
                return

    def _due_by(self, moment: float) -> tuple[list[bytes] | None, float]:
        """The next row that is due by then, and when it is. The cursor inside may know that of the row before until it
        is asked for more; what follows the ends of chunks in a row would be due too early then."""
        while True:
            due = self.inner.next_due
            rows = self._pull(moment if due == AT_ONCE else min(moment, due + ROUNDING_S / 2))
            if rows or not due < self.inner.next_due <= moment:
                return rows, moment if due == AT_ONCE else due

    def _note_ends(self, row: bytes, begin: int, due: float) -> None:
        """Take note of the ends of chunks in a row, which begins at that place of the body."""
        cuts, ends_chunk = (row.cuts, row.ends_chunk) if isinstance(row, RecordedRow) else ((), True)
        at = due
        for position, after_s in cuts:
            self._ends.append((begin + position, at))
            at = due + after_s
        if ends_chunk and row:
            self._ends.append((begin + len(row), at))
        else:
            self._rest_due = at

    def hurry(self) -> None:
        self._ends = deque((end, AT_ONCE) for end, _ in self._ends)
        self._rest_due = AT_ONCE
        super().hurry()
