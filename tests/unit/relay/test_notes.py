"""What is told to a recording keeps its order, also while a large piece is being recorded in a thread."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from mockd.clock import SystemClock
from mockd.relay.recorded import LARGE, Apart, Notes

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Listener:
    """A recording that takes long for what is large: until it is let go on."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, float]] = []
        self.goes_on = threading.Event()
        self.threads: set[int] = set()

    def __getattr__(self, name: str) -> Any:
        def hear(*values: Any, at: float = 0.0) -> None:
            if values and isinstance(values[0], bytes) and len(values[0]) > LARGE:
                assert self.goes_on.wait(10)
                self.threads.add(threading.get_ident())
            self.heard.append((name, at))

        return hear


@pytest.mark.parametrize("large", ["input", "output"])
async def test_the_order_is_kept_and_so_are_the_times(large: str) -> None:
    apart, listener = Apart(), Listener()
    notes = Notes(listener, SystemClock(), apart)
    notes.head(200, "OK", (), "1.1")
    notes.output(b"small")
    assert [name for name, _ in listener.heard] == ["head", "output"]
    getattr(notes, large)(bytes(LARGE + 1))
    notes.input(b"small")
    notes.input_end()
    notes.output(bytes(LARGE + 1))
    notes.end("complete")
    assert len(listener.heard) == 2
    listener.goes_on.set()
    await notes.settled()
    names = ["head", "output", large, "input", "input_end", "output", "end"]
    assert [name for name, _ in listener.heard] == names
    times = [at for name, at in listener.heard if name != "input_end"]
    assert times == sorted(times)
    assert threading.get_ident() not in listener.threads


async def test_whoever_stops_can_wait_for_all_that_was_told() -> None:
    apart, listeners = Apart(), [Listener(), Listener()]
    for listener in listeners:
        notes = Notes(listener, SystemClock(), apart)
        for _ in range(3):
            notes.output(bytes(LARGE + 1))
            notes.output(b"small")
        notes.end("complete")
        listener.goes_on.set()
    await apart.settled()
    assert [[name for name, _ in listener.heard] for listener in listeners] == [["output"] * 6 + ["end"]] * 2


async def test_nothing_is_told_without_a_recording() -> None:
    notes = Notes(None, SystemClock(), Apart())
    notes.output(bytes(LARGE + 1))
    notes.input_end()
    notes.end("complete")
    await notes.settled()
