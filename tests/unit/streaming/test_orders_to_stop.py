"""The playbook of streams that are told to stop, and of those whose program must be waited for."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from mockd.journal.exchange import Outcome
from mockd.streaming.ops import STUCK_GRACE_S
from mockd.streaming.stream import SLICE, Stream
from tests.manual_clock import settle
from tests.unit.streaming.playbook import (
    FINAL,
    FINAL_ROW,
    HEAD,
    HOLD_S,
    LARGE,
    Far,
    Play,
    play,
)

pytestmark = pytest.mark.anyio

# -- orders to stop ----------------------------------------------------------------------------------------------------


async def test_told_to_stop_while_resting() -> None:
    stream = await play(b"a", (HOLD_S, b"z"), final=FINAL_ROW)
    stream.done()
    await stream.after(1)
    assert await stream.stop() == [(1000, "finish", FINAL)]
    assert stream.outcome == "closed_by_admin"
    assert stream.is_over


async def test_the_first_order_counts() -> None:
    stream = await play(b"a", (HOLD_S, b"z"), close_delay_s=1)
    stream.done()
    stream.stream.request_stop("shutdown")
    assert await stream.stop("closed_by_admin") == []
    assert await stream.after(2) == [(1000, "finish", b"")]
    assert stream.outcome == "shutdown"


async def test_told_to_stop_by_an_error_event_says_why() -> None:
    stream = await play(b"a", (HOLD_S, b"z"), type="error")
    stream.done()
    [(_, name, value)] = await stream.stop("shutdown")
    assert name == "finish"
    assert b'"code":"shutdown"' in value


async def test_told_to_stop_abruptly() -> None:
    stream = await play(b"a", (HOLD_S, b"z"), type="abrupt")
    stream.done()
    assert await stream.stop() == [(0, "close", None), (0, "abort", False)]
    assert stream.outcome == "closed_by_admin"


async def test_told_to_stop_abruptly_while_the_client_reads_on_slowly() -> None:
    """It gets all that is on its way, however long that takes."""
    stream = await play(b"a", (HOLD_S, b"z"), type="abrupt", line=Far)
    stream.done()
    assert await stream.stop() == [(0, "close", None)]
    assert isinstance(stream.line, Far)
    while stream.line.in_flight:
        assert await stream.after(STUCK_GRACE_S - 0.1) == []
        stream.line.in_flight -= 2
    assert await stream.leave() == [(2000, "abort", False)]
    assert stream.outcome == "closed_by_admin"


async def test_told_to_stop_while_the_client_does_not_read() -> None:
    stream = await play(b"a", (0.01, b"b"), (HOLD_S, b"z"), final=FINAL_ROW)
    stream.done()
    stream.line.stop_reading()
    await stream.after(0.1)
    assert await stream.stop() == []
    assert await stream.read_on() == [(100, "finish", FINAL)]
    assert stream.outcome == "closed_by_admin"
    assert stream.is_over


@pytest.mark.parametrize("close_delay_s", [0, 1])
async def test_and_goes_on_not_reading(close_delay_s: float) -> None:
    stream = await play(b"a", (0.01, b"b"), (HOLD_S, b"z"), final=FINAL_ROW, close_delay_s=close_delay_s)
    stream.done()
    stream.line.stop_reading()
    await stream.after(0.1)
    assert await stream.stop() == []
    at = round(1000 * (0.1 + close_delay_s + STUCK_GRACE_S))
    assert await stream.after(5) == [(at, "abort", False)]
    assert stream.outcome == "closed_by_admin"
    assert stream.is_over


async def test_told_to_stop_with_slices_left() -> None:
    """An event that the client has a part of is of no use to it; but the rest of a message might be."""
    stream = await play((0.01, LARGE), (HOLD_S, b"z"), final=FINAL_ROW)
    stream.done()
    stream.on_command = lambda command: stream.line.stop_reading()
    assert await stream.after(0.01) == [(10, "write", LARGE[:SLICE])]
    stream.on_command = lambda command: None
    assert await stream.stop() == []
    rest = [(10, "write", LARGE[at : at + SLICE]) for at in range(SLICE, len(LARGE), SLICE)]
    assert await stream.read_on() == [*rest, (10, "finish", FINAL)]


async def test_told_to_stop_in_the_pause_before_the_end() -> None:
    stream = await play(b"a", final=FINAL_ROW, close_delay_s=5)
    stream.done()
    await stream.after(1)
    assert await stream.stop() == [(1000, "finish", b"")]
    assert stream.outcome == "completed"
    assert stream.is_over


async def test_told_to_stop_before_the_head_of_a_stream() -> None:
    stream = await play(b"a", delay_s=5, final=FINAL_ROW)
    assert await stream.stop() == [HEAD, (0, "finish", FINAL)]
    assert (stream.outcome, stream.exchange.events_sent) == ("closed_by_admin", 0)
    assert stream.is_over


async def test_told_to_stop_before_the_head_of_a_whole_answer() -> None:
    """It has said how long it is: there is no other end to it."""
    stream = await play(b"a", delay_s=5, is_whole=True)
    await stream.after(1)
    assert await stream.stop() == [(1000, "head", 200), (1000, "finish", b"a")]
    assert stream.outcome == "completed"
    assert stream.is_over


async def stop_from_a_loop(stream: Stream) -> None:
    stream.request_stop("closed_by_admin")


@pytest.mark.parametrize("has_loop", [False, True])
async def test_told_to_stop_from_another_thread(has_loop: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which may have an event loop of its own: what the stream does is done in its own all the same."""
    stream = await play(b"a", (HOLD_S, b"z"))
    stream.done()
    threads: list[int] = []
    order = Stream.order

    def noted(self: Stream, outcome: Outcome) -> None:
        threads.append(threading.get_ident())
        order(self, outcome)

    monkeypatch.setattr(Stream, "order", noted)

    def tell() -> None:
        if has_loop:
            asyncio.run(stop_from_a_loop(stream.stream))
        else:
            stream.stream.request_stop("closed_by_admin")

    other = threading.Thread(target=tell)
    other.start()
    await asyncio.to_thread(other.join)
    await asyncio.wait_for(stream.task, 20)
    assert stream.done() == [(0, "finish", b"")]
    assert threads == [threading.get_ident()]


