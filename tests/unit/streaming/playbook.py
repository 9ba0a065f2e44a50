"""What a stream does to its line, command by command: no socket, no server, and time that stands still."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Any

from msgspec import Struct

from mockd.errors import MockdError
from mockd.events import Event, Fill
from mockd.framing import FRAMINGS, Framing, Row
from mockd.headers import FixedHeaders
from mockd.journal.exchange import Outcome
from mockd.journal.registry import Registry
from mockd.lines.memory import Command, MemoryLine
from mockd.program.prepared import Prepared
from mockd.program.terms import Ending, Heartbeat, Lifetime
from mockd.request import RequestView
from mockd.store import MemoryStore, ScopedStore
from mockd.streaming.answers import awaited
from mockd.streaming.calendar import Calendars
from mockd.streaming.cursors.cursor import AT_ONCE, NEVER, Batch, Cursor
from mockd.streaming.ops import FINISH, TURN_TO_END, Op
from mockd.streaming.program import Opening, Program, Services
from mockd.streaming.stream import Stream
from tests.manual_clock import ManualClock, settle

SSE = FRAMINGS["sse"]
RAW = FRAMINGS["raw"]
SEND_BUFFER = 256 * 1024
KEEPALIVE = b": keepalive\n"
FINAL = b"event: bye\ndata: 1\n\n"
FINAL_ROW = SSE.row(Event(type="bye", data=1))
ERROR = b"event: oops\ndata: 1\n\n"
ERROR_ROW = SSE.row(Event(type="oops", data=1))
LARGE = bytes(range(256)) * 1024
HEAD = (0, "head", 200)
HOLD_S = 1000.0
"""When a row is due for which no test waits."""


def each(seconds: float) -> Heartbeat:
    """A keepalive after so many seconds of silence."""
    return Heartbeat(seconds, Row(KEEPALIVE))


class Far(MemoryLine):
    """A client far away: what it is sent is not acknowledged at once, nor does its connection close at once."""

    in_flight = 10

    def unsent(self) -> int:
        return self.in_flight

    def unacknowledged(self) -> int | None:
        return self.in_flight

    def close(self) -> None:
        self._do("close", None)


class Limited(MemoryLine):
    """A client whose limit of unsent bytes is noted."""

    most = 0

    def limit(self, most: int) -> None:
        self.most = most


class Rows:
    """A cursor over rows, each with the seconds from the head at which it is due; at most `batch` (if not 0) are taken
    together. Behind the last stands an op, due at once; None keeps the stream open."""

    failure: MockdError | None = None
    last_event_id: str | None = None
    retry: int | None = None

    def __init__(
        self, rows: list[tuple[float, bytes]], batch: int, op: Op | None, outcome: Outcome, start: float
    ) -> None:
        self._rows = [(start + due, row) for due, row in rows]
        self._batch = batch
        self.batch = Batch(batch)
        self._end = (op, outcome)
        self.op: Op | None = None
        self.outcome: Outcome | None = None
        self.events_sent = 0
        self.is_closed = False
        self._look_on()

    def _look_on(self) -> None:
        if self._rows:
            self.next_due = self._rows[0][0]
        else:
            self.op, self.outcome = self._end
            self.next_due = NEVER if self.op is None else AT_ONCE

    def take(self, now: float, most: int = 0) -> list[bytes]:
        taken: list[bytes] = []
        most = most or self._batch
        while self._rows and self._rows[0][0] <= now and (not most or len(taken) < most):
            taken.append(self._rows.pop(0)[1])
        self.events_sent += len(taken)
        self._look_on()
        return taken

    def hurry(self) -> None:
        pass

    def note_last_id(self, id_: str) -> None:
        self.last_event_id = id_

    def close(self) -> None:
        assert not self.is_closed
        self.is_closed = True


class Terms(Struct, kw_only=True):
    """What a stream goes by; the rest of its program does not matter here."""

    batch: int = 0
    op: Op | None = FINISH
    outcome: Outcome = "completed"
    framing: Framing = SSE
    lifetime: Lifetime = Lifetime()
    heartbeat: Heartbeat | None = None
    delay_s: float = 0.0
    flush_each: bool = False
    is_prepared: bool = False
    is_whole: bool = False
    type: Any = "graceful"
    final: Row | None = None
    error: Row | None = None
    close_delay_s: float = 0.0
    http_version: str = "1.1"
    send_timeout_s: float = 30.0
    prepare: Any = None
    line: type[MemoryLine] = MemoryLine


class Play:
    """One stream on stage."""

    cursor: Rows

    def __init__(self, rows: list[tuple[float, bytes]], terms: Terms) -> None:
        self.clock = ManualClock()
        self.registry = Registry(self.clock, ScopedStore(MemoryStore(), "test"))
        scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "http_version": terms.http_version}
        self.line = terms.line(scope, note=self._note)
        self.exchange = self.registry.exchange(RequestView(scope))
        self._calendars = Calendars(self.clock)
        services = Services(self.clock, self._calendars, self.registry, SEND_BUFFER, terms.send_timeout_s)
        self._rows = rows
        self._terms = terms
        self.on_command: Callable[[Command], object] = lambda command: None
        self._done: list[tuple[int, str, Any]] = []
        program = self.program() if terms.prepare is None else awaited(terms.prepare(self))
        self.stream = Stream(services, self.line, self.exchange, program)
        self.task = asyncio.get_running_loop().create_task(self.stream.run())

    def program(self) -> Program:
        terms = self._terms
        plain = Ending(type=terms.type, final=terms.final, error=terms.error, close_delay_s=terms.close_delay_s)
        op = TURN_TO_END if terms.op is FINISH and not plain.is_plain else terms.op

        def open_cursor(opening: Opening, now: float) -> Cursor:
            self.cursor = Rows(self._rows, terms.batch, op, terms.outcome, now)
            return self.cursor

        return Program(
            status=200,
            headers=FixedHeaders([]),
            own=[],
            rows=open_cursor,
            framing=terms.framing,
            lifetime=terms.lifetime,
            ending=plain,
            fill=Fill(random.Random(1), self.clock),
            heartbeat=terms.heartbeat,
            delay_s=terms.delay_s,
            flush_each=terms.flush_each,
            is_whole=terms.is_whole,
            prepared=self._prepared() if terms.is_prepared else None,
        )

    def _prepared(self) -> Prepared:
        """The rows as a body that is known in advance; all of them must be due at the head."""
        body = b"".join(row for _, row in self._rows) + self._terms.framing.end
        return Prepared([body], None, len(self._rows), outcome=self._terms.outcome)

    def _note(self, command: Command) -> None:
        name, value = command
        self._done.append((self.clock.elapsed_ms, name, value["status"] if name == "head" else value))
        self.on_command(command)

    def done(self) -> list[tuple[int, str, Any]]:
        """Moment, in milliseconds, name and value of each command since this was last asked."""
        done, self._done = self._done, []
        return done

    async def after(self, seconds: float) -> list[tuple[int, str, Any]]:
        """Let time pass. Returns what was done."""
        await self.clock.advance(seconds)
        return self.done()

    async def leave(self) -> list[tuple[int, str, Any]]:
        """The client closes its connection."""
        self.line.leave("client-fin")
        await settle()
        return self.done()

    async def stop(self, outcome: Outcome = "closed_by_admin") -> list[tuple[int, str, Any]]:
        """The stream is told to end."""
        self.stream.request_stop(outcome)
        await settle()
        return self.done()

    async def read_on(self) -> list[tuple[int, str, Any]]:
        """The client reads again."""
        self.line.read_on()
        await settle()
        return self.done()

    @property
    def outcome(self) -> Outcome | None:
        """How it has ended; None while it goes on."""
        assert self.task.done() is (self.exchange.outcome is not None)
        return self.exchange.outcome

    @property
    def is_over(self) -> bool:
        """Whether it has ended with nothing left: no entry in the calendar, and the cursor is closed."""
        entries = self._calendars.of(self.task.get_loop())._buckets
        return (
            self.task.done()
            and not entries
            and self.cursor.is_closed
            and getattr(self.stream, "cursor", None) is not self.cursor
        )


async def play(*rows: bytes | tuple[float, bytes], **terms: Any) -> Play:
    """A stream that has gone as far as it goes at once. Rows are due at the head unless they say when."""
    timed = [row if isinstance(row, tuple) else (0.0, row) for row in rows]
    started = Play(timed, Terms(**terms))
    await settle()
    return started
