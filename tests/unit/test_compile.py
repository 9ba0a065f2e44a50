"""Plans and scripts: what is worked out once, and what is known of a stream in advance."""

from __future__ import annotations

import math
from itertools import islice
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockd.config.load import parse_mock
from mockd.events import Event, Fill, Text
from mockd.program.compile import compile_chunked, compile_sse
from mockd.program.plan import MOST_SCRIPTS, StreamPlan
from mockd.program.script import CompiledScript, key_of
from mockd.program.terms import UNSEEDED
from mockd.program.timetable import BATCH, BATCH_BYTES, MOST_UNROLLED
from mockd.source import Counters, Script
from mockd.sources import build_source
from mockd.streaming.sessions.session import Step, script_steps
from tests.manual_clock import ManualClock

ON = {"enabled": True}
DRAWN = {"dist": "uniform", "max": 5}


def plan_of(process_seed: int | None = None, **sse: Any) -> StreamPlan:
    mock = parse_mock({"matcher": {"path": "/"}, "sse": sse}, root=None).mock
    assert mock.sse is not None
    return compile_sse("m", mock.sse, build_source(mock.sse, None), process_seed)


def script_of(**sse: Any) -> CompiledScript:
    plan = plan_of(**sse)
    assert plan.source.script is not None
    return plan.compiled(plan.source.script)


def words(count: int, **more: Any) -> list[dict[str, Any]]:
    return [{"data": str(number), **more} for number in range(count)]


# -- numbers and ids ---------------------------------------------------------------------------------------------------

EVENTS = st.lists(
    st.sampled_from(
        [
            {"data": "1"},
            {"comment": "c"},
            {"retry": 1},
            {"id": "", "data": "2"},
            {"id": "GIVEN", "data": "3"},
            {"id": " e$seq.$seq ", "data": "4"},
        ]
    ),
    min_size=1,
    max_size=6,
)


@given(EVENTS, st.integers(1, 4), st.integers(0, 30))
def test_counts_and_ids_agree_with_going_through_all_passes(
    events: list[dict[str, Any]], passes: int, number: int
) -> None:
    named = [event | ({"id": f"g{index}"} if event.get("id") == "GIVEN" else {}) for index, event in enumerate(events)]
    script = script_of(events=named, repeat=passes, resume=ON)
    steps = list(script_steps(script))
    assert len(steps) == script.total == len(events) * passes
    number = min(number, len(steps))
    counted = sum(step.event.counted for step in steps[:number])
    assert script.counted_before(number) == counted
    assert [step.number for step in script_steps(script, number)] == list(range(number, len(steps)))
    if counted and steps[number - 1].event.counted:
        assert script.after_counted(counted) == number
    ids = {step.number: id_for(step, script) for step in steps if step.id}
    assert len(set(ids.values())) == len(ids)
    for place, id_ in ids.items():
        assert script.number_of(id_) == place


def id_for(step: Step, script: CompiledScript) -> str:
    """The id as a client sends it back."""
    seq = str(script.counted_before(step.number) + 1)
    parts = step.id if isinstance(step.id, Text) else [str(step.id)]
    return key_of("".join(part if isinstance(part, str) else seq for part in parts))


@pytest.mark.parametrize(
    "key", ["", "0", "00", "01", "-1", "1 ", "9" * 30, "a", "a#1", "a#0", "a#02", "#2", "b#x", "5"]
)
def test_what_is_no_id_has_no_number(key: str) -> None:
    script = script_of(events=[{"id": "b", "data": "1"}, {"data": "2"}], repeat=2, resume=ON)
    assert script.number_of(key) is None


def test_numbers_past_the_end_are_none() -> None:
    events = [{"id": "b", "data": "1"}, {"data": "2"}]
    ids = ["b", "2", "b#2", "4", "b#3", "6", "b#4"]
    twice, endless = script_of(events=events, repeat=2, resume=ON), script_of(events=events, repeat=0, resume=ON)
    assert [twice.number_of(id_) for id_ in ids] == [0, 1, 2, 3, None, None, None]
    assert [endless.number_of(id_) for id_ in ids] == [0, 1, 2, 3, 4, 5, 6]


