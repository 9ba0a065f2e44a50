"""`mockd serve`, whose options are the table of settings. This module must not import typer, which is slow to load."""

from __future__ import annotations

import gc
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from mockd.errors import ConfigError
from mockd.settings import Settings, option

DEFAULTS: dict[str, Any] = dict(zip(Settings.__struct_fields__, Settings.__struct_defaults__, strict=True))

_AS_THEY_ARE: Mapping[str, str] = {}

FLAGS = {name: not default for name, default in DEFAULTS.items() if isinstance(default, bool)}
"""Settings whose options take no value, and the value that each option sets."""

_NAMES = {option(name): name for name in DEFAULTS}


def parse(arguments: Sequence[str]) -> dict[str, Any] | None:
    """The settings given as options, as text. None if there is help to print or a usage error to explain.

    An argument that is not an option is another path for `config`, so that a shell may expand `--config *.json`.
    """
    given: dict[str, Any] = {}
    paths: list[str] = []
    rest = iter(arguments)
    for argument in rest:
        if not argument.startswith("-"):
            paths.append(argument)
            continue
        spelling, equals, value = argument.partition("=")
        name = _NAMES.get(spelling)
        if name is None or (name in FLAGS and equals):
            return None
        if name in FLAGS:
            given[name] = FLAGS[name]
            continue
        if not equals:
            following = next(rest, None)
            if following is None:
                return None
            value = following
        if DEFAULTS[name] == ():
            given.setdefault(name, []).append(value)
        else:
            given[name] = value
    return with_paths(given, paths)


def with_paths(given: dict[str, Any], paths: Sequence[str]) -> dict[str, Any]:
    """The same settings with more paths for `config`. Settings that were not given stay absent, so that the environment
    can set them."""
    config = [*(given.get("config") or []), *paths]
    return {**given, "config": config} if config else given


def start(given: dict[str, Any], command: str = "serve", spellings: Mapping[str, str] = _AS_THEY_ARE) -> int:
    """Serve with these settings and the environment's until a signal comes. `spellings` are the options that are called
    otherwise by a command than by `mockd serve`, by their settings. Returns the exit code."""
    try:
        settings = Settings.from_env(**given)
    except ConfigError as error:
        print(f"mockd {command}: {_spelled(str(error), spellings)}", file=sys.stderr)
        return 2
    gc.disable()  # The server turns it on again when it is ready. Until then, there is nothing to collect.
    from mockd.server import run

    return run(settings, lambda text: _spelled(text, spellings))


def _spelled(text: str, spellings: Mapping[str, str]) -> str:
    for name, spelled in spellings.items():
        text = text.replace(f"{option(name)} (", f"{spelled} (")
    return text
