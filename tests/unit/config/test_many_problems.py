"""Large texts that are wrong everywhere: what is reported is bounded, and so is the work for it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mockd.config.events_file import read_events
from mockd.config.explain import explained
from mockd.config.json_places import scan
from mockd.config.load import load_paths, parse_collection, parse_mock, parse_text
from mockd.config.models import Mock
from mockd.config.values import check_values, free
from mockd.engine import Engine
from mockd.errors import MAX_PROBLEMS, MAX_SHOWN, ConfigError

SIZE = 9_000_000
MOCK = {"matcher": {"path": "/"}, "response": {}}
MANY = 100_000


def parse(text: str) -> Any:
    return parse_collection(parse_text(text.encode(), source=None, format="json"), root=None)


MANY_TIMES: dict[str, Callable[[], Any]] = {
    "the same key": lambda: parse("{" + ",".join(['"a":1'] * (SIZE // 6)) + "}"),
    "no mocks": lambda: parse("[" + "1," * MANY + "1]"),
    "unknown keys": lambda: parse_mock({**MOCK, **{f"key{n}": 1 for n in range(MANY)}}, root=None),
    "wrong values": lambda: parse_mock({**MOCK, "sse": {"events": [{"id": []}] * (MANY)}}, root=None),
    "no numbers": lambda: check({"body": [float("nan")] * MANY}),
    "halves in keys": lambda: check({f"\ud800{n}": 1 for n in range(MANY)}),
    "the same id": lambda: parse_collection([{**MOCK, "id": "a"}] * 1000, root=None),
    "templates": lambda: Engine().import_specs(
        parse_collection([{**MOCK, "response": None, "sse": {"template": "none"}}] * 1000, root=None),
        replace=False,
        dry_run=True,
    ),
}


def check(value: object) -> None:
    raise ConfigError(check_values(value))


@pytest.mark.parametrize("kind", MANY_TIMES)
def test_a_mistake_that_is_made_many_times_is_reported_a_hundred_times(kind: str) -> None:
    with pytest.raises(ConfigError) as caught:
        MANY_TIMES[kind]()
    assert len(caught.value.problems) == MAX_PROBLEMS


def test_whoever_looks_for_problems_stops_by_itself() -> None:
    """Otherwise there would be a million of them before all but a hundred are dropped."""
    keys = {f"key{n}": 1 for n in range(1000)}
    assert len(explained({**MOCK, **keys}, Mock)) == MAX_PROBLEMS
    assert len(check_values([float("nan")] * 1000)) == MAX_PROBLEMS
    assert len(scan("{" + '"a":1,' * 1000 + '"a":1}').problems) == MAX_PROBLEMS


@pytest.mark.parametrize("separator", [",", "\n"])
def test_files_of_events_too(tmp_path: Path, separator: str) -> None:
    text = separator.join([json.dumps({"data": 1, "id": []})] * 1000)
    file = tmp_path / "events.json"
    file.write_text(f"[{text}]" if separator == "," else text)
    with pytest.raises(ConfigError) as caught:
        read_events(file)
    assert len(caught.value.problems) == MAX_PROBLEMS


def test_configuration_files_too(tmp_path: Path) -> None:
    file = tmp_path / "mocks.json"
    file.write_text(json.dumps([{**MOCK, "typo": 1}] * 1000))
    with pytest.raises(ConfigError) as caught:
        load_paths([str(file)])
    assert len(caught.value.problems) == MAX_PROBLEMS


LONG = "x" * SIZE
LONG_TEXTS: dict[str, dict[str, Any]] = {
    "key": {**MOCK, LONG: 1},
    "key below": {**MOCK, "response": {"headers": {LONG: []}}},
    "path": {"matcher": {"path": LONG}, "response": {}},
    "method": {"matcher": {"method": LONG}, "response": {}},
    "template": {"matcher": {"path": "/"}, "sse": {"template": LONG}},
    "parameter": {"matcher": {"path": "/"}, "sse": {"template": "openai-chat", "templateParams": {LONG: 1}}},
    "word": {"matcher": {"path": "/"}, "sse": {"events": [{"data": "x"}], "resume": LONG}},
}


@pytest.mark.parametrize("kind", LONG_TEXTS)
def test_a_text_that_is_long_is_not_repeated_whole(kind: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Engine().create(LONG_TEXTS[kind])
    assert len(str(caught.value)) < 10 * MAX_SHOWN


def test_the_places_of_values_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mockd.config.json_places.MAX_PLACES", 3)
    marks = scan('[1,\n[2, {"a": 3, "b": 4}],\n5]').marks
    assert [marks.value(path).line for path in [(0,), (1, 0), (1, 1, "a"), (2,)]] == [1, 2, 2, 1]
    assert scan('[1,\n2,\n3,\n4,\n{"a": 1,\n"a": 2}]').problems[0].line == 6


def test_a_value_is_freed_piece_by_piece() -> None:
    deepest: list[Any] = [1]
    inner = {"a": [deepest], "b": {"c": deepest}}
    value = [inner, "text", [inner]]
    free(value)
    assert value == deepest == []
    assert inner == {}
