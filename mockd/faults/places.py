"""Places in an answer, and the cursor that lets a fault strike at one."""

from __future__ import annotations

from collections.abc import Sequence

from mockd.config.fault import Fault
from mockd.faults.armed import Armed
from mockd.faults.strikes import Strike, Struck
from mockd.journal.exchange import Outcome
from mockd.program.timetable import BATCH
from mockd.streaming.calendar import ROUNDING_S
from mockd.streaming.cursors.around import Around, Beats, Due, Sent, taken_from
from mockd.streaming.cursors.cursor import AT_ONCE, Cursor, joined
from mockd.streaming.ops import FINISH, Op, Stage


class Trap(Around):
    """A cursor with a fault at its place: it is its inner one up to there; then the fault strikes, as an op. If the
    stream goes on, it is its inner one again.

    `held` are rows that come next, whatever is due. A pause shifts what follows if it says so.
    """

    def __init__(self, inner: Cursor, armed: Armed, strike: Strike, beats: Beats | None) -> None:
        super().__init__(inner)
        self.armed = armed
        self._strike = strike
        self._beats = beats
        self.held: list[bytes] = []
        self._waiting: list[bytes] = []
        self._is_due = False
        self._until: float | None = None
        self._since = self._shift = 0.0
        self._beats_meanwhile = self._shifts = self._is_hurried = False
        self._at_cut: Sent | None = None
        """What was sent before the event in which the place is."""

    # -- where it stands -------------------------------------------------------------------------------------------

    @property
    def _strikes(self) -> bool:
        return self._is_due or bool(self.held) or self._until is not None

    @property
    def is_due(self) -> bool:
        """Whether the place was reached, and the fault is yet to strike."""
        return self._is_due

    def is_busy(self, place: tuple[str, float]) -> bool:
        return (self.armed.place == place and self._strikes) or super().is_busy(place)

    @property
    def _waits(self) -> bool:
        """Whether the fault is to strike after others at the same place, which come before it."""
        return self._is_due and super().is_busy(self.armed.place)

    @property
    def next_due(self) -> float:
        if self._waits:
            return self.inner.next_due
        if self._is_due or self.held:
            return AT_ONCE
        if self._until is not None:
            if self._beats_meanwhile and self._beats is not None and not self._waiting:
                return min(self._until, self._beats.beat_at)
            return self._until
        return self._inner_due()

    def _inner_due(self) -> float:
        return self.inner.next_due + self._shift

    @property
    def op(self) -> Op | None:
        if self._is_due:
            return self.inner.op if self._waits else self
        return None if self.held or self._until is not None else self.inner.op

    @property
    def outcome(self) -> Outcome | None:
        return "aborted" if self._is_due and not self._waits else self.inner.outcome

    @property
    def events_sent(self) -> int:
        return self.inner.events_sent if self._at_cut is None else self._at_cut[0]

    @property
    def last_event_id(self) -> str | None:
        return self.inner.last_event_id if self._at_cut is None else self._at_cut[1]

    @property
    def taken(self) -> Sent:
        return taken_from(self.inner) if self._at_cut is None or self.unsent() else self._at_cut

    # -- rows ------------------------------------------------------------------------------------------------------

    def take(self, now: float, most: int = 0) -> list[bytes]:
        if self._is_due:
            return self.inner.take(now, most) if self._waits else []
        if self._until is not None and not self.held:
            if now < self._until:
                is_between = self._beats is not None and self._beats_meanwhile and not self._waiting
                return self._beats.beat(now) if is_between and self._beats is not None else []
            self._go_on()
            return []
        if self.held:
            rows, self.held, self._at_cut = self.held, [], None
            return rows
        if self.inner.op is not None or self._inner_due() > now:
            return []
        return self.rows(now - self._shift, most)

    def rows(self, now: float, most: int) -> list[bytes]:
        """The rows of the inner cursor, up to the place if that is still to come."""
        return self.inner.take(now, most)

    def reach(self, rest: Sequence[bytes] = (), sent: Sent | None = None) -> None:
        """This is the place: the fault strikes once the rows before it are out. `rest` comes after it, if anything
        does; `sent` is what was sent before, if the place is inside a row."""
        self.armed.reached = self._is_due = True
        self.held = list(rest)
        self._at_cut = sent

    async def perform(self, stage: Stage, outcome: Outcome) -> None:
        """Let the fault strike."""
        stage.line.flush()
        await stage.drain()
        self._is_due = False
        if not stage.line.is_gone:
            await self._strike(stage, self)  # type: ignore[arg-type]  # by its protocol

    # -- a client that does not read -------------------------------------------------------------------------------

    @property
    def patience_s(self) -> float | None:
        is_over, strike = self.armed.reached and not self._is_due, self._strike
        if is_over or not isinstance(strike, Struck) or not strike.ends_connection:
            return super().patience_s
        return strike.patience_s

    def broken_by(self, stage: Stage) -> Due | None:
        if not self._is_due or self._waits:
            return super().broken_by(stage)
        return Due(self._reached_at, self) if self._breaks(stage) else None

    def _breaks(self, stage: Stage) -> bool:
        return isinstance(self._strike, Struck) and self._strike.breaks(stage.line)

    @property
    def _reached_at(self) -> float:
        """The time since which its place is reached, if it is not that of what comes before."""
        return AT_ONCE

    def break_off(self, stage: Stage) -> None:
        """Let the fault break the connection off, though the client has not read all that comes before."""
        assert isinstance(self._strike, Struck)
        self.armed.reached = True
        self._strike.break_off(stage, self)  # type: ignore[arg-type]  # by its protocol

    def hurry(self) -> None:
        self._is_hurried = True
        self._until = None if self._until is None else AT_ONCE
        super().hurry()

    def unsent(self) -> list[bytes]:
        return [*self.held, *self._waiting, *super().unsent()]

    # -- what a strike may do --------------------------------------------------------------------------------------

    def leave(self) -> None:
        """Leave out the rest of the event in which the place is."""
        self.held = []

    def insert(self, rows: Sequence[bytes], *, is_behind: bool = False) -> None:
        """Send rows before what follows, or behind the event in which the place is."""
        self.held = [*self.held, *rows] if is_behind else [*rows, *self.held]

    def pause(self, now: float, seconds: float, *, beats: bool = False, shifts: bool = False) -> None:
        """Send nothing for so long, except heartbeats if `beats` is true."""
        self._since, self._until = now, now + (0.0 if self._is_hurried else seconds)
        self._beats_meanwhile, self._shifts = beats, shifts
        self._waiting, self.held = self.held, []

    def _go_on(self) -> None:
        assert self._until is not None
        if self._shifts:
            self._shift += self._until - self._since
        self._until = None
        self.held, self._waiting = self._waiting, []


