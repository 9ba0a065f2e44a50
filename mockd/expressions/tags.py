"""The tags in a text, `{{ … }}`, `{% … %}` and `{# … #}`, found in linear time whatever the text.

Nothing in quotes ends a tag. If a tag is not closed, another one may begin inside it. Reading that one comes to where
reading the first has been, and stops there, as it would find no more.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

STRING = r'"[^"\\]*(?:\\.[^"\\]*)*"' + "|" + r"'[^'\\]*(?:\\.[^'\\]*)*'"
"""The pattern of a text in quotes."""
_BEGIN = re.compile(r"\{[{%#]")
_NAME = re.compile(r"(?<![\w.$])(?<!\w-)request(?!-?\w)")
_ENDS = {"{{": "}}", "{%": "%}"}
_EDGES = ("{{", "{%", "}}", "%}")
"""Where a name is no longer looked for: at the end of its tag, and at the beginning of another."""
_PIECE = re.compile(rf"{STRING}|[^\"'{{}}%]+|[{{}}%]", re.DOTALL)


def mentions_request(text: str) -> bool:
    """Whether `request` stands in a tag, outside quotes. The tag need not be closed."""
    if "{" not in text or "request" not in text:
        return False
    reader = _Reader(text)
    for begin in _begins(text):
        if begin[0] == "{#":
            continue
        for start, end in reader.pieces(begin.end()):
            if text.startswith(_EDGES, start):
                break
            if text[start] not in "\"'" and _NAME.search(text, start, end):
                return True
    return False


def split_tags(text: str) -> list[str]:
    """The pieces of a text: every second piece is a tag, and the others are literal text."""
    pieces, done = [], 0
    readers = {begin: _Reader(text) for begin in _ENDS}
    last_comment = text.rfind("#}")
    for begin in _begins(text):
        start = begin.start()
        if start < done:
            continue
        if begin[0] == "{#":
            end = text.find("#}", start + 2) + 2 if start + 2 <= last_comment else None
        else:
            end = readers[begin[0]].end(begin.end(), _ENDS[begin[0]])
        if end is not None:
            pieces += [text[done:start], text[start:end]]
            done = end
    return [*pieces, text[done:]]


def _begins(text: str) -> Iterator[re.Match[str]]:
    """All beginnings of tags, such as both in `{{%`."""
    position = 0
    while begin := _BEGIN.search(text, position):
        yield begin
        position = begin.start() + 1


class _Reader:
    """Reads tags of a text piece by piece, and no piece twice."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._been: set[int] = set()
        self._unclosed: dict[str, int] = {}
        """For each kind of quote the first position found at which one is not closed. Then no later one is."""

    def pieces(self, position: int) -> Iterator[tuple[int, int]]:
        """The pieces from a position on, each with its start and end: texts in quotes, braces and percent signs by
        themselves, and what is between. The last is before a quote that is not closed, or before a piece read earlier.
        """
        text = self._text
        while position < len(text) and position not in self._been:
            self._been.add(position)
            if position >= self._unclosed.get(text[position], len(text)):
                return
            piece = _PIECE.match(text, position)
            if piece is None:
                self._unclosed[text[position]] = position
                return
            yield position, piece.end()
            position = piece.end()

    def end(self, position: int, mark: str) -> int | None:
        """The position behind the first `mark` outside quotes; None if there is none."""
        return next(
            (start + len(mark) for start, _ in self.pieces(position) if self._text.startswith(mark, start)), None
        )
