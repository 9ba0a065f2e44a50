"""Sessions: the events of a stream and of all streams that resume it, made once and on one schedule.

A session is a chain of entries, made one at a time as the first reader needs them. Every stream reads along the chain
at its own place, and entries that no stream can reach any more are freed by themselves.
"""

from __future__ import annotations

import asyncio
import math
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from itertools import count
from typing import Any

from msgspec import Struct

from mockd.config.environment import hidden
from mockd.errors import SourceError
from mockd.events import Event, Fill, Text
from mockd.framing import Frame, filled_id
from mockd.program.plan import StreamPlan
from mockd.program.ratelimit import Limiter, Verdict
from mockd.program.recorded import RecordedRow
from mockd.program.script import CompiledScript, Id

LOOKAHEAD = 64
"""Most events that are taken from a running source ahead of its readers."""
LOOKAHEAD_BYTES = 256 * 1024
"""Number of bytes of such events after which no more are taken."""
LONGEST_DROPPED = 100_000
"""Most events of a script that a rate limit may drop at once. A longer script counts as endless."""
PROMPT_S = 0.001
"""Time, in seconds, within which a running source must give an event that counts as ready."""
_NOT_IN_IDS = str.maketrans("", "", "\r\n\0")


class Step(Struct, frozen=True):
    """One event on its way into a session: its number in the session, its position in the list, its frame and id."""

    number: int
    position: int
    event: Event
    frame: Frame
    id: Id


def script_steps(script: CompiledScript, start: int = 0) -> Iterator[Step]:
    """The steps of a script from event `start` on, over all its passes."""
    for number in count(start):
        if number >= script.total:
            return
        place = number % script.length
        position = script.position_of(number)
        yield Step(number, position, script.events[place], script.frames[place], script.id_of(number))


def running_step(plan: StreamPlan, event: Event, number: int) -> Step:
    """The step of an event from a running source: framed now, with an assigned id if resume is on."""
    if not isinstance(event, Event):
        raise SourceError(f"`{type(plan.source).__name__}` yielded `{type(event).__name__}`, not `Event`")
    id_: Id = event.id
    if isinstance(id_, str):
        id_ = id_.translate(_NOT_IN_IDS)
    elif plan.resume is not None and event.takes_id:
        id_ = number
    if id_ is not None:
        event = event.with_open_id()
    return Step(number, number, event, plan.framing.encode(event), id_)


def running_steps(plan: StreamPlan, events: Iterator[Event]) -> Iterator[Step]:
    """The steps of a running source that is an ordinary iterator."""
    return (running_step(plan, event, number) for number, event in enumerate(events))


class Entry:
    """One event of a session. The first entry of a chain stands for the head and has no `step`.

    `due_s` is the due time in seconds from the head, and `count` the number of events with data up to this one.
    `sent_at` is monotonic time. An entry that `is_pushed` came from outside while the stream ran.
    """

    __slots__ = (
        "buffer",
        "connection_id",
        "count",
        "due_s",
        "id",
        "is_pushed",
        "next",
        "number",
        "payload",
        "sent_at",
        "sent_wall",
        "step",
        "verdict",
    )

    def __init__(self, step: Step | None, number: int, due_s: float, count_: int, id_: str | None = None) -> None:
        self.step = step
        self.number = number
        self.due_s = due_s
        self.count = count_
        self.id = id_
        self.verdict: Verdict = "sent"
        self.is_pushed = False
        self.payload = b""
        self.next: Entry | None = None
        self.buffer: Any = None
        """The `Buffer` that holds the entry, or None. Its class is in the layer above."""
        self.sent_at = 0.0
        self.sent_wall = 0.0
        self.connection_id: str | None = None

    @property
    def counted(self) -> int:
        return 0 if self.step is None else self.step.event.counted


