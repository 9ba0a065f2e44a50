"""Durations as text with a unit: wherever the format has milliseconds or seconds, and the same as the number."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import msgspec.inspect as inspect
import pytest

from mockd.config.base import DURATION
from mockd.config.load import parse_mock
from mockd.config.models import Mock
from mockd.config.timing import in_seconds
from mockd.config.words import meaning_of, struct_info, structs_in
from mockd.errors import ConfigError
from mockd.sources import kinds

EVENTS = [{"data": 1}, {"data": 2}]


def with_sse(**fields: Any) -> dict[str, Any]:
    return {"matcher": {"path": "/a"}, "sse": {"events": EVENTS, **fields}}


def fields_in(struct: inspect.StructType, seen: set[type]) -> Iterator[tuple[type, inspect.Field]]:
    if struct.cls not in seen:
        seen.add(struct.cls)
        for field in struct.fields:
            yield struct.cls, field
            for inner in structs_in(field.type):
                yield from fields_in(inner, seen)


def takes_text(node: inspect.Type) -> bool:
    inner = [getattr(node, name, None) for name in ("type", "item_type")] + list(getattr(node, "types", ()))
    return getattr(node, "pattern", None) == DURATION or any(takes_text(part) for part in inner if part is not None)


def test_every_duration_of_the_format_may_be_text() -> None:
    seen: set[type] = set()
    parts = [Mock, *(kind.params for kind in kinds().values())]
    fields = [found for part in parts for found in fields_in(struct_info(part), seen)]
    durations = {(cls, field.name) for cls, field in fields if "seconds" in meaning_of(field.type)}
    assert len(durations) > 15
    assert {(cls, field.name) for cls, field in fields if takes_text(field.type)} >= durations


@pytest.mark.parametrize(
    ("text", "ms"), [("500ms", 500), ("2s", 2000), ("1m", 60_000), ("0ms", 0), ("1.5s", 1500), ("0.25ms", 0.25)]
)
def test_text_is_the_same_as_the_number(text: str, ms: float) -> None:
    spec = parse_mock(with_sse(timing={"fixedDelay": text}, lifecycle={"timeout": text}), root=None)
    assert spec.mock.sse is not None
    fixed = spec.mock.sse.timing.fixed_delay
    assert fixed is not None
    assert in_seconds(fixed) == ms / 1000
    assert spec.mock.sse.lifecycle.timeout == ms / 1000
    assert spec.doc["sse"]["timing"]["fixedDelay"] == text


@pytest.mark.parametrize(
    ("fields", "numbers"),
    [
        ({"retry": "3s"}, {"retry": 3000}),
        ({"events": [{"data": 1, "retry": "1m"}]}, {"events": [{"data": 1, "retry": 60_000}]}),
        (
            {"timing": {"randomDelay": {"min": "1s", "max": "2s"}}},
            {"timing": {"randomDelay": {"min": 1000, "max": 2000}}},
        ),
        ({"resume": {"maxAge": "1m"}}, {"resume": {"maxAge": 60}}),
        (
            {"lifecycle": {"keepaliveInterval": "15s", "connectionTimeout": "500ms"}},
            {"lifecycle": {"keepaliveInterval": 15, "connectionTimeout": 0.5}},
        ),
    ],
)
def test_structs_have_numbers(fields: dict[str, Any], numbers: dict[str, Any]) -> None:
    read, expected = (parse_mock(with_sse(**part), root=None).mock.sse for part in (fields, numbers))
    assert read == expected


def test_a_distribution_takes_text_too() -> None:
    text = {"dist": "normal", "mean": "2s", "stddev": "500ms", "min": "1s", "max": "1m"}
    numbers = {"dist": "normal", "mean": 2000, "stddev": 500, "min": 1000, "max": 60_000}
    draws = []
    for delay in (text, numbers):
        sse = parse_mock(with_sse(timing={"fixedDelay": delay}), root=None).mock.sse
        assert sse is not None
        assert sse.timing.fixed_delay is not None
        draw = in_seconds(sse.timing.fixed_delay)
        assert callable(draw)
        draws.append(draw(random.Random(5)))
    assert draws[0] == draws[1] > 1


@pytest.mark.parametrize("text", ["soon", "5", "5 s", "-5ms", "1h", "5ms\n", "ms", "1e3ms", "99999999999ms", ".5s", ""])
def test_other_text_is_refused_with_the_forms_there_are(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_mock(with_sse(timing={"fixedDelay": text}), root=None)
    (problem,) = caught.value.problems
    assert problem.message == f"{text!r} is neither a number nor a duration such as `500ms`"
    assert problem.hint == ("write it without quotes" if text == "5" else None)


def test_what_is_sent_as_whole_milliseconds_must_be_whole() -> None:
    with pytest.raises(ConfigError, match=r"retry: '1.5ms' is not a whole number of milliseconds"):
        parse_mock(with_sse(retry="1.5ms"), root=None)


@pytest.mark.parametrize("age", [0, "0s"])
def test_an_age_of_nothing_is_refused(age: Any) -> None:
    with pytest.raises(ConfigError, match="maxAge"):
        parse_mock(with_sse(resume={"maxAge": age}), root=None)
