"""Generators and repeats: totals, numbers that go on, and nothing made in advance."""

from __future__ import annotations

import gc
import json
import re
import tracemalloc
from typing import Any

import pytest

from mockd.errors import ConfigError
from mockd.streaming.sessions.session import Entry
from tests.stream.harness import Lab, words

pytestmark = pytest.mark.anyio


async def data_of(lab: Lab, **config: Any) -> list[str]:
    return [data for _, data in (await lab.run(**config)).events]


def sequence(count: int = 0, **config: Any) -> dict[str, Any]:
    return {"type": "sequence", "count": count, "sequence": config}


@pytest.mark.parametrize(
    ("generator", "data"),
    [
        (sequence(3), ["0", "1", "2"]),
        ({"type": "sequence", "count": 2}, ["0", "1"]),
        (sequence(3, start=5), ["5", "6", "7"]),
        (sequence(3, start=5, increment=10), ["5", "15", "25"]),
        (sequence(3, start=1, increment=-1), ["1", "0", "-1"]),
        (sequence(2, start=7, increment=0), ["7", "7"]),
        (sequence(3, start=8, format="%05d"), ["00008", "00009", "00010"]),
        (sequence(2, start=8, format="%4d|"), ["   8|", "   9|"]),
        (sequence(2, start=-1, format="%03d"), ["-01", "000"]),
        (sequence(2, format='{"n":%d,"again":%d}'), ['{"n":0,"again":0}', '{"n":1,"again":1}']),
        (sequence(2, format="$random:3:3 no. %d"), ["3 no. 0", "3 no. 1"]),
        (sequence(2, start=10**40), [str(10**40), str(10**40 + 1)]),
    ],
    ids=str,
)
async def test_sequences(lab: Lab, generator: dict[str, Any], data: list[str]) -> None:
    assert await data_of(lab, generator=generator) == data


@pytest.mark.parametrize(
    ("generator", "data"),
    [
        ({"type": "random", "count": 2, "random": {"schema": {"n": "$random:7:7"}}}, ['{"n":7}'] * 2),
        ({"type": "random", "count": 1, "random": {"schema": None}}, ["null"]),
        ({"type": "random", "count": 1, "random": {"schema": "$random:7:7"}}, ["7"]),
        ({"type": "template", "count": 5, "template": {"events": words(2)}}, ["1", "2", "1", "2", "1"]),
        ({"type": "template", "count": 1, "template": {"events": words(2)}}, ["1"]),
        ({"type": "template", "template": {"events": words(2), "repeat": 2}}, ["1", "2", "1", "2"]),
        ({"type": "template", "count": 3, "template": {"events": words(2), "repeat": 2}}, ["1", "2", "1"]),
        ({"type": "template", "count": 9, "template": {"events": words(2), "repeat": 2}}, ["1", "2", "1", "2"]),
    ],
    ids=str,
)
async def test_other_generators(lab: Lab, generator: dict[str, Any], data: list[str]) -> None:
    assert await data_of(lab, generator=generator) == data
    assert lab.ended["outcome"] == "completed"


@pytest.mark.parametrize("resume", [{}, {"enabled": True}], ids=str)
async def test_a_random_generator_has_types_and_ids(lab: Lab, resume: dict[str, Any]) -> None:
    random = {"schema": {"n": "$seq"}, "type": "$pick:reading", "id": "$seq-$random:7:7"}
    stream = await lab.run(generator={"type": "random", "count": 2, "random": random}, resume=resume)
    first, second = (f'id: {n}-7\nevent: reading\ndata: {{"n":{n}}}\n\n' for n in (1, 2))
    assert stream.text == first + second


@pytest.mark.parametrize("field", ["type", "id"])
def test_types_and_ids_of_a_random_generator_are_one_line(lab: Lab, field: str) -> None:
    random = {"schema": 1, field: "a\nb"}
    with pytest.raises(ConfigError, match=rf"sse\.generator\.random.*{field}: a line break"):
        lab.mock("sse", generator={"type": "random", "random": random})


@pytest.mark.parametrize("field", ["type", "id", "schema"])
def test_a_wrong_placeholder_of_a_random_generator_is_refused_with_its_place(lab: Lab, field: str) -> None:
    random = {"schema": 1, field: "$float:1"}
    with pytest.raises(ConfigError) as caught:
        lab.mock("sse", generator={"type": "random", "random": random})
    assert caught.value.problems[0].path[-4:] == ("sse", "generator", "random", field)


