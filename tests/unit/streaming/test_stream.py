"""A stream's playbook: what happens, and the commands that its line gets for it, exactly."""

from __future__ import annotations

import asyncio
import threading
from itertools import pairwise
from typing import Any

import pytest

from mockd.events import Event
from mockd.framing import Row
from mockd.journal.exchange import Outcome
from mockd.lines.memory import MemoryLine
from mockd.program.terms import Heartbeat, Lifetime
from mockd.streaming.ops import ABORT, CLOSE, RESET, STUCK_GRACE_S
from mockd.streaming.stream import HEARTBEAT_GRID_S, SENDS_PER_TURN, SLICE, Stream
from tests.manual_clock import settle
from tests.stream.framings import Boxes
from tests.unit.streaming.playbook import (
    ERROR,
    ERROR_ROW,
    FINAL,
    FINAL_ROW,
    KEEPALIVE,
    SEND_BUFFER,
    SSE,
    Play,
    Terms,
    each,
    play,
)

pytestmark = pytest.mark.anyio

HEAD = (0, "head", 200)
HOLD_S = 1000.0
"""When a row is due for which no test waits."""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


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
    most = 0

    def limit(self, most: int) -> None:
        self.most = most


# -- sending -----------------------------------------------------------------------------------------------------------


async def test_all_that_is_due_at_the_head_is_one_command() -> None:
    stream = await play(b"a", b"b", b"c")
    assert stream.done() == [HEAD, (0, "finish", b"abc")]
    assert (stream.outcome, stream.exchange.events_sent, stream.exchange.bytes_sent) == ("completed", 3, 3)
    assert stream.exchange.http_status == 200
    assert stream.is_over


async def test_a_stream_without_rows_is_its_end() -> None:
    stream = await play()
    assert stream.done() == [HEAD, (0, "finish", b"")]
    assert stream.outcome == "completed"
    assert stream.is_over


async def test_the_head_waits_for_the_first_row_if_that_is_due_with_it() -> None:
    stream = await play(b"a", (0.01, b"b"))
    assert stream.done() == [HEAD, (0, "write", b"a")]


async def test_the_head_goes_ahead_if_nothing_is_due_with_it() -> None:
    stream = await play((0.01, b"a"), (0.01, b"b"))
    assert stream.done() == [HEAD]
    assert await stream.after(1) == [(10, "finish", b"ab")]
    assert stream.is_over


async def test_rows_go_out_when_they_are_due_and_the_end_with_the_last() -> None:
    stream = await play(b"a", (0.01, b"b"), (0.01, b"c"), (0.03, b"d"))
    assert stream.done() == [HEAD, (0, "write", b"a")]
    assert await stream.after(0.0099) == []
    assert await stream.after(0.0001) == [(10, "write", b"bc")]
    assert (stream.exchange.events_sent, stream.exchange.bytes_sent) == (3, 3)
    assert await stream.after(0.02) == [(30, "finish", b"d")]
    assert stream.is_over


async def test_rows_that_are_late_go_out_together() -> None:
    stream = await play(b"a", (0.01, b"b"), (0.02, b"c"), (0.5, b"d"))
    stream.done()
    stream.clock.skip(0.2)
    assert await stream.after(0) == [(200, "write", b"bc")]
    assert await stream.after(1) == [(500, "finish", b"d")]


async def test_no_task_is_woken_for_a_plain_event() -> None:
    """The calendar sends it, so that it costs no turn of the loop."""
    stream = await play(b"a", *((number / 100, b"x") for number in range(1, 5)), (HOLD_S, b"z"))
    written: list[asyncio.Task[Any] | None] = []
    stream.on_command = lambda command: written.append(asyncio.current_task())
    await stream.after(1)
    assert len(written) == 4
    assert stream.task not in written


@pytest.mark.parametrize("count", [1, 2, 3])
async def test_each_row_by_itself(count: int) -> None:
    rows = [b"a", b"b", b"c"][:count]
    stream = await play(*rows, flush_each=True)
    assert stream.done() == [HEAD, *((0, "write", row) for row in rows[:-1]), (0, "finish", rows[-1])]
    assert stream.is_over


