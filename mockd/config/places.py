"""The places of values in a text: a tree of lines and columns beside the tree of values."""

from __future__ import annotations

from typing import NamedTuple

from mockd.errors import Path


class Place(NamedTuple):
    """A line and a column, both counted from 1. A column is one character."""

    line: int
    column: int


class Marks:
    """The place of a value, the places of its keys, and the marks of the values in it. A `leaf` has no values in it.
    Most values are leaves, and two dicts for each of them would make up most of the tree."""

    __slots__ = ("children", "keys", "place")

    def __init__(self, place: Place, *, leaf: bool = False) -> None:
        self.place = place
        self.keys: dict[str, Place] = _NO_KEYS if leaf else {}
        self.children: dict[str | int, Marks] = _NO_CHILDREN if leaf else {}

    def value(self, path: Path) -> Place:
        """The place of the value at a path, or of the nearest existing value around it."""
        return self._at(path).place

    def key(self, path: Path) -> Place:
        """The place of the key at the end of a path, or of the nearest existing value around it."""
        around = self._at(path[:-1])
        return around.keys.get(str(path[-1]), around.place) if path else around.place

    def free(self) -> None:
        """Take the tree apart step by step. To free a large tree at once would block all other threads."""
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
