"""The search for values whose names say that they are credentials: members of JSON objects, fields of forms, parameters
in URLs, and parts of a body of several parts.

A value may be of any size. Its bytes are replaced as they come.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple, Protocol
from urllib.parse import unquote_plus

from mockd.journal import credentials
from mockd.journal.schemas import describes
from mockd.recordings.searching import Found, Span
from mockd.recordings.spelling import Atom, cut_off, search_engine, whole

TOKEN = "token"
SHORTEST_TOKEN = 20
"""Least characters of the text of a `token` in a request that is a credential. In answers it may be any word."""

_LONGEST_LEARNED = 4096
"""Most bytes of a value that is looked for elsewhere."""

MOST_OF_SCHEMA = 16 * 1024
"""Most bytes of an object that are held back until it is known whether it is a JSON Schema. A longer one is none."""

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


class Value(Protocol):
    """A value that is being replaced. `eat` gives what is to be replaced from `at` on, where to go on, and whether the
    value is over."""

    def eat(self, text: bytes, at: int, complete: bool) -> tuple[list[Span], int, bool]: ...

    def learned(self, raw: bytes) -> str: ...


class _String:
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


class _Number:
    _REST = re.compile(rb"[-+0-9.eE]*")

    def eat(self, text: bytes, at: int, complete: bool) -> tuple[list[Span], int, bool]:
        match = self._REST.match(text, at)
        assert match is not None
        stop = match.end()
        return [Span(at, stop, is_number=True)], stop, stop < len(text)

    def learned(self, raw: bytes) -> str:
        return raw.decode()


class _Nested:
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
            at -= isinstance(self._inside, _Number)

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
                self._inside, self._is_kept = _String(self._depth), self._is_name
            case _:
                self._inside, self._is_kept = _Number(), False
        return False

    def learned(self, raw: bytes) -> str:
        return ""


class _Object:
    """An object, in which every string and number is replaced, unless it is a JSON Schema: it describes a
    credential, and is none."""

    def __init__(self, depth: int) -> None:
        self._depth = depth
        self._nested = _Nested(depth)
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


class _Until:
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
        return _String(_depth_before(text, end - 1)), end
    if last in b"{[":
        # As deep as the quote of its name, which is the last one before it.
        depth = _depth_before(text, text.rindex(b'"', 0, end))
        return (_Object(depth) if last == b"{" else _Nested(depth)), end - 1
    return _Number(), end - 1


def _token(text: bytes, end: int) -> tuple[Value, int]:
    start = end - SHORTEST_TOKEN
    return _String(_depth_before(text, start - 1)), start


def _depth_before(text: bytes, at: int) -> int:
    return at - len(text[:at].rstrip(b"\\")) if at < 4 else 4 - len(text[at - 4 : at].rstrip(b"\\"))


def _field(text: bytes, end: int) -> tuple[Value, int]:
    return _Until(rb"[&\s\"'<>#\\]", b"(?!)", unquote_plus), end


def _part(text: bytes, end: int) -> tuple[Value, int]:
    return _Until(b"\r\n--", b"\r|\r\n|\r\n-"), end


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