async def test_each_row_by_itself_gives_others_their_turn() -> None:
    turns: list[int] = []

    async def other() -> None:
        while not stream.task.done():
            turns.append(len(stream.line.commands))
            await asyncio.sleep(0)

    stream = Play([(0.0, b"x")] * 100, Terms(flush_each=True))
    await asyncio.gather(stream.task, other())
    gaps = [after - before for before, after in pairwise(turns)]
    assert 1 < max(gaps) <= SENDS_PER_TURN + 1  # the head is a command too


async def test_a_stream_that_never_rests_gives_others_their_turn() -> None:
    """Take after take is due at once."""
    stream, turns = Play([(0.0, b"x")] * 10, Terms(batch=1)), 0
    while not stream.task.done():
        turns += 1
        await asyncio.sleep(0)
    assert [name for name, _ in stream.line.commands] == ["head", *["write"] * 9, "finish"]
    assert turns >= 9


async def test_what_the_framing_begins_and_ends_a_body_with() -> None:
    stream = await play(b";a", (0.01, b";b"), framing=Boxes())
    assert stream.done() == [HEAD, (0, "write", b"^;a")]
    assert await stream.after(1) == [(10, "finish", b";b.")]
    assert stream.exchange.bytes_sent == 6


async def test_a_body_without_rows_is_begun_and_ended() -> None:
    assert (await play(framing=Boxes())).done() == [HEAD, (0, "finish", b"^.")]


# -- large payloads and slow clients -----------------------------------------------------------------------------------

LARGE = bytes(range(256)) * 1024


async def test_a_large_payload_goes_out_in_slices() -> None:
    stream = await play(LARGE, b"end")
    slices = [(LARGE + b"end")[at : at + SLICE] for at in range(0, len(LARGE) + 3, SLICE)]
    assert stream.done() == [HEAD, *((0, "write", part) for part in slices), (0, "finish", b"")]
    assert (stream.exchange.events_sent, stream.exchange.bytes_sent) == (2, len(LARGE) + 3)
    assert stream.is_over


@pytest.mark.parametrize("size", [SLICE - 1, SLICE, SLICE + 1])
async def test_one_slice_is_not_cut(size: int) -> None:
    stream = await play(b"x" * size)
    sizes = [(name, len(value)) for _, name, value in stream.done()[1:]]
    assert sizes == ([("finish", size)] if size <= SLICE else [("write", SLICE), ("write", 1), ("finish", 0)])


async def test_a_large_frame_that_is_one_chunk_is_not_cut() -> None:
    stream = await play(LARGE, b"end", flush_each=True)
    assert stream.done() == [HEAD, (0, "write", LARGE), (0, "finish", b"end")]


async def test_nor_is_the_last() -> None:
    assert (await play(LARGE, flush_each=True)).done() == [HEAD, (0, "finish", LARGE)]


async def test_slices_wait_for_a_client_that_does_not_read_and_an_event_counts_when_all_of_it_is_out() -> None:
    stream = await play((0.01, LARGE), (HOLD_S, b"z"))
    stream.done()
    stream.on_command = lambda command: stream.line.stop_reading()
    assert await stream.after(0.01) == [(10, "write", LARGE[:SLICE])]
    assert (stream.exchange.events_sent, stream.exchange.bytes_sent) == (0, SLICE)
    for start in range(SLICE, len(LARGE), SLICE):
        assert await stream.read_on() == [(10, "write", LARGE[start : start + SLICE])]
    assert (stream.exchange.events_sent, stream.exchange.bytes_sent) == (1, len(LARGE))


async def test_nothing_is_written_while_the_client_does_not_read_and_all_that_was_due_afterwards() -> None:
    stream = await play(b"a", (0.01, b"b"), (0.02, b"c"), (0.03, b"d"), (HOLD_S, b"z"))
    stream.done()
    stream.line.stop_reading()
    assert await stream.after(0.025) == []
    assert await stream.read_on() == [(25, "write", b"bc")]
    assert await stream.after(1) == [(30, "write", b"d")]


