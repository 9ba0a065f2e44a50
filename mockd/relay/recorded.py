"""What a relay tells of an exchange to whoever records it, and what listens if nobody does."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Protocol

from mockd.clock import Clock
from mockd.relay.heads import Headers

LARGE = 16 * 1024
"""Bytes above which a piece is recorded in a thread, as looking for secrets in it takes long."""


class Recording(Protocol):
    """One exchange that is being recorded. No method raises. `at` is the monotonic time at which it happened."""

    def input(self, data: bytes, at: float | None = None) -> None:
        """Note bytes of the request's body."""

    def input_end(self) -> None:
        """Note that the request is complete."""

    def info(self, status: int, reason: str, headers: Headers, at: float | None = None) -> None:
        """Note an informational answer."""

    def head(
        self, status: int, reason: str, headers: Headers, http_version: str = "1.1", at: float | None = None
    ) -> None:
        """Note status and headers of the answer."""

    def output(self, data: bytes, at: float | None = None) -> None:
        """Note a piece of the answer's body."""

    def trailers(self, headers: Headers, at: float | None = None) -> None:
        """Note the headers behind the body."""

    def end(self, how: str, text: str | None = None, at: float | None = None) -> None:
        """Note how it ended. Later calls do nothing."""


class Apart:
    """The thread in which large pieces are recorded."""

    def __init__(self) -> None:
        # One thread, as each busy thread makes the event loop wait longer for its turn.
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="mockd-record")
        self._working: set[asyncio.Future[None]] = set()

    def run(self, work: Callable[[], None]) -> asyncio.Future[None]:
        working = asyncio.get_running_loop().run_in_executor(self._executor, work)
        self._working.add(working)
        working.add_done_callback(self._working.discard)
        return working

    async def settled(self) -> None:
        """Wait until all that was told is recorded."""
        while self._working:
            await asyncio.wait(self._working)


class Notes:
    """What is told to a recording, in order: at once, or in a thread as long as a large piece is being recorded there.
    Without a recording, nothing is told."""

    def __init__(self, recording: Recording | None, clock: Clock, apart: Apart) -> None:
        self._recording = recording
        self._clock = clock
        self._apart = apart
        self._waiting: deque[Callable[[], None]] = deque()
        self._working: asyncio.Future[None] | None = None

    def input(self, data: bytes) -> None:
        self._tell("input", data, size=len(data))

    def info(self, status: int, reason: str, headers: Headers) -> None:
        self._tell("info", status, reason, headers, size=_size(headers))

    def head(self, status: int, reason: str, headers: Headers, http_version: str) -> None:
        self._tell("head", status, reason, headers, http_version, size=_size(headers))

    def output(self, data: bytes) -> None:
        self._tell("output", data, size=len(data))

    def trailers(self, headers: Headers) -> None:
        self._tell("trailers", headers, size=_size(headers))

    def end(self, how: str, text: str | None = None) -> None:
        self._tell("end", how, text)

    def input_end(self) -> None:
        if self._recording is not None:
            self._put(self._recording.input_end)

    async def settled(self) -> None:
        """Wait until all that was told is recorded, so that not much waits for that."""
        while self._working is not None:
            await asyncio.wait([self._working])

    def _tell(self, what: str, *values: Any, size: int = 0) -> None:
        if self._recording is not None:
            self._put(partial(getattr(self._recording, what), *values, at=self._clock.monotonic()), size)

    def _put(self, note: Callable[[], None], size: int = 0) -> None:
        if self._working is None and size <= LARGE:
            note()
            return
        self._waiting.append(note)
        if self._working is None:
            self._work()

    def _work(self) -> None:
        notes, self._waiting = self._waiting, deque()
        self._working = self._apart.run(partial(_record, notes))
        self._working.add_done_callback(self._go_on)

    def _go_on(self, _: object) -> None:
        self._working = None
        if self._waiting:
            self._work()


def _size(headers: Headers) -> int:
    return sum(len(name) + len(value) for name, value in headers)


def _record(notes: deque[Callable[[], None]]) -> None:
    while notes:
        notes.popleft()()
