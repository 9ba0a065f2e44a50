"""The values of credentials in a body that comes in pieces: where each is over, and what of it is to be replaced."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, Protocol

from mockd.journal.schemas import describes
from mockd.recordings.searching import FILLING_OF_NUMBERS, Span, filling

MOST_OF_SCHEMA = 16 * 1024
"""Most bytes of an object that are held back until it is known whether it is a JSON Schema. A longer one is none."""


class Value(Protocol):
    """A value that is being replaced. `eat` gives what is to be replaced from `at` on, where to go on, and whether the
    value is over."""

    def eat(self, text: bytes, at: int, complete: bool) -> tuple[list[Span], int, bool]: ...

    def learned(self, raw: bytes) -> str: ...


class String:
    """A string of JSON. `depth` is the number of backslashes before its quotes: 0, or more inside another string."""

    _STOP = re.compile(rb'["\n]')

    def __init__(self, depth: int) -> None:
        self._depth = depth
        self._run = 0
        self._size = 0

    def eat(self, text: bytes, at: int, complete: bool) -> tuple[list[Span], int, bool]:
        start = at
        while (match := self._STOP.search(text, at)) is not None:
            stop = match.start()
            if match[0] == b"\n":  # in no string
                return self._spans(start, stop), stop, True
            if self._backslashes(text, start, stop) % (2 * (self._depth + 1)) == self._depth:
                return self._spans(start, stop - self._depth), stop + 1, True
            at = stop + 1
        run = self._backslashes(text, start, len(text))
        kept = 0 if complete else min(run, self._depth, len(text) - start)
        self._run = run - kept
        return self._spans(start, len(text) - kept), len(text) - kept, False

    def _spans(self, start: int, stop: int) -> list[Span]:
        phase, self._size = self._size, self._size + stop - start
        return [Span(start, stop, phase)]

    def _backslashes(self, text: bytes, start: int, stop: int) -> int:
        """The backslashes right before a place, those that were given on before `start` too."""
        at = stop
        while at > start and text[at - 1] == 0x5C:
            at -= 1
        return stop - at + (self._run if at == start else 0)

    def learned(self, raw: bytes) -> str:
        text = raw.decode("utf-8", "replace")
        try:
            return _unescaped(text, self._depth.bit_length() + 1)
        except ValueError:
            return text


class Number:
    """A number of JSON."""

    _REST = re.compile(rb"[-+0-9.eE]*")

    def eat(self, text: bytes, at: int, complete: bool) -> tuple[list[Span], int, bool]:
        match = self._REST.match(text, at)
        assert match is not None
        stop = match.end()
        return [Span(at, stop, is_number=True)], stop, stop < len(text)

    def learned(self, raw: bytes) -> str:
        return "" if raw == filling(len(raw), FILLING_OF_NUMBERS) else raw.decode()  # which stands for one already


class Nested:
    """An object or a list, in which every string and number is replaced, but no name."""

    _TOKEN = re.compile(rb'[{}\[\],:"]|[-0-9]')

    def __init__(self, depth: int) -> None:
        self._depth = depth
        self._open: list[int] = []
        self._is_name = False
        self._inside: Value | None = None
        self._is_kept = False

    def eat(self, text: bytes, at: int, complete: bool) -> tuple[list[Span], int, bool]:
        spans: list[Span] = []
        while True:
            if self._inside is not None:
                more, at, is_over = self._inside.eat(text, at, complete)
                spans += [] if self._is_kept else more
                if not is_over:
                    return spans, at, False
                self._inside = None
            match = self._TOKEN.search(text, at)
            if match is None:
                return spans, len(text), False
            at = match.end()
            if self._step(match[0]):
                return spans, at, True
            at -= isinstance(self._inside, Number)

    def _step(self, token: bytes) -> bool:
        match token:
            case b"{" | b"[":
                self._open.append(token[0])
                self._is_name = token == b"{"
            case b"}" | b"]":
                self._open.pop()
                self._is_name = False
                return not self._open
            case b",":
                self._is_name = self._open[-1] == 0x7B
            case b":":
                self._is_name = False
            case b'"':
                self._inside, self._is_kept = String(self._depth), self._is_name
            case _:
                self._inside, self._is_kept = Number(), False
        return False

    def learned(self, raw: bytes) -> str:
        return ""


class Object:
    """An object, in which every string and number is replaced, unless it is a JSON Schema: it describes a
    credential, and is none."""

    def __init__(self, depth: int) -> None:
        self._depth = depth
        self._nested = Nested(depth)
        self._seen = 0
        self._spans: list[Span] = []
        self._is_held = True

    def eat(self, text: bytes, at: int, complete: bool) -> tuple[list[Span], int, bool]:
        if not self._is_held:
            return self._nested.eat(text, at, complete)
        # What is held begins with the object, wherever that is in the text.
        spans, stop, is_over = self._nested.eat(text, at + self._seen, complete)
        self._seen = stop - at
        self._spans += [span._replace(start=span.start - at, stop=span.stop - at) for span in spans]
        self._is_held = not (is_over or complete) and self._seen <= MOST_OF_SCHEMA
        if self._is_held:
            return [], at, False
        if is_over and self._seen <= MOST_OF_SCHEMA and self._is_schema(text[at:stop]):
            return [], at + 1, True  # there may be URLs with credentials in what it says
        return [span._replace(start=span.start + at, stop=span.stop + at) for span in self._spans], stop, is_over

    def _is_schema(self, raw: bytes) -> bool:
        try:
            text = _unescaped(raw.decode(), self._depth.bit_length())
            return describes(json.loads(text, object_pairs_hook=_members))
        except (ValueError, RecursionError):
            return False

    def learned(self, raw: bytes) -> str:
        return ""


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The members of an object. Raises `ValueError` if one of them is overwritten, which may be a credential."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("two members of one name")
    return found


def _unescaped(text: str, times: int) -> str:
    """A text that is inside so many strings of JSON, one in the other. Raises `ValueError`."""
    for _ in range(times):
        text = json.loads(f'"{text}"', strict=False)
    return text


class Until:
    """A value that goes on to some delimiter."""

    def __init__(self, delimiter: bytes, cut: bytes = b"", decode: Callable[[str], str] = str) -> None:
        self._delimiter = re.compile(delimiter)
        self._cut = re.compile(b"(?:" + cut + rb")\Z")
        self._decode = decode
        self._size = 0

    def eat(self, text: bytes, at: int, complete: bool) -> tuple[list[Span], int, bool]:
        match = self._delimiter.search(text, at)
        if match is None:
            cut = None if complete else self._cut.search(text, at)
            stop = len(text) if cut is None else cut.start()
        else:
            stop = match.start()
        phase, self._size = self._size, self._size + stop - at
        return [Span(at, stop, phase)], stop, match is not None

    def learned(self, raw: bytes) -> str:
        return self._decode(raw.decode("utf-8", "replace"))
