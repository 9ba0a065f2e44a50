"""Settings as options of a command. All values are text here, as `Settings` checks them."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import typer

from mockd.cli import serve
from mockd.settings import Described, describe, env_name
from mockd.settings import option as option_of


def options(
    spellings: Mapping[str, str] | None = None, meanings: Mapping[str, str] | None = None
) -> Iterator[inspect.Parameter]:
    """The options of settings, in the order of their table: of all, or of those that have a spelling. `meanings` are
    those that are not the setting's own."""
    for setting in describe():
        if spellings is None or setting.name in spellings:
            spelling = (spellings or {}).get(setting.name) or option_of(setting.name)
            yield _option(setting, spelling, (meanings or {}).get(setting.name, setting.meaning))


def given_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that were given, from the values of options."""
    return {name: serve.FLAGS.get(name, value) for name, value in values.items() if value not in (None, False, [])}


def parameter(name: str, annotation: Any, info: Any, default: Any) -> inspect.Parameter:
    """A parameter of a command."""
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(name, kind, default=default, annotation=Annotated[annotation, info])


def _option(setting: Described, spelling: str, meaning: str) -> inspect.Parameter:
    types = {bool: bool, tuple: list[str] | None}
    name, default = setting.name, setting.default
    is_flag = name in serve.FLAGS
    shown = f" Default: {default}." if default not in (None, ()) and not is_flag else ""
    help = f"{meaning}{shown} [{env_name(name)}]"
    metavar = None if is_flag else setting.metavar
    info = typer.Option(spelling, metavar=metavar, help=help, rich_help_panel=setting.group)
    return parameter(name, types.get(type(default), str | None), info, False if is_flag else None)