class Session:
    """A chain of entries. `started` is the time of the head. `tail` is the last entry made, at first the head's."""

    def __init__(
        self, plan: StreamPlan, steps: Iterator[Step], fill: Fill, now: float, script: CompiledScript | None = None
    ) -> None:
        self.id = secrets.token_hex(6)
        self.plan = plan
        self.script = script
        self.started = now
        self.tail = Entry(None, -1, 0.0, 0)
        self.ended = False
        self.failure: SourceError | None = None
        self.readers: list[Callable[[], None]] = []
        """Callbacks, each of which wakes one stream."""
        self.fill = fill
        self._pushed = 0
        """Number of events that were pushed."""
        self._steps = steps
        self._due_s = 0.0
        is_endless = script is None or script.total > LONGEST_DROPPED
        self._limiter = Limiter(plan.rate_limit, is_endless=is_endless) if plan.rate_limit else None

    @classmethod
    def of_script(cls, plan: StreamPlan, script: CompiledScript, fill: Fill, now: float, start: int = 0) -> Session:
        """The session of a script. With `start`, it goes on from that event at `now`, as if those before it were
        sent."""
        first = start if script.stands_alone else 0
        session = cls(plan, script_steps(script, first), fill, now, script)
        session.tail = Entry(None, first - 1, 0.0, script.counted_before(first))
        while session.tail.number < start - 1 and (entry := session.after(session.tail)) is not None:
            if entry.verdict != "dropped":
                session.payload(entry)  # draws the same random values as the first time
        session.started -= session.tail.due_s
        return session

    def is_same_as(self, other: Session) -> bool:
        """Whether this session and another certainly have the same bytes: their script is the same, nothing in it is
        drawn, and their requests made the same of it."""
        script, fill, others = self.script, self.fill, other.fill
        is_alike = script is not None and script is other.script and not script.is_drawn
        return is_alike and fill.rendered == others.rendered and fill.slots == others.slots

    def after(self, entry: Entry) -> Entry | None:
        """The entry after this one. None if the session has ended, if its source has none ready yet (the readers are
        woken when it has), or if this entry `is_cut_off`."""
        if entry is self.tail and not self.ended:
            self._make_more()
        return entry.next

    def is_cut_off(self, entry: Entry) -> bool:
        """Whether the entries after this one have been cut off from it."""
        return entry.next is None and entry is not self.tail

    def payload(self, entry: Entry) -> bytes:
        """The entry's bytes, which are filled in on first use and then stay the same."""
        if not entry.payload and entry.step is not None:
            frame = entry.step.frame
            if isinstance(frame, bytes):
                entry.payload = frame
            else:
                self.fill.number = entry.step.number
                self.fill.seq = entry.count if entry.counted else entry.count + 1
                self.fill.event_id = entry.id or ""
                entry.payload = frame.render(self.fill)
        return entry.payload

    def readmit(self, entry: Entry, now: float) -> None:
        """Let an event that the limiter refused try again, for a client that has come back."""
        if entry.verdict == "refused" and self._limiter is not None:
            _, entry.verdict = self._limiter.admit(max(entry.due_s, now - self.started))

    def push(self, event: Event, after: Entry) -> None:
        """Put an event behind an entry, and behind those that were pushed there before it, due at once; those that
        follow keep their due times. From now on the session is one of its own, and is not made again from a script."""
        while after.next is not None and after.next.is_pushed:
            after = after.next
        self.script = None
        self._pushed += 1
        id_: Id = f"{self.id}-p{self._pushed}" if self.plan.resume is not None and event.takes_id else event.id
        step = Step(after.number + 1, 0, event, self.plan.framing.encode(event.with_open_id() if id_ else event), id_)
        if isinstance(id_, Text):
            self.fill.seq = after.count + 1
            id_ = filled_id(id_, self.fill)
        assert not isinstance(id_, int)
        entry = Entry(step, after.number + 1, -math.inf, after.count + event.counted, id_)
        entry.is_pushed, entry.next, after.next = True, after.next, entry
        if after is self.tail:
            self.tail = entry
        following = entry.next
        while following is not None:
            following.number += 1
            following.count += event.counted
            if following.step is not None and isinstance(following.step.id, int):
                following.id = f"{self.id}-{following.count}"
            following = following.next
        self._wake_readers()

    def _wake_readers(self) -> None:
        for wake in tuple(self.readers):
            wake()

    def close(self) -> None:
        """End a session that nobody will read on. An ordinary iterator is freed with it."""

    def _make_more(self) -> None:
        try:
            step = next(self._steps, None)
            if step is not None:
                self._append(step, 0.0)
        except Exception as error:
            self._fail(error)
        else:
            self.ended = step is None

    def _append(self, step: Step, not_before_s: float) -> None:
        """Put an event at the end of the chain. It is due its delay after the one before it."""
        limiter, counted = self._limiter, step.event.counted
        begin_s = self._due_s if limiter is None else max(self._due_s, limiter.rest_until)
        due_s = self.plan.pacing.due_s(step.number, step.position, step.event, self.fill.rng, begin_s)
        self._due_s = max(due_s, not_before_s)
        entry = Entry(step, step.number + self._pushed, self._due_s, self.tail.count, self._id_of(step))
        if limiter is not None and counted:
            entry.due_s, entry.verdict = limiter.admit(self._due_s)
        entry.count += 0 if entry.verdict == "dropped" else counted
        self.tail.next = entry
        self.tail = entry

    def _id_of(self, step: Step) -> str | None:
        if step.id is None or isinstance(step.id, str):
            return step.id
        if isinstance(step.id, Text):
            self.fill.seq = self.tail.count + 1
            return filled_id(step.id, self.fill)
        is_same = self.script is not None and self.script.is_same
        return str(step.id) if is_same else f"{self.id}-{self.tail.count + 1}"

    def _fail(self, error: BaseException) -> None:
        self.ended = True
        # Clients see this message, so it must not name the files of the system's errors.
        text = error.strerror if isinstance(error, OSError) else str(error)
        self.failure = SourceError(hidden(f"{type(error).__name__}: {text}", self.plan.filled))
        self.failure.filled = self.plan.filled
        self.failure.breaks_off = isinstance(error, SourceError) and error.breaks_off
        self.failure.__cause__ = error


