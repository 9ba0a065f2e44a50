"""Warnings: what they say of mocks that can hardly be meant as they are, and that all others have none."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Any

import pytest

from mockd.config.load import load_paths, parse_collection
from mockd.engine import Engine
from mockd.errors import Problem
from mockd.mocks.warnings import CHECKS
from mockd.presets import configured
from mockd.settings import Settings
from tests.unit.mocks.warned import NOT_WARNED, WARNED, path


def loaded(parts: dict[str, Any]) -> tuple[Engine, list[Problem]]:
    engine, found = Engine(), []
    answer = {} if {"sse", "chunked", "response", "responses"} & parts.keys() else {"response": {}}
    mock = {"id": "a", "matcher": {"path": "/a"}, **answer, **parts}
    engine.load(parse_collection([mock], root=None), found.append)
    return engine, found


def test_every_check_has_a_mock_that_it_warns_of() -> None:
    assert WARNED.keys() == CHECKS.keys()


@pytest.mark.parametrize(
    ("name", "parts", "place", "cure"),
    [(name, *case) for name, cases in WARNED.items() for case in cases],
    ids=lambda case: str(case)[:60],
)
def test_a_warning_has_its_place_and_a_cure(name: str, parts: dict[str, Any], place: str, cure: str) -> None:
    engine, (problem,) = loaded(parts)
    where = problem.path[1:]  # behind the mock's place in the list
    assert not place or ".".join(map(str, where)) == place
    assert cure in (problem.hint or "")
    assert [found.path for found in CHECKS[name](engine.mock_set.served.find("a"))] == [where]


@pytest.mark.parametrize(
    ("parts", "place"),
    [
        (parts, place)
        for cases in WARNED.values()
        for parts, place, _ in cases
        if place.partition(".")[0] in ("sse", "chunked", "response")
    ],
    ids=lambda case: str(case)[:60],
)
def test_a_warning_about_an_entry_has_its_place(parts: dict[str, Any], place: str) -> None:
    entry = {kind: parts[kind] for kind in ("sse", "chunked", "response") if kind in parts}
    _, (problem,) = loaded({"responses": [{"response": {}}, entry]})
    assert ".".join(map(str, problem.path[1:])) == f"responses.1.{place}"


@pytest.mark.parametrize("parts", NOT_WARNED, ids=lambda parts: str(parts)[:60])
def test_what_can_be_meant_so_has_no_warning(parts: dict[str, Any]) -> None:
    assert loaded(parts)[1] == []


@pytest.mark.parametrize("text", ["(||||" * 20_000, "[" * 100_000, "(a|a" * 20_000, "/:" * 50_000, "/<a:" * 20_000])
def test_long_texts_are_looked_through_in_linear_time(text: str) -> None:
    matcher = {"path": f"/{text}", "headers": {"x": text}, "queryParams": {"x": text}, "bodyContains": text}
    began = time.monotonic()
    loaded({"matcher": matcher})
    assert time.monotonic() - began < 20  # a power of the length would be hours


def test_a_path_that_begins_with_a_tilde_is_fine_where_no_segment_is_a_key() -> None:
    engine, found = Engine(Settings(key_path=False)), list[Problem]()
    engine.load(parse_collection([{**path("/~user"), "response": {}}], root=None), found.append)
    assert found == []


def test_an_engine_logs_its_warnings(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "mockd"):
        Engine().load(parse_collection([{"matcher": {"path": "/a?x"}, "response": {}}], root=None))
    assert len(caplog.messages) == 1
    assert caplog.messages[0].startswith("$[0].matcher.path: ")


def test_a_mock_that_never_answers_is_warned_of() -> None:
    mocks = [
        {"id": "first", **path("/a"), "response": {}},
        {"id": "higher", **path("/a"), "priority": 1, "response": {}},
        {"id": "off", **path("/a"), "enabled": False, "response": {}},
        {"id": "other", **path("/b"), "response": {}},
        {"id": "last", **path("/a"), "response": {}},
        {"id": "off too", **path("/b"), "enabled": False, "response": {}},
    ]
    found: list[Problem] = []
    Engine().load(parse_collection(mocks, root=None), found.append)
    (problem,) = found
    assert problem.path == (0, "matcher")
    assert "'last'" in problem.message


def warned(*mocks: dict[str, Any]) -> list[tuple[str, str, str | None]]:
    """The places of the warnings about mocks, what they say and how to cure it."""
    found: list[Problem] = []
    Engine().load(parse_collection(list(mocks), root=None), found.append)
    return [(".".join(map(str, problem.path)), problem.message, problem.hint) for problem in found]


def in_scenario(**scenario: Any) -> dict[str, Any]:
    return {**path("/a"), "response": {}, "scenario": {"name": "login", **scenario}}


ANYTHING = {**path("/a"), "response": {}}
ONCE = {**path("/a"), "responses": [{"response": {}}], "then": "miss"}


@pytest.mark.parametrize(
    ("mocks", "places"),
    [
        ([in_scenario(when="start"), in_scenario(when="in")], ["1.scenario.when"]),
        ([in_scenario(when="start", set="in"), in_scenario(when="in")], []),
        ([in_scenario(when="start", set="in"), in_scenario(when=["in", "out"])], ["1.scenario.when.1"]),
        ([in_scenario(when="start"), in_scenario(when="start")], ["0.matcher"]),
        ([in_scenario(set="in"), in_scenario(when="in")], []),
        ([in_scenario(name="x", when="start"), in_scenario(name="y", when="start")], []),
        ([{**path("/a"), "response": {}}, {**path("/a"), "responses": [{"response": {}}], "then": "miss"}], []),
        (
            [{**path("/a"), "responses": [{"response": {}}], "then": "miss"}, {**path("/a"), "response": {}}],
            ["0.matcher"],
        ),
    ],
    ids=str,
)
def test_mocks_that_others_keep_from_answering(mocks: list[dict[str, Any]], places: list[str]) -> None:
    assert [place for place, _, _ in warned(*mocks)] == places


def test_a_state_that_no_mock_sets_is_warned_of_with_those_that_are_set() -> None:
    ((place, message, hint),) = warned(in_scenario(when="start", set="in"), in_scenario(when="inn"))
    assert place == "1.scenario.when"
    assert message == "no mock sets the scenario 'login' to 'inn'"
    assert hint == "it is `start` or `in`"


def test_the_examples_have_no_warnings() -> None:
    found: list[Problem] = []
    Engine().load(load_paths(["examples/sse"], warn=found.append), found.append)
    assert found == []


@pytest.mark.parametrize("shaping", [{}, {"ttft": 100, "itl": 20}, {"tokens_per_second": 50}], ids=str)
def test_presets_have_no_warnings(shaping: dict[str, Any]) -> None:
    engine, found = Engine(Settings(preset="llm", **shaping)), []
    engine.load(configured(engine.settings), found.append)
    assert engine.mocks()
    assert found == []


def test_files_are_warned_of_with_line_and_column(tmp_path: Path) -> None:
    file, empty = tmp_path / "a.yaml", tmp_path / "b.json"
    file.write_text("- matcher: {path: /a}\n  response:\n    body: [x, $uid]\n")
    empty.write_text('{"version": "1.0", "mocks": []}')
    found: list[Problem] = []
    Engine().load(load_paths([str(tmp_path)], warn=found.append), found.append)
    assert [(problem.source, problem.line, problem.column) for problem in found] == [
        (str(empty), None, None),
        (str(file), 3, 15),
    ]
