"""Where placeholders work, and where they are plain text."""

from __future__ import annotations

import json
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
