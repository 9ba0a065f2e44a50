"""Feeds: what a stream takes its frames from, each when it is due.

Two kinds behind one interface, so that nothing above or below can tell them apart: `ScriptFeed` for what is known in
advance, where taking a batch is a slice; `SessionFeed` (in `session_feed`) for everything that needs code for each
event: resume, rate limits, drawn delays, sources that run.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from typing import Any, Protocol

from mockd.errors import MockdError
from mockd.events import Event, Fill
from mockd.framing import Frame, FrameTemplate, Framing
from mockd.streaming.connections import Outcome
from mockd.streaming.script import CompiledScript
from mockd.streaming.timetable import Timetable

NEVER = math.inf


class Feed(Protocol):
    """Frames of one stream. Times are monotonic seconds."""

    next_due: float
    """When the next frame is due; `NEVER` while the source has none ready."""
    ended: Outcome | None
    """How the feed came to its end; None while there is more."""
    failure: MockdError | None
    """What went wrong, where `ended` is "failed"."""
    events_sent: int
    """Events with data that have been taken."""
    last_event_id: str | None
    retry: int | None
    """What the first event of its connection has yet to say as `retry`."""

    def take(self, now: float, most: int = 0) -> list[bytes]:
        """The frames that are due, in order, at most `most` or (0) a batch; sets the attributes above."""

    def note_last_id(self, id_: str) -> None:
        """The stream ends with an event that has this id: its final or error event."""

    def close(self) -> None:
        """The stream is over."""


class ScriptFeed:
    """A compiled script, from its start to a stop that is known in advance."""

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
        "_why",
        "ended",
        "events_sent",
        "failure",
        "last_event_id",
        "next_due",
        "retry",
    )

    def __init__(
        self, script: CompiledScript, table: Timetable, fill: Fill, now: float, retry: int | None = None
    ) -> None:
        self.retry = retry
        self._script = script
        self._table = table
        self._fill = fill
        self._base = now
        self._due = table.first
        self._index = 0
        self._taken = 0
        self._lead = b"" if table.lead is None else table.lead.render(fill)
        self._stop, self._why = script.stop
        self.events_sent = 0
        self.last_event_id: str | None = None
        self.failure: MockdError | None = None
        self.ended: Outcome | None = None if self._stop else self._why
        self.next_due = NEVER if self.ended else now + self._due[0] if self._due else now

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
        frames = self._filled(batch) if table.has_holes else batch
        if table.lead is not None:
            lead, is_led = self._lead, table.is_led[index:end]
            frames = [lead + frame if led else frame for frame, led in zip(frames, is_led, strict=True)]  # type: ignore[operator]
        if self.retry is not None:
            self._say_retry(frames)
        counted = table.counted
        self.events_sent += end - index if counted is None else counted[end] - counted[index]
        if table.ids is not None:
            self._note_id(table.ids[index:end])
        self._taken += end - index
        self._advance(end)
        return frames  # type: ignore[return-value]  # without holes every frame is bytes

    def _filled(self, batch: list[Frame]) -> list[bytes]:
        fill, number = self._fill, self._taken
        frames = []
        for frame in batch:
            if isinstance(frame, FrameTemplate):
                fill.number = number
                frame = frame.render(fill)
            frames.append(frame)
            number += 1
        return frames

    def _say_retry(self, frames: list[Any]) -> None:
        script, retry = self._script, self.retry
        assert retry is not None
        for place, frame in enumerate(frames):
            event = script.events[(self._taken + place) % script.length]
            if event.is_block:
                frames[place], self.retry = with_retry(script.framing, event, frame, retry), None
                return

    def _note_id(self, ids: list[Any]) -> None:
        for id_ in reversed(ids):
            if id_ is not None:
                self.last_event_id = id_
                return

    def _advance(self, end: int) -> None:
        if self._taken >= self._stop:
            self.ended = self._why
            self.next_due = NEVER
            return
        if end == len(self._table.frames):
            if self._due is not None:
                self._base += self._due[-1]
                self._due = self._table.later
            end = 0
        self._index = end
        if self._due is not None:
            self.next_due = self._base + self._due[end]

    def note_last_id(self, id_: str) -> None:
        self.last_event_id = id_

    def close(self) -> None:
        """Nothing is held."""


def with_retry(framing: Framing, event: Event, payload: bytes, retry: int) -> bytes:
    """The bytes of a connection's first event with its `retry`; an event that has its own keeps that."""
    return framing.with_retry(payload, retry) if event.takes_retry else payload


class ReplyFeed:
    """One whole body, which is no event."""

    retry: int | None = None
    failure: MockdError | None = None
    events_sent = 0
    last_event_id: str | None = None

    def __init__(self, body: bytes) -> None:
        self._frames = [body]
        self.next_due = 0.0
        self.ended: Outcome | None = None

    def take(self, now: float, most: int = 0) -> list[bytes]:
        self.ended = "completed"
        self.next_due = NEVER
        return self._frames

    def note_last_id(self, id_: str) -> None:
        """A whole answer has no events."""

    def close(self) -> None:
        """Nothing is held."""
