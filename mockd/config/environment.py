"""Environment variables in configuration files: `${NAME}` and `${NAME:-default}`. `$${` is a literal `${`.

The environment holds secrets, so people see what was written and not what was filled in. `as_written` does that for
parts of the configuration, and `hidden` for messages about them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from copy import copy
from typing import Any

from msgspec import Struct, structs

from mockd.errors import Path, Problem

Filled = Mapping[str, str]
"""What came from the environment: each variable as it was written, and each text with one, by what it became."""

SHORT = 4
"""Number of characters below which a value is hidden in messages only between quotation marks, as shorter ones are
parts of many words."""

_VARIABLE = r"\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}"
_VARIABLE_OR_ESCAPE = rf"\$(?P<literal>\$\{{)|{_VARIABLE}"


def expand(value: Any, environ: Mapping[str, str]) -> tuple[Any, Filled, list[Problem]]:
    """A value with its environment variables filled in, what they gave, and a problem for each variable that is not
    set.

    As in a shell, the default is also used if the variable is empty.
    """
    filled: dict[str, str] = {}
    problems: list[Problem] = []

    def fill(text: str, path: Path) -> str:
        given: dict[str, str] = {}

        def replace(match: re.Match[str]) -> str:
            if match["literal"]:
                return match["literal"]
            value = environ.get(match["name"])
            if not value and match["default"] is not None:
                return match["default"]
            if value is None:
                hint = f"set it, or write `${{{match['name']}:-default}}`; a literal `${{` is `$${{`"
                problems.append(Problem(f"the environment variable `{match['name']}` is not set", path, hint))
                return ""
            given[value] = match[0]
            return value

        if "${" not in text:
            return text
        new = re.sub(_VARIABLE_OR_ESCAPE, replace, text)
        if given:
            filled.update(given)
            filled[new] = unescape(text)
        return new

    return _map_text(value, fill, ()), filled, problems


def escape(value: Any) -> Any:
    """A value in which every `${` is written as `$${`, so that a configuration file can hold it."""
    return _map_text(value, lambda text, _: text.replace("${", "$${"), ())


def unescape(value: Any) -> Any:
    """The reverse of `escape`. A `${` that is not escaped stays as it is."""
    return _map_text(value, lambda text, _: text.replace("$${", "${"), ())


def as_written(value: Any, doc: Any) -> Any:
    """A part of the configuration for people, in which every text with variables stands as it was written. `doc` is
    that part before they were filled in. Structs are not checked again: a text as it was written need not fit."""
    if isinstance(value, str):
        return unescape(doc) if _has_variable(doc) else value
    if isinstance(value, Struct) and isinstance(doc, dict):
        shown = copy(value)
        for field in structs.fields(value):
            part = as_written(getattr(value, field.name), doc.get(field.encode_name))
            structs.force_setattr(shown, field.name, part)
        return shown
    if isinstance(value, dict) and isinstance(doc, dict):
        return {key: as_written(item, doc.get(key)) for key, item in value.items()}
    if isinstance(value, list) and isinstance(doc, list):
        return [as_written(item, part) for item, part in zip(value, doc, strict=True)]
    return value


def hidden(message: str, filled: Filled) -> str:
    """A message in which everything that came from the environment stands as it was written."""
    written = {form: text for value, text in filled.items() for form in _forms(value) if form}
    if not written:
        return message
    longest_first = sorted(written, key=len, reverse=True)
    return re.sub("|".join(map(_pattern, longest_first)), lambda match: written[match[0]], message)


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


def _has_variable(text: object) -> bool:
    if not isinstance(text, str) or "${" not in text:
        return False
    return any(not match["literal"] for match in re.finditer(_VARIABLE_OR_ESCAPE, text))


def _forms(value: str) -> set[str]:
    """The forms of a value in messages: as it is, and as Python and JSON write it between quotation marks."""
    return {value, repr(value)[1:-1], *(json.dumps(value, ensure_ascii=is_ascii)[1:-1] for is_ascii in (True, False))}


def _pattern(form: str) -> str:
    is_common = len(form) < SHORT or number_or_boolean(form) is not None
    return rf"""(?<=['"`]){re.escape(form)}(?=['"`])""" if is_common else re.escape(form)


def _map_text(value: Any, change: Callable[[str, Path], str], path: Path) -> Any:
    if isinstance(value, str):
        return change(value, path)
    if isinstance(value, dict):
        return {key: _map_text(item, change, (*path, key)) for key, item in value.items()}
    if isinstance(value, list):
        return [_map_text(item, change, (*path, index)) for index, item in enumerate(value)]
    return value
