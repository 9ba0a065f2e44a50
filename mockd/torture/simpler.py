"""Simpler variants of one that fails: fewer fields, then each field as near to the plain stream as it still fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from msgspec.structs import replace

from mockd.torture.marks import Mark
from mockd.torture.reduce import fewest
from mockd.torture.variants import Variant

Fails = Callable[[Variant], bool]
"""Whether a command gets a variant of its stream wrong."""

MOST_BORDERS = 1000
"""Size, in bytes, of the largest body of which each place is tried as the border between two pieces."""


def simplest(variant: Variant, body_bytes: int, fails: Fails) -> Variant:
    """The simplest variant that still fails. `body_bytes` is the size of the body without it."""
    if variant.mark is not None:
        variant = _with_simpler_mark(variant, variant.mark, fails)
    names = fewest(list(variant.framing), lambda names: fails(_with_fields(variant, names)))
    variant = _with_fields(variant, names)
    for name in names:
        if name == "split":
            variant = _with_fewest_borders(variant, body_bytes, fails)
        else:
            variant = _with_simpler_value(variant, name, fails)
    return variant


def _with_simpler_mark(variant: Variant, mark: Mark, fails: Fails) -> Variant:
    """The mark with as few odd characters as possible."""

    def with_chars(place: str, chars: Sequence[str]) -> Variant:
        return replace(variant, mark=replace(mark, **{place: "".join(chars)}))

    # No mark has odd characters in two places.
    place = next(name for name in mark.__struct_fields__ if getattr(mark, name))
    return with_chars(place, fewest(getattr(mark, place), lambda chars: fails(with_chars(place, chars))))


def _with_fields(variant: Variant, names: Sequence[str]) -> Variant:
    return replace(variant, framing={name: variant.framing[name] for name in names})


def _with(variant: Variant, name: str, value: Any) -> Variant:
    return replace(variant, framing={**variant.framing, name: value})


def _with_fewest_borders(variant: Variant, body_bytes: int, fails: Fails) -> Variant:
    """The pieces of a split as a list of borders, as few as possible: where one is enough, it is the place of the
    fault."""
    borders = list(range(1, body_bytes))
    if not borders or len(borders) > MOST_BORDERS or not fails(_with(variant, "split", borders)):
        return variant
    return _with(variant, "split", list(fewest(borders, lambda some: fails(_with(variant, "split", list(some))))))


def _with_simpler_value(variant: Variant, name: str, fails: Fails) -> Variant:
    for value in _simpler(name, variant.framing[name]):
        if fails(_with(variant, name, value)):
            return _with(variant, name, value)
    return variant


def _simpler(name: str, value: Any) -> Iterator[Any]:
    """Simpler values of a field, the simplest first."""
    if name == "lineEnding" and value == "mixed":
        yield from ("crlf", "cr")
    elif isinstance(value, int) and not isinstance(value, bool):
        size = _LEAST.get(name, 1)
        while size < value:
            yield size
            size *= 2
    elif isinstance(value, list):
        yield from (value[:count] for count in range(1, len(value)))


_LEAST = {"padding": 3, "coalesce": 2}
"""The least number that a field may have, unless it is 1."""
