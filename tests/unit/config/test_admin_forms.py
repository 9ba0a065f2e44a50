"""Mocks that come through the admin API: parsed, patched, imported and exported."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mockd.config.conversion import convert
from mockd.config.hand import MockHold
from mockd.config.load import (
    MockSpec,
    Origin,
    dump_collection,
    load_paths,
    parse_collection,
    parse_mock,
    parse_text,
    patch_mock,
)
from mockd.config.yaml_text import write_yaml
from mockd.errors import ConfigError, Problem

Write = Callable[[str, Any], Path]

DOC: dict[str, Any] = {"id": "a", "matcher": {"path": "/a"}, "response": {"body": "x", "headers": {"X-A": "1"}}}


def spec_of(doc: object = DOC, **options: Any) -> MockSpec:
    return parse_mock(doc, root=None, **options)


def refused(call: Callable[[], object]) -> tuple[Problem, ...]:
    with pytest.raises(ConfigError) as caught:
        call()
    return caught.value.problems


def test_an_id_is_made_up_given_or_the_mock_s_own() -> None:
    without = {key: value for key, value in DOC.items() if key != "id"}
    made_up = spec_of(without)
    assert re.fullmatch("http_[0-9a-f]{16}", made_up.id)
    assert made_up.id != spec_of(without).id
    assert made_up.doc == {"id": made_up.id, **without}
    assert spec_of(without, mock_id="b").id == "b"
    assert spec_of(mock_id="a").id == spec_of().id == "a"
    assert refused(lambda: spec_of(mock_id="b"))[0].path == ("id",)


def test_the_nested_form_becomes_flat_and_its_problems_keep_their_path() -> None:
    nested = {"type": "http", "id": "a", "http": {"matcher": {"path": "/a"}, "response": DOC["response"]}}
    assert spec_of(nested).doc == DOC
    nested["http"] = {"matcher": {"path": "/a"}, "response": {"statu": 1}}
    assert refused(lambda: spec_of(nested))[0].path == ("http", "response", "statu")


def test_the_environment_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/secret")
    assert spec_of({**DOC, "name": "${HOME} $${HOME}"}).values["name"] == "${HOME} $${HOME}"
    (imported,) = parse_collection([{**DOC, "name": "${HOME} $${HOME}"}], root=None)
    assert imported.values["name"] == imported.doc["name"] == "${HOME} ${HOME}"


@pytest.mark.parametrize(
    "doc", [None, [], "x", 5, {}, {"matcher": {}}, {1: 2}, {"matcher": {"path": "/"}, "response": {"body": {1, 2}}}]
)
def test_what_is_no_mock_is_refused(doc: object) -> None:
    assert refused(lambda: spec_of(doc))


def test_values_that_are_not_json_are_refused_with_their_path() -> None:
    doc = {**DOC, "response": {"body": [float("nan"), {"x": float("inf")}, "\ud800", b""]}}
    assert [problem.path[2:] for problem in refused(lambda: spec_of(doc))] == [(0,), (1, "x"), (2,), (3,)]


def test_an_import_reports_every_problem_and_double_ids() -> None:
    mocks = [DOC, {**DOC, "id": 5}, DOC, {"id": "c"}]
    problems = refused(lambda: parse_collection({"version": "3", "mocks": mocks}, root=None))
    assert [str(problem) for problem in problems] == [
        "$.version: version 3 is not one this mockd reads (it needs `1.0`)",
        '$.mocks[1].id: expected text, got a whole number (quote it: "5")',
        "$.mocks[3]: missing `matcher`",
        "$.mocks[2].id: id 'a' is given twice: it is also the id at $.mocks[0].id",
    ]


def test_data_files_are_found_under_the_root(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("x")
    doc = {**DOC, "response": {"bodyFile": "x.txt"}}
    assert parse_mock(doc, root=tmp_path).root == tmp_path
    (problem,) = refused(lambda: spec_of(doc))
    assert problem.path == ("response", "bodyFile")
    assert "--files-root" in str(problem.hint)


def test_a_patch_merges_into_what_is_there() -> None:
    patched = patch_mock(spec_of(), {"name": "n", "response": {"body": None, "headers": {"X-B": "2"}, "delay": 5}})
    assert patched.doc == {
        "id": "a",
        "matcher": {"path": "/a"},
        "response": {"headers": {"X-A": "1", "X-B": "2"}, "delay": 5},
        "name": "n",
    }
    assert patched.values == patched.doc
    assert patched.mock.response is not None
    assert patched.mock.response.delay == 5.0


def test_a_patch_may_change_the_kind_of_answer() -> None:
    patched = patch_mock(spec_of(), {"response": None, "sse": {"events": [{"data": None}, {"data": [None]}]}})
    assert patched.doc["sse"] == {"events": [{"data": None}, {"data": [None]}]}  # lists are replaced as they are
    assert "response" not in patched.doc


@pytest.mark.parametrize(
    ("patch", "path"),
    [
        ({"id": "b"}, ("id",)),
        ({"id": None}, ("id",)),
        ({"matcher": None}, ()),
        ({"response": None}, ()),
        ({"response": {"delay": "x"}}, ("response", "delay")),
        ({"response": {"delay": float("nan")}}, ("response", "delay")),
        ({"nam": "x"}, ("nam",)),
        ([], ()),
        (None, ()),
    ],
)
def test_a_patch_that_makes_no_mock_is_refused(patch: object, path: tuple[str, ...]) -> None:
    assert refused(lambda: patch_mock(spec_of(), patch))[0].path == path


def test_a_patch_leaves_the_mock_it_was_made_from_alone() -> None:
    spec = spec_of()
    patch_mock(spec, {"response": {"headers": {"X-A": "2"}}})
    assert spec.doc == DOC


def test_a_patched_mock_of_a_file_keeps_its_variables(write: Write) -> None:
    write("m.json", {**DOC, "name": "${NAME}", "response": {"delay": "${DELAY}"}})
    environ = {"NAME": "x", "DELAY": "7"}
    patched = patch_mock(load_paths(["m.json"], environ)[0], {"description": "${NAME}"})
    assert patched.values == {**DOC, "name": "x", "response": {"delay": 7}, "description": "${NAME}"}
    assert patched.doc == {**DOC, "name": "${NAME}", "response": {"delay": "${DELAY}"}, "description": "$${NAME}"}
    write("out.json", dump_collection([patched]))
    assert load_paths(["out.json"], environ)[0].values == patched.values


def test_a_problem_in_a_patch_is_not_said_to_be_in_the_file(write: Write) -> None:
    write("m.json", DOC)
    patched = patch_mock(load_paths(["m.json"], {})[0], {"name": "n"})
    assert patched.origin.report(Problem("wrong", ("name",))) == Problem("wrong", ("name",))


def test_a_patch_names_data_files_of_the_given_root_only(write: Write, tmp_path: Path) -> None:
    write("conf/a.txt", "a")
    write("conf/m.json", {**DOC, "response": {"bodyFile": "a.txt"}})
    write("root/b.txt", "b")
    (spec,) = load_paths(["conf/m.json"], {})
    assert patch_mock(spec, {"name": "n"}).root == Path("conf")
    assert refused(lambda: patch_mock(spec, {"response": {"bodyFile": "b.txt"}}))[0].path == ("response", "bodyFile")
    assert patch_mock(spec, {"response": {"bodyFile": "b.txt"}}, root=tmp_path / "root").root == tmp_path / "root"


@pytest.mark.parametrize("text", ["${HOME}", "$${HOME}", "$$${HOME}", "$${", "$$$${", "${", "$", "${HOME:-x}"])
def test_text_from_admin_survives_export_and_load(write: Write, text: str) -> None:
    doc = {**DOC, "name": text, "response": {"body": {text: [text, 1, None, True]}}}
    dumped = dump_collection([spec_of(doc)])
    write("out.json", dumped)
    write("out.yaml", write_yaml(dumped))
    for file in ("out.json", "out.yaml"):
        (loaded,) = load_paths([file], {"HOME": "/secret"})
        assert loaded.values == doc
        assert dump_collection([loaded]) == dumped
    (imported,) = parse_collection(dumped, root=None)
    assert imported.doc == doc


def test_an_origin_fills_in_the_place(write: Write) -> None:
    write("m.json", '[{"id": "a", "http": {"matcher": {"path": "/a"},\n "response": {"body": "x"}}}]')
    origin = load_paths(["m.json"], {})[0].origin
    problem = origin.report(Problem("bad", ("response", "body"), "cure"))
    assert problem == Problem("bad", (0, "http", "response", "body"), "cure", "m.json", 2, 23)
    both = origin.report_all(ConfigError([Problem("x", ("response",)), Problem("y", ("response", "nowhere"))]))
    assert [(found.line, found.column) for found in both.problems] == [(2, 14), (2, 14)]
    assert Origin().report(Problem("bad", ("a",))) == Problem("bad", ("a",))


def test_text_without_a_source_says_line_and_column() -> None:
    (problem,) = refused(lambda: parse_text(b'{\n"a" 1}', source=None, format="json"))
    assert (problem.source, problem.line, problem.column) == (None, 2, 5)
    assert str(problem).startswith("line 2, column 5: not JSON")
    assert parse_text(json.dumps(DOC).encode(), source=None, format="json") == DOC


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"at": "tail"}, "'tail' is not one of `head`, a whole number"),
        ({"upcoming": "al"}, "'al' is not one of `all`, a whole number, true or false"),
        ({"at": 10**9 + 1}, "expected a whole number <= 1000000000"),
        ({"upcoming": 10**30}, "expected a whole number <= 1000000000"),
    ],
)
def test_what_a_place_may_be_is_said(given: dict[str, Any], said: str) -> None:
    (problem,) = refused(lambda: convert(given, MockHold))
    assert problem.message == said