def test_nothing_is_built_in_proportion_to_a_count() -> None:
    for sse in (
        {"events": words(2), "repeat": 10**12},
        {"generator": {"type": "sequence", "count": 10**12}},
        {"generator": {"type": "sequence"}},
    ):
        script = script_of(**sse, resume=ON)
        assert len(script.frames) <= 2
        assert next(script_steps(script, 10**9)).id == 10**9 + 1
    table = script_of(generator={"type": "sequence", "count": 10**12}).timetable
    assert table is not None
    assert len(table.frames) <= MOST_UNROLLED


# -- what is the same for all ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sse", "is_same", "stands_alone"),
    [
        ({"events": words(2)}, True, True),
        ({"generator": {"type": "sequence"}}, True, True),
        ({"events": words(2, id="e$seq", type="$seq")}, True, True),
        ({"events": [{"data": "$timestamp:ms"}], "seed": 1}, False, False),
        ({"events": words(2), "timing": {"randomDelay": {"max": 5}}}, True, True),
        ({"events": words(2), "rateLimit": {"eventsPerSecond": 1}}, True, True),
        ({"events": words(2), "rateLimit": {"eventsPerSecond": 1, "strategy": "error"}}, True, True),
        ({"events": words(2), "rateLimit": {"eventsPerSecond": 1, "strategy": "drop"}}, True, False),
        (
            {
                "events": words(2),
                "rateLimit": {"eventsPerSecond": 1, "strategy": "drop"},
                "timing": {"randomDelay": {"max": 5}},
            },
            False,
            False,
        ),
        (
            {"events": words(2, delay=DRAWN), "rateLimit": {"eventsPerSecond": 1, "strategy": "drop"}},
            False,
            False,
        ),
        ({"events": words(2, delay=DRAWN)}, True, True),
        ({"events": [{"data": "$uuid"}]}, False, False),
        ({"events": [{"data": "$uuid"}], "seed": 1}, True, False),
        ({"events": [{"data": "$timestamp"}], "seed": 1}, False, False),
        ({"events": words(2, id="$uuid")}, False, False),
        ({"events": words(2, comment="$pick:a,b")}, False, False),
    ],
    ids=str,
)
def test_what_every_client_gets_the_same(sse: dict[str, Any], is_same: bool, stands_alone: bool) -> None:
    script = script_of(**sse, resume=ON)
    assert (script.is_same, script.stands_alone) == (is_same, stands_alone)


# -- timetables --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sse", "has_table"),
    [
        ({"events": words(3)}, True),
        ({"events": words(3), "repeat": 0, "timing": {"burst": {"count": 2, "interval": 1, "pause": 9}}}, True),
        ({"events": words(3, id="a$uuid")}, False),
        ({"events": words(3), "resume": ON}, False),
        ({"events": words(3), "rateLimit": {"eventsPerSecond": 1}}, False),
        ({"events": words(3), "timing": {"randomDelay": {"max": 5}}}, False),
        ({"events": words(3), "timing": {"ttft": 300, "itl": 20, "tokensPerSecond": 5}}, True),
        ({"events": words(3), "timing": {"itl": DRAWN}}, False),
        ({"events": words(3, delay=DRAWN)}, False),
        ({"events": words(99), "repeat": 2, "timing": {"burst": {"count": 5000}}}, False),
    ],
    ids=lambda value: str(value)[:60],
)
def test_which_streams_need_no_code_for_each_event(sse: dict[str, Any], has_table: bool) -> None:
    assert (script_of(**sse).timetable is not None) is has_table


