"""A line in memory, for tests without a socket: it records what a stream does as a list of commands."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from mockd.headers import FixedHeaders
from mockd.lines.delivery import Delivery, Departure
from mockd.lines.line import Line
from mockd.request import Scope

Command = tuple[str, Any]
"""A command as (name, value). The names are head, write, finish, raw, done, close and abort."""


class MemoryLine(Line):
    """A line that records commands, and calls `note` with each. It has `backlog` bytes unsent while its client does not
    read."""

    __slots__ = ("_body", "_callback", "_reads", "backlog", "commands", "departure", "note")

    writes_at_once = True
    sends_raw = True
    breaks_off = True
    decides_head = True

    def __init__(self, scope: Scope, body: bytes = b"", note: Callable[[Command], None] = lambda command: None) -> None:
        super().__init__(scope, self._no_more, self._no_messages)
        self._body = body
        self._callback: Callable[[], None] | None = None
        self._reads = asyncio.Event()
        self._reads.set()
        self.backlog = 1 << 20
        self.departure: Departure | None = None
        self.commands: list[Command] = []
        self.note = note

    async def _no_more(self) -> Any:
        raise AssertionError("the body of a request in memory is there from the start")

    async def _no_messages(self, message: Any) -> None:
        raise AssertionError("a line in memory sends no messages")

    def received(self, most: int) -> bytes | None:
        return self._body

    def _do(self, name: str, value: Any) -> None:
        self.commands.append((name, value))
        self.note((name, value))

    def head(self, status: int, headers: FixedHeaders, own: Sequence[tuple[bytes, bytes]] = ()) -> None:
        self._head = {"status": status, "headers": [*headers, *own]}

    def flush(self) -> None:
        if self._head is not None:
            head, self._head = self._head, None
            self._do("head", head)

    def write(self, data: bytes) -> None:
        self.flush()
        self._do("write", data)

    def finish(self, data: bytes = b"") -> None:
        self.flush()
        self._do("finish", data)

    def raw(self, data: bytes) -> None:
        self._head = None
        self._do("raw", data)

    def image(self, data: bytes, *, is_last: bool = False) -> tuple[bytes, int]:
        head = b"head:" if self._head is not None else b""
        return head + data + (b"|" if is_last else b""), len(head)

    def done(self) -> None:
        self._do("done", None)

    @property
    def pending(self) -> bool:
        return self._is_gone or not self._reads.is_set()

    async def drain(self) -> None:
        await self._reads.wait()

    def on_departure(self, callback: Callable[[], None]) -> bool:
        self._callback = callback
        if self._is_gone:
            callback()
        return True

    def unsent(self) -> int:
        return 0 if self._reads.is_set() else self.backlog

    def unacknowledged(self) -> int | None:
        return self.unsent()

    def close(self) -> None:
        self._do("close", None)
        self.leave("client-fin")

    def abort(self, *, reset: bool = False) -> None:
        self._do("abort", reset)
        self.leave("client-rst")

    def release(self) -> None:
        self._callback = None

    def receipt(self) -> tuple[Delivery | None, int]:
        delivery = Delivery(None, self.unacknowledged())
        delivery.departure = self.departure
        return delivery, 0

    # -- what the client does --------------------------------------------------------------------------------------

    def leave(self, departure: Departure) -> None:
        """The client leaves, or the connection is closed."""
        if not self._is_gone:
            self._is_gone, self.departure = True, departure
            self._reads.set()
            if self._callback is not None:
                self._callback()

    def stop_reading(self) -> None:
        """The client stops reading."""
        self._reads.clear()

    def read_on(self) -> None:
        """The client reads again."""
        self._reads.set()
