"""Configuration files: their forms, ids, environment, and the problems they are refused with."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mockd.config.load import load_paths, parse_collection, watched_files
from mockd.errors import Problem

Write = Callable[[str, Any], Path]
Refused = Callable[..., tuple[Problem, ...]]


def mock(id: str | None = None, **more: Any) -> dict[str, Any]:
    fields = {"id": id} if id else {}
    return {**fields, "matcher": {"path": "/a"}, "response": {"body": "x"}, **more}


def ids(*names: str, **environ: str) -> list[str]:
    return [spec.id for spec in load_paths(names, environ)]


@pytest.mark.parametrize(
    "content",
    [
        mock("a"),
        [mock("a")],
        {"mocks": [mock("a")]},
        {"version": "1.0", "mocks": [mock("a")]},
        {"version": 1.0, "name": "all", "mocks": [mock("a")]},
        {"version": 1, "mocks": [mock("a")]},
        {"version": "1", "kind": "MockCollection", "metadata": {}, "serverConfig": {}, "mocks": [mock("a")]},
        {"id": "a", "type": "http", "http": {"matcher": {"path": "/a"}, "response": {"body": "x"}}},
        [{"id": "a", "http": {"matcher": {"path": "/a"}, "response": {"body": "x"}}}],
        mock("a", type="http"),
        mock("a", createdAt="2024-01-01", updatedAt=1, workspaceId="", metaSortKey=1, parentId=None, syncVersion=2),
    ],
)
def test_every_form_becomes_the_flat_one(write: Write, content: Any) -> None:
    write("m.json", content)
    (spec,) = load_paths(["m.json"], {})
    assert spec.doc == spec.values == mock("a")
    assert (spec.id, spec.mock.id, spec.root, spec.origin.source) == ("a", "a", Path(), "m.json")


def test_an_empty_collection_is_fine(write: Write) -> None:
    write("m.json", {"version": "1.0", "mocks": []})
    assert ids("m.json") == []


@pytest.mark.parametrize(
    ("content", "path", "message"),
    [
        ({"version": "2.0", "mocks": []}, ("version",), "version 2.0 is not one this mockd reads"),
        ({"version": 1.1, "mocks": []}, ("version",), "version 1.1 is not"),
        ({"version": True, "mocks": []}, ("version",), "expected a number or text, got a boolean"),
        ({"version": "1.0"}, (), "missing `mocks`"),
        ({"mocks": {}}, ("mocks",), "expected a list, got an object"),
        ({"mocks": [], "mock": 1}, ("mock",), "unknown key `mock`"),
        ({"mocks": [None]}, ("mocks", 0), "a mock is an object, not null"),
        ("text", (), "not JSON"),
        ('"text"', (), "a mock is an object, not text"),
        ([[]], (0,), "a mock is an object, not a list"),
        ({}, (), "missing `matcher`"),
        (mock(type="graphql"), ("type",), "mocks of type 'graphql' are not served here"),
        (mock(http={"matcher": {}}), ("http", "matcher"), "`matcher` is given here and outside `http`"),
        ({"http": 5}, ("http",), "expected an object, got 5"),
    ],
)
def test_a_wrong_form_is_refused(write: Write, refused: Refused, content: Any, path: Any, message: str) -> None:
    write("m.json", content)
    (problem,) = refused("m.json")
    assert problem.path == path
    assert message in problem.message


JSON = """\
{
  "version": "1.0",
  "mocks": [
    {"id": "ok", "matcher": {"path": "/a"}, "response": {}},
    {"id": "a", "matcher": {"path": "/a"}, "sse": {"events": [{"data": 1}],
      "timing": {"fixedDelay": "slow"}}},
    {"matcher": {"path": "/a"}, "sse": {"events": [{"data": 1}], "lifecycle":
      {"duration": 60}}},
    {"type": "http", "http": {"matcher": {"path": "/a"},
                              "response": {"statuss": 200}}}
  ]
}
"""
YAML = """\
version: 1.0
mocks:
  - &first
    id: two
    matcher: {path: /a}
    response: {}
  - id: yes
    matcher:
      path: /b
      method: true
    response: {body: x}
  - <<: *first
    id: 5
  - id: é
    matcher: {path: /c}
    sse: {fixedDelay: 5, events: []}
