"""The page on the command line, from the Typer app."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from textwrap import dedent
from typing import Any, get_args

import typer

from mockd.cli.app import app
from scripts.reference import markdown
from scripts.reference.markdown import code, first_paragraph, table

INTRODUCTION = """
`mockd serve` starts a server; the other commands talk to one through its admin API, apart from `mockd validate`,
which needs none. Where the server is: `--admin-url` or `MOCKD_ADMIN_URL`, which may carry a path
(`http://localhost:4280/__mockd`). With `--json` a command prints one JSON document on stdout and nothing else there.

| Exit code | Meaning |
| --- | --- |
| 0 | done |
| 2 | wrong usage, configuration or port; nothing was asked of the server |
| 3 | no answer from the server |
| 4 | the server refused |

Options of every command that talks to a server:

{shared}

`mockd --install-completion` sets up completion for the shell it is run in.
"""

_COMPLETION = {"install_completion", "show_completion"}
_SHARED = {"admin_url", "api_key", "as_json"}


def commands() -> Iterator[tuple[str, Any]]:
    """Every command by its full name, groups before their own commands."""
    yield from _walk("mockd", typer.main.get_command(app))


def _walk(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    yield name, command
    for word, inner in getattr(command, "commands", {}).items():
        yield from _walk(f"{name} {word}", inner)


def page() -> str:
    listing = dict(commands())["mockd list"]
    shared = _table(parameter for parameter in listing.params if parameter.name in _SHARED)
    introduction = INTRODUCTION.replace("{shared}", shared)
    return markdown.page("Command line", introduction, *(_section(*command) for command in commands()))


def _section(name: str, command: Any) -> str:
    parts = [f"## {name}", first_paragraph(command.help)]
    if name == "mockd serve":
        parts.append("Its options are the [settings](settings.md).")
    else:
        own = [parameter for parameter in command.params if parameter.name not in _COMPLETION | _SHARED]
        has_groups = any(getattr(parameter, "rich_help_panel", None) for parameter in own)
        for heading, parameters in groupby(own, key=lambda parameter: getattr(parameter, "rich_help_panel", None)):
            parts += [f"### {heading or 'Options'}"] if has_groups else []
            parts.append(_table(parameters))
    if command.epilog:
        parts.append("```bash not-run\n" + dedent(command.epilog.partition("\n")[2]) + "\n```")
    return "\n\n".join(parts)


def _table(parameters: Iterable[Any]) -> str:
    return table(("Argument or option", "Value", "Default", "Meaning"), map(_row, parameters))


def _row(parameter: Any) -> tuple[str, str, str, str]:
    is_argument = parameter.param_type_name == "argument"
    names = [parameter.metavar] if is_argument else [*parameter.opts, *parameter.secondary_opts]
    value = "" if is_argument or parameter.is_flag else parameter.metavar or _kind(parameter.type_descriptor.annotation)
    is_shown = parameter.default not in (None, False) and parameter.show_default is not False
    default = "required" if parameter.required else code(parameter.default) if is_shown else ""
    variable = f" [{code(parameter.envvar)}]" if parameter.envvar else ""
    return ", ".join(map(code, names)), value, default, (parameter.help or "") + variable


def _kind(annotation: Any) -> str:
    if choices := get_args(annotation):
        return ", ".join(map(code, choices))
    return {str: "text", int: "whole number", float: "number"}.get(annotation, "text")
