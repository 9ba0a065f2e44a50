"""Regular expressions of Python's, written anew for other engines.

A pattern is not given to them as it is, as much of it means something else to them, or nothing: `$`, `\\Z`, `\\w`,
`[[:alpha:]]`, `a{e<2}`. It is written from what Python understands, so that only the engines' cores must agree with
Python: characters, sets, repetition, choice, groups.

Characters that Unicode has got lately may be letters to one of them and not to the other.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Sequence
from re import _parser  # type: ignore[attr-defined]  # typeshed does not know it
from typing import Any, NamedTuple

States = Iterable[tuple[Any, Any]]
"""A sequence in the form of `re`: an operation and its operands, for each part."""

MOST_PARTS = 20_000
"""Most parts of a pattern for the module `regex`. Those that are repeated count as often as they are at least. It takes
a kilobyte for each."""

_LAST = 0x10FFFF
_LAST_ASCII = 0x7F
_Ranges = tuple[tuple[int, int], ...]

_SPACES: _Ranges = ((0x9, 0xD), (0x1C, 0x20))
_MORE_SPACES = ((0x85, 0x85), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A), (0x2028, 0x2029), (0x202F, 0x202F))
_UNICODE_SPACES: _Ranges = (*_SPACES, *_MORE_SPACES, (0x205F, 0x205F), (0x3000, 0x3000))
_SPACES_BY_FLAG: _Ranges = ((0x9, 0xD), (0x20, 0x20))
"""What `\\s` is with `(?a)`."""
_DIGITS: _Ranges = ((0x30, 0x39),)
_WORDS: _Ranges = ((0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A))
_UNICODE_WORD = r"\p{L}\p{N}_"
_SURROGATES = range(0xD800, 0xE000)
_NOT_IN_EMPTY = "" if re.search(r"\B", "") else r"(?!\A\Z)"
r"""What goes with `\B`, which matches in an empty text only since Python 3.14."""


class Unsupported(Exception):
    """An engine does not know a part of a pattern."""


class Written(NamedTuple):
    """A pattern for another engine. `has_same_groups` is false if its groups may be other than Python's."""

    source: str
    has_same_groups: bool


def for_re2(source: str, *, is_ascii: bool) -> Written:
    """A pattern for RE2, for texts that are ASCII, or for all texts. It matches in the texts in which Python's does.
    Raises `Unsupported`."""
    writer = _ForRe2(is_ascii)
    return Written(writer.whole(source), writer.has_same_groups)


def for_regex(source: str) -> str:
    """A pattern for the module `regex`."""
    return _ForRegex().whole(source)


