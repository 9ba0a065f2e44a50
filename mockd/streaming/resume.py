"""Sessions: the events of one stream, kept so that a client can come back to them with `Last-Event-ID`.

A session is a chain of entries, made one at a time as its first reader needs them. Every connection that belongs to
it reads along the chain at its own place; entries that nobody can reach any more are gone by themselves. So events
are made once, two clients that come back with the same id each get the whole continuation, and all get the same.
"""

from __future__ import annotations

import asyncio
import math
import secrets
from collections import OrderedDict, deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any, NamedTuple

from mockd.clock import Clock, rfc3339
from mockd.errors import SourceError
from mockd.events import Event, Fill, Text
from mockd.streaming.compile import CompiledScript, StreamPlan
from mockd.streaming.framing import Frame

LOOKAHEAD = 64
"""Events taken from a source that runs, ahead of the stream."""


class Step(NamedTuple):
    """One event on its way into a session: its number in the stream, its position in the list, its frame and id."""

    number: int
    position: int
    event: Event
    frame: Frame
    id: str | Text | int | None


def script_steps(script: CompiledScript, start: int = 0) -> Iterator[Step]:
    """The steps of a script from event `start` on, over all its passes."""
    if not script.length:
        return
    total = script.total
    for number in count(start):
        if number >= total:
            return
        passes, position = divmod(number, script.length)
        id_ = _id_in_pass(script, position, passes)
        yield Step(number, position, script.events[position], script.frames[position], id_)


def _id_in_pass(script: CompiledScript, position: int, passes: int) -> str | Text | int | None:
    """The id of an event after so many passes: another one in each where clients can come back with it."""
    if not script.ids:
        given = script.events[position].id
        return given if isinstance(given, str) else None
    id_ = script.ids[position]
    if passes and isinstance(id_, int):
        return id_ + passes * script.data_events
    if passes and isinstance(id_, str) and id_:
        return f"{id_}#{passes + 1}"
    return id_


class Entry:
    """One event of a session. `due_s` is counted from the session's head, `count` is the events with data up to it."""

    __slots__ = ("connection_id", "count", "due_s", "id", "next", "payload", "sent_at", "sent_wall", "step")

    def __init__(self, step: Step | None, due_s: float, count_: int, id_: str | None) -> None:
        self.step = step
        self.due_s = due_s
        self.count = count_
        self.id = id_
        self.payload: bytes | None = None
        self.next: Entry | None = None
        self.sent_at = 0.0
        self.sent_wall = 0.0
        self.connection_id: str | None = None

    @property
    def number(self) -> int:
        return self.step.number if self.step else -1

    @property
    def counted(self) -> bool:
        return self.step is not None and self.step.event.counted


