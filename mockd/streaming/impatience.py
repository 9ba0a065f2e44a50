"""A watch on the client of a stream that is to be broken off: who does not read is not waited for any longer."""

from __future__ import annotations

from typing import Any, Protocol

from mockd.streaming.calendar import Calendar
from mockd.streaming.ops import Stage

LOOK_S = 0.05
"""Time, in seconds, between two looks at how much the client has yet to read."""


class Cuttable(Stage, Protocol):
    """The stream that waits."""

    cursor: Any
    """A cursor with `broken_by`: one that has `patience_s`."""

    def cut(self) -> None:
        """Give the stream up at once, whatever it is waiting for."""


class Impatience:
    """The time in which a stream waits for its client, from now until `end`. It is broken off once the client has read
    nothing for `patience_s` seconds, and the place of the break has been due as long."""

    def __init__(self, stream: Cuttable, calendar: Calendar, patience_s: float) -> None:
        self._stream = stream
        self._calendar = calendar
        self._patience_s = patience_s
        self._since, self._unsent = calendar.now(), stream.line.unsent()
        self._timer = self._calendar.call_at(self._since + LOOK_S, self._look)

    def end(self) -> None:
        """It waits no longer."""
        self._timer.cancel()
        del self._stream, self._timer  # nothing is left for the garbage collector

    def _look(self) -> float | None:
        stream, now = self._stream, self._calendar.now()
        if (left := stream.line.unsent()) < self._unsent:
            self._unsent, self._since = left, now
        if now - self._since >= self._patience_s:
            due = stream.cursor.broken_by(stream)
            if due is not None and stream.rows_time - due.since >= self._patience_s:
                due.breaking.break_off(stream)
                stream.cut()
                return None
        return now + LOOK_S