class _Writer:
    """The writer of one pattern, with what all engines have in common."""

    is_ascii = False
    """Whether the pattern is for texts that are ASCII."""

    def whole(self, source: str) -> str:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the pattern was accepted before, with its warnings
                parsed = _parser.parse(source)
            flags = parsed.state.flags
            return self._folded(self._sequence(parsed, flags, is_last=True), 0, flags)
        except RecursionError:
            raise Unsupported("it is nested too deeply") from None

    def _sequence(self, states: States, flags: int, *, is_last: bool = False) -> str:
        """A sequence. `is_last` is true if nothing of the pattern comes after it."""
        states = list(states)
        end = len(states) - 1
        return "".join(
            self._part(op.name, value, flags, is_last=is_last and place == end)
            for place, (op, value) in enumerate(states)
        )

    def _part(self, op: str, value: Any, flags: int, *, is_last: bool) -> str:
        match op:
            case "LITERAL":
                return self._character(value)
            case "NOT_LITERAL":
                return self._not(self._character(value))
            case "ANY":
                return "(?s:.)" if flags & re.DOTALL else "."
            case "IN":
                return self._set(value, flags)
            case "BRANCH":
                branches = (self._sequence(branch, flags, is_last=is_last) for branch in value[1])
                return f"(?:{'|'.join(branches)})"
            case "SUBPATTERN":
                number, added, removed, states = value
                inner = (flags | added) & ~removed
                text = self._folded(self._group(number, states, inner, is_last=is_last), flags, inner)
                return f"(?:{text})" if number is None else f"({text})"
            case "MAX_REPEAT" | "MIN_REPEAT":
                return f"(?:{self._repeated(value, flags)}){_times(value)}{'?' if op == 'MIN_REPEAT' else ''}"
            case "AT":
                return self._place(value.name, flags, is_last=is_last)
        return self._other(op, value, flags)

    def _group(self, number: int | None, states: States, flags: int, *, is_last: bool) -> str:
        return self._sequence(states, flags, is_last=is_last)

    def _repeated(self, value: tuple[int, Any, States], flags: int) -> str:
        return self._sequence(value[2], flags)

    def _place(self, name: str, flags: int, *, is_last: bool) -> str:
        match name:
            case "AT_BEGINNING" if flags & re.MULTILINE:
                return "(?m:^)"
            case "AT_BEGINNING" | "AT_BEGINNING_STRING":
                return r"\A"
            case "AT_END" if flags & re.MULTILINE:
                return "(?m:$)"
            case "AT_END":
                return self._end(is_last=is_last)
        return self._other(name, None, flags)

    def _end(self, *, is_last: bool) -> str:
        """The end of the text, or the place before the line break that it ends with."""
        raise NotImplementedError

    def _other(self, op: str, value: Any, flags: int) -> str:
        raise Unsupported(op)

    def _folded(self, text: str, outer: int, inner: int) -> str:
        """A text in whose surroundings case is ignored or not, and which differs from them."""
        if not (outer ^ inner) & re.IGNORECASE:
            return text
        return f"(?i:{text})" if inner & re.IGNORECASE else f"(?-i:{text})"

    # -- characters ------------------------------------------------------------------------------------------------

    def _character(self, code: int) -> str:
        character = chr(code)
        if code > _LAST_ASCII or character.isalnum() or character == "_":
            return character
        return "\\" + character if character.isprintable() else f"\\x{code:02x}"

    def _not(self, character: str) -> str:
        return f"[^{character}]"

    def _set(self, items: Sequence[tuple[Any, Any]], flags: int) -> str:
        """A set in brackets, or one of the classes such as `\\w`, which stands alone."""
        negated = items[0][0].name == "NEGATE"
        items = items[1:] if negated else items
        names = [value.name.removeprefix("CATEGORY_") for op, value in items if op.name == "CATEGORY"]
        if "NOT_WORD" in names and not self._has_ascii_words(flags):
            return self._set_with_no_words(items, flags, negated=negated)
        members = "".join(self._member(op.name, value, flags) for op, value in items)
        return f"[{'^' if negated else ''}{members}]"

    def _set_with_no_words(self, items: Sequence[tuple[Any, Any]], flags: int, *, negated: bool) -> str:
        """A set with the characters that are in no word. They have no name that may stand in a set."""
        if len(items) > 1:
            raise Unsupported("NOT_WORD")
        return f"[{'' if negated else '^'}{_UNICODE_WORD}]"

    def _has_ascii_words(self, flags: int) -> bool:
        return self.is_ascii or bool(flags & re.ASCII)

    def _member(self, op: str, value: Any, flags: int) -> str:
        match op:
            case "LITERAL":
                return self._character(value)
            case "RANGE":
                return "-".join(map(self._character, value))
        return self._class(value.name.removeprefix("CATEGORY_"), flags)

    def _class(self, name: str, flags: int) -> str:
        """A class such as `\\w`, as it stands in a set."""
        kind = name.removeprefix("NOT_")
        if kind == "SPACE":
            ranges = _SPACES_BY_FLAG if flags & re.ASCII else _SPACES if self.is_ascii else _UNICODE_SPACES
        elif self._has_ascii_words(flags):
            ranges = _DIGITS if kind == "DIGIT" else _WORDS
        elif kind == "DIGIT":
            return r"\p{Nd}" if name == kind else r"\P{Nd}"
        else:
            return _UNICODE_WORD
        if name != kind:
            ranges = tuple(_between(ranges, _LAST_ASCII if self.is_ascii else _LAST))
        return "".join(f"{self._character(first)}-{self._character(last)}" for first, last in ranges)


