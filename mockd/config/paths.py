"""Reading and replacing the value at a path inside another value."""

from __future__ import annotations

from typing import Any

from mockd.errors import Path


def at(value: Any, path: Path) -> Any:
    """The value at a path, or None if there is none."""
    for step in path:
        known = isinstance(value, dict) and step in value
        if not known and not (isinstance(value, list) and isinstance(step, int) and step < len(value)):
            return None
        value = value[step]
    return value


def replaced(value: Any, path: Path, new: Any) -> Any:
    """A copy of a value with `new` at a path, which must exist. Parts that are not on the path are shared."""
    if not path:
        return new
    changed = value.copy()
    changed[path[0]] = replaced(value[path[0]], path[1:], new)
    return changed
