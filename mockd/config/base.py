"""What the structs of the configuration format are made of."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from mockd.errors import Path, Problem

MAX_MS = 366 * 24 * 3600 * 1000.0

Milliseconds = Annotated[float, Meta(ge=0, le=MAX_MS)]
Seconds = Annotated[float, Meta(ge=0, le=MAX_MS / 1000)]
Count = Annotated[int, Meta(ge=0)]


def doc(text: str) -> Meta:
    """What the reference pages and the JSON Schema say of a field."""
    return Meta(description=text)


class Config(Struct, rename="camel", forbid_unknown_fields=True, frozen=True, kw_only=True):
    """What every part of the configuration has in common: camelCase keys, and no unknown ones."""


class Mistake(ValueError):
    """What a part of the configuration finds wrong in itself, with its place below that part and the cure."""

    def __init__(self, message: str, path: Path, hint: str | None = None) -> None:
        super().__init__(message)
        self.problem = Problem(message, path, hint)
