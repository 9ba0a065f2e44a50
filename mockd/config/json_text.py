"""Reading JSON with the standard library's parser. The places in the text are found only after a first error."""

from __future__ import annotations

import json
from typing import Any

from mockd.config.values import TOO_DEEP
from mockd.errors import ConfigError, Problem


def read_json(text: str, source: str | None) -> Any:
    """The value of a JSON text. Raises `ConfigError` with line and column if it is malformed."""
    try:
        return json.loads(text, object_pairs_hook=_object)
    except json.JSONDecodeError as error:
        from mockd.config.json_places import syntax_hint

        message, hint = f"not JSON: {error.msg[:1].lower()}{error.msg[1:]}", syntax_hint(text, error.pos)
        raise ConfigError(Problem(message, (), hint, source, error.lineno, error.colno)) from None
    except (ValueError, RecursionError):  # a duplicate key, an integer that is too long, or nesting that is too deep
        from mockd.config.json_places import scan

        found = scan(text).problems or [Problem(TOO_DEEP, (), None, None, 1, 1)]
        raise ConfigError([problem.at(source, (problem.line or 1, problem.column or 1)) for problem in found]) from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise ValueError("a key is given twice")
    return value
