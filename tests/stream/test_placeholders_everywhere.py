"""Where placeholders work, and where they are plain text."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mockd.config.load import load_paths
from mockd.errors import ConfigError
from tests.stream.harness import PATH, Lab

pytestmark = pytest.mark.anyio

P = "$random:7:7"
EVENTS = [{"data": "x"}]


@pytest.mark.parametrize(
    ("kind", "config", "text"),
    [
        ("sse", {"events": [{"data": P}]}, "data: 7\n\n"),
        ("sse", {"events": [{"data": f"a {P} b"}]}, "data: a 7 b\n\n"),
        ("sse", {"events": [{"data": {"a": [{"b": P}], "c": f"={P}"}}]}, 'data: {"a":[{"b":7}],"c":"=7"}\n\n'),
        ("sse", {"events": [{"data": f"{P}\n{P}"}]}, "data: 7\ndata: 7\n\n"),
        (
            "sse",
            {"events": [{"data": "x", "id": P, "type": f"t{P}", "comment": f"c {P}"}]},
            ": c 7\nid: 7\nevent: t7\ndata: x\n\n",
        ),
        ("sse", {"events": [{"comment": P}]}, ": 7\n"),
        (
            "sse",
            {"events": EVENTS, "lifecycle": {"termination": {"finalEvent": {"data": {"a": P}, "id": P, "type": P}}}},
            'data: x\n\nid: 7\nevent: 7\ndata: {"a":7}\n\n',
        ),
        (
            "sse",
            {
                "events": EVENTS,
                "lifecycle": {"termination": {"type": "error", "errorEvent": {"data": P, "comment": P}}},
            },
            "data: x\n\n: 7\ndata: 7\n\n",
        ),
        (
            "sse",
            {"generator": {"type": "template", "count": 1, "template": {"events": [{"data": P, "type": P}]}}},
            "event: 7\ndata: 7\n\n",
        ),
        ("sse", {"generator": {"type": "random", "count": 1, "random": {"schema": [P]}}}, "data: [7]\n\n"),
        (
            "sse",
            {"template": "notification-stream", "templateParams": {"notifications": [{"a": P, "type": f"t{P}"}]}},
            'event: t7\ndata: {"a":7,"type":"t7"}\n\n',
        ),
        ("chunked", {"ndjsonItems": [P, {"a": P}]}, '7\n{"a":7}\n'),
        ("chunked", {"data": f"a {P} b"}, "a 7 b"),
        ("chunked", {"data": f"{P}\n{P}", "format": "ndjson"}, "7\n7\n"),
        (
            "chunked",
            {"data": "x", "lifecycle": {"termination": {"finalEvent": {"data": P}}}},
            "x7",
        ),
        ("response", {"body": P}, "7"),
        ("response", {"body": {"a": P}}, '{"a":7}'),
        # Not in keys, headers, tokens.
        ("sse", {"events": [{"data": {P: 1}}]}, 'data: {"$random:7:7":1}\n\n'),
        ("response", {"body": {P: 1}}, '{"$random:7:7":1}'),
        ("chunked", {"ndjsonItems": [{"$uuid": 1}]}, '{"$uuid":1}\n'),
    ],
    ids=str,
)
async def test_filled_in(lab: Lab, kind: str, config: dict[str, Any], text: str) -> None:
    assert (await lab.run(kind, **config)).text == text


async def test_not_in_tokens_nor_headers(lab: Lab) -> None:
    stream = await lab.run(template="openai-chat", templateParams={"tokens": [P]}, headers={"X-A": P})
    assert '{"content":"$random:7:7"}' in stream.text
    assert stream.headers["x-a"] == P


async def test_a_dollar_in_a_token_needs_no_doubling(lab: Lab) -> None:
    stream = await lab.run(template="openai-chat", templateParams={"tokens": ["$$5", "$random:x"]})
    assert '{"content":"$$5"}' in stream.text


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("events.json", '[{"data": {"a": "$random:7:7"}, "id": "$random:7:7"}]'),
        ("events.ndjson", '{"data": {"a": "$random:7:7"}, "id": "$random:7:7"}\n'),
        ("events.txt", 'id: $random:7:7\ndata: {"a":$random(7,7)}\n\n'),
    ],
)
async def test_events_from_a_file(lab: Lab, tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content)
    mock = {"matcher": {"path": PATH}, "sse": {"eventsFile": name}}
    (tmp_path / "mocks.json").write_text(json.dumps({"version": "1.0", "mocks": [mock]}))
    lab.engine.load(load_paths([str(tmp_path / "mocks.json")]))
    assert (await lab.open()).text == 'id: 7\ndata: {"a":7}\n\n'


async def test_moments_are_those_of_sending(lab: Lab) -> None:
    stream = await lab.run(events=[{"data": "$timestamp"}], repeat=3, timing={"fixedDelay": 60_000})
    assert [data for _, data in stream.events] == [
        "2024-01-15T10:00:00Z", "2024-01-15T10:01:00Z", "2024-01-15T10:02:00Z",
    ]  # fmt: skip


async def test_every_event_of_every_connection_has_its_own(lab: Lab) -> None:
    lab.mock("sse", events=[{"data": "$uuid", "id": "$uuid"}], repeat=50)
    lines = [line for _ in range(2) for line in (await lab.open()).text.split()]
    uuids = [line for line in lines if "-" in line]
    assert len(uuids) == len(set(uuids)) == 200


@pytest.mark.parametrize(
    ("kind", "config", "path"),
    [
        ("sse", {"events": [{"data": {"a": ["$random:x"]}}]}, "$.sse.events[0].data.a[0]"),
        ("sse", {"events": [*EVENTS, {"data": "x", "id": "$pick:"}]}, "$.sse.events[1].id"),
        ("sse", {"events": [{"comment": "$random:1"}]}, "$.sse.events[0].comment"),
        (
            "sse",
            {"events": EVENTS, "lifecycle": {"termination": {"finalEvent": {"data": "$random:x"}}}},
            "$.sse.lifecycle.termination.finalEvent.data",
        ),
        (
            "chunked",
            {"data": "x", "lifecycle": {"termination": {"errorEvent": {"data": "$random:x"}}}},
            "$.chunked.lifecycle.termination.errorEvent.data",
        ),
        ("chunked", {"ndjsonItems": [1, "$pick:"]}, "$.chunked.ndjsonItems[1]"),
        ("chunked", {"data": "$random:9:1"}, "$.chunked.data"),
        ("response", {"body": ["$random:9:1"]}, "$.response.body[0]"),
        (
            "sse",
            {"generator": {"type": "random", "random": {"schema": {"a": "$random:x"}}}},
            "$.sse.generator.random.schema.a",
        ),
        (
            "sse",
            {"generator": {"type": "sequence", "sequence": {"format": "%d $random:x"}}},
            "$.sse.generator.sequence.format",
        ),
    ],
    ids=str,
)
async def test_bad_arguments_are_refused_when_loaded(kind: str, config: dict[str, Any], path: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Lab().mock(kind, **config)
    assert path in str(caught.value)


# -- counting ----------------------------------------------------------------------------------------------------------

COUNTED = [{"comment": "c $seq"}, {"data": {"n": "$seq"}}, {"data": "no. $seq", "type": "t$seq", "comment": "$seq"}]
FINAL = {"termination": {"finalEvent": {"data": "last: $seq"}}}


COUNTED_TEXT = "".join(
    f': c {n}\ndata: {{"n":{n}}}\n\n: {n + 1}\nevent: t{n + 1}\ndata: no. {n + 1}\n\n' for n in (1, 3, 5)
)


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"resume": {"enabled": True}},
        {"timing": {"randomDelay": {"min": 1, "max": 9}}},
        {"rateLimit": {"eventsPerSecond": 5}},
        {"timing": {"fixedDelay": 10}, "flush": "event"},
    ],
    ids=str,
)
async def test_seq_counts_the_events_of_a_stream(lab: Lab, more: dict[str, Any]) -> None:
    lab.mock("sse", events=COUNTED, repeat=3, lifecycle=FINAL, **more)
    streams = [await lab.open() for _ in range(2)]
    await lab.clock.advance(60)
    for stream in streams:
        text = re.sub("^id: .*\n", "", stream.text, flags=re.MULTILINE)
        assert text == COUNTED_TEXT + "data: last: 7\n\n"


async def test_seq_leaves_no_gap_where_events_are_dropped(lab: Lab) -> None:
    stream = await lab.run(
        events=[{"data": "$seq"}] * 9,
        timing={"fixedDelay": 500},
        rateLimit={"eventsPerSecond": 1, "strategy": "drop"},
    )
    data = [data for _, data in stream.events]
    assert len(data) < 9
    assert data == [str(number + 1) for number in range(len(data))]


async def test_seq_goes_on_in_a_final_event_after_a_resumption(lab: Lab) -> None:
    lab.mock("sse", events=[{"data": "$seq"}] * 4, lifecycle=FINAL, resume={"enabled": True})
    again = await lab.open(headers={"Last-Event-ID": "2"})
    assert [data for _, data in again.events] == ["1", "2", "3", "4", "last: 5"]  # the id was never issued
    again = await lab.open(headers={"Last-Event-ID": "2"})
    assert [data for _, data in again.events] == ["3", "4", "last: 5"]


@pytest.mark.parametrize(
    ("kind", "config", "text"),
    [
        ("chunked", {"ndjsonItems": ["$seq", {"n": "$seq"}], "repeat": 2}, '1\n{"n":2}\n3\n{"n":4}\n'),
        ("chunked", {"data": "$seq\n$seq", "format": "ndjson"}, "1\n2\n"),
        ("chunked", {"data": "$seq $seq"}, "1 1"),
        ("response", {"body": {"n": "$seq"}}, '{"n":1}'),
        ("sse", {"events": [{"data": "{{ request.path }} $seq"}] * 2}, "data: /stream 1\n\ndata: /stream 2\n\n"),
        (
            "sse",
            {"generator": {"type": "sequence", "count": 2, "sequence": {"format": "%d $seq"}}},
            "data: 0 1\n\ndata: 1 2\n\n",
        ),
    ],
    ids=str,
)
async def test_seq_everywhere(lab: Lab, kind: str, config: dict[str, Any], text: str) -> None:
    assert (await lab.run(kind, **config)).text == text


@pytest.mark.parametrize(
    ("kind", "config"),
    [
        ("sse", lambda value: {"events": [{"data": value}]}),
        ("chunked", lambda value: {"ndjsonItems": [value]}),
        ("response", lambda value: {"body": value}),
    ],
    ids=["sse", "chunked", "response"],
)
@pytest.mark.parametrize("number", ["$random:7:7", "$float:0.5:0.5:1", "$seq", "$timestamp:unix", "$timestamp:ms"])
async def test_a_number_that_is_the_whole_value_is_a_json_number(
    lab: Lab, kind: str, config: Callable[[Any], dict[str, Any]], number: str
) -> None:
    stream = await lab.run(kind, **config({"a": number, "b": [f"{number} "], "c": [number]}))
    found = json.loads(stream.text.removeprefix("data: "))
    assert isinstance(found["a"], int | float)
    assert found["c"] == [found["a"]]
    assert found["b"] == [f"{found['a']} "]