class _ForRe2(_Writer):
    def __init__(self, is_ascii: bool) -> None:
        self.is_ascii = is_ascii
        self.has_same_groups = True
        self._is_repeated = False
        self._groups = 0
        """Number of groups around the part."""

    def _character(self, code: int) -> str:
        if code in _SURROGATES:
            raise Unsupported("a lone surrogate")
        return super()._character(code)

    def _folded(self, text: str, outer: int, inner: int) -> str:
        if (outer | inner) & re.IGNORECASE and not (self.is_ascii and text.isascii()):
            raise Unsupported("IGNORECASE")  # engines do not agree on the case of other letters
        return super()._folded(text, outer, inner)

    def _group(self, number: int | None, states: States, flags: int, *, is_last: bool) -> str:
        if number is None:
            return self._sequence(states, flags, is_last=is_last)
        self.has_same_groups &= not self._is_repeated
        self._groups += 1
        text = self._sequence(states, flags, is_last=is_last)
        self._groups -= 1
        return text

    def _repeated(self, value: tuple[int, Any, States], flags: int) -> str:
        outer, self._is_repeated = self._is_repeated, True
        text = self._sequence(value[2], flags)
        self._is_repeated = outer
        return text

    def _end(self, *, is_last: bool) -> str:
        if not is_last:
            raise Unsupported("AT_END")
        self.has_same_groups &= not self._groups
        return r"(?:\n?\z)"

    def _other(self, op: str, value: Any, flags: int) -> str:
        if op == "AT_END_STRING":
            return r"\z"
        if op == "AT_BOUNDARY" and self._has_ascii_words(flags):
            return r"\b"
        raise Unsupported(op)


class _ForRegex(_Writer):
    def __init__(self) -> None:
        self._copies = 1
        """Number of times that a part is repeated at least, for each of which the module keeps a copy of it."""
        self._parts = 0

    def _part(self, op: str, value: Any, flags: int, *, is_last: bool) -> str:
        self._parts += self._copies
        if self._parts > MOST_PARTS:
            raise Unsupported("it repeats too much")
        return super()._part(op, value, flags, is_last=is_last)

    def _repeated(self, value: tuple[int, Any, States], flags: int) -> str:
        outer = self._copies
        self._copies *= max(value[0], 1)
        text = self._sequence(value[2], flags)
        self._copies = outer
        return text

    def _not(self, character: str) -> str:
        # Of `[^a]|[^b]` it makes a character that is neither.
        return f"(?:(?!{character})(?s:.))"

    def _end(self, *, is_last: bool) -> str:
        return r"(?=\n?\Z)"

    def _set_with_no_words(self, items: Sequence[tuple[Any, Any]], flags: int, *, negated: bool) -> str:
        others = [item for item in items if item[0].name != "CATEGORY" or item[1].name != "CATEGORY_NOT_WORD"]
        either = f"[^{_UNICODE_WORD}]"
        if others:
            either = f"(?:{either}|{self._set(others, flags)})"
        return f"(?:(?!{either})(?s:.))" if negated else either

    def _other(self, op: str, value: Any, flags: int) -> str:
        match op:
            case "AT_END_STRING":
                return r"\Z"
            case "AT_BOUNDARY" | "AT_NON_BOUNDARY":
                return self._boundary(flags, is_one=op == "AT_BOUNDARY")
            case "GROUPREF":
                return rf"\g<{value}>"
            case "GROUPREF_EXISTS":
                number, *ways = value
                return f"(?({number}){'|'.join(self._sequence(way or (), flags) for way in ways)})"
            case "ASSERT" | "ASSERT_NOT":
                direction, states = value
                sign = ("<" if direction < 0 else "") + ("=" if op == "ASSERT" else "!")
                return f"(?{sign}{self._sequence(states, flags)})"
            case "FAILURE":
                return "(?!)"
            case "ATOMIC_GROUP":
                return f"(?>{self._sequence(value, flags)})"
            case "POSSESSIVE_REPEAT":
                return f"(?>(?:{self._repeated(value, flags)}){_times(value)})"
        raise Unsupported(op)

    def _boundary(self, flags: int, *, is_one: bool) -> str:
        word = f"[{self._class('WORD', flags)}]"
        before, after = ("=", "!") if is_one else ("=", "=")
        other_before, other_after = ("!", "=") if is_one else ("!", "!")
        places = f"(?<{before}{word})(?{after}{word})|(?<{other_before}{word})(?{other_after}{word})"
        return f"(?:{places})" if is_one else f"(?:{_NOT_IN_EMPTY}(?:{places}))"


def _times(value: tuple[int, Any, States]) -> str:
    least, most, _ = value
    return f"{{{least},{'' if most is _parser.MAXREPEAT else most}}}"


def _between(ranges: _Ranges, last: int) -> Iterable[tuple[int, int]]:
    """The ranges of all characters up to `last` that are in none of these ranges."""
    start = 0
    for first, end in ranges:
        if start < first:
            yield start, first - 1
        start = end + 1
    if start <= last:
        yield start, last
