"""The ways in which a secret may be spelled: as it is, in a JSON string, in a JSON string that is inside another one,
percent-encoded, and in base64.

A needle is a tuple of letters. A letter is the characters of which any may stand there: one, except in base64, which
has two alphabets.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any, NamedTuple


class Atom(NamedTuple):
    """A part of a pattern: a regular expression for it, and one for its beginning, if it can be cut in two."""

    whole: bytes
    start: bytes = b""


Needle = tuple[str, ...]
Spelling = Callable[[str], tuple[bytes, ...]]

_SHORT_ESCAPES = {'"': '\\"', "\\": "\\\\", "/": "\\/", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_SIGNS = (b"\\", b"%")
"""What escapes begin with. Their letters are in lower case here, and may be in both."""

_SIGN = re.compile(rb"[\\%+_-]")
"""What is in every spelling that is not literal: escapes, a space in a form, letters of the alphabets of base64."""

_ALTERNATIVES = {"+": "+-", "/": "/_"}
_LONGEST_PART = 256
"""Most letters of a needle. The longer it is, the longer it takes to see that it is not there."""

_SHORTEST_CORE = 8
"""Least letters of a secret in base64 by which it is recognised. Fewer are in many a text by chance."""


def needles_of(secret: str) -> set[Needle]:
    """What to look for, to find a secret: itself, and what it is in base64, wherever it begins in what was encoded. A
    long one is looked for in parts."""
    count = -(-len(secret) // _LONGEST_PART)
    places = [len(secret) * number // count for number in range(count + 1)]
    parts = {secret[start:stop] for start, stop in pairwise(places)}
    return {needle for part in parts for needle in _needles_of(part)}


def _needles_of(secret: str) -> list[Needle]:
    raw = secret.encode("utf-8", "surrogateescape")
    cores = (_core(raw, offset) for offset in range(3))
    return [tuple(secret), *(tuple(_ALTERNATIVES.get(char, char) for char in core) for core in cores if core)]


def _core(raw: bytes, offset: int) -> str:
    """The characters of base64 that depend on nothing but these bytes, if `offset` bytes are before them."""
    encoded = b64encode(bytes(offset) + raw).decode().rstrip("=")
    end = (offset + len(raw)) * 8 // 6
    core = encoded[-(-offset * 8 // 6) : end]
    return core if len(core) >= _SHORTEST_CORE else ""


@lru_cache(4096)
def as_it_is(letter: str) -> tuple[bytes, ...]:
    return tuple(_raw(char) for char in letter)


@lru_cache(4096)
def in_json(letter: str) -> tuple[bytes, ...]:
    return tuple(spelled.encode("utf-8", "surrogateescape") for spelled in _json(letter))


@lru_cache(4096)
def in_nested_json(letter: str) -> tuple[bytes, ...]:
    """In a string of JSON that is itself in a string of JSON."""
    inside = [_json(char) for char in letter]
    twice = [_escaped(spelled) for options in inside for spelled in options]
    twice += [spelled.replace("\\/", "/") for spelled in twice]
    # What the inner string has as it is, the outer one may escape.
    once = [spelled for char, options in zip(letter, inside, strict=True) if char not in '"\\' for spelled in options]
    return tuple(dict.fromkeys(spelled.encode("utf-8", "surrogateescape") for spelled in twice + once))


@lru_cache(4096)
def percent_encoded(letter: str) -> tuple[bytes, ...]:
    return _percent(letter, "%")


@lru_cache(4096)
def percent_encoded_twice(letter: str) -> tuple[bytes, ...]:
    # What was left as it is at first, or became a plus, may be encoded the second time.
    return tuple(
        dict.fromkeys([*_percent(letter, "%25"), *_percent(letter, "%"), *([b"%2b"] if letter == " " else [])])
    )


SPELLINGS: tuple[Spelling, ...] = (as_it_is, in_json, in_nested_json, percent_encoded, percent_encoded_twice)


@lru_cache(4096)
def any_of(letter: str) -> Atom:
    """A letter in all spellings."""
    spelled = dict.fromkeys(option for spelling in SPELLINGS for option in spelling(letter))
    starts = dict.fromkeys(option[:size] for option in spelled for size in range(1, len(option)))
    return Atom(_either(spelled), _either(starts) if starts else b"")


def _either(options: Iterable[bytes]) -> bytes:
    return b"(?:" + b"|".join(map(_pattern, options)) + b")"


def _pattern(option: bytes) -> bytes:
    escaped = re.escape(option)
    return b"(?i:" + escaped + b")" if option.startswith(_SIGNS) else escaped


def _is(option: bytes, text: bytes) -> bool:
    return text == option or (option.startswith(_SIGNS) and text.lower() == option)


def literals_of(needle: Needle) -> tuple[bytes, ...]:
    """A needle as it is, in each alphabet."""
    alphabets = range(max(map(len, needle)))
    return tuple(dict.fromkeys(b"".join(_raw(letter[min(n, len(letter) - 1)]) for letter in needle) for n in alphabets))


def next_sign(text: bytes, start: int) -> int:
    """Where the next byte is that may spell a letter otherwise than it is."""
    match = _SIGN.search(text, start)
    return len(text) if match is None else match.start()


def end_of(needle: Needle, text: bytes, at: int, spelling: Spelling) -> int | None:
    """Where a needle ends in a text, if it begins at `at`; None if it does not. If the text ends too early for that to
    be known, it is one more than the text's length."""
    for letter in needle:
        for option in spelling(letter):  # one that begins with another comes before it
            stop = at + len(option)
            if stop > len(text) and _is(option[: len(text) - at], text[at:]):
                return len(text) + 1
            if _is(option, text[at:stop]):
                at = stop
                break
        else:
            return None
    return at


