"""The watch for a server's order to stop: on while requests are answered, and nothing is left of it."""

from __future__ import annotations

import asyncio
import gc
import signal
import threading
import weakref
from collections.abc import Iterator
from types import FrameType
from typing import Any

import pytest
from sse_starlette.sse import AppStatus

from mockd.lines.stopping import LOOK_S, StopWatch, StopWatches

PATIENCE_S = 20
LOOKS_S = 3 * LOOK_S
"""Time enough for a look, whatever the machine has to do."""


class Server:
    """What uvicorn has: a method that handles signals, and a flag beside it."""

    def __init__(self) -> None:
        self.should_exit = False

    def handle_exit(self, number: int, frame: FrameType | None) -> None:
        self.should_exit = True


@pytest.fixture
def server() -> Iterator[Server]:
    """A server that handles SIGTERM."""
    server = Server()
    before = signal.signal(signal.SIGTERM, server.handle_exit)
    yield server
    signal.signal(signal.SIGTERM, before)


async def to_nobody(message: Any) -> None:
    """A `send` of a server that is not known."""


def started(watches: StopWatches) -> StopWatch:
    return watches.by_loop.get(asyncio.get_running_loop()) or watches.start(to_nobody)


def test_who_answers_requests_is_told_again_and_again(server: Server) -> None:
    async def main() -> None:
        told: asyncio.Queue[float] = asyncio.Queue()
        watches = StopWatches(told.put_nowait)
        started(watches).requests += 1
        await asyncio.sleep(LOOKS_S)
        assert told.empty()
        signal.raise_signal(signal.SIGTERM)
        waited = [await told.get() for _ in range(3)]
        assert waited == sorted(waited)
        assert waited[0] < LOOK_S
        assert waited[2] >= LOOK_S

    asyncio.run(asyncio.wait_for(main(), PATIENCE_S))


def test_a_flag_that_was_set_before_is_no_order(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        told: asyncio.Queue[float] = asyncio.Queue()
        watches = StopWatches(told.put_nowait)
        monkeypatch.setattr(AppStatus, "should_exit", True)
        started(watches).requests += 1
        await asyncio.sleep(LOOKS_S)
        monkeypatch.setattr(AppStatus, "should_exit", False)
        await asyncio.sleep(LOOKS_S)
        assert told.empty()

    asyncio.run(main())


def test_the_flag_of_sse_starlette_is_an_order(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        told: asyncio.Queue[float] = asyncio.Queue()
        started(StopWatches(told.put_nowait)).requests += 1
        monkeypatch.setattr(AppStatus, "should_exit", True)
        await told.get()

    asyncio.run(asyncio.wait_for(main(), PATIENCE_S))


def test_a_watch_is_over_when_no_request_is_left(server: Server) -> None:
    async def main() -> None:
        told: asyncio.Queue[float] = asyncio.Queue()
        watches = StopWatches(told.put_nowait)
        watch = started(watches)
        watch.requests += 1
        assert started(watches) is watch
        watch.requests -= 1
        while started(watches) is watch:  # noqa: ASYNC110  # nothing tells
            await asyncio.sleep(LOOK_S / 2)
        server.should_exit = True
        await asyncio.sleep(LOOKS_S)
        assert told.empty()

    asyncio.run(asyncio.wait_for(main(), PATIENCE_S))


def test_every_loop_has_a_watch_of_its_own(server: Server) -> None:
    told: set[int] = set()
    watches = StopWatches(lambda waited_s: told.add(threading.get_ident()))
    ready = threading.Barrier(3)

    async def main() -> None:
        started(watches).requests += 1
        ready.wait(PATIENCE_S)
        while threading.get_ident() not in told:  # noqa: ASYNC110  # an event belongs to one loop
            await asyncio.sleep(LOOK_S / 2)

    threads = [threading.Thread(target=asyncio.run, args=[main()]) for _ in range(2)]
    for thread in threads:
        thread.start()
    ready.wait(PATIENCE_S)
    server.should_exit = True
    for thread in threads:
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


def test_nothing_is_left_of_a_loop_that_was_closed_in_between() -> None:
    watches = StopWatches(lambda waited_s: None)

    async def begin() -> weakref.ref[asyncio.AbstractEventLoop]:
        started(watches).requests += 1
        return weakref.ref(asyncio.get_running_loop())

    first = asyncio.run(begin())
    second = asyncio.run(begin())
    gc.collect()
    assert first() is None
    assert second() is not None
