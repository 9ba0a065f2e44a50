"""Cursors around a cursor: their base, and the two that make every byte of a body a row."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, Protocol

from mockd.errors import MockdError
from mockd.framing import Framing
from mockd.journal.exchange import Outcome
from mockd.program.terms import Heartbeat
from mockd.streaming.calendar import HEARTBEAT_GRID_S, ON_GRID_S, ROUNDING_S
from mockd.streaming.cursors.cursor import Batch, Cursor
from mockd.streaming.ops import FINISH, Op, Stage

Sent = tuple[int, str | None]
"""A number of events that were sent, and the ID of the last."""


class Breaking(Protocol):
    """What breaks the connection of a stream off."""

    def break_off(self, stage: Stage) -> None:
        """Break it off at once, though the client has not read all that comes before."""


class Due(NamedTuple):
    """A break whose place is due since a time of the rows, in monotonic seconds."""

    since: float
    breaking: Breaking


class Around:
    """A cursor that is its inner one, as far as a subclass does not say otherwise."""

    def __init__(self, inner: Cursor) -> None:
        self.inner = inner

    def is_busy(self, place: tuple[str, float]) -> bool:
        """Whether a fault is striking at that place, so that those after it must wait."""
        return isinstance(self.inner, Around) and self.inner.is_busy(place)

    @property
    def next_due(self) -> float:
        return self.inner.next_due

    @property
    def op(self) -> Op | None:
        return self.inner.op

    @property
    def outcome(self) -> Outcome | None:
        return self.inner.outcome

    @property
    def failure(self) -> MockdError | None:
        return self.inner.failure

    @property
    def events_sent(self) -> int:
        return self.inner.events_sent

    @property
    def last_event_id(self) -> str | None:
        return self.inner.last_event_id

    @property
    def taken(self) -> Sent:
        """What is sent once all is out that was taken."""
        return self.events_sent, self.last_event_id

    @property
    def retry(self) -> int | None:
        return self.inner.retry

    @property
    def batch(self) -> Batch:
        return self.inner.batch

    def take(self, now: float, most: int = 0) -> list[bytes]:
        return self.inner.take(now, most)

    def unsent(self) -> list[bytes]:
        """The bytes that were taken from the body and are still to go out, in order."""
        return self.inner.unsent() if isinstance(self.inner, Around) else []

    @property
    def patience_s(self) -> float | None:
        """How long, in seconds, a client may read nothing of what comes before a break; None if none is to come."""
        return self.inner.patience_s if isinstance(self.inner, Around) else None

    def broken_by(self, stage: Stage) -> Due | None:
        """The break whose place is due, though the client is yet to read what comes before it; None if none is."""
        return self.inner.broken_by(stage) if isinstance(self.inner, Around) else None

    def hurry(self) -> None:
        self.inner.hurry()

    def note_last_id(self, id_: str) -> None:
        self.inner.note_last_id(id_)

    def close(self) -> None:
        self.inner.close()


class Keeping(Around):
    """The rows, some of which are taken from the cursor inside before they go out. Each that is kept has, last, what is
    sent once it is out."""

    def __init__(self, inner: Cursor) -> None:
        super().__init__(inner)
        self._kept: deque[tuple[Any, ...]] = deque()
        self._out = self._inner_sent()
        """What is sent by the rows that are out, while some are kept."""

    def _inner_sent(self) -> Sent:
        return self.inner.events_sent, self.inner.last_event_id

    @property
    def op(self) -> Op | None:
        return None if self._kept else self.inner.op

    @property
    def outcome(self) -> Outcome | None:
        return None if self._kept else self.inner.outcome

    @property
    def events_sent(self) -> int:
        return self._out[0] if self._kept else self.inner.events_sent

    @property
    def last_event_id(self) -> str | None:
        return self._out[1] if self._kept else self.inner.last_event_id

    @property
    def taken(self) -> Sent:
        return taken_from(self.inner)


def taken_from(cursor: Cursor) -> Sent:
    """What is sent once all is out that was taken from a cursor."""
    return cursor.taken if isinstance(cursor, Around) else (cursor.events_sent, cursor.last_event_id)


def layers(cursor: Cursor) -> list[Cursor]:
    """A cursor and those inside it, from outside to inside."""
    found = [cursor]
    while isinstance(cursor, Around):
        cursor = cursor.inner
        found.append(cursor)
    return found


class Begun:
    """Whether a body has begun, for all cursors of a stream."""

    __slots__ = ("is_so",)

    def __init__(self, framing: Framing) -> None:
        self.is_so = not framing.has_opening


class Whole(Around):
    """The rows with the bytes that a framing adds: its opening in the first row, and its end as a row of its own."""

    def __init__(self, inner: Cursor, framing: Framing, begun: Begun) -> None:
        super().__init__(inner)
        self._framing = framing
        self._begun = begun
        self._has_ended = False

    @property
    def op(self) -> Op | None:
        return self.inner.op if self._has_ended or not self._owes_end() else None

    def _owes_end(self) -> bool:
        return self.inner.op is FINISH and bool(self._framing.end)

    def take(self, now: float, most: int = 0) -> list[bytes]:
        rows = [] if self.inner.op is not None else self.inner.take(now, most)
        if not rows and self._owes_end() and not self._has_ended and self.inner.next_due <= now:
            self._has_ended = True
            rows = [self._framing.end]
        if (
            rows
            and not self._begun.is_so
            and (first := next((place for place, row in enumerate(rows) if row), None)) is not None
        ):
            self._begun.is_so = True
            rows = [*rows[:first], self._framing.opening(rows[first]), *rows[first + 1 :]]
        return rows


class Beats(Around):
    """The rows with the heartbeats that break a silence between them. While it `is_quiet`, somebody else asks for
    each, and gets it in the form in which `form_of` puts rows that come from outside."""

    def __init__(
        self, inner: Cursor, heartbeat: Heartbeat, now: float, form_of: Callable[[bytes], bytes] = bytes
    ) -> None:
        super().__init__(inner)
        self._form_of = form_of
        self._heartbeat = heartbeat
        self._last = now
        self.is_quiet = False

    @property
    def beat_at(self) -> float:
        """When the next heartbeat is due, if nothing is sent before."""
        every_s = self._heartbeat.every_s
        due = self._last + every_s
        return due if every_s < ON_GRID_S else math.ceil(due / HEARTBEAT_GRID_S) * HEARTBEAT_GRID_S

    def move(self, seconds: float) -> None:
        """Let the silence have begun so much later."""
        self._last += seconds

    @property
    def next_due(self) -> float:
        return self.inner.next_due if self.is_quiet else min(self.inner.next_due, self.beat_at)

    @property
    def op(self) -> Op | None:
        # An op that is yet to come must not keep heartbeats from being sent.
        return None if self.beat_at < self.inner.next_due and not self.is_quiet else self.inner.op

    def take(self, now: float, most: int = 0) -> list[bytes]:
        rows = [] if self.inner.op is not None or self.inner.next_due > now else self.inner.take(now, most)
        if not rows and self.inner.next_due > now and not self.is_quiet:
            rows = self._beaten(now)
        if rows:
            self._last = now - ROUNDING_S
        return rows

    @contextmanager
    def silenced(self) -> Iterator[None]:
        """Let no heartbeats be rows for a while."""
        was_quiet, self.is_quiet = self.is_quiet, True
        try:
            yield
        finally:
            self.is_quiet = was_quiet

    def beat(self, now: float) -> list[bytes]:
        """The heartbeat, if one is due, for somebody else."""
        return [row for row in map(self._form_of, self._beaten(now)) if row]

    def _beaten(self, now: float) -> list[bytes]:
        if self.beat_at > now:
            return []
        self._last = now - ROUNDING_S
        payload, id_ = self._heartbeat.beat()
        if id_ is not None:
            self.inner.note_last_id(id_)
        return [payload]
