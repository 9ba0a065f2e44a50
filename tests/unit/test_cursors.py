"""The two kinds of cursors agree on every frame and every moment."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mockd.config.load import parse_mock
from mockd.events import Fill
from mockd.program.compile import compile_sse
from mockd.program.plan import StreamPlan
from mockd.source import Script
from mockd.sources import build_source
from mockd.streaming.cursors.cursor import NEVER, Cursor
from mockd.streaming.cursors.script import ScriptCursor
from mockd.streaming.cursors.session import SessionCursor
from mockd.streaming.cursors.whole import WholeCursor
from mockd.streaming.ops import FINISH
from mockd.streaming.sessions.buffer import Place
from mockd.streaming.sessions.session import Session
from tests.manual_clock import ManualClock

START = 1000.0
NO_FRACTION = 0.3183098861
"""What moments are rounded by. None of them is so much before a whole millisecond: of those that are exactly half of
one, sums would go up here and down there."""


def plan_of(**sse: Any) -> tuple[StreamPlan, Script]:
    mock = parse_mock({"matcher": {"path": "/"}, "sse": sse}, root=None).mock
    assert mock.sse is not None
    source = build_source(mock.sse, None)
    assert source.script is not None
    return compile_sse("m", mock.sse, source, None), source.script


def script_cursor(plan: StreamPlan, script: Script) -> ScriptCursor:
    compiled = plan.compiled(script)
    assert compiled.timetable is not None
    return ScriptCursor(plan, compiled, compiled.timetable, Fill(random.Random(1), ManualClock()), START)


def session_cursor(plan: StreamPlan, script: Script) -> SessionCursor:
    compiled = plan.compiled(script)
    fill = Fill(random.Random(1), ManualClock())
    session = Session.of_script(plan, compiled, fill, START)
    return SessionCursor(Place.at_start(session), "c", START, lambda: None)


def played(cursor: Cursor, most: int, limit: int = 300) -> tuple[list[tuple[int, bytes]], Any]:
    """The bytes of each moment, in milliseconds from the start, and how the cursor ended. Those of the last moment of
    an endless one are left out: they depend on how much is taken at once."""
    moments: list[tuple[int, bytes]] = []
    now, taken_in_all = START, 0
    while cursor.outcome is None and taken_in_all < limit:
        taken = cursor.take(now + 1e-6, most)
        assert not most or len(taken) <= most
        taken_in_all += len(taken)
        at = int((now - START) * 1000 + NO_FRACTION)
        before = moments.pop()[1] if moments and moments[-1][0] == at else b""
        moments.append((at, before + b"".join(taken)))
        if not taken and cursor.outcome is None:
            assert cursor.next_due > now
            now = cursor.next_due
    if cursor.outcome is None:
        return moments[:-1], None
    return moments, (cursor.outcome, cursor.events_sent, cursor.last_event_id)


MS = st.integers(0, 50)
EVENT = st.fixed_dictionaries(
    {},
    optional={"delay": MS, "type": st.just("t"), "id": st.text("abc", min_size=1, max_size=2)},
).flatmap(lambda event: st.sampled_from([{**event, "data": "x"}, {**event, "data": "$random:1:9"}, {"comment": "c"}]))
TIMING = st.fixed_dictionaries(
    {},
    optional={
        "initialDelay": MS,
        "ttft": MS,
        "itl": MS,
        "tokensPerSecond": st.integers(1, 200),
        "fixedDelay": MS,
        "perEventDelays": st.lists(MS, max_size=4),
        "burst": st.fixed_dictionaries({"count": st.integers(1, 7), "interval": MS, "pause": MS}),
    },
)
LIFE = st.fixed_dictionaries(
    {},
    optional={"maxEvents": st.integers(0, 20), "simulateDisconnect": st.integers(0, 20)},
)


@settings(max_examples=150, deadline=None)
@given(
    events=st.lists(EVENT, min_size=1, max_size=6),
    repeat=st.integers(0, 4),
    timing=TIMING,
    life=LIFE,
    most=st.sampled_from([0, 1, 3]),
)
def test_they_agree(events: Any, repeat: int, timing: Any, life: Any, most: int) -> None:
    plan, script = plan_of(events=events, repeat=repeat, timing=timing, lifecycle=life)
    assert played(script_cursor(plan, script), most) == played(session_cursor(plan, script), most)


@pytest.mark.parametrize("make", [script_cursor, session_cursor])
def test_a_batch_is_bounded(make: Any) -> None:
    plan, script = plan_of(events=[{"data": "x" * 10_000}], repeat=0)
    cursor = make(plan, script)
    assert 0 < sum(map(len, cursor.take(START))) <= 64 * 1024
    plan, script = plan_of(events=[{"data": "x"}], repeat=0)
    assert 0 < len(make(plan, script).take(START)) <= 1000


@pytest.mark.parametrize("most", [0, 1, 3])
@pytest.mark.parametrize("stop", [{"maxEvents": 2}, {"simulateDisconnect": 2}])
@pytest.mark.parametrize("data", ["same", "$uuid"])
@pytest.mark.parametrize("make", [script_cursor, session_cursor])
def test_no_event_after_the_stop(make: Any, data: str, stop: dict[str, Any], most: int) -> None:
    """Though it is due at the same moment, and one more would be all."""
    plan, script = plan_of(events=[{"data": data}] * 3, lifecycle=stop)
    moments, (_, events_sent, _) = played(make(plan, script), most)
    assert events_sent == 2
    assert b"".join(taken for _, taken in moments).count(b"data: ") == 2


@pytest.mark.parametrize("make", [script_cursor, session_cursor])
def test_what_is_not_due_is_not_taken(make: Any) -> None:
    plan, script = plan_of(events=[{"data": "1"}, {"data": "2"}], timing={"initialDelay": 1000, "fixedDelay": 500})
    cursor = make(plan, script)
    assert cursor.take(START + 0.999) == []
    assert cursor.next_due == START + 1
    assert cursor.take(START + 1.499) == [b"data: 1\n\n"]
    assert cursor.next_due == START + 1.5
    assert cursor.outcome is None
    assert cursor.take(START + 9) == [b"data: 2\n\n"]
    assert cursor.outcome == "completed"


def test_an_empty_script_that_is_kept_open_has_ended_and_is_never_due() -> None:
    plan, script = plan_of(events=[], lifecycle={"keepOpen": True})
    cursor = script_cursor(plan, script)
    assert (cursor.outcome, cursor.op, cursor.next_due) == ("completed", None, NEVER)


@pytest.mark.parametrize("make", [script_cursor, session_cursor])
@pytest.mark.parametrize(
    ("life", "outcome", "op"),
    [
        ({}, "completed", "Finish"),
        ({"maxEvents": 1}, "max_events", "Finish"),
        ({"simulateDisconnect": 1}, "aborted", "TurnToEnd"),
        ({"termination": {"finalEvent": {"data": "bye"}}}, "completed", "TurnToEnd"),
        ({"termination": {"closeDelay": 5}}, "completed", "TurnToEnd"),
        ({"termination": {"type": "abrupt"}}, "completed", "TurnToEnd"),
    ],
    ids=str,
)
def test_what_follows_the_last_row(make: Any, life: dict[str, Any], outcome: str, op: str) -> None:
    plan, script = plan_of(events=[{"data": "1"}], lifecycle=life)
    cursor = make(plan, script)
    assert cursor.take(START) == [b"data: 1\n\n"]
    assert (cursor.outcome, type(cursor.op).__name__) == (outcome, op)
    assert cursor.next_due <= START


def test_a_whole_answer_is_taken_once_and_is_no_event() -> None:
    cursor = WholeCursor(b"body")
    assert cursor.take(START) == [b"body"]
    assert (cursor.outcome, cursor.op, cursor.events_sent) == ("completed", FINISH, 0)


def test_a_session_does_not_know_who_has_stopped_reading() -> None:
    plan, script = plan_of(events=[{"data": "1"}])
    session = Session.of_script(plan, plan.compiled(script), Fill(random.Random(1), ManualClock()), START)
    one, other = [SessionCursor(Place.at_start(session), "c", START, lambda: None) for _ in range(2)]
    assert len(session.readers) == 2
    one.close()
    assert session.readers == [other._look_again]
    other.close()
    assert session.readers == []