class RunningSession(Session):
    """The session of a source that is awaited. Each event is due its delay after the one before it, or when it has come
    if that is later."""

    def __init__(self, plan: StreamPlan, events: AsyncIterator[Event], fill: Fill, now: float) -> None:
        super().__init__(plan, iter(()), fill, now)
        self._events = events
        self._numbers = count()
        self._loop = asyncio.get_running_loop()
        self._pulling: asyncio.Task[None] | None = None

    def _make_more(self) -> None:
        if self._loop.is_closed():
            self._fail(SourceError("the event loop it ran in is gone"))
        elif self._pulling is None:
            self._pulling = self._loop.create_task(self._pull())

    async def _pull(self) -> None:
        clock = self.fill.clock
        try:
            events = size = 0
            is_in_chunk = False  # whose rest is there already, and goes out with it
            while is_in_chunk or (events < LOOKAHEAD and size < LOOKAHEAD_BYTES):
                asked = clock.monotonic()
                event = await anext(self._events, None)
                if event is None:
                    self.ended = True
                    break
                now = clock.monotonic()
                # An event that was ready when it was asked for keeps the schedule, also in a stream that lags; the rest
                # of a chunk was, however long this process rested in between.
                has_come_late = now - asked > PROMPT_S and not is_in_chunk
                not_before_s = now - self.started if has_come_late else 0.0
                step = running_step(self.plan, event, next(self._numbers))
                events += 1
                size += len(step.frame) if isinstance(step.frame, bytes) else 0
                is_in_chunk = isinstance(step.frame, RecordedRow) and not step.frame.ends_chunk
                self._append(step, not_before_s)
                self._wake_readers()
        except asyncio.CancelledError:
            # Cancelling its task has ended the source before its last event.
            self._fail(SourceError("the source was stopped"))
            raise
        except Exception as error:
            self._fail(error)
        finally:
            self._pulling = None
        self._wake_readers()

    def close(self) -> None:
        """Let the source go, in its own event loop, as nobody will read on."""
        if not self.ended:
            self._fail(SourceError("its session is forgotten"))
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._let_go)

    def _let_go(self) -> None:
        task = self._loop.create_task(_close(self._pulling, self._events))
        _closing.add(task)
        task.add_done_callback(_closing.discard)


async def _close(pulling: asyncio.Task[None] | None, events: AsyncIterator[Event]) -> None:
    if pulling is not None:
        pulling.cancel()
        await asyncio.wait([pulling])
    if isinstance(events, AsyncGenerator):
        await events.aclose()


_closing: set[asyncio.Task[None]] = set()
"""The tasks that close sources, kept here so that they are not collected while they run."""
