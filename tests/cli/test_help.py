"""The help of every command: what stands for values, which units they have, and examples that work."""

from __future__ import annotations

import re
import shlex
from typing import Any

import pytest

from mockd.cli.serve import parse
from mockd.settings import GROUPS, describe
from scripts.reference.cli import commands
from tests.cli.harness import Cli

COMMANDS = dict(commands())
OPTIONS = [
    (name, parameter)
    for name, command in COMMANDS.items()
    for parameter in command.params
    if parameter.param_type_name == "option" and not parameter.is_flag and "completion" not in parameter.name
]
UNITS = {"MS": "in milliseconds", "SECONDS": "in seconds", "BYTES": "in bytes"}


def test_there_are_options() -> None:
    assert len(OPTIONS) > 60


@pytest.mark.parametrize(("command", "option"), OPTIONS, ids=lambda part: getattr(part, "name", part))
def test_every_value_has_a_name_and_every_unit_is_said(command: str, option: Any) -> None:
    kind = option.type_descriptor.annotation
    metavar = option.metavar or ""
    choices = getattr(kind, "__args__", ())
    assert choices or re.fullmatch(r"[A-Z]+([:=\[\]A-Z]*)|[a-z]+(\|[a-z]+)+", metavar), metavar
    assert metavar != "VALUE"
    for unit, words in UNITS.items():
        assert (metavar == unit) == (words in option.help) or metavar == "MIN:MAX", option.help
    if kind is float:
        assert metavar in UNITS, "a number with a fraction has a unit"


@pytest.mark.parametrize("setting", tuple(describe()), ids=lambda setting: setting.name)
def test_help_of_serve_has_each_setting_in_its_group(
    local_cli: Cli, setting: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    out = local_cli("serve", "--help").out
    below = out.partition(f"\n{setting.group}:\n")[2].partition("\n\n")[0]
    [entry] = re.findall(rf"^  --(?:no-)?{setting.name.replace('_', '-')}(?![-\w]).*(?:\n   .*)*", below, re.MULTILINE)
    words = " ".join(entry.split())
    assert setting.meaning in words
    assert f"[MOCKD_{setting.name.upper()}]" in words
    if setting.default not in (None, ()) and not isinstance(setting.default, bool):
        assert f"Default: {setting.default}." in words


@pytest.mark.parametrize("columns", ["80", "60"])
@pytest.mark.parametrize("command", COMMANDS)
def test_help_breaks_no_word(local_cli: Cli, command: str, columns: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    result = local_cli(*command.split()[1:], "--help")
    assert result.code == 0
    printed = result.out.split()
    for parameter in COMMANDS[command].params:
        names = [parameter.metavar] if parameter.param_type_name == "argument" else parameter.opts
        for name in (*names, *(parameter.help or "").split()):
            assert {name, name + ","} & set(printed), name
    if columns == "80":
        assert not re.search(r"[a-z]\.\.\.$", result.out, re.MULTILINE), "a command's first sentence is cut"


def examples(command: str) -> list[list[str]]:
    lines = COMMANDS[f"mockd {command}"].epilog.splitlines()[1:]
    return [shlex.split(line, comments=True) for line in lines]


@pytest.mark.parametrize("arguments", examples("add"), ids=" ".join)
def test_examples_of_add_work(cli: Cli, arguments: list[str]) -> None:
    assert arguments[0] == "mockd"
    result = cli(*arguments[1:], "--json")
    assert result.code == 0, result.err


@pytest.mark.parametrize("arguments", examples("serve"), ids=" ".join)
def test_examples_of_serve_are_options_of_it(arguments: list[str]) -> None:
    assert arguments[:2] == ["mockd", "serve"]
    assert parse(arguments[2:])


def test_groups_of_settings_are_headings(local_cli: Cli) -> None:
    out = local_cli("serve", "--help").out
    found = re.findall(r"^(\S.*):$", out, re.MULTILINE)
    assert found == ["Arguments", *GROUPS.values(), "Options", "Examples"]


@pytest.mark.parametrize(("command", "after"), [("add", ["Examples"]), ("list", []), ("get", []), ("status", [])])
def test_the_own_options_of_a_command_come_before_those_of_the_server(
    local_cli: Cli, command: str, after: list[str]
) -> None:
    headings = re.findall(r"^(\S.*):$", local_cli(command, "--help").out, re.MULTILINE)
    assert headings[-2 - len(after) :] == ["Options", "The running server", *after]