class Session:
    """The events of one stream: made once, read by each of its connections."""

    def __init__(
        self,
        plan: StreamPlan,
        steps: Iterator[Step] | AsyncIterator[Event],
        fill: Fill,
        now: float,
        *,
        script: CompiledScript | None = None,
        start: int = 0,
        counted: int = 0,
    ) -> None:
        self.id = secrets.token_hex(6)
        self.plan = plan
        self.script = script
        self.started = now
        self.last_active = now
        self.ended = False
        self.failure: SourceError | None = None
        self.live = 0
        self.issued = start
        """Events that somebody has been sent: the number after the highest of them."""
        self.tail = Entry(None, 0.0, counted, None)
        self.last_sent = self.tail
        self.held: deque[Entry] = deque()
        self.wake_readers: set[Callable[[], None]] = set()
        self._fill = fill
        self._steps = steps if isinstance(steps, Iterator) else None
        self._running = None if isinstance(steps, Iterator) else steps
        self._numbers = count(start)
        self._pulling: asyncio.Task[None] | None = None
        self._short_ids = script is not None and script.is_fixed and not fill.slots

    def after(self, entry: Entry) -> Entry | None:
        """The entry behind this one. None where the session has ended, or its source has none ready yet: then the
        session calls `wake_readers` when it has."""
        if entry.next is None and not self.ended:
            if self._steps is not None:
                self._take_step()
            else:
                self._pull()
        return entry.next

    def _take_step(self) -> None:
        assert self._steps is not None
        try:
            step = next(self._steps, None)
        except Exception as error:
            self._fail(error)
            return
        if step is None:
            self.ended = True
        else:
            self.append(step)

    def append(self, step: Step, not_before_s: float = 0.0) -> None:
        """Put an event at the end of the chain, due its delay after the one before it."""
        delay = self.plan.pacing.delay_s(step.number, step.position, step.event, self._fill.rng)
        due_s = max(self.tail.due_s, not_before_s) + delay
        entry = Entry(step, due_s, self.tail.count + step.event.counted, self._id_of(step, self.tail.count + 1))
        self.tail.next = entry
        self.tail = entry

    def _id_of(self, step: Step, counted: int) -> str | None:
        if step.id is None or isinstance(step.id, str):
            return step.id
        if isinstance(step.id, Text):
            return "".join(part if isinstance(part, str) else part.text(self._fill) for part in step.id)
        return str(step.id) if self._short_ids else f"{self.id}-{counted}"

    def payload(self, entry: Entry) -> bytes:
        """The entry's bytes, filled in when first asked for and the same ever after."""
        if entry.payload is None:
            assert entry.step is not None
            frame = entry.step.frame
            if isinstance(frame, bytes):
                entry.payload = frame
            else:
                self._fill.number = entry.number
                self._fill.event_id = entry.id or ""
                entry.payload = frame.render(self._fill)
        return entry.payload

    def before_oldest(self) -> Entry:
        """A place from which the oldest event held is the next; where none is, the first that was not sent yet."""
        if not self.held:
            return self.last_sent
        oldest = self.held[0]
        before = Entry(None, 0.0, oldest.count - oldest.counted, None)
        before.next = oldest
        return before

    def again(self, start: int) -> Iterator[Entry]:
        """Events of a fixed script that are held no longer, made anew from number `start` on; long due."""
        assert self.script is not None
        counted = self.script.counted_before(start)
        for step in script_steps(self.script, start):
            if step.number >= (self.held[0].number if self.held else self.issued):
                return
            counted += step.event.counted
            yield Entry(step, -math.inf, counted, self._id_of(step, counted))

    # -- sources that run ------------------------------------------------------------------------------------------

    def _pull(self) -> None:
        if self._pulling is None:
            self._pulling = asyncio.get_running_loop().create_task(self._pull_some())

    async def _pull_some(self) -> None:
        assert self._running is not None
        clock = self._fill.clock
        try:
            for _ in range(LOOKAHEAD):
                asked = clock.monotonic()
                event = await anext(self._running, None)
                if event is None:
                    self.ended = True
                    break
                now = clock.monotonic()
                # An event that had to be waited for is paced from its arrival; one that was ready is not, or the
                # schedule would drift by the time it takes to make it.
                arrived_s = now - self.started if now - asked > 0.001 else 0.0
                self.append(running_step(self.plan, event, next(self._numbers)), arrived_s)
                self._wake()
        except Exception as error:
            self._fail(error)
        finally:
            self._pulling = None
        self._wake()

    def _wake(self) -> None:
        for wake in tuple(self.wake_readers):
            wake()

    def _fail(self, error: Exception) -> None:
        self.ended = True
        # Clients see the message: of the system's errors without the names of files.
        text = error.strerror if isinstance(error, OSError) else str(error)
        self.failure = SourceError(f"{type(error).__name__}: {text}")
        self.failure.__cause__ = error

    def close(self) -> None:
        """Nobody will read on: let the source go."""
        self.ended = True
        if self._running is None:
            return
        try:
            task = asyncio.get_running_loop().create_task(_close(self._pulling, self._running))
        except RuntimeError:
            return  # its loop is gone, and the source with it
        _closing.add(task)
        task.add_done_callback(_closing.discard)


async def _close(pulling: asyncio.Task[None] | None, running: AsyncIterator[Event]) -> None:
    if pulling is not None:
        pulling.cancel()
        await asyncio.wait([pulling])
    if isinstance(running, AsyncGenerator):
        await running.aclose()


_closing: set[asyncio.Task[None]] = set()
"""Keeps the tasks that close sources from being collected while they run."""


