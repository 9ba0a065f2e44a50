"""Where values stand in a text: a tree of lines and columns beside the tree of values."""

from __future__ import annotations

from typing import NamedTuple

from mockd.errors import Path


class Place(NamedTuple):
    """A line and a column, both from 1; the column counts characters."""

    line: int
    column: int


class Marks:
    """The place of a value, of its keys, and the marks of what is in it. A `leaf` has nothing in it: most values are
    leaves, and two dicts for each would make up most of the tree."""

    __slots__ = ("children", "keys", "place")

    def __init__(self, place: Place, *, leaf: bool = False) -> None:
        self.place = place
        self.keys: dict[str, Place] = _NO_KEYS if leaf else {}
        self.children: dict[str | int, Marks] = _NO_CHILDREN if leaf else {}

    def value(self, path: Path) -> Place:
        """The place of the value at a path, or of the nearest value around it that is there."""
        return self._at(path).place

    def key(self, path: Path) -> Place:
        """The place of the key that a path ends in, or of the nearest value around it."""
        around = self._at(path[:-1])
        return around.keys.get(str(path[-1]), around.place) if path else around.place

    def free(self) -> None:
        """Take the tree apart step by step: freeing a large one in one go keeps all other threads waiting."""
        waiting = [self]
        while waiting:
            marks = waiting.pop()
            waiting += marks.children.values()
            marks.children.clear()

    def _at(self, path: Path) -> Marks:
        marks = self
        for step in path:
            inner = marks.children.get(step)
            if inner is None:
                break
            marks = inner
        return marks


_NO_KEYS: dict[str, Place] = {}
_NO_CHILDREN: dict[str | int, Marks] = {}
