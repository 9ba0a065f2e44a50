"""`mockd init`: what it writes is valid, is served, and does what its comments say."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from mockd.cli.init import START
from mockd.config.load import parse_text
from tests.cli.harness import PATIENCE_S, Cli, Serve
from tests.programs import program

NAMES = ["mockd.yaml", "start.yml", "start.json"]


@pytest.mark.parametrize("name", NAMES)
def test_it_is_valid_and_said(local_cli: Cli, tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    result = local_cli("init", str(file))
    assert (result.code, result.err) == (0, "")
    assert result.out == f"Wrote {file}. Serve it: mockd serve {file} --watch\n"
    checked = local_cli("validate", str(file))
    assert (checked.code, checked.err) == (0, "")


def test_the_name_may_be_left_out(local_cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert local_cli("init", "--json").json == {"file": "mockd.yaml", "format": "yaml"}
    assert (tmp_path / "mockd.yaml").read_text() == START


def test_json_and_yaml_are_the_same_mocks(local_cli: Cli, tmp_path: Path) -> None:
    local_cli("init", str(tmp_path / "a.json"))
    assert json.loads((tmp_path / "a.json").read_text()) == parse_text(START.encode(), source=None, format="yaml")


def test_yaml_says_its_own_name(local_cli: Cli, tmp_path: Path) -> None:
    local_cli("init", str(tmp_path / "mine.yml"))
    assert "mockd serve mine.yml --watch" in (tmp_path / "mine.yml").read_text()


@pytest.mark.parametrize("name", NAMES)
def test_a_file_is_overwritten_only_if_that_is_asked_for(local_cli: Cli, tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.write_text("precious")
    result = local_cli("init", str(file))
    assert result.code == 2
    assert result.err == f"{file} exists already; --force overwrites it\n"
    assert file.read_text() == "precious"
    assert local_cli("init", str(file), "--force").code == 0
    assert "precious" not in file.read_text()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("start.toml", "does not end in .yaml, .yml, .json"),
        ("start", "does not end in"),
        ("no folder/start.yaml", "No such file"),
        (".", "does not end in"),
    ],
)
def test_what_cannot_be_written_is_said(local_cli: Cli, tmp_path: Path, name: str, said: str) -> None:
    result = local_cli("init", str(tmp_path / name))
    assert result.code == 2
    assert said in result.err


@pytest.mark.parametrize("name", ["mockd.yaml", "start.json"])
def test_its_mocks_answer_as_its_comments_say(local_cli: Cli, serve: Serve, tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    local_cli("init", str(file))
    server = serve(str(file))
    commands = re.findall(r"^ *# (curl (?:.*\\\n *#.*)*.*)$", START, re.MULTILINE)
    assert len(commands) == 4
    clock, chat, log, user = (
        [word for word in shlex.split(re.sub(r"\\\n *#", "", command)) if word != "\\"] for command in commands
    )

    def printed(command: list[str], *options: str) -> str:
        arguments = [word.replace("http://localhost:4280", server.mocks) for word in command[1:]]
        return subprocess.run(
            [program("curl"), *arguments, "-s", *options],
            capture_output=True,
            text=True,
            check=not options,
            timeout=PATIENCE_S,
        ).stdout

    assert re.match(
        r'id: 1\nevent: tick\ndata: {"number":1,"at":"[^"]*Z","weather":"\w+"}\n\n', printed(clock, "-m", "2")
    )
    said = [json.loads(line[6:]) for line in printed(chat).splitlines() if line.startswith("data: {")]
    assert "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in said) == "Hello there"
    assert [json.loads(line)["level"] for line in printed(log).splitlines()] == ["info", "info", "warn"]
    answer = json.loads(printed(user))
    assert (answer["id"], answer["name"]) == ("7", "Ann")
