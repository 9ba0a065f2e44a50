"""The base class, the number types and the error that the structs of the configuration format share."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from mockd.errors import Path, Problem

MAX_MS = 366 * 24 * 3600 * 1000.0

Milliseconds = Annotated[float, Meta(ge=0, le=MAX_MS)]
Seconds = Annotated[float, Meta(ge=0, le=MAX_MS / 1000)]
Count = Annotated[int, Meta(ge=0)]


def doc(text: str) -> Meta:
    """The description of a field, for the reference pages and the JSON Schema."""
    return Meta(description=text)


class Config(Struct, rename="camel", forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Base class of every part of the configuration: keys are in camelCase, and unknown keys are refused."""


class Mistake(ValueError):
    """A fault that a part of the configuration finds in itself. The path starts at that part; the hint is the cure."""

    def __init__(self, message: str, path: Path, hint: str | None = None) -> None:
        super().__init__(message)
        self.problem = Problem(message, path, hint)
