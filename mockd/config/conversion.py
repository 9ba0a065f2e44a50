"""Conversion of plain values to the structs of the configuration format."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from mockd.errors import ConfigError

T = TypeVar("T")


def convert(value: Any, type: type[T]) -> T:
    """Convert a value to a struct. Raises `ConfigError` with all problems, whose paths start at the value."""
    try:
        return msgspec.convert(value, type)
    except msgspec.ValidationError:
        from mockd.config.explain import explained

        raise ConfigError(explained(value, type)) from None
