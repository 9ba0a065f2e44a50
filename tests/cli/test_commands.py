from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.cli.harness import Cli, Served, mock

Write = Callable[[str, object], Path]


@pytest.fixture
def two_mocks(cli: Cli, write: Write) -> Cli:
    """A server with the mocks `a` on /a and `b` on /b."""
    mocks = [mock("a", "/a"), {**mock("b", "/b"), "name": "[bold]Bee[/bold]", "enabled": False}]
    assert cli("import", str(write("two.json", mocks))).code == 0
    return cli


def ids(cli: Cli) -> list[str]:
    return [mock["id"] for mock in cli("list", "--json").json["mocks"]]


def test_list_is_a_table_for_people(two_mocks: Cli) -> None:
    lines = two_mocks("list").out.splitlines()
    assert lines[0].split() == ["ID", "METHOD", "PATH", "ANSWER", "PRIORITY", "ENABLED", "NAME"]
    assert lines[1].split() == ["a", "GET", "/a", "SSE:", "1", "event", "0", "yes"]
    assert lines[2].split() == ["b", "GET", "/b", "SSE:", "1", "event", "0", "no", "[bold]Bee[/bold]"]


def test_list_as_json_is_the_answer_of_the_admin_api(two_mocks: Cli) -> None:
    answer = two_mocks("list", "--json").json
    assert (answer["total"], answer["count"]) == (2, 2)
    assert answer["mocks"][0] == mock("a", "/a")


def test_empty_list_is_said_on_stderr(cli: Cli) -> None:
    result = cli("list")
    assert (result.code, result.out) == (0, "")
    assert "no mocks" in result.err


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_get_prints_the_mock(two_mocks: Cli, more: tuple[str, ...]) -> None:
    assert two_mocks("get", "a", *more).json == mock("a", "/a")


def test_delete_by_id(two_mocks: Cli) -> None:
    assert two_mocks("delete", "a", "b", "--json").json == {"deleted": True, "count": 2, "ids": ["a", "b"]}
    assert ids(two_mocks) == []


def test_delete_of_an_unknown_id_deletes_nothing(two_mocks: Cli) -> None:
    result = two_mocks("delete", "a", "nope", "--json")
    assert (result.code, result.json["error"]) == (4, "not_found")
    assert ids(two_mocks) == ["a", "b"]


def test_delete_by_path_and_method(two_mocks: Cli) -> None:
    assert two_mocks("delete", "--path", "/a", "--method", "POST").code == 4
    assert two_mocks("delete", "--path", "/nope").code == 4
    assert two_mocks("delete", "--path", "/a", "--method", "get").out == "Deleted mock: a\n"
    assert two_mocks("delete", "--path", "/b").code == 0
    assert ids(two_mocks) == []


@pytest.mark.parametrize(
    ("arguments", "changed"),
    [
        (("--name", "New"), {"name": "New"}),
        (("--disabled",), {"enabled": False}),
        (("--enabled",), {"enabled": True}),
        (("--priority", "5"), {"priority": 5}),
        (("--patch", '{"sse": {"repeat": 2}}', "--name", "x"), {"sse": {**mock("a", "/a")["sse"], "repeat": 2}}),
    ],
)
def test_update(two_mocks: Cli, arguments: tuple[str, ...], changed: dict[str, Any]) -> None:
    answer = two_mocks("update", "a", "--json", *arguments).json
    assert answer["action"] == "updated"
    assert answer["mock"].items() >= changed.items()
    assert answer["mock"]["matcher"] == mock("a", "/a")["matcher"]


def test_update_from_a_file_and_from_stdin(two_mocks: Cli, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    assert two_mocks("update", "a", str(write("patch.yaml", "name: From YAML\n"))).code == 0
    assert two_mocks("get", "a").json["name"] == "From YAML"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'{"name": null}')))
    assert two_mocks("update", "a", "-").code == 0
    assert "name" not in two_mocks("get", "a").json


def test_refused_update_changes_nothing(two_mocks: Cli) -> None:
    assert two_mocks("update", "a", "--patch", '{"sse": {"repat": 2}}').code == 4
    assert two_mocks("get", "a").json == mock("a", "/a")


