"""Values into the structs of the format."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from mockd.errors import ConfigError, Path

T = TypeVar("T")


def convert(value: Any, type: type[T]) -> T:
    """A value as a struct. Raises `ConfigError` with one problem, whose path is from the value."""
    try:
        return msgspec.convert(value, type)
    except msgspec.ValidationError as error:
        from mockd.config.explain import explained

        raise ConfigError(explained(error, value, type)) from None


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
