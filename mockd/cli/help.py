"""The help of commands: options in groups, examples as they are typed."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from typer.core import TyperCommand

from mockd.tables import wrapped

SERVER = "The running server"
"""The group of the options of every command for a running server."""
_WIDEST = 28
"""Longest name that has its meaning beside it, and not below it."""


class GroupedCommand(TyperCommand):
    """A command whose help lists its options by group (`rich_help_panel`), and its epilog as it is written."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        groups: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            heading, name, meaning = _entry(parameter, ctx)
            groups.setdefault(heading, []).append((name, meaning))
        for heading in ("Options", SERVER):  # these come last
            if heading in groups:
                groups[heading] = groups.pop(heading)
        for heading, records in groups.items():
            formatter.write(f"\n{heading}:\n")
            for line in _definitions(records, formatter.width):
                formatter.write(line + "\n")

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        if self.epilog:
            formatter.write(f"\n{self.epilog}\n")


def _entry(parameter: Any, ctx: Any) -> tuple[str, str, str]:
    """The group of a parameter, its name with its value, and its meaning."""
    if parameter.param_type_name == "argument":
        return "Arguments", parameter.metavar, parameter.help
    name, meaning = parameter.get_help_record(ctx)
    return getattr(parameter, "rich_help_panel", None) or "Options", name, meaning


def _definitions(records: list[tuple[str, str]], width: int) -> Iterator[str]:
    """Names and their meanings in two columns. Nothing is wrapped at the hyphens of a name."""
    indent = min(_WIDEST, max(len(name) for name, _ in records)) + 4
    for name, meaning in records:
        lines = wrapped(meaning, width - indent)
        if len(name) + 4 > indent:
            yield f"  {name}"
        else:
            yield f"  {name}".ljust(indent) + lines.pop(0)
        yield from (" " * indent + line for line in lines)


def examples(*lines: str) -> str:
    """The epilog with commands to copy."""
    return "\n".join(["Examples:", *(f"  {line}" for line in lines)])


def grouped(parameters: Iterable[inspect.Parameter], groups: Mapping[str, str]) -> list[inspect.Parameter]:
    """Options of a command, each with its group as `groups` says: a heading by the first option below it."""
    heading, found = "", []
    for parameter in parameters:
        heading = groups.get(parameter.name, heading)
        [info] = parameter.annotation.__metadata__
        info.rich_help_panel = heading or None
        found.append(parameter)
    return found