def test_import_adds_and_replaces(two_mocks: Cli, write: Write) -> None:
    file = write("one.yaml", "id: c\nmatcher: {path: /c}\nchunked: {data: text}\n")
    assert two_mocks("import", str(file), "--dry-run", "--json").json["total"] == 1
    assert ids(two_mocks) == ["a", "b"]
    assert two_mocks("import", str(file)).out == "Imported 1 mock\n"
    assert ids(two_mocks) == ["a", "b", "c"]
    assert two_mocks("import", str(file), "--replace", "--json").json["imported"] == 1
    assert ids(two_mocks) == ["c"]


def test_refused_import_tells_every_problem_and_changes_nothing(two_mocks: Cli, write: Write) -> None:
    wrong = {"version": "1.0", "mocks": [mock("c", "/c"), mock("d", "/d", evnts=[]), mock("e", "/e", retry=-1)]}
    result = two_mocks("import", str(write("wrong.json", wrong)), "--replace", "--json")
    assert result.code == 4
    assert "evnts" in result.err
    assert "retry" in result.err
    assert ids(two_mocks) == ["a", "b"]


def test_broken_file_is_told_with_its_place_before_any_request(local_cli: Cli, write: Write) -> None:
    file = write("broken.json", '{\n  "id": }')
    result = local_cli("import", str(file), "--json")
    assert result.code == 2
    assert (result.json["line"], result.json["file"]) == (2, str(file))
    assert f"{file}:2:" in result.err


@pytest.mark.parametrize("name", ["out.json", "out.yaml"])
def test_export_and_import_again(two_mocks: Cli, tmp_path: Path, name: str) -> None:
    before = two_mocks("list", "--json").json
    file = tmp_path / name
    document = two_mocks("export", "-o", str(file), "--json").json
    assert document == {"file": str(file), "format": name.partition(".")[2]}
    two_mocks("delete", "a", "b")
    assert two_mocks("import", str(file)).code == 0
    assert two_mocks("list", "--json").json == before
    assert two_mocks("validate", str(file)).code == 0


def test_export_to_stdout(two_mocks: Cli) -> None:
    assert [mock["id"] for mock in two_mocks("export").json["mocks"]] == ["a", "b"]
    assert two_mocks("export", "--json").json == two_mocks("export").json
    assert "- id: a" in two_mocks("export", "--format", "yaml").out
    assert two_mocks("export", "--format", "yaml", "--json").code == 2


def test_export_to_where_nothing_can_be_written(two_mocks: Cli, tmp_path: Path) -> None:
    assert two_mocks("export", "-o", str(tmp_path / "no" / "folder.json")).code == 2


def test_live_streams_are_listed_got_and_closed(cli: Cli, write: Write, shared_server: Served) -> None:
    cli("add", "--id", "live", "--path", "/live", "--sse-event", "tick:1", "--sse-keepalive", "5000")
    with httpx2.stream("GET", shared_server.mocks + "/live") as answer:
        chunks = answer.iter_text()
        assert next(chunks) == "event: tick\ndata: 1\n\n"
        [connection] = cli("sse", "connections", "--json").json["connections"]
        connection_id = connection["id"]
        assert cli("sse", "connections", "list", "--mock", "live", "--json").json["count"] == 1
        assert connection_id in cli("sse", "connections").out
        assert cli("sse", "connections", "get", connection_id).json["mockId"] == "live"
        assert cli("sse", "stats", "--json").json["connectionsByMock"] == {"live": 1}
        assert "activeConnections" in cli("sse", "stats").out
        assert cli("sse", "connections", "close", connection_id).out == f"Closed connection: {connection_id}\n"
        assert list(chunks) == []
    assert cli("sse", "connections", "get", connection_id).json["outcome"] == "closed_by_admin"
    again = cli("sse", "connections", "close", connection_id, "--json")
    assert (again.code, again.json["error"]) == (4, "conflict")
    assert "no live streams" in cli("sse", "connections").err


def test_streams_that_have_ended_are_listed_with_their_outcome(cli: Cli, write: Write, shared_server: Served) -> None:
    ended = ("sse", "connections", "list", "--status", "ended", "--mock", "over")
    assert "no such streams" in cli(*ended).err
    cli("add", "--id", "over", "--path", "/over", "--sse-event", "tick:1")
    for _ in range(3):
        httpx2.get(shared_server.mocks + "/over")
    assert cli(*ended, "--limit", "2").out.count(" completed ") == 2
    connections = cli(*ended, "--json").json["connections"]
    assert [(one["outcome"], one["endedBy"]) for one in connections] == [("completed", "mockd")] * 3
    assert (
        len(cli("sse", "connections", "list", "--status", "all", "--mock", "over", "--json").json["connections"]) == 3
    )
    assert cli(*ended, "--limit", "-1").code == cli("sse", "connections", "list", "--status", "over").code == 2


