"""Environment variables in configuration files: `${NAME}` and `${NAME:-default}`. `$${` is a literal `${`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from mockd.errors import Path, Problem

_VARIABLE = r"\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}"
_VARIABLE_OR_ESCAPE = rf"\$(?P<literal>\$\{{)|{_VARIABLE}"


def expand(value: Any, environ: Mapping[str, str]) -> tuple[Any, list[Problem]]:
    """A value with its environment variables filled in, and a problem for each variable that is not set.

    As in a shell, the default is also used if the variable is empty.
    """
    problems: list[Problem] = []

    def fill(text: str, path: Path) -> str:
        def replace(match: re.Match[str]) -> str:
            if match["literal"]:
                return match["literal"]
            given = environ.get(match["name"])
            if not given and match["default"] is not None:
                return match["default"]
            if given is None:
                hint = f"set it, or write `${{{match['name']}:-default}}`; a literal `${{` is `$${{`"
                problems.append(Problem(f"the environment variable `{match['name']}` is not set", path, hint))
                return ""
            return given

        return re.sub(_VARIABLE_OR_ESCAPE, replace, text) if "${" in text else text

    return _map_text(value, fill, ()), problems


def escape(value: Any) -> Any:
    """A value in which every `${` is written as `$${`, so that a configuration file can hold it."""
    return _map_text(value, lambda text, _: text.replace("${", "$${"), ())


def unescape(value: Any) -> Any:
    """The reverse of `escape`. A `${` that is not escaped stays as it is."""
    return _map_text(value, lambda text, _: text.replace("$${", "${"), ())


def is_variable(text: object) -> bool:
    """Whether a value is one `${…}` and nothing else. Only such a value may stand for a number or a boolean."""
    return isinstance(text, str) and re.fullmatch(_VARIABLE, text) is not None


def number_or_boolean(text: str) -> int | float | bool | None:
    """The number or boolean that a text spells, or None if it spells neither."""
    from mockd.config.yaml_text import core_value

    try:
        value = core_value(text.strip())
    except ValueError:
        return None
    return value if isinstance(value, int | float) and value - value == 0 else None


def _map_text(value: Any, change: Callable[[str, Path], str], path: Path) -> Any:
    if isinstance(value, str):
        return change(value, path)
    if isinstance(value, dict):
        return {key: _map_text(item, change, (*path, key)) for key, item in value.items()}
    if isinstance(value, list):
        return [_map_text(item, change, (*path, index)) for index, item in enumerate(value)]
    return value