async def test_no_keepalive_is_written_while_the_client_does_not_read() -> None:
    stream = await play(b"a", (HOLD_S, b"z"), heartbeat=each(1), send_timeout_s=0)
    stream.done()
    stream.line.stop_reading()
    assert await stream.after(5.5) == []
    assert await stream.read_on() == [(5500, "write", KEEPALIVE)]


async def test_who_reads_nothing_for_so_long_is_cut_off() -> None:
    stream = await play(b"a", (0.01, b"b"), (HOLD_S, b"z"), send_timeout_s=2)
    stream.done()
    stream.line.stop_reading()
    assert await stream.after(2.0) == []
    assert await stream.after(0.1) == [(2010, "abort", False)]
    assert stream.outcome == "slow_client"
    assert stream.is_over


async def test_who_reads_nothing_of_a_large_answer_is_cut_off_as_well() -> None:
    """Which has not rested before."""
    stream = Play([(0.0, LARGE)], Terms(send_timeout_s=2))
    stream.on_command = lambda command: command[0] == "write" and stream.line.stop_reading()
    assert await stream.after(5) == [HEAD, (0, "write", LARGE[:SLICE]), (2000, "abort", False)]
    assert stream.outcome == "slow_client"
    assert stream.is_over


async def test_a_task_whose_client_was_cut_off_is_not_cancelled() -> None:
    """Whoever it belongs to would end it too."""
    stream = Play([(0.0, LARGE)], Terms(send_timeout_s=2))
    stream.on_command = lambda command: command[0] == "write" and stream.line.stop_reading()
    await stream.after(5)
    assert not stream.task.cancelled()
    assert stream.task.cancelling() == 0


async def test_what_waits_for_a_client_stays_within_its_limit() -> None:
    """With a slice that may be added after a look at it, and some room for the transport."""
    stream = await play((0.01, b"a"), line=Limited)
    assert isinstance(stream.line, Limited)
    assert stream.line.most == SEND_BUFFER - 2 * SLICE


async def test_who_reads_a_little_is_not() -> None:
    stream = await play(b"a", (0.01, b"b"), (HOLD_S, b"z"), send_timeout_s=2)
    stream.done()
    stream.line.stop_reading()
    for _ in range(10):
        stream.line.backlog -= 1
        assert await stream.after(1.5) == []
    assert stream.outcome is None
    assert await stream.read_on() == [(15000, "write", b"b")]


async def test_the_time_of_a_slow_client_is_counted_from_its_last_byte() -> None:
    stream = await play(b"a", (0.01, b"b"), (HOLD_S, b"z"), send_timeout_s=2)
    stream.done()
    stream.line.stop_reading()
    assert await stream.after(1.9) == []
    stream.line.backlog -= 1
    assert await stream.after(2.0) == []
    assert [name for _, name, _ in await stream.after(0.2)] == ["abort"]


async def test_who_reads_on_in_between_starts_anew() -> None:
    stream = await play(b"a", *((number, b"x") for number in range(1, 20)), send_timeout_s=2)
    stream.done()
    for _ in range(5):
        stream.line.stop_reading()
        await stream.after(1.9)
        assert [name for _, name, _ in await stream.read_on()] == ["write"]
    assert stream.outcome is None


async def test_without_a_limit_nobody_is_cut_off() -> None:
    stream = await play(b"a", (0.01, b"b"), (HOLD_S * 1000, b"z"), send_timeout_s=0)
    stream.done()
    stream.line.stop_reading()
    assert await stream.after(HOLD_S) == []
    assert stream.outcome is None


async def test_who_does_not_read_the_end_is_cut_off_as_well() -> None:
    """The end by itself after a pause, and what an op of its own may write."""
    stream = await play(b"a", close_delay_s=0.2, send_timeout_s=2)
    stream.done()
    stream.on_command = lambda command: stream.line.stop_reading()
    assert await stream.after(5) == [(200, "finish", b""), (2200, "abort", False)]
    assert stream.outcome == "slow_client"
    assert stream.is_over


