"""Texts with wildcards."""

from __future__ import annotations

from collections.abc import Sequence


def fits_pieces(pieces: Sequence[str], text: str) -> bool:
    """Whether a text is these pieces in this order, with any characters between them. It takes linear time: the first
    occurrence of a piece leaves the most room for the rest, so no later one must be tried."""
    if len(pieces) == 1:
        return text == pieces[0]
    first, *middle, last = pieces
    place, end = len(first), len(text) - len(last)
    if place > end or not text.startswith(first) or not text.endswith(last):
        return False
    for piece in middle:
        found = text.find(piece, place, end)
        if found < 0:
            return False
        place = found + len(piece)
    return True
