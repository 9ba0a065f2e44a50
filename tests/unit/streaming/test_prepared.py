"""A body that is due at its head: it is sent in one write with little ado, and nobody can tell."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from mockd.lines.memory import MemoryLine
from mockd.streaming.stream import SLICE
from tests.manual_clock import settle
from tests.unit.streaming.playbook import Play, Terms

pytestmark = pytest.mark.anyio


class Queued(MemoryLine):
    """A line that must be drained, as the lines of messages are, and whose client leaves before that."""

    __slots__ = ("is_queued",)
    writes_at_once = False
    is_queued: bool

    def finish(self, data: bytes = b"") -> None:
        super().finish(data)
        self.is_queued = True

    @property
    def queued(self) -> bool:
        return getattr(self, "is_queued", False)

    @property
    def pending(self) -> bool:
        return self.queued or super().pending

    async def drain(self) -> None:
        self.is_queued = False
        self.leave("client-fin")


class Lossy(MemoryLine):
    """A line on which nothing can be sent."""

    def head(self, *_: Any) -> None:
        raise ValueError("it cannot be sent")


async def plain(stream: Play) -> None:
    pass


async def not_reading(stream: Play) -> None:
    """The client has not read the answer before this one."""
    stream.line.stop_reading()
    await settle()
    assert stream.line.commands == []
    await stream.read_on()


async def reading_later(stream: Play) -> None:
    stream.on_command = lambda command: stream.line.stop_reading()
    await settle()
    assert not stream.task.done()
    await stream.read_on()


async def never_reading(stream: Play) -> None:
    stream.on_command = lambda command: stream.line.stop_reading()
    stream.line.backlog = SLICE
    await stream.after(5)
    assert stream.exchange.outcome == "slow_client"


async def told_to_stop_while_the_client_does_not_read(stream: Play) -> None:
    stream.on_command = lambda command: stream.line.stop_reading()
    await settle()
    assert stream.registry.stop(stream.registry.exchanges(), "shutdown") == 1
    await stream.read_on()


async def gone_before(stream: Play) -> None:
    stream.line.leave("client-fin")


STORIES: dict[str, tuple[Callable[[Play], Awaitable[None]], list[bytes], dict[str, Any]]] = {
    "plain": (plain, [b"a", b"b"], {}),
    "no more events than that": (plain, [b"a", b"b"], {"outcome": "max_events"}),
    "nothing": (plain, [], {}),
    "a slice": (plain, [b"x" * SLICE], {}),
    "more than a slice": (plain, [b"x" * (SLICE + 1)], {}),
    "later": (lambda stream: stream.after(1), [b"a"], {"delay_s": 0.5}),  # type: ignore[dict-item]
    "through a queue": (plain, [b"a"], {"line": Queued}),
    "not reading": (not_reading, [b"a"], {}),
    "reading later": (reading_later, [b"a"], {}),
    "never reading": (never_reading, [b"x" * SLICE], {"send_timeout_s": 1}),
    "told to stop": (told_to_stop_while_the_client_does_not_read, [b"a"], {}),
    "gone before": (gone_before, [b"a"], {}),
    "not to be sent": (plain, [b"a"], {"line": Lossy}),
}


@pytest.mark.parametrize("name", STORIES)
async def test_nobody_can_tell_that_it_was_prepared(name: str) -> None:
    tell, rows, terms = STORIES[name]
    seen = []
    for is_prepared in (False, True):
        stream = Play([(0.0, row) for row in rows], Terms(**terms, is_prepared=is_prepared))
        listed: list[int] = []
        stream.on_command = lambda _, stream=stream, listed=listed: listed.append(len(stream.registry))  # type: ignore[misc]
        await tell(stream)
        await settle()
        failure = stream.task.exception() if stream.task.done() else None
        record = {key: value for key, value in stream.exchange.to_json().items() if key != "id"}
        seen.append((stream.done(), record, str(failure), listed, len(stream.registry), stream.registry.stats()))
    assert seen[0] == seen[1]
    assert seen[0][4] == 0


async def test_it_is_listed_before_anything_is_sent() -> None:
    """Whoever has read some of it may look for it from another thread."""
    stream = Play([(0.0, b"a")], Terms(is_prepared=True))
    found: list[Any] = []
    stream.on_command = lambda _: found.append(stream.registry.stats()["totalConnections"])
    await settle()
    assert found == [1, 1]


async def test_it_takes_no_cursor() -> None:
    stream = Play([(0.0, b"a")], Terms(is_prepared=True))
    await settle()
    assert stream.exchange.outcome == "completed"
    assert not hasattr(stream, "cursor")