# -- the silence between -----------------------------------------------------------------------------------------------


async def test_keepalives_come_after_silence_on_a_grid_of_all_streams() -> None:
    stream = await play((0.01, b"a"), (2.5, b"b"), (HOLD_S, b"z"), heartbeat=each(1))
    assert stream.done() == [HEAD]
    assert await stream.after(4) == [
        (10, "write", b"a"),
        (1050, "write", KEEPALIVE),
        (2050, "write", KEEPALIVE),
        (2500, "write", b"b"),
        (3500, "write", KEEPALIVE),
    ]
    assert stream.exchange.events_sent == 2
    assert HEARTBEAT_GRID_S == 0.05


async def test_a_keepalive_before_anything_else_is_counted_from_the_head() -> None:
    stream = await play((HOLD_S, b"z"), delay_s=0.5, heartbeat=each(1))
    assert await stream.after(3) == [(500, "head", 200), (1500, "write", KEEPALIVE), (2500, "write", KEEPALIVE)]


async def test_short_silences_are_not_on_the_grid() -> None:
    stream = await play((0.01, b"a"), (0.25, b"b"), (HOLD_S, b"z"), heartbeat=each(0.1))
    assert await stream.after(0.36) == [
        HEAD,
        (10, "write", b"a"),
        (110, "write", KEEPALIVE),
        (210, "write", KEEPALIVE),
        (250, "write", b"b"),
        (350, "write", KEEPALIVE),
    ]


async def test_a_heartbeat_begins_a_body_unless_it_is_apart() -> None:
    for is_apart, begun in ((False, b"^~"), (True, b"~")):
        heartbeat = Heartbeat(1, Row(b"~"), is_apart)
        stream = await play((2.5, b"a"), (HOLD_S, b"z"), framing=Boxes(), heartbeat=heartbeat)
        first = b"a" if begun == b"^~" else b"^a"
        writes = [(1000, "write", begun), (2000, "write", b"~"), (2500, "write", first), (3500, "write", b"~")]
        assert await stream.after(4) == [HEAD, *writes]


async def test_the_id_of_a_heartbeat_is_noted() -> None:
    stream = await play(b"a", (HOLD_S, b"z"), heartbeat=Heartbeat(1, SSE.row(Event(id="h"))))
    await stream.after(1)
    assert stream.exchange.last_event_id == "h"
    assert stream.exchange.events_sent == 1


async def test_a_stream_that_is_kept_open_is_kept_alive() -> None:
    stream = await play(b"a", op=None, heartbeat=each(1))
    assert await stream.after(2) == [HEAD, (0, "write", b"a"), (1000, "write", KEEPALIVE), (2000, "write", KEEPALIVE)]


@pytest.mark.parametrize("name", ["timeout_s", "connection_timeout_s"])
async def test_deadlines(name: str) -> None:
    stream = await play(b"a", (1.5, b"b"), (HOLD_S, b"z"), lifetime=Lifetime(**{name: 2}), heartbeat=each(1))
    stream.done()
    end = 3500 if name == "timeout_s" else 2000
    done = await stream.after(10)
    assert done[-1] == (end, "finish", b"")
    assert stream.outcome == "timed_out"
    assert stream.is_over


async def test_a_deadline_of_the_connection_counts_from_the_request() -> None:
    stream = await play((HOLD_S, b"z"), delay_s=1.5, lifetime=Lifetime(connection_timeout_s=2))
    assert await stream.after(10) == [(1500, "head", 200), (2000, "finish", b"")]


# -- ends --------------------------------------------------------------------------------------------------------------


async def test_a_final_event() -> None:
    assert (await play(b"a", final=FINAL_ROW)).done() == [HEAD, (0, "write", b"a"), (0, "finish", FINAL)]


