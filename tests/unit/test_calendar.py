"""One timer of the loop for all that is due, in order and never early."""

from __future__ import annotations

import asyncio
import gc
import weakref

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mockd.clock import SystemClock
from mockd.streaming.calendar import MOST_STALE, Calendar, Calendars
from tests.manual_clock import START_S, ManualClock

pytestmark = pytest.mark.anyio


async def test_entries_are_called_in_order_each_at_its_time() -> None:
    clock = ManualClock()
    calendar, called = Calendar(clock), []
    for due_ms in (30, 10, 20, 10):
        calendar.call_at(START_S + due_ms / 1000, lambda due_ms=due_ms: called.append((due_ms, clock.elapsed_ms)))
    await clock.advance(1)
    assert called == [(10, 10), (10, 10), (20, 20), (30, 30)]


async def test_entries_of_one_moment_are_called_in_the_order_they_came() -> None:
    clock, called = ManualClock(), []
    calendar = Calendar(clock)
    for name in "abc":
        calendar.call_at(START_S + 0.005, lambda name=name: called.append(name))
    await clock.advance(1)
    assert called == ["a", "b", "c"]


async def test_nothing_is_early_and_nothing_more_than_a_millisecond_late() -> None:
    clock = ManualClock()
    calendar, called = Calendar(clock), []
    calendar.call_at(START_S + 0.0101, lambda: called.append(clock.elapsed_ms))
    await clock.advance(0.0102)
    assert called == []
    await clock.advance(0.0009)
    assert called == [11]


async def test_an_entry_is_called_again_when_it_says_until_it_is_cancelled() -> None:
    clock = ManualClock()
    calendar, called = Calendar(clock), []

    def step() -> float | None:
        called.append(clock.elapsed_ms)
        return START_S + (0 if len(called) == 2 else len(called) * 0.01)

    timer = calendar.call_at(START_S + 0.005, step)
    await clock.advance(0.035)
    assert called == [5, 10, 10, 30]
    timer.cancel()
    await clock.advance(1)
    assert called == [5, 10, 10, 30]


async def test_one_timer_of_the_loop_is_set_whatever_is_entered() -> None:
    clock = ManualClock()
    calendar = Calendar(clock)

    def enter_another() -> None:
        calendar.call_at(START_S + 0.02, lambda: None)

    for _ in range(10):
        calendar.call_at(START_S + 0.01, enter_another)
        calendar.call_at(START_S + 0.03, lambda: None)
    assert len(clock._timers) == 1
    await clock.advance(0.01)
    assert len(clock._timers) == 1


async def test_a_cancelled_entry_is_not_called() -> None:
    clock = ManualClock()
    calendar, called = Calendar(clock), []
    timer = calendar.call_at(START_S + 0.01, lambda: called.append("cancelled"))
    calendar.call_at(START_S + 0.01, lambda: called.append("other"))
    timer.cancel()
    timer.cancel()
    await clock.advance(1)
    assert called == ["other"]


async def test_an_entry_that_fails_stops_no_other(caplog: pytest.LogCaptureFixture) -> None:
    clock = ManualClock()
    calendar, called = Calendar(clock), []
    calendar.call_at(START_S + 0.01, lambda: {}["missing"])
    calendar.call_at(START_S + 0.01, lambda: called.append("the same moment"))
    calendar.call_at(START_S + 0.02, lambda: called.append("later"))
    await clock.advance(1)
    assert called == ["the same moment", "later"]
    assert "KeyError" in caplog.text


async def test_an_entry_may_cancel_another_of_the_same_moment() -> None:
    clock = ManualClock()
    calendar, called = Calendar(clock), []

    def cancel_second() -> None:
        called.append("first")
        second.cancel()

    first = calendar.call_at(START_S + 0.01, cancel_second)
    second = calendar.call_at(START_S + 0.01, lambda: called.append("second"))
    await clock.advance(1)
    assert called == ["first"]
    first.cancel()


async def test_an_entry_may_make_the_next_also_for_a_moment_that_has_passed() -> None:
    clock = ManualClock()
    calendar, called = Calendar(clock), []

    def again() -> None:
        called.append(clock.elapsed_ms)
        if len(called) < 4:
            calendar.call_at(START_S + (0 if len(called) == 2 else len(called) * 0.1), again)

    calendar.call_at(START_S, again)
    await clock.advance(1)
    assert called == [0, 100, 100, 300]