@pytest.mark.parametrize(
    ("timing", "is_prepared"),
    [({}, True), ({"ttft": 0, "itl": 0}, True), ({"ttft": 1}, False), ({"itl": 1}, False), ({"itl": DRAWN}, False)],
    ids=str,
)
def test_what_is_due_at_the_head_is_one_send(timing: dict[str, Any], is_prepared: bool) -> None:
    assert (script_of(events=words(3), timing=timing).prepared is not None) is is_prepared


def test_a_drawn_close_delay_is_drawn_once_for_each_stream() -> None:
    plan = plan_of(events=words(1), lifecycle={"termination": {"closeDelay": {"dist": "uniform", "max": 1000}}})
    assert not plan.ending.is_plain
    endings = [plan.ending_of(Fill(plan.random(), ManualClock())) for _ in range(5)]
    assert len({ending.close_delay_s for ending in endings}) == 5
    assert all(0 <= ending.close_delay_s <= 1 and ending.close_draw is None for ending in endings)


def test_large_events_go_in_small_batches() -> None:
    for data in ("x" * BATCH_BYTES, "x" * BATCH_BYTES + "$uuid"):
        table = script_of(events=[{"data": data}, *words(3)], repeat=0).timetable
        assert table is not None
        assert table.most == 1
    table = script_of(events=words(3), repeat=0).timetable
    assert table is not None
    assert table.most == BATCH


def test_where_a_stream_stops_and_why() -> None:
    def stop(**life: Any) -> tuple[float, str]:
        return script_of(events=words(5), lifecycle=life).stop

    assert stop() == (5, "completed")
    assert stop(maxEvents=3) == (3, "max_events")
    assert stop(maxEvents=5) == (5, "max_events")
    assert stop(simulateDisconnect=0) == (0, "aborted")
    assert stop(maxEvents=3, simulateDisconnect=3) == (3, "aborted")
    assert script_of(events=[{"comment": "c"}], repeat=0, lifecycle={"maxEvents": 1}).stop == (math.inf, "max_events")


# -- plans -------------------------------------------------------------------------------------------------------------


def test_scripts_are_compiled_once_for_each_key_and_bounded() -> None:
    plan = plan_of(events=words(1))
    built = []

    def script(key: int) -> Script:
        return Script(lambda: built.append(key) or (), key=key)  # type: ignore[func-returns-value]

    first = plan.compiled(script(0))
    assert plan.compiled(script(0)) is first
    for key in range(1, MOST_SCRIPTS + 10):
        plan.compiled(script(key))
    assert built == list(range(MOST_SCRIPTS + 10))
    assert len(plan.scripts) == MOST_SCRIPTS


def test_random_generators() -> None:
    def values(plan: StreamPlan) -> list[float]:
        counters = Counters()
        return [generator.random() for generator in (plan.random(counters.count) for _ in range(3))]

    assert plan_of(events=words(1)).random() is UNSEEDED
    seeded = plan_of(events=words(1), seed=1)
    assert len(set(values(seeded))) == 1
    of_process = values(plan_of(7, events=words(1)))
    assert len(set(of_process)) == 3
    assert of_process == values(plan_of(7, events=words(1)))
    assert values(plan_of(7, events=words(1), seed=1)) == values(seeded)


def test_units_are_seconds_inside() -> None:
    life = {"timeout": 2, "connectionTimeout": 3, "termination": {"closeDelay": 250}}
    plan = plan_of(events=words(1, delay=20), lifecycle=life, timing={"initialDelay": 500})
    assert (plan.lifetime.timeout_s, plan.lifetime.connection_timeout_s, plan.ending.close_delay_s) == (2, 3, 0.25)
    assert [step.event.delay_s for step in islice(script_steps(plan.compiled(plan.source.script)), 1)] == [0.02]  # type: ignore[arg-type]
    mock = parse_mock({"matcher": {"path": "/"}, "chunked": {"data": "x", "chunkDelay": 30}}, root=None).mock
    assert mock.chunked is not None
    pacing = compile_chunked("m", mock.chunked, build_source(mock.chunked, None), None).pacing
    assert pacing.due_s(1, 1, Event("x"), UNSEEDED, 0.0) == 0.03
