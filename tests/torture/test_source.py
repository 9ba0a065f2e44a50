"""Where a stream comes from: mock files, recordings, running streams."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from random import Random
from typing import Any

import pytest

from mockd.errors import ConfigError
from mockd.recordings.lines import Head
from mockd.testing import running_mockd
from mockd.torture.source import read_source
from tests.recordings.stories import recorded, stream

PATIENCE_S = 30.0
EVENTS = [{"data": "a"}, {"data": "b", "id": "7"}]


def written(folder: Path, value: object, name: str = "mocks.json") -> str:
    file = folder / name
    file.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
    return str(file)


def one(mock_id: str, **parts: Any) -> dict[str, Any]:
    return {"id": mock_id, "matcher": {"path": f"/{mock_id}"}, **(parts or {"sse": {"events": EVENTS}})}


def test_the_only_mock_of_a_file(tmp_path: Path) -> None:
    source = read_source(written(tmp_path, one("a")), PATIENCE_S)
    assert source.mock == {"matcher": {"path": "/a"}, "sse": {"events": EVENTS}}
    assert (source.root, source.path) == (tmp_path, "/a")


def test_one_of_several(tmp_path: Path) -> None:
    file = written(tmp_path, [one("a"), one("b")])
    assert read_source(f"{file}#b", PATIENCE_S).path == "/b"
    with pytest.raises(ConfigError, match=r"there are 2 mocks \(say which, as in `.*#ID`; its mocks are a, b\)"):
        read_source(file, PATIENCE_S)
    with pytest.raises(ConfigError, match="there is no mock 'c'"):
        read_source(f"{file}#c", PATIENCE_S)


def test_what_has_no_stream(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="the mock 'a' has no stream of its own"):
        read_source(written(tmp_path, one("a", response={"body": "x"})), PATIENCE_S)
    with pytest.raises(ConfigError, match="has no stream of its own"):
        read_source(written(tmp_path, one("a", responses=[{"sse": {"events": EVENTS}}])), PATIENCE_S)
    with pytest.raises(ConfigError, match="there is no such file"):
        read_source(str(tmp_path / "missing.json"), PATIENCE_S)


@pytest.mark.parametrize(
    ("matcher", "path"),
    [
        ({"path": "/v1/{model}/chat"}, "/v1/model/chat"),
        ({"path": "/files/*"}, "/files/x"),
        ({"pathPattern": "^/a"}, ""),
        ({"path": "/a", "queryParams": {"q": "x y", "r": {"exists": True}}}, "/a?q=x+y"),
    ],
)
def test_a_path_that_the_mock_answers(tmp_path: Path, matcher: dict[str, Any], path: str) -> None:
    assert read_source(written(tmp_path, {"matcher": matcher, "sse": {"events": EVENTS}}), PATIENCE_S).path == path


def test_events_of_a_file_are_in_the_mock(tmp_path: Path) -> None:
    (tmp_path / "a.events").write_text("data: a\n\nid: 7\ndata: b\n\n")
    source = read_source(written(tmp_path, one("a", sse={"eventsFile": "a.events", "retry": 5})), PATIENCE_S)
    assert source.mock["sse"] == {"events": [{"data": "a"}, {"id": "7", "data": "b"}], "retry": 5}
    raw = read_source(written(tmp_path, one("a", sse={"eventsFile": "a.events", "raw": True})), PATIENCE_S)
    assert [event.keys() for event in raw.mock["sse"]["events"]] == [{"rawBase64"}, {"rawBase64", "id"}]


def test_recordings(tmp_path: Path) -> None:
    events = read_source(written(tmp_path, ": hi\n\ndata: costs $uuid\n\n", "a.txt"), PATIENCE_S)
    assert events.mock["sse"] == {"events": [{"comment": "hi"}, {"data": "costs $$uuid"}]}
    assert events.path == "/stream"
    lines = read_source(written(tmp_path, '{"a": 1.0}\n{"b": 2}\n', "a.ndjson"), PATIENCE_S)
    assert lines.mock["chunked"] == {"data": '{"a": 1.0}\n{"b": 2}\n', "format": "ndjson"}
    with pytest.raises(ConfigError, match="it cannot be read"):
        read_source(str(tmp_path / "missing.txt"), PATIENCE_S)
    with pytest.raises(ConfigError, match="there are no events in it"):
        read_source(written(tmp_path, "hello", "b.txt"), PATIENCE_S)


BODIES = [
    (b"data: Gr\xc3\xbc\xc3\x9fe\n\ndata: costs $uuid\n\n", "text/event-stream; charset=utf-8"),
    (b'{"a": 1.0}\n{"b": 2}\n', "application/jsonl"),
    (b"bare $chunks", "text/plain"),
]
ANSWERS = [
    {"sse": {"events": [{"data": "Grüße"}, {"data": "costs $$uuid"}]}},
    {"chunked": {"data": '{"a": 1.0}\n{"b": 2}\n', "format": "ndjson"}},
    {"chunked": {"data": "bare $$chunks", "headers": {"Content-Type": "text/plain"}}},
]


@pytest.mark.parametrize(("body", "answer"), list(zip(BODIES, ANSWERS, strict=True)), ids=["events", "lines", "chunks"])
def test_recorded_exchanges(tmp_path: Path, body: tuple[bytes, str], answer: dict[str, Any]) -> None:
    [exchange] = recorded(tmp_path, stream(Random(1), *body))
    source = read_source(str(exchange.path), PATIENCE_S)
    assert source.mock == {"matcher": {"method": "POST", "path": "/v1/chat"}, **answer}


def test_a_recorded_body_is_decoded(tmp_path: Path) -> None:
    story = stream(Random(1), gzip.compress(b"data: a\n\n"))
    _, head = story.happened[1]
    assert isinstance(head, Head)
    head.headers.append(("Content-Encoding", "gzip"))
    [exchange] = recorded(tmp_path, story)
    assert read_source(str(exchange.path), PATIENCE_S).mock["sse"] == {"events": [{"data": "a"}]}


def test_one_exchange_of_several(tmp_path: Path) -> None:
    found = recorded(tmp_path, *(stream(Random(1), *body) for body in BODIES))
    file = tmp_path / "all.stream.jsonl"
    file.write_bytes(b"".join(exchange.path.read_bytes() for exchange in found))
    assert read_source(f"{file}#2", PATIENCE_S).mock["chunked"] == ANSWERS[1]["chunked"]
    with pytest.raises(ConfigError, match="there are 3 answers") as raised:
        read_source(str(file), PATIENCE_S)
    assert "3: POST https://api.example.com/v1/chat" in str(raised.value.hint)
    with pytest.raises(ConfigError, match="there is no answer 4"):
        read_source(f"{file}#4", PATIENCE_S)
    file.write_text("")
    with pytest.raises(ConfigError, match="there are 0 answers"):
        read_source(str(file), PATIENCE_S)


def test_running_streams() -> None:
    mocks = [
        one("events"),
        one("lines", chunked={"ndjsonItems": [1, 2]}),
        one("text", chunked={"data": "héllo", "headers": {"Content-Type": "text/plain"}}),
    ]
    with running_mockd(*mocks) as mockd:
        assert read_source(f"{mockd.url}/events", PATIENCE_S).mock == {
            "matcher": {"path": "/events"},
            "sse": {"events": [{"data": "a"}, {"data": "b", "id": "7"}]},
        }
        assert read_source(f"{mockd.url}/lines", PATIENCE_S).mock["chunked"] == {"data": "1\n2\n", "format": "ndjson"}
        text = read_source(f"{mockd.url}/text", PATIENCE_S).mock["chunked"]
        assert text == {"data": "héllo", "headers": {"Content-Type": "text/plain"}}
        with pytest.raises(ConfigError, match="/missing answers with status 404"):
            read_source(f"{mockd.url}/missing", PATIENCE_S)
    with pytest.raises(ConfigError, match="cannot be read"):
        read_source(f"{mockd.url}/events", PATIENCE_S)


def test_a_running_stream_without_end_is_read_for_a_while() -> None:
    endless = one("endless", sse={"events": [{"data": "tick"}], "repeat": 0, "timing": {"fixedDelay": 10}})
    silent = one("silent", sse={"events": [{"data": "once"}], "lifecycle": {"keepOpen": True}})
    with running_mockd(endless, silent) as mockd:
        ticks = read_source(f"{mockd.url}/endless", 2.0).mock["sse"]["events"]
        assert {"data": "tick"} in ticks
        assert read_source(f"{mockd.url}/silent", 2.0).mock["sse"]["events"] == [{"data": "once"}]
