"""Commands that need no running server: `validate`, `schema`, `version`, help and completion."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import mockd
from mockd.config.schema import json_schema
from tests.cli.harness import Cli, mock

Write = Callable[[str, object], Path]


def test_validate_prints_every_problem_with_its_place(local_cli: Cli, write: Write) -> None:
    good = write("good.json", mock("a", "/a"))
    assert local_cli("validate", str(good)).out == f"OK: 1 mock in {good}\n"
    assert local_cli("validate", str(good), "--json").json == {
        "valid": True,
        "mocks": 1,
        "recordings": 0,
        "problems": [],
        "warnings": [],
    }
    wrong = write("wrong.yaml", "- {id: b, matcher: {path: /b}, sse: {evnts: []}}\n- {id: c, matcher: {path: c}}\n")
    result = local_cli("validate", str(good), str(wrong))
    assert (result.code, result.out) == (2, "")
    lines = result.err.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith(f"{wrong}:1:")
    assert "events" in lines[0]
    assert lines[1].startswith(f"{wrong}:2:")
    document = local_cli("validate", str(wrong), "--json").json
    assert document["valid"] is False
    assert {problem["line"] for problem in document["problems"]} == {1, 2}


def test_validate_prints_warnings_and_says_ok(local_cli: Cli, write: Write) -> None:
    file, empty = write("w.json", mock("a", "/a?x=1")), write("none.json", "[]")
    result = local_cli("validate", str(file), str(empty))
    assert (result.code, result.out) == (0, f"OK: 1 mock in {file}, {empty}\n")
    lines = result.err.splitlines()
    assert lines[0] == f"warning: {empty}: there are no mocks in it"
    assert lines[1].startswith(f"warning: {file}:1:")
    assert len(lines) == 2
    document = local_cli("validate", str(file), "--json").json
    assert document["valid"] is True
    assert [warning["path"] for warning in document["warnings"]] == ["$.matcher.path"]


def test_schema_prints_the_json_schema(local_cli: Cli) -> None:
    assert local_cli("schema").json == json_schema()


def test_a_file_may_name_its_schema(local_cli: Cli, write: Write) -> None:
    file = write("a.json", {"$schema": "./mockd.schema.json", "version": "1.0", "mocks": [mock("a", "/a")]})
    one = write("b.json", {"$schema": "./mockd.schema.json", **mock("b", "/b")})
    result = local_cli("validate", str(file), str(one))
    assert (result.code, result.err, result.out) == (0, "", f"OK: 2 mocks in {file}, {one}\n")


def test_validate_says_how_many_mocks_there_are(local_cli: Cli, write: Write) -> None:
    folder = write("a.json", [mock("a", "/a"), mock("b", "/b")]).parent
    write("b.yaml", "{id: c, matcher: {path: /c}, response: {}}")
    assert local_cli("validate", str(folder)).out == f"OK: 3 mocks in {folder}\n"


def test_validate_compiles_mocks_as_serving_does(local_cli: Cli, write: Write) -> None:
    result = local_cli("validate", str(write("t.json", mock("a", "/a", events=None, template="openai-chatt"))))
    assert result.code == 2
    assert "openai-chat" in result.err


def test_validate_names_what_shows_late_beside_what_shows_early(local_cli: Cli, write: Write) -> None:
    early, late = mock("a", "/a", lifecycle={"duration": 60}), mock("b", "/b", events=[{"data": "$random:5"}])
    result = local_cli("validate", str(write("t.json", [early, late])))
    assert result.code == 2
    assert "$[0].sse.lifecycle.duration" in result.err
    assert "$[1].sse.events[0].data" in result.err


def test_version(local_cli: Cli) -> None:
    assert local_cli("--version").out == f"mockd {mockd.__version__}\n"


@pytest.mark.parametrize("command", ["serve", "add", "sse", "sse connections close"])
def test_help(local_cli: Cli, command: str) -> None:
    result = local_cli(*command.split(), "--help")
    assert result.code == 0
    assert result.out.startswith(f"Usage: mockd {command}")


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (
            "mockd ",
            {"serve", "add", "list", "get", "update", "delete", "import", "export", "validate", "status", "sse"}
            | {"init", "faults", "presets", "scenarios", "schema", "templates", "keys", "reset", "requests", "verify"}
            | {"torture", "recordings", "record"},
        ),
        ("mockd sse ", {"connections", "stats", "hold", "release", "step", "push", "cut", "wait", "watch"}),
        ("mockd keys ", {"list", "delete"}),
        ("mockd recordings ", {"list", "show", "diff", "redact", "to-mock", "import", "export"}),
        ("mockd reset --", {"--admin-url", "--api-key", "--help", "--json", "--key", "--mocks", "--streams"}),
        ("mockd scenarios ", {"list", "set"}),
        ("mockd requests ", {"show"}),
        ("mockd requests --", {"--admin-url", "--api-key", "--follow", "--help", "--json", "--limit", "--unmatched"}),
        ("mockd verify --at", {"--at-least", "--at-most"}),
        ("mockd verify --w", {"--within"}),
        (
            "mockd torture --",
            {"--compare", "--faults", "--help", "--jobs", "--json", "--max-runs", "--only", "--out", "--timeout"},
        ),
        ("mockd sse connections ", {"list", "get", "close"}),
        ("mockd record --ta", {"--target", "--targets"}),
        ("mockd serve --adm", {"--admin-host", "--admin-port", "--admin-allow-host", "--admin-allow-origin"}),
        ("mockd add --sse-r", {"--sse-random-delay", "--sse-rate", "--sse-repeat", "--sse-resume", "--sse-retry"}),
    ],
)
def test_shell_completion(
    words: str, offered: set[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from mockd.cli.app import run

    monkeypatch.setenv("_MOCKD_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(words.count(" ")))
    with pytest.raises(SystemExit) as exited:
        run([])
    assert exited.value.code == 0
    assert set(capsys.readouterr().out.split()) == offered


def test_the_entry_point_exits_with_the_code(local_cli: Cli) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "mockd", "status", "--json"], capture_output=True, check=False, text=True
    )
    assert result.returncode == 3
    assert json.loads(result.stdout)["error"] == "unreachable"
