"""What the environment gave to a mock, and where it must not be seen: everywhere but in the mock's own answers."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from mockd.config.environment import hidden
from mockd.config.load import load_paths, parse_mock
from mockd.engine import Engine
from mockd.errors import ConfigError, Problem
from mockd.server.welcome import curl_line
from mockd.settings import Settings
from mockd.testing import running_mockd
from tests.cli.harness import PATIENCE_S, Served, clean_environ, free_port
from tests.programs import program

SECRET = "canary7d1f"
ENVIRON = {"SECRET": SECRET, "PREFIX": f"/{SECRET}", "STAR": f"{SECRET}*", "REGEX": f"{SECRET}.*", "BAD": f"{SECRET}("}
ANSWER: dict[str, Any] = {"response": {}}


def load(folder: Path, *mocks: dict[str, Any], warn: Callable[[Problem], None] = lambda problem: None) -> Engine:
    file = folder / "mocks.json"
    file.write_text(json.dumps(list(mocks)))
    engine = Engine(Settings())
    engine.load(load_paths([str(file)], ENVIRON, check=engine.check, warn=warn), warn)
    return engine


# -- near misses -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("criteria", "written"),
    [
        ({"path": "/a/${SECRET}"}, "/a/${SECRET}"),
        ({"path": "/a/${SECRET:-x}"}, "/a/${SECRET:-x}"),
        ({"path": "/a/b", "method": "POST", "headers": {"X-A": "${SECRET} $${b}"}}, "${SECRET} ${b}"),
        ({"path": "/a/b", "headers": {"X-A": "${STAR}"}}, "${STAR}"),
        ({"path": "/a/b", "headers": {"X-A": {"pattern": "^${SECRET}$"}}}, "^${SECRET}$"),
        ({"path": "/a/b", "queryParams": {"a": "${SECRET}"}}, "${SECRET}"),
        ({"path": "/a/b", "queryParams": {"a": {"pattern": "${SECRET}"}}}, "${SECRET}"),
        ({"pathPattern": "${SECRET}", "headers": {"Host": "*"}}, "${SECRET}"),
        ({"path": "/a/b", "bodyContains": "${SECRET}"}, "${SECRET}"),
        ({"path": "/a/b", "bodyEquals": "${SECRET}"}, "${SECRET}"),
        ({"path": "/a/b", "bodyPattern": "${SECRET}"}, "${SECRET}"),
        ({"path": "/a/b", "bodyJsonPath": {"$.a": "${SECRET}"}}, "${SECRET}"),
        ({"path": "/a/b", "bodyJsonPath": {"$.a": [{"b": "${SECRET}"}]}}, "${SECRET}"),
        ({"path": "/a/b", "not": {"path": "${PREFIX}/*", "headers": {"x-b": "${STAR}"}}, "bodyEquals": "x"}, "${STAR}"),
        ({"path": "/a/b", "headers": {"Authorization": "Bearer ${STAR}"}}, "Bearer ${STAR}"),
        ({"path": "/a/b", "headers": {"Authorization": "Bearer ${SECRET}"}}, "(a value that is not shown)"),
        (
            {"path": "/a/b", "not": {"headers": {"Cookie": "${SECRET}"}}, "bodyEquals": "x"},
            "(a value that is not shown)",
        ),
    ],
)
def test_a_near_miss_shows_what_was_written(tmp_path: Path, criteria: dict[str, Any], written: str) -> None:
    engine = load(tmp_path, {"name": "of ${SECRET}", "matcher": criteria, **ANSWER})
    seen: list[Any] = []
    engine.connections.observers.append(lambda exchange: seen.append(exchange.near_misses))
    with running_mockd(engine=engine) as mockd:
        answer = httpx.get(mockd.url + "/a/b")
        page = httpx.get(mockd.url + "/a/b", headers={"Sec-Fetch-Dest": "document"})
    near = answer.json()["nearMisses"][0]
    assert near["mockName"] == "of ${SECRET}"
    assert written in json.dumps([field["expected"] for field in near["fields"]])
    assert SECRET not in answer.text + page.text + json.dumps(seen)
    if "not" not in criteria:
        assert written in near["reason"]


def test_criteria_are_compared_with_the_environment(tmp_path: Path) -> None:
    mock = {"matcher": {"path": "${PREFIX}", "headers": {"X-A": "${SECRET}"}}, "response": {"body": "${SECRET}"}}
    with running_mockd(engine=load(tmp_path, mock)) as mockd:
        assert httpx.get(f"{mockd.url}/{SECRET}", headers={"X-A": SECRET}).text == SECRET
        assert httpx.get(f"{mockd.url}/{SECRET}", headers={"X-A": "${SECRET}"}).status_code == 404


def test_a_variable_without_value_shows_as_written_too(tmp_path: Path) -> None:
    engine = load(tmp_path, {"matcher": {"path": "/a", "bodyEquals": "${UNSET:-default}"}, **ANSWER})
    with running_mockd(engine=engine) as mockd:
        assert "${UNSET:-default}" in httpx.get(mockd.url + "/a").json()["nearMisses"][0]["reason"]


def test_a_mock_from_the_admin_api_shows_what_it_says() -> None:
    with running_mockd({"matcher": {"path": "/a", "bodyEquals": "${SECRET} $${x}"}, **ANSWER}) as mockd:
        near = httpx.get(mockd.url + "/a").json()["nearMisses"][0]
    assert near["fields"][1]["expected"] == "${SECRET} $${x}"


# -- problems and warnings ---------------------------------------------------------------------------------------------


def matching(**criteria: Any) -> dict[str, Any]:
    path = {} if "pathPattern" in criteria else {"path": "/a"}
    return {"matcher": {**path, **criteria}, **ANSWER}


def sse(**fields: Any) -> dict[str, Any]:
    return {"matcher": {"path": "/a"}, "sse": {"events": [{"data": "x"}], **fields}}


def data(text: str) -> dict[str, Any]:
    return sse(events=[{"data": text}])


def chat(**params: Any) -> dict[str, Any]:
    return {"matcher": {"path": "/a"}, "sse": {"template": "openai-chat", "templateParams": params}}


def response(**fields: Any) -> dict[str, Any]:
    return {"matcher": {"path": "/a"}, "response": fields}


MISTAKES: dict[str, dict[str, Any]] = {
    "method": matching(method="${SECRET}"),
    "path": matching(path="${SECRET}"),
    "brace": matching(path="/${SECRET}{"),
    "capture": matching(path="/{${SECRET}}/{${SECRET}}"),
    "group": matching(pathPattern="(?P<${SECRET}>a)(?P<${SECRET}>b)"),
    "pattern": matching(bodyPattern="(?<${SECRET}"),
    "header pattern": matching(headers={"a": {"pattern": "${BAD}"}}),
    "id": matching() | {"id": "a/${SECRET}"},
    "enum": sse(lifecycle={"termination": {"type": "${SECRET}"}}),
    "duration": sse(timing={"fixedDelay": "${SECRET}"}),
    "number": sse(repeat="${SECRET}"),
    "boolean": matching() | {"enabled": "${SECRET}"},
    "seconds": sse(lifecycle={"timeout": "${SECRET}"}),
    "type": sse(events=[{"type": "${SECRET}\n", "data": "x"}]),
    "ids": sse(events=[{"id": "${SECRET}"}, {"id": "${SECRET}"}], resume={"enabled": True}),
    "sequence": {
        "matcher": {"path": "/a"},
        "sse": {"generator": {"type": "sequence", "sequence": {"format": "${SECRET}"}}},
    },
    "header": sse(headers={"X-A": "${SECRET}\n"}),
    "header characters": sse(headers={"X-A": "${SECRET}€"}),
    "coding": response(body="x", headers={"Content-Encoding": "${SECRET}"}),
    "length": response(body="x", headers={"Content-Length": "${SECRET}"}),
    "bodyFile": response(bodyFile="${SECRET}.txt"),
    "bodyFile elsewhere": response(bodyFile="../${SECRET}"),
    "eventsFile": {"matcher": {"path": "/a"}, "sse": {"eventsFile": "${SECRET}.json"}},
    "dataFile": {"matcher": {"path": "/a"}, "chunked": {"dataFile": "${SECRET}\0"}},
    "template": {"matcher": {"path": "/a"}, "sse": {"template": "${SECRET}"}},
    "plug-in": {"matcher": {"path": "/a"}, "sse": {"template": "${SECRET}:Source"}},
    "parameter": chat(delayPerToken="${SECRET}"),
    "reason": chat(finishReason="${SECRET}"),
    "random": data("$random:${SECRET}"),
    "float": data("$float:${SECRET}"),
    "pick": data("$pick(${SECRET}"),
    "expression": data("{{ request.path ~ ${SECRET} }}"),
    "filter": data("{{ request.path | ${SECRET} }}"),
    "member": data("{{ request.${SECRET} }}"),
    "syntax": data("{{ request.path '${SECRET}' ${SECRET} }}"),
    "regex in path": matching(path="/:${SECRET}"),
    "regex in pathPattern": matching(pathPattern="${SECRET}\\?"),
    "regex in header": matching(headers={"a": "${REGEX}"}),
    "regex in query": matching(queryParams={"a": "${REGEX}"}),
    "regex in body": matching(method="POST", bodyContains="${REGEX}"),
    "given id": sse(events=[{"id": "${SECRET}", "data": "{{ request.path }}"}], resume={"enabled": True}),
    "placeholder": data("$uuidd ${SECRET}"),
}


def said_about(folder: Path, mock: dict[str, Any]) -> list[Problem]:
    """The problems of a mock, or else the warnings."""
    said: list[Problem] = []
    try:
        load(folder, mock, warn=said.append)
    except ConfigError as error:
        return list(error.problems)
    return said


@pytest.mark.parametrize("name", MISTAKES)
def test_problems_and_warnings_show_what_was_written(
    name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    said = said_about(tmp_path, MISTAKES[name])
    assert said
    assert SECRET not in "\n".join(map(str, said)) + caplog.text


METHOD = '"${SECRET}" is not one of GET, POST, PUT, DELETE, PATCH, HEAD, OPTIONS, TRACE, QUERY'


@pytest.mark.parametrize("secret", ['say "it"', "it's", "a\\b\nc", "ünï", "$&", "(x", "${SECRET}"])
def test_a_value_is_hidden_however_it_is_quoted(secret: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ENVIRON, "SECRET", secret)
    (problem,) = said_about(tmp_path, MISTAKES["method"])
    assert problem.message.replace("'", '"') == METHOD


@pytest.mark.parametrize("common", ["a", "is", "O", "ET"])
def test_what_may_be_in_any_word_is_hidden_between_quotes(
    common: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ENVIRON, "SECRET", common)
    (problem,) = said_about(tmp_path, MISTAKES["method"])
    assert problem.message.replace("'", '"') == METHOD


@pytest.mark.parametrize("write", [str, repr, json.dumps, partial(json.dumps, ensure_ascii=False)])
def test_a_value_is_hidden_in_every_spelling(write: Callable[[str], str]) -> None:
    secret = 'a"b\x1b\\ü'
    assert hidden(f"<{write(secret)}>", {secret: "${A}"}).replace('"', "").replace("'", "") == "<${A}>"


def test_the_longest_of_several_values_counts() -> None:
    filled = {"abcd": "${A}", "abcdef": "${B}", "xabcd": "x${A}"}
    assert hidden("abcdef xabcd abcd", filled) == "${B} x${A} ${A}"


def test_a_patch_that_is_refused_shows_what_was_written(tmp_path: Path) -> None:
    engine = load(tmp_path, {"id": "a", **sse(events=[{"id": "${SECRET}"}, {"id": "${SECRET}"}])})
    with running_mockd(engine=engine) as mockd:
        answer = httpx.patch(mockd.admin_url + "/mocks/a", json={"sse": {"resume": {"enabled": True}}})
    assert answer.status_code == 400
    assert "id '${SECRET}' is also the id of" in answer.text
    assert SECRET not in answer.text


def test_a_warning_shows_no_credential(tmp_path: Path) -> None:
    said = said_about(tmp_path, matching(headers={"Authorization": "Bearer a.*b"}, queryParams={"token": "a.*b"}))
    assert len(said) == 2
    assert "a.*b" not in "\n".join(map(str, said))


# -- while it serves ---------------------------------------------------------------------------------------------------


PLUG_IN = """
import msgspec
from mockd import BaseSource, Event, SourceKind


