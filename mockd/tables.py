"""Tables for people, in which nothing that may be copied is ever wrapped or cut.

A table that is wider than the terminal first leaves out the columns that say nothing, then wraps the columns of words
between words. If that is not enough, each row becomes a record: its cells one after the other, each with its heading,
wrapped between cells.
"""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

Cells = Sequence[Sequence[str]]

_GAP = "  "
_NARROWEST = 16
"""Least width of a column of words."""


class Column(NamedTuple):
    """A column. `is_words` is true if its cells may be wrapped between words. A column says nothing if all its cells
    are empty or `usual`; one that `is_rare` is then left out however much room there is."""

    heading: str
    is_words: bool = False
    usual: str = ""
    is_rare: bool = False


def terminal_width() -> int | None:
    """The width of the terminal, or None if stdout is none: then every row is one line."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def table(columns: Sequence[Column], rows: Iterable[Sequence[object]], width: int | None) -> str:
    """The text of a table that is at most `width` columns wide, if the parts that may not be wrapped allow it."""
    cells: Cells = [[printable(str(cell)) for cell in row] for row in rows]
    columns, cells = _telling(columns, cells, rare=True)
    widths = _natural(columns, cells)
    if width is None or _sum(widths) <= width:
        lines = _grid(columns, cells, widths)
    else:
        columns, cells = _telling(columns, cells)
        fitting = _fitting(columns, _natural(columns, cells), width)
        lines = _records(columns, cells, width) if fitting is None else _grid(columns, cells, fitting)
    return "".join(line.rstrip() + "\n" for line in lines)


def printable(text: str) -> str:
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def _natural(columns: Sequence[Column], cells: Cells) -> list[int]:
    return [max(map(_size, (column.heading, *within))) for column, *within in zip(columns, *cells, strict=True)]


def _size(text: str) -> int:
    """The width of a text on a terminal, where East Asian characters are two columns wide."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def _sum(widths: Sequence[int]) -> int:
    return sum(widths) + len(_GAP) * (len(widths) - 1)


def _telling(columns: Sequence[Column], cells: Cells, *, rare: bool = False) -> tuple[Sequence[Column], Cells]:
    """The columns that say something; of those that do not, only the rare ones are left out if `rare` is true."""
    kept = [
        place
        for place, column in enumerate(columns)
        if place == 0 or (rare and not column.is_rare) or any(row[place] not in ("", column.usual) for row in cells)
    ]
    return [columns[place] for place in kept], [[row[place] for place in kept] for row in cells]


def _fitting(columns: Sequence[Column], widths: list[int], width: int) -> list[int] | None:
    """The same widths, but with the columns of words so narrow that the table fits. None if they would be too
    narrow."""
    words = sorted((widths[place], place) for place, column in enumerate(columns) if column.is_words)
    room = width - _sum(widths) + sum(size for size, _ in words)
    fitting = list(widths)
    for number, (size, place) in enumerate(words):
        fitting[place] = min(size, room // (len(words) - number))
        if fitting[place] < min(size, _NARROWEST):
            return None
        room -= fitting[place]
    return fitting if room >= 0 else None


def _grid(columns: Sequence[Column], cells: Cells, widths: Sequence[int]) -> Iterator[str]:
    for row in ([column.heading for column in columns], *cells):
        folded = [
            wrapped(cell, size) if column.is_words else [cell]
            for column, cell, size in zip(columns, row, widths, strict=True)
        ]
        for number in range(max(map(len, folded))):
            parts = (part[number] if number < len(part) else "" for part in folded)
            yield _GAP.join(part + " " * (size - _size(part)) for part, size in zip(parts, widths, strict=True))


def _records(columns: Sequence[Column], cells: Cells, width: int) -> Iterator[str]:
    for row in cells:
        line = row[0]
        for column, cell in zip(columns[1:], row[1:], strict=True):
            if cell in ("", column.usual):
                continue
            labelled = f"{column.heading} {cell}"
            if _size(line) + len(_GAP) + _size(labelled) <= width:
                line += _GAP + labelled
                continue
            yield line
            *before, line = (
                [_GAP + part for part in wrapped(labelled, width - len(_GAP))] if column.is_words else [_GAP + labelled]
            )
            yield from before
        yield line


def wrapped(text: str, width: int) -> list[str]:
    """The lines of a text that is wrapped between words only; one empty line if there are none."""
    return textwrap.wrap(text, max(1, width), break_long_words=False, break_on_hyphens=False) or [""]
