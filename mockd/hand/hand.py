"""The cursor around the cursor of a stream that somebody holds, and the op that holds it before its head."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import structs

from mockd.faults.places import Trap
from mockd.hand.beside import Beside
from mockd.hand.held import Held
from mockd.hand.watches import Watch, Watched
from mockd.journal.exchange import Exchange, Outcome
from mockd.program.timetable import BATCH, BATCH_BYTES
from mockd.streaming.calendar import ROUNDING_S
from mockd.streaming.cursors.around import Around, Beats, Sent, layers, taken_from
from mockd.streaming.cursors.cursor import AT_ONCE, NEVER, Cursor, op_after
from mockd.streaming.cursors.session import SessionCursor
from mockd.streaming.cursors.whole import NO_ROWS
from mockd.streaming.ops import Op, Stage
from mockd.streaming.program import Opening, Program


class Hand(Held):
    """The hand on one stream. As a cursor it is the one inside as long as no hold stands. `_beside` are the rows of
    which that one does not know, and `_traps` the cursors of what strikes now. `on_change` is called when a hold begins
    or ends, and when events were sent.
    """

    def __init__(self, exchange: Exchange, on_change: Callable[[Hand], None]) -> None:
        super().__init__(exchange, on_change)
        self.watches: list[Watch] = []
        self.was_held = False
        """Whether it was told last that the stream is held."""
        self._is_laid = False
        self._beside = Beside()
        self._traps: list[Trap] = []

    # -- laying it on ----------------------------------------------------------------------------------------------

    def lay_on(self) -> None:
        """Lay the hand on a live stream, in its event loop: around its rows, or before its head."""
        if self._is_laid:
            return
        stream = self.stream
        if stream.cursor is NO_ROWS:
            stream.program = self.over(stream.program)
        else:
            stream.lay_around(self._around)

    def over(self, program: Program) -> Program:
        """The program of a stream on which the hand lies before it begins. A program that is yet to come is left as it
        is, as the stream asks again once it is there."""
        if program.coming is not None:
            return program
        self._is_laid = True
        around = program.around
        first = program.first if isinstance(program.first, list) else list(program.first)
        first.append(BeforeHead(self))  # also if the ops before it are being done already

        def put(cursor: Cursor, opening: Opening, now: float) -> Cursor:
            inner = cursor if around is None else around(cursor, opening, now)
            return inner if self._has_begun else self._begun(inner, now)

        return structs.replace(program, first=first, around=put, pieces=None)

    def _begun(self, inner: Cursor, now: float) -> Cursor:
        """The cursor of a stream whose head goes out now."""
        self._around(inner)
        if self.standing is not None and self._is_reached:
            self._begin(now)
        return self

    def _around(self, inner: Cursor) -> Cursor:
        self.inner = inner
        self._is_laid = self._has_begun = True
        self._time.shift, self._traps = 0.0, []
        self._beside.begin()
        return self

    # -- what people do with it, beside holding it -----------------------------------------------------------------

    def push(self, row: bytes, counted: int, id_: str | None) -> None:
        """Send a row now that is none of the cursor inside."""
        self._beside.waiting.append((row, counted, id_))
        self.stream.wake()

    def cut(self, make: Callable[[Cursor, Beats | None], Trap], around: Callable[[Trap], Cursor] | None) -> None:
        """Let something strike now, also while the stream is held: the trap that is made, whose place is here.
        `around` puts another cursor around it."""
        self._make_rows_of_heartbeats()
        trap = make(self.inner, self._beats)
        self._traps = [*filter(lambda other: other.is_due, self._traps), trap]
        self.inner = trap if around is None else around(trap)
        self.stream.wake()

    def add_before_head(self, op: Op, *, is_last: bool) -> None:
        """Add an op before the head of a stream that is held there. If it ends the stream, it is done now."""
        first = self.stream.program.first
        assert isinstance(first, list)
        first.append(op)
        if is_last:
            self.release()

    def answer_with(self, program: Program) -> None:
        """Let a stream that is held before its head answer with another program, whose rows nothing changes."""
        first, around = self.stream.program.first, lambda cursor, _, now: self._begun(cursor, now)
        self.stream.program = structs.replace(program, first=first, around=around)

    def change_events(self, shape: Callable[[Cursor], Cursor]) -> None:
        """Put a cursor around the one of the events themselves."""
        outer: Around = self
        while isinstance(outer.inner, Around):
            outer = outer.inner
        outer.inner = shape(outer.inner)
        self.stream.wake()

    def _make_rows_of_heartbeats(self) -> None:
        """Let the cursor inside send the heartbeats, so that a pause can keep them back."""
        stream = self.stream
        if (heartbeat := stream.program.heartbeat) is None:
            return
        now = self.rows_time(stream.clock.monotonic())
        self.inner = beats = Beats(self.inner, heartbeat, now)
        beats.is_quiet = self.is_held
        stream.program = structs.replace(stream.program, heartbeat=None)
        stream.keep_silent(is_so=True)

    @property
    def _strikes(self) -> bool:
        """Whether something strikes now."""
        return any(trap.is_due for trap in self._traps)

    @property
    def _inserts(self) -> bool:
        """Whether something that has struck has rows of its own to send."""
        return any(trap.held for trap in self._traps)

    # -- as a cursor -----------------------------------------------------------------------------------------------

    @property
    def next_due(self) -> float:
        if self._beside.waiting or self._strikes or self._inserts:
            return AT_ONCE
        if self.is_spent is not None and (not self.is_held or self._steps):
            return NEVER if self.op is None else AT_ONCE
        if not self.is_held:
            return self.inner.next_due + self._time.shift
        if self._can_step or self._is_pushed_to:
            return AT_ONCE
        beats = self._beats if self.standing is not None and self.standing.keepalives else None
        return NEVER if beats is None else self._time.when_moving(beats.beat_at)

    @property
    def op(self) -> Op | None:
        if self._beside.waiting or (self.is_held and not self._steps and not self._strikes):
            return None
        return self.inner.op if self._strikes or self.is_spent is None else op_after(self.stream.program, self.is_spent)

    @property
    def outcome(self) -> Outcome | None:
        return self.is_spent or self.inner.outcome

    @property
    def is_spent(self) -> Outcome | None:
        """The limit in events that is reached with those that were pushed, of which the cursor inside does not know."""
        if not self._beside.events:
            return None
        life, sent = self.stream.program.lifetime, self.events_sent
        if life.disconnect_after is not None and sent >= life.disconnect_after:
            return "aborted"
        return "max_events" if life.max_events and sent >= life.max_events else None

    @property
    def events_sent(self) -> int:
        return self.inner.events_sent + self._beside.events

    @property
    def last_event_id(self) -> str | None:
        return self._beside.last_id(self.inner.last_event_id)

    @property
    def taken(self) -> Sent:
        events, id_ = taken_from(self.inner)
        return events + self._beside.events, self._beside.last_id(id_)

    def take(self, now: float, most: int = 0) -> list[bytes]:
        if self._beside.waiting:
            rows = self._shown([self._take_pushed()])
        elif self.is_held and not self._can_step:
            is_now = self._is_pushed_to or self._inserts
            rows = self._shown(self.inner.take(self._time.at, 1) if is_now else self._beaten(now))
        elif self.is_held:
            rows = self._stepped(now)
        elif self.standing is None and not self._beside.events and not self.watches:
            return self.inner.take(self._time.now(now), most)
        else:
            return self._up_to_place(self._time.now(now), most or BATCH, now)
        return rows

    def _shown(self, rows: list[bytes]) -> list[bytes]:
        """Rows that go out now, which those who watch get to see."""
        for watch in self.watches:
            watch.sent(rows, self.events_sent, self.stream.program.framing)
        return rows

    @property
    def _can_step(self) -> bool:
        """Whether there is something to which a step may go on."""
        return self._steps > 0 and self.inner.next_due < NEVER

    @property
    def _is_pushed_to(self) -> bool:
        """Whether the next event was pushed into the session, and nothing has to be done before it."""
        inner = self.inner
        session = layers(inner)[-1]
        return (
            isinstance(session, SessionCursor) and session.has_pushed and inner.op is None and inner.next_due == AT_ONCE
        )

    def _take_pushed(self) -> bytes:
        row = self._beside.take(self.inner.last_event_id)
        if not self.is_held and self.standing is not None and self._is_reached:
            self._begin(self.stream.clock.monotonic())
        return row

    def _up_to_place(self, time: float, most: int, now: float) -> list[bytes]:
        """The rows that are due up to the place, one by one: it may be behind any of them."""
        inner = self.inner
        rows: list[bytes] = []
        size = 0
        while len(rows) < most and size < BATCH_BYTES and inner.op is None and inner.next_due <= time:
            taken = self._shown(inner.take(time, 1))
            rows += taken
            size += sum(map(len, taken))
            if self.standing is not None and self._is_reached:
                self._begin(now)
                break
            if not taken or self.is_spent is not None:
                break
        return rows

    def _stepped(self, now: float) -> list[bytes]:
        """The next events, whenever they are due, and the comments before them. The time of the cursor inside is that
        of the last one, so that the interval to the next counts from now."""
        inner, rows_time, time = self.inner, self._time, self._time.as_if_moving(now)
        rows: list[bytes] = []
        while self._steps and inner.op is None and (due := inner.next_due) < NEVER:
            if due != AT_ONCE:
                rows_time.at = due
            before = inner.events_sent
            taken = self._shown(inner.take(rows_time.at + ROUNDING_S, 1))
            rows += taken
            self._steps = max(0, self._steps - (inner.events_sent - before))
            if not taken or self.is_spent is not None:
                break
        if not rows:
            self._move_beats(rows_time.at - time)
        rows_time.since = now
        if not self._steps:
            self._tell()
        return rows

    def _beaten(self, now: float) -> list[bytes]:
        beats = self._beats
        return [] if beats is None else beats.beat(self._time.as_if_moving(now))

    def hurry(self) -> None:
        self._let_go()
        super().hurry()

    def close(self) -> None:
        self._let_go()
        super().close()
        self.inner, self._is_laid = NO_ROWS, False  # the stream turns to its end, or is over
        if self.watches and (stream := self.stream).is_ending:
            stream.lay_around(lambda end: Watched(end, self.watches, stream.program.framing))

    def _let_go(self) -> None:
        self._beside.waiting.clear()
        if self.exchange.stream is not None:
            self._end(self.stream.clock.monotonic())
        self.standing = None


class BeforeHead:
    """The op that waits until the stream may begin."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand

    async def perform(self, stage: Stage, outcome: Outcome) -> None:
        self._hand.reach_head()
        while self._hand.waits_before_head and not (stage.is_told_to_end or stage.line.is_lost):
            await stage.sleep_until(NEVER)