"""


def test_every_mock_s_problem_is_reported_with_its_place(write: Write, refused: Refused) -> None:
    write("a.json", JSON)
    write("b.yaml", YAML)
    write("c.json", "{")
    problems = refused("a.json", "b.yaml", "c.json", "d.json")
    assert [str(problem) for problem in problems] == [
        "d.json: there is no such file",
        "c.json:1:2: not JSON: expecting property name enclosed in double quotes",
        "a.json:6:32: $.mocks[1].sse.timing.fixedDelay: 'slow' is neither a number nor a duration such as `500ms`",
        "a.json:8:8: $.mocks[2].sse.lifecycle.duration: unknown key `duration` (did you mean `connectionTimeout`?)",
        "a.json:10:44: $.mocks[3].http.response.statuss: unknown key `statuss` (did you mean `status`?)",
        'b.yaml:10:15: $.mocks[1].matcher.method: expected text, got a boolean (quote it: "true")',
        'b.yaml:13:9: $.mocks[2].id: expected text, got a whole number (quote it: "5")',
        "b.yaml:16:11: $.mocks[3].sse.fixedDelay: unknown key `fixedDelay` (did you mean `timing.fixedDelay`?)",
    ]


def test_missing_ids_are_the_same_after_a_reload_and_in_another_directory(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("m.json", [mock(), mock("given"), mock(id=None)])
    first = ids("m.json")
    assert first == ids(str(Path("m.json").resolve()))
    assert first[1] == "given"
    assert len(set(first)) == 3
    assert all(len(found) == 21 and found.startswith("http_") for found in (first[0], first[2]))


def test_a_made_up_id_is_in_doc_and_values(write: Write) -> None:
    write("m.json", mock() | {"id": None})
    (spec,) = load_paths(["m.json"], {})
    assert spec.doc["id"] == spec.values["id"] == spec.mock.id == spec.id
    assert next(iter(spec.doc)) == "id"


def test_files_of_the_same_name_get_different_ids(write: Write) -> None:
    write("a/m.json", mock())
    write("b/m.json", mock())
    assert len(set(ids("a/m.json", "b/m.json"))) == 2
    assert ids("a/m.json", "b/m.json") == ids("a/m.json", "b/m.json")


def test_the_same_id_twice_names_both_places(write: Write, refused: Refused) -> None:
    write("a.json", '[\n{"id": "x", "matcher": {"path": "/a"}, "response": {}}]')
    write("b.yaml", "matcher: {path: /b}\nresponse: {}\nid: x\n")
    (problem,) = refused("a.json", "b.yaml")
    assert str(problem) == "b.yaml:3:5: $.id: id 'x' is given twice: it is also the id at a.json:2:8"


def test_environment_values_are_filled_in(write: Write) -> None:
    document = {
        "id": "${ID}",
        "matcher": {"path": "/${PREFIX:-api}/${ID}"},
        "sse": {
            "events": [{"data": {"${ID}": "$${ID} ${EMPTY} ${EMPTY:-full} $ID $$ ${not one} ${N}", "n": "${N}"}}],
            "repeat": "${N}",
            "timing": {"initialDelay": "${DELAY:-2.5}", "perEventDelays": [1, "${N}"]},
            "lifecycle": {"keepOpen": "${OPEN}"},
        },
    }
    write("m.json", document)
    (spec,) = load_paths(["m.json"], {"ID": "x", "N": "3", "OPEN": "true", "EMPTY": ""})
    assert spec.id == "x"
    assert spec.doc == document
    assert spec.values == {
        "id": "x",
        "matcher": {"path": "/api/x"},
        "sse": {
            "events": [{"data": {"${ID}": "${ID}  full $ID $$ ${not one} 3", "n": "3"}}],
            "repeat": 3,
            "timing": {"initialDelay": 2.5, "perEventDelays": [1, 3]},
            "lifecycle": {"keepOpen": True},
        },
    }
    assert spec.mock.sse is not None
    assert spec.mock.sse.timing.per_event_delays == [1.0, 3.0]


def test_a_variable_that_is_not_set_is_refused_with_its_place(write: Write, refused: Refused) -> None:
    write("m.json", '{"matcher": {"path": "/${A}"},\n "response": {"body": ["${B:-}", "${C}"]}}')
    first, second = refused("m.json")
    assert (first.line, first.column, first.path) == (1, 22, ("matcher", "path"))
    assert (second.line, second.column, second.path) == (2, 34, ("response", "body", 1))
    assert first.message == "the environment variable `A` is not set"
    assert first.hint == "set it, or write `${A:-default}`; a literal `${` is `$${`"


@pytest.mark.parametrize("value", ["soon", "", "nan", "1e999", "${X}", "9" * 5000])
def test_a_variable_that_is_no_number_is_refused_where_one_is_wanted(
    write: Write, refused: Refused, value: str
) -> None:
    write("m.json", mock(response={"delay": "${DELAY}"}))
    (problem,) = refused("m.json", DELAY=value)
    assert problem.path == ("response", "delay")
    assert problem.hint == "the value comes from `${DELAY}`"


def test_an_environment_value_out_of_range_is_refused(write: Write, refused: Refused) -> None:
    write("m.json", mock(response={"status": "${STATUS}"}))
    assert refused("m.json", STATUS="999")[0].message == "expected a whole number <= 599"


def test_a_value_whose_type_is_known_later_can_be_read_as_a_number(write: Write) -> None:
    params = {"delayPerToken": "${D}", "model": "m"}
    write("m.json", {"id": "a", "matcher": {"path": "/"}, "sse": {"template": "t", "templateParams": params}})
    (spec,) = load_paths(["m.json"], {"D": "50"})
    better = spec.with_number(("sse", "templateParams", "delayPerToken"))
    assert better is not None
    assert better.mock.sse is not None
    assert better.mock.sse.template_params == {"delayPerToken": 50, "model": "m"}
    assert better.doc == spec.doc
    assert better.with_number(("sse", "templateParams", "delayPerToken")) is None
    assert spec.with_number(("sse", "templateParams", "model")) is None
    assert spec.with_number(("nowhere", 3)) is None


def test_bookkeeping_is_said_once(write: Write, caplog: pytest.LogCaptureFixture) -> None:
    dropped = {"createdAt": "x", "workspaceId": ""}
    write("a.json", {"kind": "MockCollection", "mocks": [mock(**dropped), mock(**dropped)]})
    write("b.json", mock(**dropped))
    with caplog.at_level(logging.WARNING, "mockd"):
        ids("a.json", "b.json")
    said = "ignored, as they mean nothing here: `kind`, `workspaceId`, `createdAt`"
    assert caplog.messages == [f"a.json:1:10: $.kind: {said}"]


def test_bookkeeping_has_a_place_in_what_came_without_a_file(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "mockd"):
        parse_collection([mock(), mock(createdAt="x")], root=None)
    assert caplog.messages == ["$[1].createdAt: ignored, as they mean nothing here: `createdAt`"]


def test_directories_and_patterns_are_sorted(write: Write) -> None:
    for name in ("b.json", "a.yaml", "c.yml", "B.json", ".hidden.json", "notes.txt", "sub/d.json"):
        write(f"conf/{name}", mock(Path(name).name))
    assert ids("conf") == ["B.json", "a.yaml", "b.json", "c.yml"]
    assert ids("conf/*.json") == ["B.json", "b.json"]
    assert ids("conf/**/*.json") == ["B.json", "b.json", "d.json"]
    assert ids("conf/b.json", "conf", "conf/b.json") == ["b.json", "B.json", "a.yaml", "c.yml"]


def test_a_name_with_pattern_characters_is_that_file_first(write: Write) -> None:
    write("m[1].json", mock("a"))
    assert ids("m[1].json") == ["a"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("nope.json", "nope.json: there is no such file"),
        ("*.nope", "*.nope: no file matches this pattern"),
        ("empty", "empty: there is no *.json, *.yaml, *.yml in this directory"),
        ("blank.json", "blank.json: it is empty"),
        ("latin.json", "latin.json:1:14: byte 0xe9 is not UTF-8 (save it as UTF-8)"),
    ],
)
def test_what_cannot_be_read_is_said_clearly(write: Write, refused: Refused, name: str, text: str) -> None:
    write("empty/readme.txt", "")
    write("blank.json", "\n")
    write("latin.json", b'{"name": "caf\xe9"}')
    (problem,) = refused(name)
    assert str(problem) == text


def test_data_files_are_not_taken_for_configuration(write: Write) -> None:
    write("conf/events.json", [{"data": 1}])
    write("conf/lines.json", '{"a": 1}\n{"a": 2}\n')
    write("conf/body.yaml", "{{{")
    write("conf/recorded.json", "[{}")
    write(
        "conf/d.json", {"id": "d", "matcher": {"path": "/d"}, "chunked": {"eventsFile": "recorded.json", "raw": True}}
    )
    write("conf/self.json", mock("self", response={"bodyFile": "self.json"}))
    write("conf/a.json", {"id": "a", "matcher": {"path": "/a"}, "sse": {"eventsFile": "${NAME}.json"}})
    chunked = {"id": "b", "http": {"matcher": {"path": "/b"}, "chunked": {"dataFile": "lines.json"}}}
    write("conf/b.json", {"mocks": [chunked, mock("c", response={"bodyFile": "body.yaml"})]})
    assert ids("conf", NAME="events") == ["a", "b", "c", "d", "self"]
    assert ids("conf/*.*", NAME="events") == ["a", "b", "c", "d", "self"]


def test_a_file_given_by_name_is_configuration_whoever_names_it_as_data(write: Write) -> None:
    write("a.json", mock("a", response={"bodyFile": "b.json"}))
    write("b.json", mock("b"))
    assert ids(".") == ["a"]
    assert ids(".", "b.json") == ["a", "b"]


def test_watched_files_are_configuration_and_data(write: Write) -> None:
    write("conf/a.json", mock(response={"bodyFile": "sub/b.txt"}))
    write("broken.json", "{")
    here = Path().resolve()
    assert watched_files(["conf", "broken.json", "missing.json", "*.none"]) == {
        here / "conf/a.json",
        here / "conf/sub/b.txt",
        here / "broken.json",
        here / "missing.json",
    }


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("../out.txt", "leads out of the folder"),
        ("/etc/hosts", "leads out of the folder"),
        ("link.txt", "leads out of the folder"),
        ("loop", "there is no file 'loop'"),
        ("sub", "there is no file 'sub'"),
        ("", "there is no file ''"),
        ("nope.txt", "there is no file 'nope.txt'"),
        ("a\0b", "leads nowhere"),
        ("x" * 5000, "there is no file"),
    ],
)
def test_data_files_stay_in_their_folder(write: Write, refused: Refused, name: str, message: str) -> None:
    write("out.txt", "secret")
    write("conf/sub/in.txt", "x")
    Path("conf/link.txt").symlink_to("../out.txt")
    Path("conf/loop").symlink_to("loop")
    write("conf/m.json", mock(response={"bodyFile": name}))
    (problem,) = refused("conf/m.json")
    assert message in problem.message
    assert problem.path == ("response", "bodyFile")
    assert problem.line == 1


def test_a_link_inside_the_folder_is_fine(write: Write) -> None:
    write("conf/sub/in..txt", "x")
    Path("conf/link.txt").symlink_to("sub/in..txt")
    write("conf/m.json", mock("a", response={"bodyFile": "link.txt"}))
    assert ids("conf/m.json") == ["a"]