# -- programs that must be waited for ----------------------------------------------------------------------------------


class Coming:
    """A program that a source is working on."""

    def __init__(self) -> None:
        self.arrives = asyncio.Event()
        self.is_cancelled = False

    async def __call__(self, play: Play) -> Any:
        try:
            await self.arrives.wait()
        except asyncio.CancelledError:
            self.is_cancelled = True
            raise
        return play.program()


async def waiting(*rows: Any, **terms: Any) -> tuple[Play, Coming]:
    coming = Coming()
    return await play(*rows, prepare=coming, **terms), coming


async def test_a_program_that_comes_late() -> None:
    stream, coming = await waiting(b"a", (0.01, b"b"))
    assert await stream.after(3) == []
    coming.arrives.set()
    assert await stream.after(0) == [(3000, "head", 200), (3000, "write", b"a")]
    assert await stream.after(1) == [(3010, "finish", b"b")]
    assert stream.is_over


async def test_a_program_that_comes_late_says_how_it_is_sent() -> None:
    stream, coming = await waiting(b"a", b"b", flush_each=True)
    coming.arrives.set()
    assert await stream.after(0) == [HEAD, (0, "write", b"a"), (0, "finish", b"b")]


async def test_the_client_leaves_before_its_program_is_there() -> None:
    stream, coming = await waiting(b"a")
    assert await stream.leave() == []
    await settle()
    assert stream.outcome == "client_disconnected"
    assert coming.is_cancelled


async def test_told_to_stop_before_the_program_is_there() -> None:
    """There is no termination yet to end through; but an app that says nothing is an error to its server."""
    stream, coming = await waiting(b"a")
    assert await stream.stop("shutdown") == [(0, "head", 503), (0, "finish", b"")]
    assert stream.line.commands[0][1]["headers"] == [(b"content-length", b"0")]
    await settle()
    assert (stream.outcome, stream.exchange.http_status) == ("shutdown", 503)
    assert coming.is_cancelled