async def test_an_earlier_entry_comes_first_though_it_was_made_later() -> None:
    clock = ManualClock()
    calendar, called = Calendar(clock), []
    calendar.call_at(START_S + 60, lambda: called.append("later"))
    calendar.call_at(START_S + 1, lambda: called.append("sooner"))
    await clock.advance(2)
    assert called == ["sooner"]
    await clock.advance(60)
    assert called == ["sooner", "later"]


@settings(max_examples=50)
@given(due_ms=st.lists(st.integers(0, 10**9), min_size=1, max_size=20))
def test_whole_milliseconds_are_met_exactly(due_ms: list[int]) -> None:
    async def run() -> list[tuple[int, int]]:
        clock, called = ManualClock(), []
        calendar = Calendar(clock)
        for due in due_ms:
            calendar.call_at(START_S + due / 1000, lambda due=due: called.append((due, clock.elapsed_ms)))
        await clock.advance(10**6 + 1)
        return called

    assert asyncio.run(run()) == [(due, due) for due in sorted(due_ms)]


async def test_the_machines_clock() -> None:
    clock, done = SystemClock(), asyncio.Event()
    due = clock.monotonic() + 0.02
    Calendars(clock).of(asyncio.get_running_loop()).call_at(due, done.set)
    await done.wait()
    assert clock.monotonic() >= due


def test_every_loop_has_a_calendar_of_its_own_which_goes_with_it() -> None:
    calendars = Calendars(SystemClock())

    async def visit() -> tuple[Calendar, weakref.ref[asyncio.AbstractEventLoop]]:
        calendar = calendars.of(asyncio.get_running_loop())
        assert calendars.of(asyncio.get_running_loop()) is calendar
        calendar.call_at(SystemClock().monotonic() + 3600, lambda: None)
        return calendar, weakref.ref(asyncio.get_running_loop())

    first, first_loop = asyncio.run(visit())
    second, second_loop = asyncio.run(visit())
    assert first is not second
    del first
    gc.collect()
    assert first_loop() is None
    assert second_loop() is not None


@pytest.mark.parametrize("apart_ms", [0, 1], ids=["of one moment", "of several that have passed"])
async def test_many_entries_leave_others_their_turn(apart_ms: int) -> None:
    clock, called, counted = ManualClock(), [], []
    calendar = Calendar(clock)

    def work(number: int) -> None:
        called.append(number)
        clock.skip(0.0009)  # three of these take longer than a turn
        if number == 0:
            asyncio.get_running_loop().call_soon(lambda: counted.append(len(called)))

    for number in range(10):
        calendar.call_at(START_S + 0.005 + number * apart_ms / 1000, lambda number=number: work(number))
    clock.skip(0.02)
    await clock.advance(0.005)
    assert called == list(range(10))
    assert counted == [3]


async def test_what_is_entered_for_a_moment_before_the_turn_is_over_comes_behind_it() -> None:
    clock, called = ManualClock(), []
    calendar = Calendar(clock)
    due = START_S + 0.005

    def work(number: int) -> None:
        called.append(number)
        clock.skip(0.0009)
        if number < 2:
            calendar.call_at(due, lambda: called.append(10 + number))

    for number in range(6):
        calendar.call_at(due, lambda number=number: work(number))
    await clock.advance(0.005)
    assert called == [0, 1, 2, 3, 4, 5, 10, 11]


async def test_the_loop_is_not_woken_for_what_was_cancelled() -> None:
    clock = ManualClock()
    calendar = Calendar(clock)
    _, cancelled, _ = [calendar.call_at(START_S + due, lambda: None) for due in (0.01, 0.02, 0.03)]
    cancelled.cancel()
    await clock.advance(0.01)
    assert [when for when, *_ in clock._timers] == [START_S + 0.03]


async def test_what_was_cancelled_takes_no_room_for_long() -> None:
    clock, called = ManualClock(), []
    calendar = Calendar(clock)
    for number in range(6, 0, -1):
        calendar.call_at(START_S + 3600 + number, lambda number=number: called.append(number))
    for number in range(2 * MOST_STALE):
        calendar.call_at(START_S + number, lambda: called.append("cancelled")).cancel()
        if len(calendar._ticks) == 6:
            break
    assert len(calendar._ticks) == 6
    await clock.advance(4000)
    assert called == [1, 2, 3, 4, 5, 6]
