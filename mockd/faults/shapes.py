"""Shapes: cursors that change the events behind a place. They never change what a session remembers, so that a client
that comes back gets what it has missed."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

from mockd.config.faults import Insert
from mockd.events import Event
from mockd.faults.armed import Armed
from mockd.faults.site import Site
from mockd.framing import Framing
from mockd.journal.exchange import Outcome
from mockd.placeholders import parse_event
from mockd.program.timetable import BATCH
from mockd.streaming.cursors.around import Around, Sent, taken_from
from mockd.streaming.cursors.cursor import AT_ONCE, Cursor, joined
from mockd.streaming.ops import Op, Stage

Change = Callable[[Framing, bytes, Armed], list[bytes]]
"""What becomes of the bytes of an event: the rows that are sent in its place."""


class Shaped(Around):
    """The rows, of which some events behind the place are changed one by one. Before the first, all that was sent
    before it goes out, and the record is made, as an op."""

    def __init__(self, inner: Cursor, armed: Armed, site: Site, change: Change, start: float) -> None:
        super().__init__(inner)
        self._armed = armed
        self._site = site
        self._change = change
        self._events = inner.events_sent
        self._out: deque[tuple[bytes, int]] = deque()
        """Rows that come next, each with the number of events that it counts as."""
        self._struck: tuple[bytes, int] | None = None
        """The first event that is changed, until the record is made."""
        after = armed.fault.after
        self._unit = "events" if after is None else after.unit
        self._place = 0.0 if after is None else after.count
        if self._unit == "ms":
            self._place = start + self._place / 1000

    @property
    def next_due(self) -> float:
        return AT_ONCE if self._out or self._struck else self.inner.next_due

    @property
    def op(self) -> Op | None:
        if self._out:
            return None
        return self if self._struck else self.inner.op

    @property
    def outcome(self) -> Outcome | None:
        if self._out:
            return None
        return "aborted" if self._struck else self.inner.outcome

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
            if self._struck or len(self._out) >= most or self.inner.op is not None or self.inner.next_due > now:
                break
            self._look_at_next(now)
        taken = [self._out.popleft() for _ in range(min(most, len(self._out)))]
        self._events += sum(count for _, count in taken)
        return [row for row, _ in taken]

    def _look_at_next(self, now: float) -> None:
        is_behind, before = self._is_behind(now), self.inner.events_sent
        row = joined(self.inner.take(now, 1))
        count = self.inner.events_sent - before
        if not (is_behind and count and self._has_work):
            self._out += [(row, count)] if row else []
        elif self._armed.reached:
            self._out += [(changed, count) for changed in self._changed(row)]
        else:
            self._armed.reached, self._struck = True, (row, count)

    async def perform(self, stage: Stage, outcome: Outcome) -> None:
        """Change the first event, and make the record."""
        assert self._struck is not None
        (row, count), self._struck = self._struck, None
        stage.line.flush()
        await stage.drain()
        changed = self._changed(row)
        is_same = self._change not in (kept, dropped) and changed == [row]
        fidelity, as_ = ("unsupported", "the event has no data") if is_same else ("exact", None)
        self._site.note(self._armed, stage, self._events, fidelity, as_)
        self._out += [(one, count) for one in changed]

    def _is_behind(self, now: float) -> bool:
        """Whether the next row is behind the place."""
        if self._unit == "ms":
            return now >= self._place
        return (self.inner.events_sent if self._unit == "events" else self._site.passed) >= self._place

    @property
    def _has_work(self) -> bool:
        return self._armed.left > 0

    def _changed(self, payload: bytes) -> list[bytes]:
        self._armed.left -= 1
        return self._change(self._site.framing, payload, self._armed)


class Counted(Around):
    """All rows of a body, whose bytes are counted until those faults have struck that change the events behind so many
    of them. They are inside, so the rows are taken one by one."""

    def __init__(self, inner: Cursor, counting: Sequence[Armed], site: Site) -> None:
        super().__init__(inner)
        self._counting = counting
        self._site = site

    @property
    def taken(self) -> Sent:
        return taken_from(self.inner)

    def take(self, now: float, most: int = 0) -> list[bytes]:
        inner, rows = self.inner, list[bytes]()
        while len(rows) < (most or BATCH) and not all(armed.reached for armed in self._counting):
            taken = inner.take(now, 1)
            self._site.passed += sum(map(len, taken))
            rows += taken
            if not taken or inner.op is not None or inner.next_due > now:
                return rows
        return rows or inner.take(now, most)


class Reordered(Shaped):
    """The rows, of which some events are each sent behind the one that follows; before silence or the end of the
    stream if none follows."""

    @property
    def _late(self) -> bytes | None:
        # It outlives this cursor if the stream is told to end.
        return self._armed.late

    @property
    def _has_work(self) -> bool:
        return self._late is not None or super()._has_work

    @property
    def _is_last(self) -> bool:
        """Whether nothing follows the event that is late."""
        return self._late is not None and not self._out and self.inner.outcome is not None

    @property
    def op(self) -> Op | None:
        return None if self._is_last else super().op

    @property
    def outcome(self) -> Outcome | None:
        return None if self._is_last else super().outcome

    @property
    def next_due(self) -> float:
        return AT_ONCE if self._is_last else super().next_due

    def take(self, now: float, most: int = 0) -> list[bytes]:
        if not self._is_last:
            return super().take(now, most)
        late, self._armed.late = self._late, None
        self._events += 1
        return [] if late is None else [late]

    def _changed(self, payload: bytes) -> list[bytes]:
        if self._late is not None:
            late, self._armed.late = self._late, None
            return [payload, late]
        super()._changed(payload)
        self._armed.late = payload
        return []


def kept(framing: Framing, payload: bytes, armed: Armed) -> list[bytes]:
    return [payload]


def dropped(framing: Framing, payload: bytes, armed: Armed) -> list[bytes]:
    return []


def duplicated(framing: Framing, payload: bytes, armed: Armed) -> list[bytes]:
    return [payload, payload]


def malformed(framing: Framing, payload: bytes, armed: Armed) -> list[bytes]:
    data = framing.data_of(payload)
    return [framing.with_data(payload, data[: _between_characters(data, int(len(data) * armed.fault.at))])]


def _between_characters(data: bytes, place: int) -> int:
    """The place, or the one before the character of UTF-8 that it is inside."""
    start = max(0, place - 3)
    while place > start and place < len(data) and data[place] & 0xC0 == 0x80:
        place -= 1
    return place


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