async def test_a_final_event_and_a_pause() -> None:
    stream = await play(b"a", final=FINAL_ROW, close_delay_s=0.2, heartbeat=each(0.05))
    assert stream.done() == [HEAD, (0, "write", b"a"), (0, "write", FINAL)]
    assert await stream.after(0.199) == []  # no keepalive either: all has been said
    assert await stream.after(1) == [(200, "finish", b"")]
    assert (stream.outcome, stream.exchange.events_sent) == ("completed", 1)
    assert stream.is_over


async def test_a_pause_alone() -> None:
    stream = await play(b"a", close_delay_s=0.2)
    assert stream.done() == [HEAD, (0, "write", b"a")]
    assert await stream.after(1) == [(200, "finish", b"")]


async def test_an_error_event_ends_at_once_whatever_the_pause() -> None:
    stream = await play(b"a", type="error", error=ERROR_ROW, close_delay_s=5)
    assert stream.done() == [HEAD, (0, "write", b"a"), (0, "finish", ERROR)]
    assert stream.is_over


async def test_an_error_event_that_nobody_gave() -> None:
    name, value = (await play(b"a", type="error")).done()[-1][1:]
    assert name == "finish"
    assert value.startswith(b"event: error\ndata: ")
    assert b'"completed"' in value


async def test_an_abrupt_end_closes_the_connection() -> None:
    stream = await play(b"a", type="abrupt", final=FINAL_ROW)
    assert stream.done() == [HEAD, (0, "write", b"a"), (0, "close", None), (0, "abort", False)]
    assert stream.outcome == "completed"
    assert stream.is_over


async def test_an_abrupt_end_after_a_pause() -> None:
    stream = await play(b"a", type="abrupt", close_delay_s=0.2)
    assert stream.done() == [HEAD, (0, "write", b"a")]
    assert await stream.after(1) == [(200, "close", None), (200, "abort", False)]


async def test_an_abrupt_end_sends_the_head_first() -> None:
    stream = await play(type="abrupt")
    assert stream.done() == [HEAD, (0, "close", None), (0, "abort", False)]


async def test_a_closed_connection_is_given_up_after_a_while() -> None:
    stream = await play(b"a", type="abrupt", line=Far)
    assert stream.done() == [HEAD, (0, "write", b"a"), (0, "close", None)]
    assert await stream.after(STUCK_GRACE_S - 0.01) == []
    assert await stream.after(1) == [(500, "abort", False)]
    assert stream.is_over


async def test_and_at_once_when_the_client_has_closed_it_too() -> None:
    stream = await play(b"a", type="abrupt", line=Far)
    stream.done()
    await stream.after(0.1)
    assert await stream.leave() == [(100, "abort", False)]
    assert stream.outcome == "completed"


@pytest.mark.parametrize(
    ("version", "op"), [("1.0", CLOSE), ("1.0", RESET), ("1.1", RESET)], ids=["close 1.0", "reset 1.0", "reset 1.1"]
)
async def test_a_reset_waits_until_all_is_acknowledged(version: str, op: Any) -> None:
    """Over HTTP/1.0 a closed connection looks like a clean end."""
    stream = await play(b"a", op=op, outcome="aborted", http_version=version, line=Far)
    assert stream.done() == [HEAD, (0, "write", b"a")]
    assert await stream.after(0.1) == []
    stream.line.in_flight = 0
    assert await stream.after(0.1) == [(105, "abort", True)]
    assert stream.outcome == "aborted"
    assert stream.is_over


async def test_but_not_for_ever() -> None:
    stream = await play(b"a", op=RESET, outcome="aborted", line=Far)
    stream.done()
    assert await stream.after(STUCK_GRACE_S - 0.01) == []
    assert await stream.after(0.02) == [(500, "abort", True)]
    stream.exchange.look()
    assert stream.exchange.bytes_acknowledged == 0


async def test_a_connection_that_is_given_up() -> None:
    assert (await play(b"a", op=ABORT, outcome="aborted")).done() == [HEAD, (0, "write", b"a"), (0, "abort", False)]


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


