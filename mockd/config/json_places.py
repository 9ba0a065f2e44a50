"""The line and column of everything in a JSON text, and its faults. This module is loaded only after a first error."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from typing import NamedTuple

from mockd.config.places import Marks, Place
from mockd.config.values import MAX_DEPTH, MAX_DIGITS, TOO_DEEP, TOO_LONG
from mockd.errors import MAX_PROBLEMS, Path, Problem

_SYNTAX_HINTS = (
    (re.compile(r"//|/\*|#"), "JSON has no comments; YAML has"),
    (re.compile(r"'"), "text is in double quotes"),
    (re.compile(r",?\s*[}\]]"), "there is no comma after the last item"),
    (re.compile(r"(None|True|False|undefined)\b"), "JSON writes null, true and false"),
    (re.compile(r"[A-Za-z_$]"), "keys and text are in double quotes"),
)


def syntax_hint(text: str, position: int) -> str | None:
    """A hint for the syntax error at a position."""
    return next((hint for pattern, hint in _SYNTAX_HINTS if pattern.match(text, position)), None)


_TOKEN = re.compile(
    r'(?P<text>"[^"\\]*(?:\\.[^"\\]*)*")|(?P<open>[{\[])|(?P<close>[}\]])|(?P<comma>,)|(?P<other>[^\s,:{}\[\]"]+)'
)
_LONG_INTEGER = re.compile(rf"-?\d{{{MAX_DIGITS + 1},}}")

MAX_PLACES = 200_000
"""Most values whose places are kept. What comes later in a text has the place of the list or object around it."""


class Scan(NamedTuple):
    """The places of everything in a JSON text, and its faults other than those of syntax."""

    marks: Marks
    problems: list[Problem]


class _Open:
    """A list or object whose end the scanner has not reached. `step` is the current index or key, None before a key."""

    def __init__(self, marks: Marks, *, is_list: bool) -> None:
        self.marks = marks
        self.is_list = is_list
        self.step: str | int | None = 0 if is_list else None

    def advance(self) -> None:
        self.step = self.step + 1 if isinstance(self.step, int) else None


def scan(text: str) -> Scan:
    """Find the places in a text of correct syntax, and its duplicate keys, long integers and deep nesting."""
    lines = [0, *(end.end() for end in re.finditer("\n", text))]

    def place_of(position: int) -> Place:
        line = bisect_right(lines, position)
        return Place(line, position - lines[line - 1] + 1)

    above = Marks(Place(1, 1))
    stack = [_Open(above, is_list=True)]
    problems: list[Problem] = []
    kept = 0

    def complain(message: str, place: Place, step: str | int | None) -> None:
        path: Path = tuple(part.step for part in stack[1:] if part.step is not None)
        problems.append(Problem(message, path if step is None else (*path, step), None, None, *place))

    for token in _TOKEN.finditer(text):
        if len(problems) == MAX_PROBLEMS:
            break
        kind, written, place = token.lastgroup, token[0], place_of(token.start())
        top = stack[-1]
        if kind == "comma":
            top.advance()
        elif kind == "close":
            stack.pop()
        elif top.step is None:
            key = json.loads(written)
            if key in top.marks.keys:
                complain(f"key `{key}` is given twice (first on line {top.marks.keys[key].line})", place, key)
            top.marks.keys[key] = place
            top.step = key
        else:
            marks = Marks(place, leaf=kind != "open")
            if kept < MAX_PLACES:
                top.marks.children[top.step] = marks
                kept += 1
            if kind == "open":
                stack.append(_Open(marks, is_list=written == "["))
                if len(stack) > MAX_DEPTH + 1:
                    complain(TOO_DEEP, place, None)
                    break
            elif kind == "other" and _LONG_INTEGER.fullmatch(written):
                complain(TOO_LONG, place, None)
    return Scan(above.children.get(0, above), problems)
