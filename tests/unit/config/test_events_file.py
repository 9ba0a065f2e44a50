"""Files of events in their three formats."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from mockd.config.events_file import read_events
from mockd.config.models import EventConfig
from mockd.errors import ConfigError

_DEFAULTS = msgspec.to_builtins(EventConfig(data=0))


def events_of(tmp_path: Path, text: str, name: str = "events") -> list[dict[str, Any]]:
    file = tmp_path / name
    file.write_bytes(text.encode())
    return [
        {key: value for key, value in msgspec.to_builtins(event).items() if value != _DEFAULTS[key] or key == "data"}
        for event in read_events(file)
    ]


@pytest.mark.parametrize(
    ("item", "event"),
    [
        ('{"data": "x", "type": "t", "id": "1"}', {"type": "t", "data": "x", "id": "1"}),
        ('{"data": null}', {"data": None}),
        ('{"comment": "c"}', {"comment": "c"}),
        ('{"id": 1, "name": "Alice"}', {"data": {"id": 1, "name": "Alice"}}),
        ("{}", {"data": {}}),
        ('{"count": 3}', {"data": {"count": 3}}),
        ('{"id": "a", "count": 3}', {"data": {"id": "a", "count": 3}}),
        ('{"raw": 5, "unit": "C"}', {"data": {"raw": 5, "unit": "C"}}),
        ('{"rawBase64": "/w==", "id": "a", "count": 3}', {"rawBase64": "/w==", "id": "a", "count": 3}),
        ('"text"', {"data": "text"}),
        ('[1, {"data": 2}]', {"data": [1, {"data": 2}]}),
        ("12", {"data": 12}),
        ("-0.5", {"data": -0.5}),
    ],
)
def test_items_are_events_or_data(tmp_path: Path, item: str, event: dict[str, Any]) -> None:
    expected = [event, {"data": {"a": 1}}]
    assert events_of(tmp_path, f'[{item},\n{{"a": 1}}]') == expected
    assert events_of(tmp_path, f'\ufeff{item}\r\n\r\n{{"a": 1}}', "e.ndjson") == expected


def test_lines_of_json_are_ndjson_whatever_the_file_is_called(tmp_path: Path) -> None:
    assert events_of(tmp_path, '{"a": 1}\n\n{"a": 2}\n', "e.json") == [{"data": {"a": 1}}, {"data": {"a": 2}}]
    assert events_of(tmp_path, 'true\n{"a": "\u2028"}\n', "e.jsonl") == [{"data": True}, {"data": {"a": "\u2028"}}]


@pytest.mark.parametrize(
    ("text", "events"),
    [
        ("data: a\n\ndata: b\n\n", [{"data": "a"}, {"data": "b"}]),
        ("data: a\r\ndata:b\r\rdata:  c\n\n", [{"data": "a\nb"}, {"data": " c"}]),
        ("data\n\ndata:\n\n", [{"data": ""}, {"data": ""}]),
        (": hello\n\n:a\n: b\ndata: x\n\n", [{"comment": "hello"}, {"comment": "a\nb", "data": "x"}]),
        ("event: t\nid: 1\nretry: 30\ndata: x\n\n", [{"type": "t", "id": "1", "retry": 30, "data": "x"}]),
        ("event: t\n\ndata: x\n\n", [{"data": "x"}]),
        ("event: t\nevent\ndata: x\n\n", [{"data": "x"}]),
        ("id\n\nretry: 5\n\n", [{"id": ""}, {"retry": 5}]),
        ("data: x\nid: a\0b\nretry: 1x\nfoo: bar\nDATA: y\n\n", [{"data": "x"}]),
        ("retry: 99999999999999999999\ndata: x\n\n", [{"data": "x"}]),
        ("\ufeffdata: x\u2028y\x85z\x0bw\n\n", [{"data": "x\u2028y\x85z\x0bw"}]),
        ("data: [DONE]\n", [{"data": "[DONE]"}]),
        ('data: {"a": "$uuid"}', [{"data": '{"a": "$uuid"}'}]),
    ],
)
def test_a_recorded_stream_is_read_as_a_client_reads_it(
    tmp_path: Path, text: str, events: list[dict[str, Any]]
) -> None:
    without_data = [{"data": Any, **event} if "data" in event else event for event in events]
    assert events_of(tmp_path, text) == without_data


@pytest.mark.parametrize(
    ("name", "text", "place", "message"),
    [
        ("e.json", '[{"data": 1},\n {"data": 2, "typ": "x"}]', "2:14", "$[1].typ: unknown key `typ`"),
        ("e.json", '[{"data": 1},\n {"id": 5}]', "2:9", "$[1].id: expected text, got a whole number"),
        ("e.json", "[1,\n 2", "2:3", "not JSON"),
        ("e.json", "[1, NaN]", "1:5", "$[1]: NaN"),
        ("e.ndjson", '1\n\n{"data": 1, "event": "x"}\n', "3:13", "unknown key `event` (did you mean `type`?)"),
        ("e.ndjson", "1\n{\n", "2:2", "not JSON"),
        ("e.txt", "data: x\n\n: a\n: b\0\n\n", "3:1", "$.comment: NUL cannot be sent in a comment"),
        ("e.txt", "hello\nworld\n", "", "there are no events in it (a file of events is a JSON list, NDJSON, or"),
        ("e.json", "[]", "", "there are no events in it"),
        ("e.json", "", "", "there are no events in it"),
    ],
)
def test_a_wrong_event_has_its_file_and_line(tmp_path: Path, name: str, text: str, place: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        events_of(tmp_path, text, name)
    prefix = f"{tmp_path / name}:{place + ':' if place else ''} "
    assert str(caught.value).startswith(prefix)
    assert message in str(caught.value)


def test_every_wrong_event_is_reported(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        events_of(tmp_path, '{"type": 1}\n{"a": 1}\n{"retry": -1}\n')
    assert [problem.line for problem in caught.value.problems] == [1, 3]


def test_a_file_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="it cannot be read: No such file"):
        read_events(tmp_path / "nope")
    (tmp_path / "latin").write_bytes(b"data: \xe9\n\n")
    with pytest.raises(ConfigError, match="latin:1:7: byte 0xe9 is not UTF-8"):
        read_events(tmp_path / "latin")