def test_what_few_have_is_in_a_column_if_any_has_it(cli: Cli, write: Write, shared_server: Served) -> None:
    two = {"id": "two", "matcher": {"path": "/two"}, "responses": [{"sse": {"manual": True}}]}
    assert cli("import", str(write("two.json", two))).code == 0
    assert "SCENARIO" not in cli("list").out
    with httpx2.stream("GET", shared_server.mocks + "/two"):
        headings, row = cli("sse", "connections", "list", "--mock", "two").out.splitlines()
        assert (headings.split()[:3], row.split()[2]) == (["ID", "MOCK", "ENTRY"], "0")
    cli("add", "--id", "one", "--path", "/one", "--sse-event", "x", "--sse-keepalive", "5000")
    with httpx2.stream("GET", shared_server.mocks + "/one"):
        assert "ENTRY" not in cli("sse", "connections", "list", "--mock", "one").out


def test_scenarios_are_listed_and_set(cli: Cli, shared_server: Served) -> None:
    assert "No mock names a scenario" in cli("scenarios").err
    cli("add", "--path", "/me", "--status", "401", "--scenario", "login", "--when", "start")
    cli("add", "--path", "/me", "--body", "Ann", "--scenario", "login", "--when", "in", "--set", "start")
    login = {"name": "login", "state": "start", "states": ["start", "in"]}
    assert cli("scenarios", "--json").json == {"scenarios": [login]}
    assert re.findall(r"  (login: .*?)  ", cli("list").out) == ["login: start", "login: in -> start"]
    assert httpx2.get(shared_server.mocks + "/me").status_code == 401
    assert cli("scenarios", "set", "login", "in").out == "Scenario login: in\n"
    assert cli("scenarios", "list").out.splitlines()[1].split() == ["login", "in", "start,", "in"]
    assert cli("scenarios", "--key", "t1", "--json").json == {"scenarios": [login]}
    assert httpx2.get(shared_server.mocks + "/me").text == "Ann"
    assert cli("scenarios", "list", "--json").json == {"scenarios": [login]}
    assert cli("scenarios", "set", "login", "inn").code == 4
    assert "did you mean `in`?" in cli("scenarios", "set", "login", "inn").err
    assert "did you mean `login`?" in cli("scenarios", "set", "logn", "in").err
    assert cli("scenarios", "set", "login", "in", "--key", "t1", "--json").json == {**login, "state": "in"}
    assert cli("scenarios", "list", "--json").json == {"scenarios": [login]}


def test_status(cli: Cli, shared_server: Served) -> None:
    answer = cli("status", "--json").json
    assert answer["status"] == "running"
    assert str(answer["httpPort"]) == shared_server.mocks.rpartition(":")[2]
    assert "running" in cli("status").out


ASKING = [
    ("list",),
    ("get", "a"),
    ("delete", "a"),
    ("delete", "--path", "/a"),
    ("update", "a", "--name", "x"),
    ("export",),
    ("status",),
    ("sse", "stats"),
    ("keys",),
    ("keys", "list"),
    ("keys", "delete", "k"),
    ("reset",),
    ("sse", "connections"),
    ("sse", "connections", "list"),
    ("sse", "connections", "get", "x"),
    ("sse", "connections", "close", "x"),
    ("scenarios",),
    ("scenarios", "list"),
    ("scenarios", "set", "login", "in"),
    ("sse", "hold", "x"),
    ("sse", "hold", "--mock", "a", "--upcoming", "all"),
    ("sse", "release", "x"),
    ("sse", "step", "x", "--count", "2"),
    ("sse", "push", "x", "tick:1"),
    ("sse", "cut", "--mock", "a", "reset"),
    ("sse", "wait", "x", "--ended"),
    ("sse", "watch", "x"),
    ("add", "--path", "/a", "--body", "x"),
]


@pytest.mark.parametrize("arguments", ASKING, ids=" ".join)
def test_no_answer_is_exit_code_3(local_cli: Cli, arguments: tuple[str, ...]) -> None:
    result = local_cli(*arguments)
    assert (result.code, result.out) == (3, "")
    assert "no answer from http://127.0.0.1:" in result.err
    result = local_cli(*arguments, "--json")
    assert (result.code, result.json["error"]) == (3, "unreachable")


