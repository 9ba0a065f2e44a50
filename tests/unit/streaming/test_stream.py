"""A stream's playbook: what happens, and the commands that its line gets for it, exactly."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any

import pytest

from mockd.events import Event
from mockd.framing import Row
from mockd.program.terms import Heartbeat, Lifetime
from mockd.streaming.calendar import HEARTBEAT_GRID_S
from mockd.streaming.ops import ABORT, CLOSE, RESET, STUCK_GRACE_S
from mockd.streaming.stream import SENDS_PER_TURN
from tests.stream.framings import Boxes
from tests.unit.streaming.playbook import (
    ERROR,
    ERROR_ROW,
    FINAL,
    FINAL_ROW,
    HEAD,
    HOLD_S,
    KEEPALIVE,
    SSE,
    Far,
    Play,
    Terms,
    each,
    play,
)

pytestmark = pytest.mark.anyio

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
