"""Delta debugging: the fewest parts of a whole that still show a fault (Zeller and Hildebrandt, 2002)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


def fewest(parts: Sequence[T], fails: Callable[[Sequence[T]], bool], *, least: int = 1) -> Sequence[T]:
    """The fewest of the parts, in their order, that still fail: none of those that are left can be left out alone.
    Of parts that do not fail together, all are left."""
    pieces = 2
    while len(parts) > least:
        size = -(-len(parts) // pieces)
        slices = [parts[start : start + size] for start in range(0, len(parts), size)]
        smaller = _smaller(parts, slices, size, fails, least)
        if smaller is not None:
            pieces = 2 if len(smaller) <= size else max(pieces - 1, 2)
            parts = smaller
        elif size == 1:
            break
        else:
            pieces = min(2 * pieces, len(parts))
    return parts


def _smaller(
    parts: Sequence[T], slices: Sequence[Sequence[T]], size: int, fails: Callable[[Sequence[T]], bool], least: int
) -> Sequence[T] | None:
    """One slice, or all but one, that fails; None if there is none."""
    for piece in slices:
        if least <= len(piece) < len(parts) and fails(piece):
            return piece
    if len(slices) > 2:  # of two, each is all but the other
        for start in range(0, len(parts), size):
            rest = [*parts[:start], *parts[start + size :]]
            if len(rest) >= least and fails(rest):
                return rest
    return None
