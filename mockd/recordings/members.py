"""The search for values whose names say that they are credentials: members of JSON objects, fields of forms, parameters
in URLs, and parts of a body of several parts.

A value may be of any size. Its bytes are replaced as they come.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import unquote_plus

from mockd.journal import credentials
from mockd.recordings.member_values import Nested, Number, Object, String, Until, Value
from mockd.recordings.searching import Found, Span
from mockd.recordings.spelling import Atom, cut_off, search_engine, whole

TOKEN = "token"
SHORTEST_TOKEN = 20
"""Least characters of the text of a `token` in a request that is a credential. In answers it may be any word."""

_LONGEST_LEARNED = 4096
"""Most bytes of a value that is looked for elsewhere."""

_LONGEST_OPENING = 2048
"""Most bytes of a name with all that is around it."""

_QUOTE = [Atom(rb"\\{0,3}"), Atom(b'"')]
_SPACE = Atom(rb"(?:[ \t\r\n]|\\{1,3}[nrt]){0,64}", rb"(?:[ \t\r\n]|\\{1,3}[nrt]){0,63}\\{1,3}")
_COLON = [_SPACE, Atom(b":"), _SPACE]

# -- names -------------------------------------------------------------------------------------------------------------

_BETWEEN = Atom(
    rb"""(?:[^A-Za-z0-9"'\\?&=%:,;{}<>\s]|(?:%(?:25)?|\\{1,3}u00)(?:2[dDeE]|5[bBdDfF]))*""",
    rb"""(?:%(?:2?5?)?[25]?|\\{1,3}(?:u0{0,2}[25]?)?)""",
)
"""What may stand between the letters of a name, and around them, as in `api_key`, `api-key` and `user[api_key]`. No
pattern begins with it, or a long run of it would be looked through again and again."""
_IN_FIELDS = Atom(rb"""[^&=?#\s"'<>\\]*""")
"""What may stand before the letters of a field of a form."""
_IN_PARTS = Atom(rb"""[^"\r\n]*""")


def _letters(name: str) -> list[Atom]:
    """A name in all spellings: of its letters in either case, and of what is between them."""
    return [atom for letter in name for atom in (_letter(letter), _BETWEEN)]


def _letter(letter: str) -> Atom:
    """A letter in either case, as it is, escaped in JSON or percent-encoded."""
    high, low = b"%x" % (ord(letter) >> 4 & 5), b"%x" % (ord(letter) & 15)  # codes of the two cases differ by one bit
    highs = b"[%b%x]" % (high, int(high, 16) | 2)
    return Atom(
        b"(?:[%b%b]|(?:%%(?:25)?|\\\\{1,3}u00)%b[%b%b])"
        % (letter.encode(), letter.upper().encode(), highs, low, low.upper()),
        b"(?:%%(?:25?)?%b?|\\\\{1,3}(?:u0{0,2})?|\\\\{1,3}u00%b)" % (highs, highs),
    )


_ENDINGS = tuple(map(_letters, credentials.ENDINGS_OF["body"]))
_FIELD_ENDINGS = tuple(map(_letters, credentials.ENDINGS_OF["query_params"]))
_NAMES = tuple(map(_letters, sorted(credentials.NAMES_OF["body"] - {TOKEN})))
_FIELD_NAMES = tuple(map(_letters, sorted(credentials.NAMES_OF["body"] | credentials.NAMES_OF["query_params"])))
_TOKEN = (_letters(TOKEN),)


class _Opening(NamedTuple):
    """What comes before a value: the names, what stands before and behind them, and what to make of it. `inside` is
    what a name may begin with. Names without anything before them are the ends of names."""

    names: tuple[list[Atom], ...]
    before: list[Atom]
    inside: list[Atom]
    behind: list[Atom]
    value: Callable[[bytes, int], tuple[Value, int]]
    """From a text and the end of the opening: the value, and where it begins."""


def _json_value(text: bytes, end: int) -> tuple[Value, int]:
    last = text[end - 1 : end]
    if last == b'"':
        return String(_depth_before(text, end - 1)), end
    if last in b"{[":
        # As deep as the quote of its name, which is the last one before it.
        depth = _depth_before(text, text.rindex(b'"', 0, end))
        return (Object(depth) if last == b"{" else Nested(depth)), end - 1
    return Number(), end - 1


def _token(text: bytes, end: int) -> tuple[Value, int]:
    start = end - SHORTEST_TOKEN
    return String(_depth_before(text, start - 1)), start


def _depth_before(text: bytes, at: int) -> int:
    return at - len(text[:at].rstrip(b"\\")) if at < 4 else 4 - len(text[at - 4 : at].rstrip(b"\\"))


def _field(text: bytes, end: int) -> tuple[Value, int]:
    return Until(rb"[&\s\"'<>#\\]", b"(?!)", unquote_plus), end


def _part(text: bytes, end: int) -> tuple[Value, int]:
    return Until(b"\r\n--", b"\r|\r\n|\r\n-"), end


_JSON_BEHIND = [*_QUOTE, *_COLON, Atom(rb'(?:\\{0,3}"|[-0-9{\[])', rb"\\{1,3}")]
_FIELD = Atom(rb"(?:[?&]|\\{1,3}u0026)", rb"\\{1,3}(?:u0{0,2}2?)?")
_NAME = Atom(b'name="', b"n|na|nam|name|name=")
_PART_BEHIND = [
    Atom(b'"'),
    Atom(rb"(?:[^\r\n]{0,200}\r\n){1,5}?", rb"(?:[^\r\n]{0,200}\r\n){0,5}[^\r\n]{0,200}\r?"),
    Atom(b"\r\n", b"\r"),
]
_OF_ANSWERS = (
    _Opening(_ENDINGS, [], [], _JSON_BEHIND, _json_value),
    _Opening(_NAMES, _QUOTE, [_BETWEEN], _JSON_BEHIND, _json_value),
    _Opening(_FIELD_ENDINGS, [_FIELD], [_IN_FIELDS], [Atom(b"=")], _field),
    _Opening(_FIELD_NAMES, [_FIELD], [_BETWEEN], [Atom(b"=")], _field),
)
_TOKEN_BEHIND = [*_QUOTE, *_COLON, *_QUOTE, *([Atom(rb"[^\s\"\\]")] * SHORTEST_TOKEN)]
_OF_REQUESTS = (
    *_OF_ANSWERS,
    _Opening(_TOKEN, _QUOTE, [_BETWEEN], _TOKEN_BEHIND, _token),
    _Opening(_ENDINGS, [_NAME], [_IN_PARTS], _PART_BEHIND, _part),
    _Opening((*_NAMES, *_TOKEN), [_NAME], [_BETWEEN], _PART_BEHIND, _part),
)


class MemberSearch:
    """The search for the values of credentials in one body. `learn` is called with each of them."""

    def __init__(self, found: Found, learn: Callable[[str], None], *, is_request: bool) -> None:
        self._found = found
        self._learn = learn
        self._openings = _OF_REQUESTS if is_request else _OF_ANSWERS
        self._open, self._cut = _engines(is_request)
        self._value: Value | None = None
        self._name = ""
        self._raw = b""

    def spans(self, text: bytes, complete: bool) -> tuple[list[Span], int]:
        spans: list[Span] = []
        at = 0
        while True:
            if self._value is not None:
                eaten, at, is_over = self._value.eat(text, at, complete)
                if eaten:
                    self._found(self._name)
                spans += eaten
                self._keep(text, eaten)
                if not (is_over or complete):
                    return spans, at
                self._end_value()
            match = self._open.search(text, at)
            if match is None:
                break
            names = zip(match.groups(), self._openings, strict=True)
            name, opening = next((name, opening) for name, opening in names if name)
            self._value, at = opening.value(text, match.end())
            self._name = _plain(name)
        if complete:
            return spans, len(text)
        cut = self._cut.search(text, max(at, len(text) - _LONGEST_OPENING))
        return spans, len(text) if cut is None else cut.start()

    def _keep(self, text: bytes, spans: list[Span]) -> None:
        for span in spans:
            if len(self._raw) < _LONGEST_LEARNED:
                self._raw += text[span.start : span.stop]

    def _end_value(self) -> None:
        assert self._value is not None
        if len(self._raw) <= _LONGEST_LEARNED:
            self._learn(self._value.learned(self._raw))
        self._value, self._raw = None, b""


def has_opening(text: bytes) -> bool:
    """Whether there is anything in a text behind which the value of a credential may be."""
    return _engines(False)[0].search(text) is not None


def prepare() -> None:
    """Compile the patterns before anybody waits for it, which takes some tenths of a second. Each is used once, as RE2
    leaves the larger part of the work to the first search."""
    for is_request in (True, False):
        for engine in _engines(is_request):
            engine.search(b'{"api_key":"secret"}')


@lru_cache
def _engines(is_request: bool) -> tuple[Any, Any]:
    """What finds openings, each with the name in a group of its own, and what finds one that is cut off."""
    found, cut = [], []
    for opening in _OF_REQUESTS if is_request else _OF_ANSWERS:
        names = b"(?:" + b"|".join(map(whole, opening.names)) + b")"
        found.append(whole(opening.before) + b"(" + whole(opening.inside) + names + b")" + whole(opening.behind))
        ends = b"|".join([names + cut_off(opening.behind), *map(cut_off, opening.names)])
        cut.append(cut_off([*opening.before, *opening.inside], b"(?:" + ends + b")"))
    return search_engine(b"|".join(found)), search_engine(b"|".join(cut))


def _plain(name: bytes) -> str:
    """A name as it is meant, whatever its spelling."""
    text = re.sub(r"(?:\\+u00|%(?:25)?)([0-9a-fA-F]{2})", lambda found: chr(int(found[1], 16)), name.decode("latin-1"))
    return text.strip("_-.[]").lower()
