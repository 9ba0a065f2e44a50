"""The cursor around the cursor of a stream that somebody holds, and the op that holds it before its head."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, Literal

from msgspec import structs

from mockd.config.hand import Hold
from mockd.faults.places import Trap
from mockd.hand.watches import Watch, Watched
from mockd.journal.exchange import Exchange, Outcome
from mockd.program.timetable import BATCH, BATCH_BYTES
from mockd.streaming.calendar import ROUNDING_S
from mockd.streaming.cursors.around import Around, Beats, Sent, taken_from
from mockd.streaming.cursors.cursor import AT_ONCE, NEVER, Cursor, op_after
from mockd.streaming.cursors.session import SessionCursor
from mockd.streaming.cursors.whole import NO_ROWS
from mockd.streaming.ops import Op, Stage
from mockd.streaming.program import Opening, Program
from mockd.streaming.stream import Stream

AT_ONCE_HOLD = Hold()
"""The hold that begins where the stream is."""


class Hand(Around):
    """The hand on one stream. As a cursor it is the one inside as long as no hold stands. `on_change` is called when
    that changes, and when events were sent.

    While the stream is held, the time of the cursor inside stands still at `_frozen`. It does so `_since` the hold
    began, or the last step. Later, it is `_shift` behind the stream's. `_steps` is the number of events that may go out
    although the stream is held.
    """

    def __init__(self, exchange: Exchange, on_change: Callable[[Hand], None]) -> None:
        super().__init__(NO_ROWS)
        self.exchange = exchange
        self.standing: Hold | None = None
        self.is_held = False
        self.watches: list[Watch] = []
        self._on_change = on_change
        self._loop = asyncio.get_running_loop()
        self.was_held = False
        """Whether it was told last that the stream is held."""
        self._is_laid = self._has_begun = False
        self._held_since = self._since = self._frozen = self._shift = 0.0
        self._steps = 0
        self._pushed: deque[tuple[bytes, int, str | None]] = deque()
        self._traps: list[Trap] = []
        """The cursors of what strikes now."""
        self._extra = 0
        """Number of events that were pushed beside those of the cursor inside."""
        self._pushed_id: tuple[str, str | None] | None = None
        """The ID that was pushed last, and the ID of the cursor inside at that time."""

    # -- laying it on ----------------------------------------------------------------------------------------------

    @property
    def stream(self) -> Stream:
        """The stream, which is live."""
        stream: Any = self.exchange.stream
        assert isinstance(stream, Stream)
        return stream

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
        self._extra, self._shift, self._pushed_id, self._traps = 0, 0.0, None, []
        return self

    # -- what people do with it ------------------------------------------------------------------------------------

    @property
    def held_at(self) -> int | Literal["head"] | None:
        """The place of the hold that stands: a number of events, or before the head."""
        if self.standing is None:
            return None
        if self.is_held:
            return self.events_sent if self._has_begun else "head"
        return self.standing.at

    @property
    def stands_still(self) -> bool:
        """Whether the stream is held, and all before the place was handed to the server."""
        return self.is_held and not self._steps and self.exchange.events_sent >= self.events_sent

    def hold(self, hold: Hold) -> None:
        """Hold the stream at a place, which replaces the place of an earlier hold."""
        now = self.stream.clock.monotonic()
        self._end(now)
        self.standing = hold
        if self._is_reached:
            self._begin(now)
        self.stream.wake()

    def release(self) -> None:
        """Let the stream go on."""
        if self.standing is not None and self.exchange.stream is not None:
            self._end(self.stream.clock.monotonic())
            self.stream.wake()
        self.standing = None

    def step(self, count: int) -> None:
        """Let so many events out now, and hold the stream behind them."""
        now = self.stream.clock.monotonic()
        if not self._has_begun:
            before = self.standing or AT_ONCE_HOLD
            self._end(now)
            self.standing = structs.replace(before, at=count)
        else:
            if not self.is_held:
                self.standing = self.standing or AT_ONCE_HOLD
                self._begin(now)
            self._steps += count
        self.stream.wake()

    def push(self, row: bytes, counted: int, id_: str | None) -> None:
        """Send a row now that is none of the cursor inside."""
        self._pushed.append((row, counted, id_))
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

    def change_events(self, shape: Callable[[Cursor], Cursor]) -> None:
        """Put a cursor around the one of the events themselves."""
        outer: Around = self
        while isinstance(outer.inner, Around):
            outer = outer.inner
        outer.inner = shape(outer.inner)
        self.stream.wake()

    def rows_time(self, now: float) -> float:
        """The time of the cursor inside."""
        return self._frozen if self.is_held else now - self._shift

    def sent(self) -> None:
        """Take note that the server has events that were taken."""
        self._on_change(self)

    # -- holding it ------------------------------------------------------------------------------------------------

    @property
    def _is_reached(self) -> bool:
        """Whether the stream is at the place of the hold that stands, or past it."""
        assert self.standing is not None
        at = self.standing.at
        if at is None or at == "head":
            return True
        return self._has_begun and self.events_sent >= at

    def reach_head(self) -> None:
        """The stream is ready to send its head."""
        if self.standing is not None and not self.is_held and self._is_reached:
            self._begin(self.stream.clock.monotonic())

    @property
    def waits_before_head(self) -> bool:
        return self.is_held and not self._has_begun

    def _begin(self, now: float) -> None:
        hold, stream = self.standing, self.stream
        assert hold is not None
        self.is_held, self._frozen = True, now - self._shift
        self._held_since = self._since = now
        if self._has_begun:
            self._keep_silent(is_so=True)
        if hold.freeze_timeouts:
            life = stream.program.lifetime
            stream.live(structs.replace(life, timeout_s=0.0, connection_timeout_s=0.0))
            self._lifetime = life
        self._tell()

    def _end(self, now: float) -> None:
        """End the hold that stands, if the stream is held."""
        if not self.is_held:
            return
        hold, stream, held_s = self.standing, self.stream, now - self._held_since
        assert hold is not None
        self.is_held, self._steps = False, 0
        if self._has_begun:
            self._shift = now - self._frozen
            self._move_beats(self._since - now)
            self._keep_silent(is_so=False)
        if hold.freeze_timeouts:
            life = self._lifetime
            longer_s = life.connection_timeout_s and life.connection_timeout_s + held_s
            stream.last_event += held_s
            stream.live(structs.replace(life, connection_timeout_s=longer_s))
        self._tell()

    def _keep_silent(self, *, is_so: bool) -> None:
        """Keep the cursor inside from sending heartbeats; the stream too, if the hold says so."""
        assert self.standing is not None
        if (beats := self._beats) is not None:
            beats.is_quiet = is_so
        if not self.standing.keepalives:
            self.stream.keep_silent(is_so=is_so)

    def _move_beats(self, seconds: float) -> None:
        if (beats := self._beats) is not None:
            beats.move(seconds)

    def _tell(self) -> None:
        """Tell that something has changed, once the rows that were taken are with the server."""
        self._loop.call_soon(self._on_change, self)

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

    @property
    def _beats(self) -> Beats | None:
        """The heartbeats, if they are rows of the cursor inside."""
        return next((cursor for cursor in layers(self.inner) if isinstance(cursor, Beats)), None)

    # -- as a cursor -----------------------------------------------------------------------------------------------

    @property
    def next_due(self) -> float:
        if self._pushed or self._strikes or self._inserts:
            return AT_ONCE
        if self.is_spent is not None and (not self.is_held or self._steps):
            return NEVER if self.op is None else AT_ONCE
        if not self.is_held:
            return self.inner.next_due + self._shift
        if self._can_step or self._is_pushed_to:
            return AT_ONCE
        beats = self._beats if self.standing is not None and self.standing.keepalives else None
        return NEVER if beats is None else beats.beat_at + self._since - self._frozen

    @property
    def op(self) -> Op | None:
        if self._pushed or (self.is_held and not self._steps and not self._strikes):
            return None
        return self.inner.op if self._strikes or self.is_spent is None else op_after(self.stream.program, self.is_spent)

    @property
    def outcome(self) -> Outcome | None:
        return self.is_spent or self.inner.outcome

    @property
    def is_spent(self) -> Outcome | None:
        """The limit in events that is reached with those that were pushed, of which the cursor inside does not know."""
        if not self._extra:
            return None
        life, sent = self.stream.program.lifetime, self.events_sent
        if life.disconnect_after is not None and sent >= life.disconnect_after:
            return "aborted"
        return "max_events" if life.max_events and sent >= life.max_events else None

    @property
    def events_sent(self) -> int:
        return self.inner.events_sent + self._extra

    @property
    def last_event_id(self) -> str | None:
        id_ = self.inner.last_event_id
        return self._pushed_id[0] if self._pushed_id is not None and self._pushed_id[1] == id_ else id_

    @property
    def taken(self) -> Sent:
        events, id_ = taken_from(self.inner)
        is_pushed = self._pushed_id is not None and self._pushed_id[1] == id_
        return events + self._extra, self._pushed_id[0] if is_pushed and self._pushed_id is not None else id_

    def take(self, now: float, most: int = 0) -> list[bytes]:
        if self._pushed:
            rows = self._shown([self._take_pushed()])
        elif self.is_held and not self._can_step:
            is_now = self._is_pushed_to or self._inserts
            rows = self._shown(self.inner.take(self._frozen, 1) if is_now else self._beaten(now))
        elif self.is_held:
            rows = self._stepped(now)
        elif self.standing is None and not self._extra and not self.watches:
            return self.inner.take(now - self._shift, most)
        else:
            return self._up_to_place(now - self._shift, most or BATCH, now)
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
        row, counted, id_ = self._pushed.popleft()
        self._extra += counted
        if id_ is not None:
            self._pushed_id = (id_, self.inner.last_event_id)
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
        inner, time = self.inner, now - self._since + self._frozen
        rows: list[bytes] = []
        while self._steps and inner.op is None and (due := inner.next_due) < NEVER:
            if due != AT_ONCE:
                self._frozen = due
            before = inner.events_sent
            taken = self._shown(inner.take(self._frozen + ROUNDING_S, 1))
            rows += taken
            self._steps = max(0, self._steps - (inner.events_sent - before))
            if not taken or self.is_spent is not None:
                break
        if not rows:
            self._move_beats(self._frozen - time)
        self._since = now
        if not self._steps:
            self._tell()
        return rows

    def _beaten(self, now: float) -> list[bytes]:
        beats = self._beats
        return [] if beats is None else beats.beat(now - self._since + self._frozen)

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
        self._pushed.clear()
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


def layers(cursor: Cursor) -> list[Cursor]:
    """A cursor and those inside it, from outside to inside."""
    found = [cursor]
    while isinstance(cursor, Around):
        cursor = cursor.inner
        found.append(cursor)
    return found