async def test_random_values_are_made_afresh_for_every_event(lab: Lab) -> None:
    schema = {"id": "$uuid", "list": ["$random:1:1000000000"], "at": "$timestamp"}
    data = await data_of(
        lab,
        generator={"type": "random", "count": 50, "random": {"schema": schema}},
        timing={"fixedDelay": 1000},
    )
    values = [json.loads(item) for item in data]
    assert len({value["id"] for value in values}) == 50
    assert len({value["list"][0] for value in values}) == 50
    assert [value["at"][-3:] for value in values] == [f"{second:02}Z" for second in range(50)]


@pytest.mark.parametrize(
    "config",
    [
        {"generator": sequence(0)},
        {"generator": {"type": "random", "random": {"schema": "$uuid"}}},
        {"generator": {"type": "template", "template": {"events": words(3)}}},
        {"generator": {"type": "template", "template": {"events": words(3), "repeat": 0}}},
        {"events": words(3), "repeat": 0},
    ],
    ids=str,
)
async def test_nought_is_for_ever(lab: Lab, config: dict[str, Any]) -> None:
    stream = await lab.stream(**config, timing={"fixedDelay": 1000})
    await lab.clock.advance(1000)
    assert stream.is_open
    assert len(stream.events) == 1001


@pytest.mark.parametrize("resume", [{}, {"enabled": True}])
async def test_numbers_and_ids_go_on(lab: Lab, resume: dict[str, Any]) -> None:
    stream = await lab.run(generator=sequence(1000, start=1), resume=resume)
    assert [data for _, data in stream.events] == [str(number) for number in range(1, 1001)]
    ids = re.findall("^id: (.*)$", stream.text, re.MULTILINE)
    assert ids == ([str(number) for number in range(1, 1001)] if resume else [])


async def test_count_is_of_the_stream_and_starts_again_with_the_next(lab: Lab) -> None:
    lab.mock("sse", generator=sequence(2))
    first, second = await lab.open(), await lab.open()
    assert first.text == second.text == "data: 0\n\ndata: 1\n\n"


@pytest.mark.parametrize("times", [1, 2, 5])
async def test_repeat_is_how_often_the_list_is_gone_through(lab: Lab, times: int) -> None:
    assert await data_of(lab, events=words(3), repeat=times) == ["1", "2", "3"] * times


@pytest.mark.parametrize(
    "extra",
    [{}, {"resume": {"enabled": True}}, {"timing": {"randomDelay": {"max": 5}}}, {"rateLimit": {"eventsPerSecond": 9}}],
    ids=str,
)
@pytest.mark.parametrize(
    "config",
    [
        {"generator": sequence(10**12)},
        {"generator": {"type": "random", "count": 10**12, "random": {"schema": {"a": "$uuid"}}}},
        {"generator": {"type": "template", "count": 10**12, "template": {"events": words(2)}}},
        {"generator": {"type": "template", "template": {"events": words(2), "repeat": 10**12}}},
        {"events": words(2), "repeat": 10**12},
    ],
    ids=str,
)
async def test_nothing_is_made_in_proportion_to_a_count(
    lab: Lab, config: dict[str, Any], extra: dict[str, Any]
) -> None:
    tracemalloc.start()
    try:
        lab.mock("sse", **config, **extra, lifecycle={"maxEvents": 3})
        await lab.open()
        await lab.clock.advance(1)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert lab.ended["eventsSent"] == 3
    assert peak < 2_000_000


@pytest.mark.parametrize(
    "config",
    [
        {"events": words(1), "repeat": 0, "timing": {"randomDelay": {"min": 1, "max": 1}}},
        {"generator": sequence(0), "timing": {"fixedDelay": 1}, "rateLimit": {"eventsPerSecond": 100_000}},
        {"events": words(1), "repeat": 0, "timing": {"fixedDelay": 1}, "resume": {"enabled": True, "bufferSize": 10}},
    ],
    ids=str,
)
async def test_what_was_sent_is_let_go(lab: Lab, config: dict[str, Any]) -> None:
    stream = await lab.stream(**config)
    await lab.clock.advance(1)
    assert len(stream.events) > 900
    gc.collect()
    entries = [thing for thing in gc.get_objects() if isinstance(thing, Entry)]
    assert len(entries) < 200
    await stream.hang_up()