class AtEvents(Trap):
    """A place after so many events."""

    def __init__(self, inner: Cursor, armed: Armed, strike: Strike, beats: Beats | None, place: int) -> None:
        super().__init__(inner, armed, strike, beats)
        self._place = place
        if not armed.reached and inner.events_sent >= place:
            self.reach()

    def rows(self, now: float, most: int) -> list[bytes]:
        inner = self.inner
        if self.armed.reached:
            return inner.take(now, most)
        rows: list[bytes] = []
        while (left := min(self._place - inner.events_sent, (most or BATCH) - len(rows))) > 0:
            taken = inner.take(now, left)
            rows += taken
            if not taken or inner.op is not None or inner.next_due > now:
                break
        if inner.events_sent >= self._place:
            self.reach()
        return rows


class AtBytes(Trap):
    """A place after so many bytes of the body, in the middle of a row if need be."""

    def __init__(self, inner: Cursor, armed: Armed, strike: Strike, beats: Beats | None, place: int) -> None:
        super().__init__(inner, armed, strike, beats)
        self._place = place
        if not armed.reached and armed.passed >= place:
            self.reach()

    def rows(self, now: float, most: int) -> list[bytes]:
        if self.armed.reached:
            return self.inner.take(now, most)
        rows: list[bytes] = []
        # One by one, so that it is known how many events are whole.
        for _ in range(most or BATCH):
            before = (self.inner.events_sent, self.inner.last_event_id)
            taken = self.inner.take(now, 1)
            rows += taken
            size = sum(map(len, taken))
            left = self._place - self.armed.passed
            self.armed.passed += min(size, left)
            if size >= left:
                whole = joined(taken)
                rows[len(rows) - len(taken) :] = [whole[:left]]
                rest = [whole[left:]] if size > left else []
                self.reach(rest, before if rest else None)
                return rows
            if not taken or self.inner.op is not None or self.inner.next_due > now:
                break
        return rows


class AtTime(Trap):
    """A place at a moment."""

    def __init__(self, inner: Cursor, armed: Armed, strike: Strike, beats: Beats | None, place: float) -> None:
        super().__init__(inner, armed, strike, beats)
        self._place = place

    @property
    def next_due(self) -> float:
        due = super().next_due
        return due if self.armed.reached else min(due, self._place)

    @property
    def _reached_at(self) -> float:
        return self._place

    @property
    def op(self) -> Op | None:
        # The end may be due later than the place.
        return super().op if self.armed.reached or self.inner.next_due <= self._place else None

    def take(self, now: float, most: int = 0) -> list[bytes]:
        if self.armed.reached:
            return super().take(now, most)
        until = min(now, self._place)
        rows = [] if self.inner.op is not None or self.inner.next_due > until else self.inner.take(until, most)
        if now >= self._place and not (self.inner.next_due <= self._place):
            self.reach()
        return rows


class AtEnd(Trap):
    """The place behind the last event."""

    @property
    def op(self) -> Op | None:
        op = super().op
        return self._guard if op is FINISH and not self.armed.reached else op

    def broken_by(self, stage: Stage) -> Due | None:
        due = self.next_due
        is_next = super().op is FINISH and not self.armed.reached and due <= stage.rows_time + ROUNDING_S
        return Due(due, self) if is_next and self._breaks(stage) else super().broken_by(stage)

    @property
    def _guard(self) -> Op:
        return _AtEndOp(self)


class _AtEndOp:
    """The fault in the place of the end."""

    def __init__(self, trap: AtEnd) -> None:
        self._trap = trap

    async def perform(self, stage: Stage, outcome: Outcome) -> None:
        self._trap.reach()
        await self._trap.perform(stage, outcome)


def trap(fault: Fault, inner: Cursor, armed: Armed, strike: Strike, beats: Beats | None, start: float) -> Trap:
    """The cursor for a fault whose place is behind the head. `start` is the time of the head."""
    if not fault.places:
        return AtEnd(inner, armed, strike, beats)
    if fault.after is None:
        return AtEvents(inner, armed, strike, beats, 0)
    if fault.after.unit == "events":
        return AtEvents(inner, armed, strike, beats, int(fault.after.count))
    if fault.after.unit == "bytes":
        return AtBytes(inner, armed, strike, beats, int(fault.after.count))
    return AtTime(inner, armed, strike, beats, start + fault.after.count / 1000)
