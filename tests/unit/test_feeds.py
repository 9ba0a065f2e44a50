"""The two kinds of feeds agree on every frame and every moment."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mockd.config.load import parse_mock
from mockd.events import Fill
from mockd.program.compile import Seeding, StreamPlan, compile_sse
from mockd.source import Script
from mockd.sources import build_source
from mockd.streaming.cursors.script import NEVER, Feed, ReplyFeed, ScriptFeed
from mockd.streaming.cursors.session import SessionFeed
from mockd.streaming.sessions.resume import Place
from mockd.streaming.sessions.session import Session
from tests.manual_clock import ManualClock

START = 1000.0


def plan_of(**sse: Any) -> tuple[StreamPlan, Script]:
    mock = parse_mock({"matcher": {"path": "/"}, "sse": sse}, root=None).mock
    source = build_source(mock, None)
    assert mock.sse is not None
    assert source.script is not None
    return compile_sse("m", mock.sse, source, Seeding()), source.script


def script_feed(plan: StreamPlan, script: Script) -> ScriptFeed:
    compiled = plan.compiled(script)
    assert compiled.timetable is not None
    return ScriptFeed(compiled, compiled.timetable, Fill(random.Random(1), ManualClock()), START)


def session_feed(plan: StreamPlan, script: Script) -> SessionFeed:
    compiled = plan.compiled(script)
    fill = Fill(random.Random(1), ManualClock())
    session = Session.of_script(plan, compiled, fill, START)
    return SessionFeed(Place.at_start(session), "c", START, lambda: None)


def played(feed: Feed, most: int, limit: int = 300) -> tuple[list[tuple[int, bytes]], Any]:
    """Every frame with its moment in milliseconds from the start, and how the feed ended."""
    frames: list[tuple[int, bytes]] = []
    now = START
    while feed.ended is None and len(frames) < limit:
        taken = feed.take(now + 1e-6, most)
        assert not most or len(taken) <= most
        frames += [(round((now - START) * 1000), frame) for frame in taken]
        if not taken and feed.ended is None:
            assert feed.next_due > now
            now = feed.next_due
    return frames[:limit], (feed.ended, feed.events_sent, feed.last_event_id) if feed.ended else None


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
    assert played(script_feed(plan, script), most) == played(session_feed(plan, script), most)


@pytest.mark.parametrize("make", [script_feed, session_feed])
def test_a_batch_is_bounded(make: Any) -> None:
    plan, script = plan_of(events=[{"data": "x" * 10_000}], repeat=0)
    feed = make(plan, script)
    assert 0 < sum(map(len, feed.take(START))) <= 64 * 1024
    plan, script = plan_of(events=[{"data": "x"}], repeat=0)
    assert 0 < len(make(plan, script).take(START)) <= 1000


@pytest.mark.parametrize("make", [script_feed, session_feed])
def test_what_is_not_due_is_not_taken(make: Any) -> None:
    plan, script = plan_of(events=[{"data": "1"}, {"data": "2"}], timing={"initialDelay": 1000, "fixedDelay": 500})
    feed = make(plan, script)
    assert feed.take(START + 0.999) == []
    assert feed.next_due == START + 1
    assert feed.take(START + 1.499) == [b"data: 1\n\n"]
    assert feed.next_due == START + 1.5
    assert feed.ended is None
    assert feed.take(START + 9) == [b"data: 2\n\n"]
    assert feed.ended == "completed"


def test_an_empty_script_has_ended_and_is_never_due() -> None:
    plan, script = plan_of(events=[], lifecycle={"keepOpen": True})
    feed = script_feed(plan, script)
    assert (feed.ended, feed.next_due, feed.take(START)) == ("completed", NEVER, [])


def test_a_whole_reply_is_taken_once_and_is_no_event() -> None:
    feed = ReplyFeed(b"body")
    assert feed.take(START) == [b"body"]
    assert (feed.ended, feed.next_due, feed.events_sent) == ("completed", NEVER, 0)
