"""Reading JSON with the standard library's parser. The places in the text are found only after a first error."""

from __future__ import annotations

import json
from json import scanner
from typing import Any

from mockd.config.values import TOO_DEEP
from mockd.errors import ConfigError, Problem


def read_json(text: str, source: str | None) -> Any:
    """The value of a JSON text. Raises `ConfigError` with line and column if it is malformed."""
    decoder = json.JSONDecoder(object_pairs_hook=_object)
    if _has_long_run(text):
        decoder.scan_once = scanner.py_make_scanner(decoder)  # type: ignore[attr-defined]  # typeshed has neither
    try:
        return decoder.decode(text)
    except json.JSONDecodeError as error:
        from mockd.config.json_places import syntax_hint

        message, hint = f"not JSON: {error.msg[:1].lower()}{error.msg[1:]}", syntax_hint(text, error.pos)
        raise ConfigError(Problem(message, (), hint, source, error.lineno, error.colno)) from None
    except (ValueError, RecursionError):  # a duplicate key, an integer that is too long, or nesting that is too deep
        from mockd.config.json_places import scan

        found = scan(text).problems or [Problem(TOO_DEEP, (), None, None, 1, 1)]
        raise ConfigError([problem.at(source, (problem.line or 1, problem.column or 1)) for problem in found]) from None


_LONG = 50_000
"""Number of characters that are read in about a millisecond."""
_MANY = 10_000
"""Number of members that are put into an object in about a millisecond."""


def _has_long_run(text: str) -> bool:
    """Whether the parser in C would keep all other threads waiting: it lets them run only when an object ends. The
    parser in Python is ten times slower."""
    return any(text.find("}", start, start + _LONG) < 0 for start in range(0, len(text) - _LONG, _LONG))


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for start in range(0, len(pairs), _MANY):
        value.update(pairs[start : start + _MANY])
    if len(value) < len(pairs):
        raise ValueError("a key is given twice")
    return value
