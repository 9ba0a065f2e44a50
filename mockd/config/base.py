"""The base class, the number types and the error that the structs of the configuration format share."""

# This module does not postpone its annotations: msgspec would have to compile each of them at every start.

import re
from typing import TYPE_CHECKING, Annotated

from msgspec import UNSET, Meta, Struct
from msgspec.structs import force_setattr

from mockd.errors import Path, Problem

MAX_MS = 366 * 24 * 3600 * 1000.0

_IN_MS = {"ms": 1.0, "s": 1000.0, "m": 60_000.0}
# With these numbers of digits, no duration is longer than MAX_MS. A `$` of Python's also matches before a line break.
DURATION = r"^([0-9]{1,10}(\.[0-9]{1,6})?ms|[0-9]{1,7}(\.[0-9]{1,6})?s|[0-9]{1,5}(\.[0-9]{1,6})?m)$(?!\n)"
"""Pattern of a duration, which is text with its unit."""

DurationText = Annotated[str, Meta(pattern=DURATION)]
Count = Annotated[int, Meta(ge=0)]

if TYPE_CHECKING:
    # A struct makes numbers of its durations when it is made, so that nothing else meets the text.
    Milliseconds = float
    WholeMilliseconds = int
    Seconds = float
else:
    Milliseconds = Annotated[float, Meta(ge=0, le=MAX_MS)] | DurationText
    WholeMilliseconds = Count | DurationText
    Seconds = Annotated[float, Meta(ge=0, le=MAX_MS / 1000)] | DurationText


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


def milliseconds(text: str) -> float:
    """A duration with its unit, in milliseconds."""
    number, unit = re.fullmatch("([0-9.]+)([a-z]+)", text).groups()  # type: ignore[union-attr]  # by `DURATION`
    return float(number) * _IN_MS[unit]


def read_milliseconds(struct: Struct, *names: str) -> None:
    """Make numbers of those fields of a new struct that are text with a unit."""
    for name in names:
        if isinstance(text := getattr(struct, name), str):
            force_setattr(struct, name, milliseconds(text))


def read_whole_milliseconds(struct: Struct, *names: str) -> None:
    """Make whole numbers of those fields of a new struct that are text with a unit. Raises `ValueError`."""
    for name in names:
        if isinstance(text := getattr(struct, name), str):
            if milliseconds(text) % 1:
                raise ValueError(f"{name}: {text!r} is not a whole number of milliseconds")
            force_setattr(struct, name, int(milliseconds(text)))


def read_seconds(struct: Struct, *names: str) -> None:
    """Make numbers of those fields of a new struct that are text with a unit."""
    for name in names:
        if isinstance(text := getattr(struct, name), str):
            force_setattr(struct, name, milliseconds(text) / 1000)


def one_of(struct: Struct, where: str, keys: tuple[str, ...]) -> None:
    """Refuse a struct in which not exactly one of these keys is given. Raises `ValueError`."""
    given = [key for key in keys if getattr(struct, _field_of(key)) not in (None, UNSET)]
    if len(given) != 1:
        wanted = ", ".join(f"`{key}`" for key in keys)
        found = " and ".join(f"`{key}`" for key in given) if given else "none"
        raise ValueError(f"{where} needs exactly one of {wanted}; found {found}")


def _field_of(key: str) -> str:
    return re.sub(r"[A-Z]", lambda letter: "_" + letter[0].lower(), key)
