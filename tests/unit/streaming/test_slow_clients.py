"""The playbook of streams with large payloads, and with clients that read slowly or leave."""

from __future__ import annotations

import pytest

from mockd.streaming.stream import SLICE
from tests.manual_clock import settle
from tests.unit.streaming.playbook import (
    FINAL_ROW,
    HEAD,
    HOLD_S,
    KEEPALIVE,
    LARGE,
    SEND_BUFFER,
    Limited,
    Play,
    Terms,
    each,
    play,
)

pytestmark = pytest.mark.anyio

# -- large payloads and slow clients -----------------------------------------------------------------------------------


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