LONGEST_LETTER = 32
"""Most bytes of a letter in any spelling: a character outside the basic plane, in nested JSON, has 14 or 20."""


def whole(atoms: Iterable[Atom]) -> bytes:
    """A regular expression for a sequence of atoms."""
    return b"".join(atom.whole for atom in atoms)


def cut_off(atoms: Sequence[Atom], then: bytes = b"$") -> bytes:
    """A regular expression for a sequence of atoms, and for `then` behind it, of which the text has only the beginning,
    as it ends there."""
    pattern = then
    for atom in reversed(atoms):
        start = b"|" + atom.start + b"$" if atom.start else b""
        pattern = b"(?:" + atom.whole + pattern + start + b"|$)"
    return pattern


def search_engine(pattern: bytes) -> Any:
    """A compiled pattern for bytes. It takes linear time if RE2 is installed; the patterns that are made here do with
    any engine."""
    try:
        import re2  # type: ignore[import-untyped]
    except ImportError:
        return re.compile(pattern, re.DOTALL)
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.dot_nl = True
    options.log_errors = False
    options.max_mem = _MEMORY
    return re2.compile(pattern, options)


_MEMORY = 64 * 1024 * 1024
"""Most memory, in bytes, of a compiled pattern: the more secrets there are, the larger it is."""


def _escaped(text: str) -> str:
    return "".join(_SHORT_ESCAPES.get(char, char) for char in text)


def _percent(letter: str, sign: str) -> tuple[bytes, ...]:
    spelled: list[bytes] = []
    for char in letter:
        raw = _raw(char)
        spelled += ["".join(f"{sign}{byte:02x}" for byte in raw).encode()]
        spelled += [b"+"] if char == " " else []
        spelled += [raw] if char != "%" else []
    return tuple(dict.fromkeys(spelled))


def _raw(char: str) -> bytes:
    return char.encode("utf-8", "surrogateescape")


def _json(letter: str) -> list[str]:
    spelled: list[str] = []
    for char in letter:
        units = char.encode("utf-16-be", "surrogatepass")
        spelled += ["".join(f"\\u{units[place : place + 2].hex()}" for place in range(0, len(units), 2))]
        spelled += [_SHORT_ESCAPES[char]] if char in _SHORT_ESCAPES else []
        spelled += [char] if char not in '"\\' else []
    return list(dict.fromkeys(spelled))