def running_step(plan: StreamPlan, event: Event, number: int) -> Step:
    """The step of an event from a source that runs: framed now, with an assigned id where resume is on."""
    id_: str | Text | int | None = event.id
    if plan.resume is not None:
        if id_ is None and event.counted:
            id_ = number + 1
        event = event._replace(id=id_ if isinstance(id_, str | Text) else None)
    return Step(number, number, event, plan.framing.encode(event), id_)


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a session a connection goes on: behind `entry`; before that, entries from number `again_from` on are
    made anew until the held ones are reached. `counted` events with data came before."""

    session: Session
    entry: Entry
    counted: int = 0
    again_from: int | None = None
    finished: bool = False


class Sessions:
    """The sessions of one mock that clients can come back to, and the index of the ids they were given."""

    def __init__(self, *, buffer_size: int, max_age_s: float, max_sessions: int, clock: Clock) -> None:
        self._buffer_size = buffer_size
        self._max_age_s = max_age_s
        self._max_sessions = max_sessions
        self._clock = clock
        self._sessions: OrderedDict[str, Session] = OrderedDict()
        self._index: dict[str, tuple[Session, Entry]] = {}
        self._most_issued = 0

    def add(self, session: Session) -> None:
        """Remember a session; the least recently used one without a connection makes room."""
        self._sessions[session.id] = session
        self._expire()
        if len(self._sessions) > self._max_sessions:
            idle = next((other for other in self._sessions.values() if not other.live and other is not session), None)
            if idle is not None:
                self._drop(idle)

    def issued(self, session: Session, entry: Entry, connection_id: str) -> None:
        """Take note that an event is being sent."""
        now = self._clock.monotonic()
        session.last_active = now
        if entry.number >= session.issued:
            session.issued = entry.number + 1
            session.last_sent = entry
            self._most_issued = max(self._most_issued, session.issued)
            if entry.id is not None:
                entry.sent_wall = self._clock.wall()
                entry.connection_id = connection_id
                session.held.append(entry)
                if len(session.held) > self._buffer_size:
                    self._forget_oldest(session)
        entry.sent_at = now
        if entry.id:
            self._index[entry.id] = (session, entry)

    def find(self, last_event_id: str) -> Place | None:
        """Where a client that was last sent this id goes on; None where the id was never issued."""
        self._expire()
        held = self._index.get(last_event_id)
        if held is not None:
            return self._place(*held)
        stream, _, number_text = last_event_id.rpartition("-")
        session = self._sessions.get(stream)
        if session is not None and number_text.isdecimal() and int(number_text) <= session.tail.count:
            return self._place(session, session.before_oldest())
        return self._find_evicted(last_event_id)

    def _find_evicted(self, last_event_id: str) -> Place | None:
        """By the place of the id in the script, for ids that are the same for every client."""
        for session in reversed(self._sessions.values()):
            number = number_of(session.script, last_event_id) if session.script else None
            if number is not None and session.issued > number:
                if session.script is not None and session.script.is_fixed:
                    return self._place(session, session.before_oldest(), again_from=number + 1)
                return self._place(session, session.before_oldest())
        return None

    def was_issued(self, number: int) -> bool:
        """Whether any session of this mock, forgotten ones too, got as far as event `number` of its script."""
        return number < self._most_issued

    def _place(self, session: Session, entry: Entry, again_from: int | None = None) -> Place:
        self._sessions.move_to_end(session.id)
        life = session.plan.lifetime
        counted, following = entry.count, session.after(entry)
        if again_from is not None and session.script is not None:
            counted = session.script.counted_before(again_from)
            following = next(session.again(again_from), following)
        over = bool(life.max_events) and counted >= life.max_events
        finished = over or (following is None and session.ended and session.failure is None)
        return Place(session, entry, counted, again_from, finished and not life.keep_open)

    def buffer(self) -> list[dict[str, Any]]:
        """The events held, as JSON objects, in the order they were sent."""
        self._expire()
        held = [entry for session in self._sessions.values() for entry in session.held]
        return [
            {
                "id": entry.id,
                "event": _sent_event(entry),
                "timestamp": rfc3339(entry.sent_wall),
                "connection": entry.connection_id,
            }
            for entry in sorted(held, key=lambda entry: entry.sent_wall)
        ]

    def clear(self) -> int:
        """Forget the events held; how many there were."""
        cleared = sum(len(session.held) for session in self._sessions.values())
        for session in self._sessions.values():
            session.held.clear()
        self._index.clear()
        return cleared

    def close(self) -> None:
        """The mock is gone, and its sessions with it."""
        for session in list(self._sessions.values()):
            self._drop(session)

    def _expire(self) -> None:
        oldest = self._clock.monotonic() - self._max_age_s
        for session in list(self._sessions.values()):
            if session.last_active < oldest and not session.live:
                self._drop(session)
            while session.held and session.held[0].sent_at < oldest:
                self._forget_oldest(session)

    def _forget_oldest(self, session: Session) -> None:
        entry = session.held.popleft()
        if entry.id and self._index.get(entry.id) == (session, entry):
            del self._index[entry.id]

    def _drop(self, session: Session) -> None:
        while session.held:
            self._forget_oldest(session)
        self._sessions.pop(session.id, None)
        if not session.live:
            session.close()


def number_of(script: CompiledScript, id_: str) -> int | None:
    """The number in the stream of the event that has this id, where the script alone can tell."""
    base, mark, passes_text = id_.rpartition("#")
    if not (mark and passes_text.isdecimal() and int(passes_text) > 1):
        base, passes_text = id_, "1"
    if base in script.ids:
        return (int(passes_text) - 1) * script.length + script.ids.index(base)
    if not (id_.isascii() and id_.isdecimal() and script.data_events):
        return None
    passes, rest = divmod(int(id_) - 1, script.data_events)
    position = script.numbers[rest]
    return passes * script.length + position if passes >= 0 and isinstance(script.ids[position], int) else None


def _sent_event(entry: Entry) -> dict[str, Any]:
    """What the client was sent, as type and data."""
    sent: dict[str, Any] = {}
    lines = (entry.payload or b"").decode().replace("\r\n", "\n").split("\n")
    if types := [line[7:] for line in lines if line.startswith("event: ")]:
        sent["type"] = types[0]
    if data := [line[6:] for line in lines if line.startswith("data: ")]:
        sent["data"] = "\n".join(data)
    return sent
