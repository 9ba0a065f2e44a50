"""The ids that events get with resume, and how they come back."""

from __future__ import annotations

import re
from typing import Any

import pytest

from mockd.errors import ConfigError
from tests.stream.harness import Lab, words
from tests.stream.test_resume import ON, come_back, data_of, ids_of

pytestmark = pytest.mark.anyio

OPAQUE = r"[0-9a-f]{12}-%d"


@pytest.mark.parametrize(
    ("sse", "ids"),
    [
        pytest.param({"events": words(3)}, "1 2 3", id="numbers from 1"),
        pytest.param({"events": words(2), "repeat": 3}, "1 2 3 4 5 6", id="which go on in later passes"),
        pytest.param(
            {"events": [{"id": "a", "data": "1"}, {"id": "b", "data": "2"}], "repeat": 3},
            "a b a#2 b#2 a#3 b#3",
            id="given ones with the number of the pass",
        ),
        pytest.param({"events": [{"id": "a", "data": "1"}, *words(2)], "repeat": 2}, "a 2 3 a#2 5 6", id="both"),
        pytest.param(
            {"events": [{"comment": "c"}, *words(1), {"retry": 5}, {"comment": "d"}, *words(1)], "repeat": 2},
            "1 2 3 4",
            id="none for what is no event",
        ),
        pytest.param({"events": [{"comment": "c", "id": "x"}, {"id": "y"}]}, "x y", id="unless it is given"),
        pytest.param({"events": [{"data": "d", "id": "e$seq"}] * 2, "repeat": 2}, "e1 e2 e3 e4", id="counted ones"),
        pytest.param({"events": [{"data": "d", "id": "$pick:e"}], "repeat": 2}, "e e#2", id="picked ones"),
        pytest.param({"generator": {"type": "sequence", "count": 3}}, "1 2 3", id="a sequence"),
        pytest.param({"template": "notification-stream"}, "1 2 3 4", id="a template that is the same for all"),
        pytest.param(
            {"events": words(3), "timing": {"randomDelay": {"min": 1, "max": 9}}}, "1 2 3", id="random delays"
        ),
        pytest.param({"events": words(3), "rateLimit": {"eventsPerSecond": 1}}, "1 2 3", id="a rate limit"),
        pytest.param({"events": [{"data": "$uuid"}] * 3, "seed": 1}, "1 2 3", id="a seed makes it the same for all"),
        pytest.param({"events": [{"id": "é ü", "data": "1"}]}, "é ü", id="as written"),
    ],
)
async def test_ids(lab: Lab, sse: dict[str, Any], ids: str) -> None:
    stream = await lab.run(**sse, resume=ON)
    assert " ".join(ids_of(stream)) == ids


@pytest.mark.parametrize(
    "sse",
    [
        {"events": [{"data": "$uuid"}] * 3},
        {"events": [{"data": "$timestamp"}] * 3, "seed": 1},
        {"events": [{"data": "1", "type": "$pick:a,b"}] * 3},
        {"events": [{"data": "1"}, {"data": "2"}, {"data": "3", "comment": "$random:1:9"}]},
        {"generator": {"type": "random", "count": 3, "random": {"schema": {"n": "$random:1:9"}}}},
        {"template": "openai-chat", "templateParams": {"tokens": [], "includeDone": True}},
    ],
    ids=str,
)
async def test_ids_are_opaque_where_clients_get_different_bytes(lab: Lab, sse: dict[str, Any]) -> None:
    streams = [await lab.run(**sse, resume=ON), await lab.open()]
    await lab.clock.advance(60)
    for stream in streams:
        for number, id_ in enumerate(ids_of(stream), start=1):
            assert re.fullmatch(OPAQUE % number, id_)
            assert id_.isascii()
    assert len({*ids_of(streams[0]), *ids_of(streams[1])}) == 6


async def test_seeded_streams_are_byte_for_byte_the_same(lab: Lab) -> None:
    lab.mock(events=[{"data": "$uuid"}] * 5, timing={"randomDelay": {"min": 0, "max": 500}}, seed=4, resume=ON)
    streams = [await lab.open(), await lab.open()]
    await lab.clock.advance(60)
    assert streams[0].blocks == streams[1].blocks


async def test_ids_with_placeholders_are_filled_in_once(lab: Lab) -> None:
    stream = await lab.run(events=[{"id": "n-$random:1:999999", "data": "1"}] * 2, repeat=2, resume=ON, seconds=60)
    ids = ids_of(stream)
    assert [id_.partition("#")[1:] for id_ in ids] == [("", ""), ("", ""), ("#", "2"), ("#", "2")]
    assert [entry["id"] for entry in lab.engine.streams.buffer("mock")] == ids
    assert len((await come_back(lab, ids[1])).events) == 2


