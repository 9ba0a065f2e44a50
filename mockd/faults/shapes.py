"""Shapes: cursors that change the events behind a place. They never change what a session remembers, so that a client
that comes back gets what it has missed."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

from mockd.config.faults import Insert
from mockd.events import Event
from mockd.faults.armed import Armed
from mockd.faults.around import Around
from mockd.faults.site import Site
from mockd.framing import Framing
from mockd.placeholders import parse_event
from mockd.program.timetable import BATCH
from mockd.streaming.cursors.cursor import AT_ONCE, Cursor
from mockd.streaming.ops import Op

Change = Callable[[Framing, bytes, Armed], list[bytes]]
"""What becomes of the bytes of an event: the rows that are sent in its place."""


class Shaped(Around):
    """The rows, of which some events behind the place are changed one by one. `note` is called for the first."""

    def __init__(
        self, inner: Cursor, armed: Armed, site: Site, change: Change, start: float, note: Callable[[int], None]
    ) -> None:
        super().__init__(inner)
        self._armed = armed
        self._site = site
        self._change = change
        self._note = note
        self._events = inner.events_sent
        self._out: deque[tuple[bytes, int]] = deque()
        """Rows that come next, each with the number of events that it counts as."""
        after = armed.fault.after
        self._unit = "events" if after is None else after.unit
        self._place = 0.0 if after is None else after.count
        if self._unit == "ms":
            self._place = start + self._place / 1000

    @property
    def next_due(self) -> float:
        return AT_ONCE if self._out else self.inner.next_due

    @property
    def op(self) -> Op | None:
        return None if self._out else self.inner.op

    @property
    def events_sent(self) -> int:
        return self._events

    def take(self, now: float, most: int = 0) -> list[bytes]:
        if not self._has_work and not self._out:
            before = self.inner.events_sent
            rows = self.inner.take(now, most)
            self._events += self.inner.events_sent - before
            return rows
        most = most or BATCH
        for _ in range(most):  # and no more, as all of them may be left out
            if len(self._out) >= most or self.inner.op is not None or self.inner.next_due > now:
                break
            self._look_at_next(now)
        taken = [self._out.popleft() for _ in range(min(most, len(self._out)))]
        self._events += sum(count for _, count in taken)
        return [row for row, _ in taken]

    def _look_at_next(self, now: float) -> None:
        is_behind, before = self._is_behind(now), self.inner.events_sent
        row = b"".join(self.inner.take(now, 1))
        count = self.inner.events_sent - before
        rows = [row] if row else []
        if is_behind and self._has_work and count:
            if not self._armed.reached:
                self._armed.reached = True
                self._note(self._events + sum(count for _, count in self._out))
            rows = self._changed(row)
        self._armed.passed += len(row)
        self._out += [(changed, count) for changed in rows]

    def _is_behind(self, now: float) -> bool:
        """Whether the next row is behind the place."""
        if self._unit == "ms":
            return now >= self._place
        return (self.inner.events_sent if self._unit == "events" else self._armed.passed) >= self._place

    @property
    def _has_work(self) -> bool:
        return self._armed.left > 0

    def _changed(self, payload: bytes) -> list[bytes]:
        self._armed.left -= 1
        return self._change(self._site.framing, payload, self._armed)


class Reordered(Shaped):
    """The rows, of which some events are each sent behind the one that follows."""

    _late: Sequence[bytes] = ()

    @property
    def _has_work(self) -> bool:
        return bool(self._late) or super()._has_work

    @property
    def op(self) -> Op | None:
        return None if self._late and self.inner.op is not None else super().op

    @property
    def next_due(self) -> float:
        return AT_ONCE if self._late and self.inner.op is not None else super().next_due

    def take(self, now: float, most: int = 0) -> list[bytes]:
        if self._late and self.inner.op is not None and not self._out:  # nothing follows
            late, self._late = list(self._late), ()
            self._events += 1
            return late
        return super().take(now, most)

    def _changed(self, payload: bytes) -> list[bytes]:
        if self._late:
            late, self._late = list(self._late), ()
            return [payload, *late]
        super()._changed(payload)
        self._late = [payload]
        return []


def kept(framing: Framing, payload: bytes, armed: Armed) -> list[bytes]:
    return [payload]


def dropped(framing: Framing, payload: bytes, armed: Armed) -> list[bytes]:
    return []


def duplicated(framing: Framing, payload: bytes, armed: Armed) -> list[bytes]:
    return [payload, payload]


def malformed(framing: Framing, payload: bytes, armed: Armed) -> list[bytes]:
    data = framing.data_of(payload)
    return [framing.with_data(payload, data[: int(len(data) * armed.fault.at)])]


def corrupted(framing: Framing, payload: bytes, armed: Armed) -> list[bytes]:
    data = framing.data_of(payload)
    size = min(armed.fault.bytes, len(data))
    middle = (len(data) - size) // 2
    return [framing.with_data(payload, data[:middle] + b"\xff" * size + data[middle + size :])]


# -- what is inserted --------------------------------------------------------------------------------------------------


def inserted(site: Site, fault: Insert) -> bytes:
    """The bytes of an `insert`."""
    if fault.event is None:
        return fault.raw_base64 if fault.raw is None else fault.raw.encode()  # type: ignore[return-value]  # one is given
    return site.framing.row(parse_event(fault.event, ("event",))).filled(site.fill)[0]


# -- events that are made up -------------------------------------------------------------------------------------------


def unknown_event(framing: Framing) -> bytes:
    """An event of a type that no format has."""
    return _encoded(
        framing, Event({"type": "mockd.unknown", "mockd": "no format has this event"}, type="mockd.unknown")
    )


def huge_event(framing: Framing, size: int) -> bytes:
    """An event of so many bytes with its frame, or the smallest that there is."""
    least = len(_encoded(framing, Event("x"))) - 1
    return _encoded(framing, Event("x" * max(0, size - least)))


def _encoded(framing: Framing, event: Event) -> bytes:
    frame = framing.encode(event)
    assert isinstance(frame, bytes)
    return frame
