"""Searches of a body that comes in pieces. Each gives the bytes on as soon as it is known that no secret begins in
them, with text of the same length in the place of what it found."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple, Protocol

Found = Callable[[str], None]
"""Called with the name of a member whose value was found, or the empty text for another secret."""

_FILLING = b"REDACTED"
FILLING_OF_NUMBERS = b"1"
_FILLED = "(?:REDACTED)+(?:REDACTE|REDACT|REDAC|REDA|RED|RE|R)?"
"""A part of a text that stands for a secret. One of fewer characters could be a word."""


class Span(NamedTuple):
    """A part of a text that must not be written. `phase` is the number of bytes of the same secret that were before."""

    start: int
    stop: int
    phase: int = 0
    is_number: bool = False


class Search(Protocol):
    """A search of one body. `spans` looks through what has not been given on, of which it says what is to be replaced,
    and from where on it needs to see more; nothing, if the body is `complete`."""

    def spans(self, text: bytes, complete: bool) -> tuple[list[Span], int]: ...


class Held:
    """A search with the bytes that it holds back."""

    def __init__(self, search: Search, before: bytes = b"") -> None:
        """`before` are bytes that the body seems to begin with."""
        self._search = search
        self._held = before
        self._skipped = len(before)

    def feed(self, data: bytes) -> bytes:
        return self._pass(data, False)

    def finish(self) -> bytes:
        return self._pass(b"", True)

    def _pass(self, data: bytes, complete: bool) -> bytes:
        text = self._held + data if self._held else data
        spans, hold = self._search.spans(text, complete)
        passed = blanked(text[:hold], spans) if spans else text[:hold]
        self._held = text[hold:]
        if self._skipped and passed:
            passed, self._skipped = passed[self._skipped :], 0
        return passed


class Chain:
    """Searches one after the other. `has_found` is true as soon as anything was replaced."""

    def __init__(self, searches: Iterable[Held]) -> None:
        self.searches = tuple(searches)
        self.has_found = False

    def feed(self, data: bytes) -> bytes:
        for search in self.searches:
            data = search.feed(data)
        return data

    def finish(self) -> bytes:
        data = b""
        for search in self.searches:
            data = search.feed(data) + search.finish()
        return data


def blanked(text: bytes, spans: Iterable[Span]) -> bytes:
    """A text with others of the same length in the place of these parts."""
    changed = bytearray(text)
    behind = 0
    for span in sorted(spans):
        start, stop = max(span.start, behind), min(span.stop, len(text))
        if start < stop:
            skipped = span.phase + start - span.start
            word = FILLING_OF_NUMBERS if span.is_number else _FILLING
            changed[start:stop] = filling(skipped + stop - start, word)[skipped:]
            behind = stop
    return bytes(changed)


def filling(size: int, word: bytes = _FILLING) -> bytes:
    """The text that stands for a secret of this size."""
    return (word * (size // len(word) + 1))[:size]


def is_filling(text: str) -> bool:
    """Whether a text may stand for a secret."""
    return bool(text) and text.encode("utf-8", "surrogateescape") == filling(len(text))


def pieces_of(text: str) -> list[str]:
    """A text without the parts that stand for secrets: what is before, between and behind them. One piece if it has
    none."""
    return ["", ""] if is_filling(text) else re.split(_FILLED, text)