# -- clients that leave ------------------------------------------------------------------------------------------------


async def test_the_client_leaves_while_the_stream_rests() -> None:
    stream = await play(b"a", (HOLD_S, b"z"), final=FINAL_ROW)
    stream.done()
    assert await stream.leave() == []
    stream.exchange.look()
    assert (stream.outcome, stream.exchange.ended_by) == ("client_disconnected", "client-fin")
    assert stream.is_over


async def test_the_client_leaves_without_reading() -> None:
    stream = await play(b"a", (0.01, b"b"), (HOLD_S, b"z"))
    stream.done()
    stream.line.stop_reading()
    await stream.after(0.1)
    assert await stream.leave() == []
    assert stream.outcome == "client_disconnected"
    assert stream.is_over


async def test_the_client_leaves_in_the_middle_of_a_large_event() -> None:
    stream = await play((0.01, LARGE), (HOLD_S, b"z"))
    stream.done()
    stream.on_command = lambda command: stream.line.leave("client-rst")
    assert await stream.after(0.01) == [(10, "write", LARGE[:SLICE])]
    stream.exchange.look()
    assert (stream.outcome, stream.exchange.ended_by) == ("client_disconnected", "client-rst")
    assert stream.exchange.events_sent == 0


async def test_the_client_leaves_while_much_is_written_at_once() -> None:
    stream = Play([(0.0, b"x")] * 100, Terms(flush_each=True))

    def leave_at_the_tenth(command: object) -> None:
        if len(stream.line.commands) == 10:
            stream.line.leave("client-fin")

    stream.on_command = leave_at_the_tenth
    await settle()
    assert len(stream.done()) == 10
    assert stream.outcome == "client_disconnected"


async def test_the_client_leaves_in_the_pause_before_the_end() -> None:
    """It has everything."""
    stream = await play(b"a", final=FINAL_ROW, close_delay_s=5)
    stream.done()
    await stream.after(1)
    assert await stream.leave() == []
    assert stream.outcome == "completed"
    assert stream.is_over


@pytest.mark.parametrize("is_whole", [False, True])
async def test_the_client_leaves_before_the_head(is_whole: bool) -> None:
    stream = await play(b"a", delay_s=5, is_whole=is_whole)
    await stream.after(1)
    assert await stream.leave() == []
    assert stream.outcome == "client_disconnected"
    assert not hasattr(stream, "cursor")


async def test_the_client_leaves_after_an_order_to_stop() -> None:
    stream = await play(b"a", (HOLD_S, b"z"), close_delay_s=1)
    stream.done()
    await stream.stop()
    assert await stream.leave() == []
    assert stream.outcome == "closed_by_admin"
    assert stream.is_over


async def test_the_client_has_left_before_the_stream_begins() -> None:
    stream = Play([(0.0, b"a"), (1.0, b"b")], Terms())
    stream.line.leave("client-fin")
    await settle()
    assert stream.done() == []
    assert stream.outcome == "client_disconnected"


async def test_the_client_leaves_as_the_head_goes_out() -> None:
    stream = Play([(HOLD_S, b"z")], Terms())
    stream.on_command = lambda command: stream.line.leave("client-fin")
    await settle()
    assert stream.done() == [HEAD]
    assert stream.outcome == "client_disconnected"
    assert stream.is_over


async def test_a_task_that_is_cancelled_ends_its_stream() -> None:
    stream = await play(b"a", (HOLD_S, b"z"))
    stream.task.cancel()
    await settle()
    assert stream.task.cancelled()
    assert stream.exchange.outcome == "aborted"
    assert stream.is_over


async def test_a_stream_that_cannot_be_sent_while_it_rests_fails() -> None:
    stream = await play(b"a", (1.0, b"b"), (HOLD_S, b"z"))

    def break_down(_: object) -> None:
        raise OSError("the handler is closed")

    stream.on_command = break_down
    await stream.after(1)
    assert isinstance(stream.task.exception(), OSError)
    assert stream.outcome == "failed"
    assert stream.is_over


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
