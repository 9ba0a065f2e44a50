from __future__ import annotations

from typing import Any

import pytest
import typer

from mockd.cli import values


@pytest.mark.parametrize(
    ("text", "event"),
    [
        ("update:hello", {"type": "update", "data": "hello"}),
        ("update: hello", {"type": "update", "data": "hello"}),
        ("update:  hello", {"type": "update", "data": " hello"}),
        ("update:", {"type": "update", "data": ""}),
        ('connected:{"status":"ok"}', {"type": "connected", "data": {"status": "ok"}}),
        ("list:[1, 2]", {"type": "list", "data": [1, 2]}),
        ("_a.b-c9:x", {"type": "_a.b-c9", "data": "x"}),
        ("a:b:c", {"type": "a", "data": "b:c"}),
        ("two:lines\nof text", {"type": "two", "data": "lines\nof text"}),
        ("count:1", {"type": "count", "data": "1"}),
        ("nothing:null", {"type": "nothing", "data": "null"}),
        ('text:"quoted"', {"type": "text", "data": '"quoted"'}),
        ("broken:{oops", {"type": "broken", "data": "{oops"}),
        ('{"a":1}', {"data": {"a": 1}}),
        ("http://example.com/x", {"data": "http://example.com/x"}),
        ("12:30", {"data": "12:30"}),
        ("[DONE]", {"data": "[DONE]"}),
        ("no colon", {"data": "no colon"}),
        ("two words: x", {"data": "two words: x"}),
        (":x", {"data": ":x"}),
        ("", {"data": ""}),
    ],
)
def test_event(text: str, event: dict[str, Any]) -> None:
    assert values.event(text) == event


def test_long_integers_in_event_data_stay_exact() -> None:
    assert values.event('n:{"id":123456789012345678901234567890}')["data"] == {"id": 123456789012345678901234567890}


@pytest.mark.parametrize(
    ("text", "parameter"),
    [
        ("model=gpt-4", ("model", "gpt-4")),
        ('model="gpt-4"', ("model", "gpt-4")),
        ('tokens=["a","b"]', ("tokens", ["a", "b"])),
        ("includeDone=false", ("includeDone", False)),
        ("delayPerToken=50", ("delayPerToken", 50)),
        ("finishReason=a=b", ("finishReason", "a=b")),
    ],
)
def test_template_parameter(text: str, parameter: tuple[str, Any]) -> None:
    assert values.parameter(text, "--template-param") == parameter


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        (values.header, "X-Key: a:b", ("X-Key", "a:b")),
        (values.query, "a=b=c", ("a", "b=c")),
        (values.query, "a:b", ("a", "b")),
        (values.query, "a=", ("a", "")),
        (values.span, "10:20", {"min": 10, "max": 20}),
        (values.rate, "10", {"eventsPerSecond": 10}),
        (values.rate, "0.5:3", {"eventsPerSecond": 0.5, "burstSize": 3}),
        (values.json_value, "null", None),
    ],
)
def test_small_notations(read: Any, text: str, value: Any) -> None:
    assert read(text, "--option") == value


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (values.parameter, "tokens"),
        (values.parameter, "=1"),
        (values.parameter, 'tokens=["a"'),
        (values.header, "no value"),
        (values.header, ": x"),
        (values.query, "name"),
        (values.span, "10"),
        (values.span, "a:b"),
        (values.rate, "fast"),
        (values.rate, "1:x"),
        (values.json_value, "{"),
    ],
)
def test_broken_notation_is_a_usage_error_that_quotes_it(read: Any, text: str) -> None:
    with pytest.raises(typer.BadParameter) as caught:
        read(text, "--option")
    message = caught.value.format_message()
    assert "--option" in message
    assert repr(text.removeprefix("tokens=") or text) in message