NOT_THERE = [
    ("get", "nope"),
    ("delete", "nope"),
    ("update", "nope", "--name", "x"),
    ("scenarios", "set", "nope", "in"),
    ("sse", "connections", "get", "nope"),
    ("sse", "connections", "close", "nope"),
    ("sse", "connections", "list", "--mock", "nope"),
    ("sse", "hold", "nope"),
    ("sse", "release", "--mock", "nope"),
    ("sse", "step", "--mock", "nope"),
    ("sse", "push", "nope", "tick:1"),
    ("sse", "cut", "nope", "reset"),
    ("sse", "wait", "nope", "--held"),
    ("sse", "watch", "nope"),
    ("sse", "watch", "--mock", "nope"),
]


@pytest.mark.parametrize("arguments", NOT_THERE, ids=" ".join)
def test_what_is_not_there_is_exit_code_4(cli: Cli, arguments: tuple[str, ...]) -> None:
    result = cli(*arguments)
    assert (result.code, result.out) == (4, "")
    assert "nope" in result.err
    result = cli(*arguments, "--json")
    assert (result.code, result.json["error"]) == (4, "not_found")


WRONG = [
    (),
    ("nope",),
    ("list", "--nope"),
    ("list", "extra"),
    ("get",),
    ("delete",),
    ("delete", "a", "--path", "/a"),
    ("delete", "a", "--method", "GET"),
    ("update", "a"),
    ("update", "a", "--patch", "[1]"),
    ("update", "a", "--patch", "{"),
    ("update", "a", "--priority", "high"),
    ("update", "a", "no-such-file.json"),
    ("import",),
    ("import", "no-such-file.json"),
    ("export", "--format", "toml"),
    ("validate",),
    ("sse",),
    ("sse", "connections", "get"),
    ("scenarios", "set", "login"),
    ("sse", "hold"),
    ("sse", "hold", "x", "--mock", "a"),
    ("sse", "hold", "x", "--upcoming", "1"),
    ("sse", "step", "x", "--count", "0"),
    ("sse", "push", "x"),
    ("sse", "push", "x", "tick:1", "--mock", "a"),
    ("sse", "cut"),
    ("sse", "wait", "x", "--opened", "1"),
    ("sse", "watch"),
    ("sse", "watch", "x", "--mock", "a"),
    ("sse", "wait", "x", "--ended", "--timeout-seconds", "601"),
    ("serve", "--nope"),
    ("serve", "--port"),
    ("list", "--admin-url", "not a url"),
    ("add", "--path", "/x", "--body", "\udcff"),
]


@pytest.mark.parametrize("arguments", WRONG, ids=" ".join)
def test_wrong_usage_is_exit_code_2(local_cli: Cli, arguments: tuple[str, ...]) -> None:
    result = local_cli(*arguments)
    assert (result.code, result.out) == (2, "")
    assert result.err


def test_usage_errors_are_json_too(local_cli: Cli) -> None:
    result = local_cli("get", "--json")
    assert result.code == 2
    assert result.json["error"] == "usage"
    assert "Usage: mockd get" in result.err


def test_admin_url_may_carry_a_path(cli: Cli, serve: Callable[..., Served]) -> None:
    server = serve("--admin-port", "0")
    assert server.admin.endswith("/__mockd")
    assert cli("add", "--admin-url", server.admin, "--path", "/x", "--body", "ok").code == 0
    assert httpx2.get(server.mocks + "/x").text == "ok"
    assert cli("status", "--admin-url", server.admin + "/").code == 0


def test_api_key_is_sent(local_cli: Cli, serve: Callable[..., Served], monkeypatch: pytest.MonkeyPatch) -> None:
    server = serve("--api-key", "secret")
    monkeypatch.setenv("MOCKD_ADMIN_URL", server.admin)
    result = local_cli("list", "--json")
    assert (result.code, result.json["error"]) == (4, "missing_api_key")
    assert local_cli("list", "--api-key", "wrong").code == 4
    assert local_cli("list", "--api-key", "secret").code == 0
    monkeypatch.setenv("MOCKD_API_KEY", "secret")
    assert local_cli("list").code == 0


def test_another_server_at_the_admin_url_is_told(cli: Cli, shared_server: Served) -> None:
    result = cli("list", "--json", "--admin-url", shared_server.mocks)
    assert result.code == 4
    assert json.loads(result.out)["error"] == "not_admin_api"
    assert json.loads(result.out)["message"] in result.err
