"""A fault as a table entry: a trigger (a cursor around a cursor) with an op, put around the cursor of every answer."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from msgspec.structs import replace

from mockd.engine import Engine
from mockd.errors import MockdError
from mockd.journal.exchange import Exchange, Outcome
from mockd.program.timetable import BATCH
from mockd.request import RequestView
from mockd.streaming.cursors.cursor import AT_ONCE, NEVER, Batch, Cursor
from mockd.streaming.ops import CLOSE, RESET, Op, Stage
from mockd.streaming.stream import Program, Stream

JUNK = b"\0\1junk"
INTERLUDE = b": meanwhile\n"
STALL_S = 3.0


class Around:
    """A cursor around a cursor: it is its inner one up to its place, and has an op there, after a while."""

    def __init__(self, inner: Cursor, op: Op, pause_s: float) -> None:
        self._inner = inner
        self._op = op
        self._pause_s = pause_s
        self._op_due: float | None = None

    def _reach(self, now: float) -> None:
        """This is the place."""
        self._op_due = now + self._pause_s if self._pause_s else AT_ONCE

    @property
    def next_due(self) -> float:
        return self._inner.next_due if self._op_due is None else self._op_due

    @property
    def op(self) -> Op | None:
        return self._inner.op if self._op_due is None else self._op

    @property
    def outcome(self) -> Outcome | None:
        return self._inner.outcome if self._op_due is None else "aborted"

    @property
    def failure(self) -> MockdError | None:
        return self._inner.failure

    @property
    def events_sent(self) -> int:
        return self._inner.events_sent

    @property
    def last_event_id(self) -> str | None:
        return self._inner.last_event_id

    @property
    def retry(self) -> int | None:
        return self._inner.retry

    @property
    def batch(self) -> Batch:
        return self._inner.batch

    def hurry(self) -> None:
        self._inner.hurry()

    def note_last_id(self, id_: str) -> None:
        self._inner.note_last_id(id_)

    def close(self) -> None:
        self._inner.close()


class UntilEvents(Around):
    """After so many events with data."""

    def __init__(self, inner: Cursor, op: Op, pause_s: float, place: int, now: float) -> None:
        super().__init__(inner, op, pause_s)
        self._place = place
        if not place:
            self._reach(now)

    def take(self, now: float, most: int = 0) -> list[bytes]:
        inner = self._inner
        rows: list[bytes] = []
        while left := min(self._place - inner.events_sent, (most or BATCH) - len(rows)):
            taken = inner.take(now, left)
            rows += taken
            if not taken or inner.op is not None or inner.next_due > now:
                break
        if inner.events_sent == self._place:
            self._reach(now)
        return rows


class UntilBytes(Around):
    """After so many bytes of rows, in the middle of one if need be."""

    def __init__(self, inner: Cursor, op: Op, pause_s: float, place: int, now: float) -> None:
        super().__init__(inner, op, pause_s)
        self._left = place
        if not place:
            self._reach(now)

    def take(self, now: float, most: int = 0) -> list[bytes]:
        rows = self._inner.take(now, most)
        for number, row in enumerate(rows):
            if len(row) >= self._left:
                self._reach(now)
                return [*rows[:number], row[: self._left]]
            self._left -= len(row)
        return rows


class Interlude(UntilEvents):
    """Something is said after so many events, and the stream goes on: a cursor that is its own op."""

    def __init__(self, inner: Cursor, op: Op, pause_s: float, place: int, now: float) -> None:
        self._is_past = False
        super().__init__(inner, self, pause_s, place, now)

    def take(self, now: float, most: int = 0) -> list[bytes]:
        return self._inner.take(now, most) if self._is_past else super().take(now, most)

    async def perform(self, stage: Stage, outcome: Outcome) -> None:
        stage.line.write(INTERLUDE)
        self._is_past, self._op_due = True, None


class Gate(UntilEvents):
    """Nothing comes after so many events until the gate is opened."""

    def _reach(self, now: float) -> None:
        self._is_shut = not self._is_opened

    _is_shut = _is_opened = False

    @property
    def next_due(self) -> float:
        return NEVER if self._is_shut else self._inner.next_due

    def take(self, now: float, most: int = 0) -> list[bytes]:
        return self._inner.take(now, most) if self._is_opened else super().take(now, most)

    def open(self) -> None:
        self._is_shut, self._is_opened = False, True


class Junk:
    """Bytes that belong to no event, then the end of the connection."""

    async def perform(self, stage: Stage, outcome: Outcome) -> None:
        stage.line.write(JUNK)
        await CLOSE.perform(stage, outcome)


class End:
    """The clean end of the body, where it is not complete."""

    async def perform(self, stage: Stage, outcome: Outcome) -> None:
        stage.finish()
        stage.outcome = outcome


TRIGGERS: dict[str, Any] = {"events": UntilEvents, "bytes": UntilBytes, "interlude": Interlude, "gate": Gate}
OPS: dict[str, tuple[Op, float]] = {
    "reset": (RESET, 0),
    "close": (CLOSE, 0),
    "junk": (Junk(), 0),
    "end": (End(), 0),
    "stall": (CLOSE, STALL_S),
}
"""Each op with the seconds for which nothing comes before it."""


class FaultyEngine(Engine):
    """An engine with one fault for the answers of all mocks; there is none for a HEAD, nor for a 404."""

    trigger = "events"
    op = "reset"
    place: int | None = None
    opened: tuple[Stream, Any]
    """The last stream, and the cursor around its own."""

    def _program(self, request: RequestView, exchange: Exchange) -> Program:
        program = super()._program(request, exchange)
        return program if self.place is None or not program.is_listed else self._faulty(program)

    def _faulty(self, program: Program) -> Program:
        if program.coming is not None:
            return replace(program, coming=self._faulty_later(program.coming))

        def open_cursor(stream: Any, now: float) -> Cursor:
            cursor: Cursor = TRIGGERS[self.trigger](program.opened(stream, now), *OPS[self.op], self.place, now)
            self.opened = (stream, cursor)
            return cursor

        return replace(program, rows=open_cursor, prepared=None)

    async def _faulty_later(self, coming: Awaitable[Program]) -> Program:
        return self._faulty(await coming)