@pytest.mark.parametrize(
    ("sse", "problem"),
    [
        (
            {"events": [{"id": "a", "data": "1"}, {"data": "2"}, {"id": "a", "data": "3"}]},
            "$.sse.events[2].id: id 'a' is also the id of events[0]",
        ),
        (
            {"events": [{"id": "a", "data": "1"}, {"id": " a", "data": "2"}]},
            "$.sse.events[1].id: id ' a' is also the id of events[0]",
        ),
        (
            {"events": [{"data": "1"}, {"data": "2"}, {"id": "1", "data": "3"}]},
            "$.sse.events[2].id: id '1' is also the id of events[0]",
        ),
        (
            {"events": [{"data": "1"}, {"id": "3", "data": "2"}], "repeat": 0},
            "$.sse.events[1].id: id '3' is also the id of events[0] in pass 2",
        ),
        (
            {"events": [{"id": "a", "data": "1"}, {"id": "a#2", "data": "2"}], "repeat": 2},
            "$.sse.events[1].id: id 'a#2' is also the id of events[0] in pass 2",
        ),
        (
            {"generator": {"type": "template", "template": {"events": [{"id": "a", "data": "1"}] * 2}}},
            "$.sse.generator.template.events[1].id: id 'a' is also the id of events[0]",
        ),
    ],
)
async def test_one_id_for_two_events_is_refused(lab: Lab, sse: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigError) as error:
        lab.mock(**sse, resume=ON)
    assert str(error.value).startswith(problem)
    lab.mock(**sse)  # fine without resume


@pytest.mark.parametrize(
    "events",
    [
        [{"data": "1"}, {"data": "2"}, {"id": "3", "data": "3"}],
        [{"id": "01", "data": "1"}, {"data": "2"}, {"id": "1", "data": "3"}],
        [{"id": "a", "data": "1"}, {"id": "a#1", "data": "2"}, {"id": "a#02", "data": "3"}],
        [{"id": "", "data": "1"}, {"id": "", "data": "2"}, {"data": "3"}],
        [{"id": "1", "data": "$uuid"}, {"id": "2", "data": "2"}, {"data": "3"}],
    ],
)
async def test_ids_that_only_look_alike_are_fine(lab: Lab, events: list[dict[str, Any]]) -> None:
    stream = await lab.run(events=events, repeat=2, resume=ON, seconds=60)
    ids = [id_ for id_ in ids_of(stream) if id_]
    assert len(set(ids)) == len(ids)
    rests = [len((await come_back(lab, id_)).events) for id_ in ids[:-1]]
    assert rests == sorted(rests, reverse=True)


async def test_the_same_id_in_a_file_is_refused(lab: Lab, tmp_path: Any) -> None:
    (tmp_path / "events.json").write_text('[{"id": "a", "data": 1}, {"id": "a", "data": 2}]')
    files = Lab(files_root=str(tmp_path))
    with pytest.raises(ConfigError, match=r"sse\.eventsFile\[1\]\.id"):
        files.mock(eventsFile="events.json", resume=ON)


@pytest.mark.parametrize("id_", ["naïve", "日本語", "🎈", "a b", "100%", 'quo"te', "a,b;c", "#", "-", "1-1"])
async def test_any_id_comes_back_as_utf_8(lab: Lab, id_: str) -> None:
    await lab.run(events=[{"id": id_, "data": "1"}, {"id": "next", "data": "2"}], resume=ON, seconds=60)
    assert data_of(await come_back(lab, id_)) == "2"


async def test_blanks_around_an_id_are_lost_on_the_way_and_not_missed(lab: Lab) -> None:
    await lab.run(events=[{"id": " a ", "data": "1"}, {"id": "b", "data": "2"}], resume=ON, seconds=60)
    assert data_of(await come_back(lab, "a")) == "2"


@pytest.mark.parametrize(
    "never_issued",
    [
        "nope",
        "0",
        "4",
        "-1",
        "01",
        "1.0",
        "٣",
        "²",
        "9" * 5000,
        "a#1",
        "x-1",
        "-",
        "#",
        "1#2",
        "\xff",
        "123456789012-1",
    ],
)
@pytest.mark.parametrize("data", ["fixed", "$uuid"])
async def test_an_id_that_was_never_issued_starts_over(lab: Lab, never_issued: str, data: str) -> None:
    await lab.run(events=[{"data": data}] * 3, resume=ON, seconds=60)
    again = await come_back(lab, never_issued)
    assert (again.status, len(again.events)) == (200, 3)


async def test_an_id_that_nobody_was_sent_yet_starts_over(lab: Lab) -> None:
    stream = await lab.stream(events=words(5), timing={"fixedDelay": 1000}, resume=ON)
    await lab.clock.advance(1)
    again = await come_back(lab, "4")
    await lab.clock.advance(60)
    assert data_of(again) == "1 2 3 4 5"
    await stream.hang_up()


async def test_an_empty_id_begins_anew(lab: Lab) -> None:
    stream = await lab.run(events=[{"data": "1"}, {"id": "", "data": "2"}, {"data": "3"}], resume=ON)
    assert ids_of(stream) == ["1", "", "3"]
    assert data_of(await come_back(lab, "")) == "1 2 3"
    assert data_of(await come_back(lab, "1")) == "2 3"
