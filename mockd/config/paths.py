"""Values at paths inside of other values."""

from __future__ import annotations

from typing import Any

from mockd.errors import Path


def at(value: Any, path: Path) -> Any:
    """What stands at a path, or None where the path leads nowhere."""
    for step in path:
        known = isinstance(value, dict) and step in value
        if not known and not (isinstance(value, list) and isinstance(step, int) and step < len(value)):
            return None
        value = value[step]
    return value


def replaced(value: Any, path: Path, new: Any) -> Any:
    """The value with `new` at a path of it, which is there; what is not on the path is shared."""
    if not path:
        return new
    changed = value.copy()
    changed[path[0]] = replaced(value[path[0]], path[1:], new)
    return changed