class Params(msgspec.Struct):
    token: str
    when: str


class Failing(BaseSource):
    def __init__(self, params):
        self.params = params

    def open(self, context):
        if self.params.when == "opened":
            raise ValueError("bad token " + self.params.token)
        return self.events()

    def events(self):
        yield Event("one")
        raise ValueError("bad token " + self.params.token)


KIND = SourceKind("failing", Params, Failing, "Fails.")
"""


@pytest.mark.parametrize("when", ["opened", "later"])
def test_a_source_that_fails_shows_what_was_written(
    when: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / f"failing_{when}.py").write_text(PLUG_IN)
    answer = {"template": f"failing_{when}:KIND", "templateParams": {"token": "${SECRET}", "when": when}}
    engine = load(
        tmp_path, {"matcher": {"path": "/a"}, "sse": {**answer, "lifecycle": {"termination": {"type": "error"}}}}
    )
    with running_mockd(engine=engine) as mockd:
        text = httpx.get(mockd.url + "/a").text
    assert "bad token ${SECRET}" in text
    assert "bad token ${SECRET}" in caplog.text
    assert SECRET not in text + caplog.text


def test_a_file_that_is_gone_is_named_as_written(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / f"{SECRET}.txt"
    file.write_text("x")
    engine = load(tmp_path, {"matcher": {"path": "/a"}, "chunked": {"dataFile": "${SECRET}.txt"}})
    file.unlink()
    with running_mockd(engine=engine) as mockd:
        text = httpx.get(mockd.url + "/a").text
    assert SECRET not in text + caplog.text


# -- the line to try a mock with ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "matcher",
    [
        {"path": "/${SECRET}/{id}/*"},
        {"path": "${PREFIX}/a"},
        {"path": "/a", "method": "${UNSET:-POST}", "bodyEquals": "${SECRET} $x `y`"},
        {"path": "/a", "headers": {"X-A": 'it\'s ${SECRET} "$x" ${UNSET:-a b}'}},
        {"path": "/a", "headers": {"Authorization": "Bearer ${SECRET}"}},
        {"path": "/a", "queryParams": {"a": "${SECRET}&b", "c": "d e"}},
    ],
)
def test_the_shell_fills_in_the_line_to_try_a_mock_with(tmp_path: Path, matcher: dict[str, Any]) -> None:
    engine = load(tmp_path, {"matcher": matcher, "response": {"body": "tried"}})
    with running_mockd(engine=engine) as mockd:
        line = curl_line(engine.mocks(), mockd.url)
        assert line is not None
        assert "${" in line
        assert SECRET not in line
        command = line.replace("curl", f"{program('curl')} --silent", 1)
        shell = ["/bin/sh", "-c", command]
        done = subprocess.run(shell, env=ENVIRON, capture_output=True, text=True, check=True, timeout=PATIENCE_S)
        assert done.stdout == "tried"


def test_a_default_that_a_shell_would_obey_is_quoted(tmp_path: Path) -> None:
    engine = load(tmp_path, {"matcher": {"path": "/a", "headers": {"X-A": "${UNSET:-$(echo x)}"}}, **ANSWER})
    assert curl_line(engine.mocks(), "http://h") == "curl -N -H 'X-A: ${UNSET:-$(echo x)}' http://h/a"


def test_a_credential_is_in_no_line() -> None:
    keys = [{"headers": {"authorization": "Bearer x"}}, {"queryParams": {"api_key": "x"}}]
    specs = [parse_mock({"matcher": {"path": "/a", **key}, **ANSWER}, root=None) for key in keys]
    assert curl_line(specs, "http://h") is None


# -- a whole server ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("served")


@pytest.fixture(scope="module")
def served(folder: Path) -> Iterator[Served]:
    file = folder / "mocks.json"
    matcher = {
        "path": "${PREFIX}/a",
        "method": "${UNSET:-POST}",
        "headers": {"X-A": "${REGEX}", "X-Api-Key": "${SECRET}"},
    }
    mock = {"name": "n ${SECRET}", "description": "d ${SECRET}", "matcher": matcher, "response": {"body": "${SECRET}"}}
    stream = {
        "id": "b",
        "matcher": {"path": "/${SECRET}/b"},
        "sse": {"events": [{"data": "${SECRET}"}], "retry": "5ms"},
    }
    file.write_text(json.dumps([{**mock, "id": "a"}, stream]))
    options = (
        "--admin-port",
        str(free_port()),
        "--state",
        str(folder / "state.json"),
        "--log-level",
        "debug",
        str(file),
    )
    server = Served(*options, environ=ENVIRON)
    yield server
    server.process.kill()
    server.wait()


PLACES: dict[str, tuple[str, str]] = {
    "a miss": ("POST", "/other/a"),
    "mocks": ("GET", "admin/mocks"),
    "one mock": ("GET", "admin/mocks/a"),
    "export": ("GET", "admin/config"),
    "export as YAML": ("GET", "admin/config?format=yaml"),
    "overview": ("GET", "admin/"),
    "toggle": ("POST", "admin/mocks/b/toggle"),
    "patch": ("PATCH", "admin/mocks/b"),
    "connections": ("GET", "admin/sse/connections?status=all"),
    "status": ("GET", "admin/status"),
}


@pytest.mark.parametrize("place", PLACES)
def test_no_answer_of_a_server_shows_it(place: str, served: Served) -> None:
    method, path = PLACES[place]
    url = served.admin + path.removeprefix("admin") if path.startswith("admin") else served.mocks + path
    answer = httpx.request(method, url, json={"name": "patched"} if method == "PATCH" else None)
    assert answer.status_code in (200, 404)
    assert SECRET not in answer.text
    if place not in ("connections", "status", "patch", "toggle"):
        assert "${" in answer.text


def test_no_line_of_the_log_and_no_file_shows_it(served: Served, folder: Path) -> None:
    httpx.patch(served.admin + "/mocks/a", json={"priority": 1}).raise_for_status()
    httpx.post(served.mocks + "/other/a")
    served.wait_for_message("POST /other/a 404")
    assert any("${" in line.get("try", "") for line in served.lines)
    assert SECRET not in json.dumps(served.lines)
    assert "${SECRET}" in (state := (folder / "state.json").read_text())
    assert SECRET not in state


@pytest.mark.parametrize("arguments", [("list",), ("get", "a"), ("export",), ("list", "--json")])
def test_no_command_shows_it(arguments: tuple[str, ...], served: Served) -> None:
    environ = {**clean_environ(), "MOCKD_ADMIN_URL": served.admin}
    command = [sys.executable, "-m", "mockd", *arguments]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=True, timeout=PATIENCE_S)
    assert "${" in done.stdout
    assert SECRET not in done.stdout + done.stderr
