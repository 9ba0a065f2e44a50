"""Placeholders such as `$uuid`, parsed once when a mock is loaded.

Parsing turns text into parts: constants, and *holes* that are filled in anew for every event of every connection.

| written | becomes |
|---|---|
| `$uuid` | a UUID, version 4 |
| `$timestamp` | the present time in UTC, RFC 3339, in whole seconds: `2024-01-15T10:30:00Z` |
| `$timestamp:iso` | the same with milliseconds: `2024-01-15T10:30:00.250Z` |
| `$timestamp:unix`, `$timestamp:ms` | the whole seconds, or milliseconds, since 1970 |
| `$random:MIN:MAX`, `$random(MIN,MAX)` | a whole number from MIN to MAX, inclusive |
| `$float:MIN:MAX:DIGITS`, `$float(MIN,MAX,DIGITS)` | a number with so many decimal places, from MIN to MAX, inclusive |
| `$seq` | the number of the event in its stream, from 1; events without data are not counted |
| `$pick:A,B,C`, `$pick(A,B,C)` | one of the options |
| `$$` | `$` |

A JSON value that is nothing but a placeholder for a number is a number: `{"n": "$random:1:6"}` becomes `{"n":4}`.

`$uuid`, `$seq` and the forms of `$timestamp` must not be followed by a letter, digit or underscore. The last argument
of the other forms with colons ends at white space, a quote, `<`, `>` or the end of the text. Any other `$` stays as it
is.

A text may also have `{{ request… }}` expressions. Placeholders are filled in outside them.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterable
from typing import Any

from msgspec import UNSET, Struct

from mockd.clock import rfc3339
from mockd.config.models import EventConfig
from mockd.config.timing import in_seconds
from mockd.errors import ConfigError, Path
from mockd.events import JSON_NULL, Event, Fill, Hole, Text
from mockd.expressions.expression import Expression
from mockd.expressions.tags import mentions_request, split_tags
from mockd.jsontext import encode_json


class Uuid(Hole, Struct, frozen=True):
    is_unique = True

    def text(self, fill: Fill) -> str:
        # RFC 9562, section 5.4: version 4, and variant 10 in the two bits after the third dash.
        bits = fill.rng.getrandbits
        form = "%08x-%04x-4%03x-%04x-%012x"  # takes half the time of an f-string
        return form % (bits(32), bits(16), bits(12), 0x8000 | bits(14), bits(48))


class Timestamp(Hole, Struct, frozen=True):
    def text(self, fill: Fill) -> str:
        return rfc3339(fill.clock.wall())


class PreciseTimestamp(Timestamp, frozen=True):
    def text(self, fill: Fill) -> str:
        return rfc3339(fill.clock.wall(), "milliseconds")


class EpochTime(Timestamp, frozen=True):
    """The whole units of time since 1970, with so many units `per_second`."""

    per_second: int
    is_number = True

    def text(self, fill: Fill) -> str:
        return str(int(fill.clock.wall() * self.per_second))


class RandomInt(Hole, Struct, frozen=True):
    low: int
    high: int
    is_number = True

    def text(self, fill: Fill) -> str:
        return str(self.drawn(fill))

    def drawn(self, fill: Fill) -> int:
        span = self.high - self.low + 1
        # Four times as fast as randint, and uniform enough for spans that are small beside a float's precision.
        return self.low + (int(fill.rng.random() * span) if span < 1 << 32 else fill.rng.randrange(span))


class RandomDecimal(RandomInt, frozen=True):
    """A number with so many decimal places. `low` and `high` are in units of the last place, so that both ends are
    drawn as often as any number between them."""

    digits: int

    def text(self, fill: Fill) -> str:
        drawn = self.drawn(fill)
        figures = f"{abs(drawn):0{self.digits + 1}d}"
        whole = len(figures) - self.digits
        point = "." if self.digits else ""
        return f"{'-' if drawn < 0 else ''}{figures[:whole]}{point}{figures[whole:]}"


class Pick(Hole, Struct, frozen=True):
    options: tuple[str, ...]

    def text(self, fill: Fill) -> str:
        return self.options[int(fill.rng.random() * len(self.options))]


class EventNumber(Hole, Struct, frozen=True):
    """The number `start + increment × n` for event n of the stream, counted from 0."""

    start: int = 0
    increment: int = 1
    width: str = ""
    is_number = True

    def text(self, fill: Fill) -> str:
        return format(self.start + self.increment * fill.number, self.width + "d")


class Seq(Hole, Struct, frozen=True):
    is_number = True
    is_unique = True

    def text(self, fill: Fill) -> str:
        return str(fill.seq)


_WORD = f"{secrets.randbits(64):020}"  # digits, as filters for upper or lower case do not change them
_MARK = f"\ue000{_WORD}:%d\ue001"
_MARKS = _MARK.replace("%d", "([0-9]+)")


class FromRequest(Hole, Struct, frozen=True):
    """A text with expressions, which are rendered when a stream opens. The text has a mark in place of each of its
    `holes`; marks have a random word that no request can have. If `in_json` is true, the text is inside the quotes of a
    JSON string."""

    expression: Expression
    holes: tuple[Hole, ...] = ()
    in_json: bool = False
    has_any_text = True

    def text(self, fill: Fill) -> str:
        text = fill.rendered[self.expression.source]
        if self.holes:
            text = re.sub(_MARKS, lambda mark: self.holes[int(mark[1])].text(fill), text)
        return encode_json(text).decode()[1:-1] if self.in_json else text


def expressions_in(parts: Iterable[object]) -> list[Expression]:
    """The expressions among the parts of a text, or the holes of a frame."""
    return [part.expression for part in parts if isinstance(part, FromRequest)]


_PLAIN: dict[str, Hole] = {
    "uuid": Uuid(),
    "seq": Seq(),
    "timestamp:iso": PreciseTimestamp(),
    "timestamp:unix": EpochTime(1),
    "timestamp:ms": EpochTime(1000),
    "timestamp": Timestamp(),
}
_OPENING = rf"\$(?:\$|(?P<plain>{'|'.join(_PLAIN)})(?![A-Za-z0-9_])|(?P<name>random|float|pick)(?P<mark>[:(]))"
_COLON_END = r"[\s\"'<>]|$"


def parse_text(text: str, path: Path = ()) -> str | Text:
    """The parts of a text with placeholders or expressions, or plain text if there are none. Raises `ConfigError` at
    `path`."""
    if mentions_request(text):
        return Text([_from_request(text, path)])
    if "$" not in text:
        return text
    parts = _parts(text, path)
    if any(isinstance(part, Hole) for part in parts):
        return Text(parts)
    return "".join(str(part) for part in parts)


def _from_request(text: str, path: Path) -> FromRequest:
    holes: list[Hole] = []
    source = ""
    for number, piece in enumerate(split_tags(text)):
        is_tag = number % 2
        for part in [piece] if is_tag else _parts(piece, path):
            if isinstance(part, Hole):
                source += _MARK % len(holes)
                holes.append(part)
            else:
                source += part
    return FromRequest(Expression(source, path), tuple(holes))


def _parts(text: str, path: Path) -> list[str | Hole]:
    """The constants and holes of a text without expressions."""
    parts: list[str | Hole] = []
    constant = ""
    position = 0
    search = re.compile(_OPENING).search
    while opening := search(text, position):
        constant += text[position : opening.start()]
        position = opening.end()
        if opening[0] == "$$":
            constant += "$"
            continue
        if plain := opening["plain"]:
            hole: Hole = _PLAIN[plain]
        else:
            arguments, position = _arguments(text, opening, path)
            hole = _WITH_ARGUMENTS[opening["name"]](arguments, path)
        parts += [constant, hole] if constant else [hole]
        constant = ""
    constant += text[position:]
    return [*parts, constant] if constant else parts


def parse_value(value: Any, path: Path = ()) -> Any:
    """A JSON value in which the placeholders of texts are parsed, at any depth. Keys stay as they are."""
    if isinstance(value, str):
        return parse_text(value, path)
    if isinstance(value, dict):
        return {key: parse_value(item, (*path, key)) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [parse_value(item, (*path, index)) for index, item in enumerate(value)]
    return value


def parse_event(config: EventConfig, path: Path = ()) -> Event:
    """The event of a configuration, with its placeholders parsed. A raw event has none."""
    delay_s = None if config.delay is None else in_seconds(config.delay)
    if (raw := config.as_it_stands) is not None:
        return Event(raw=raw, id=config.id, counts=1 if config.count is None else config.count, delay_s=delay_s)

    def parsed(field: str) -> Any:
        value = getattr(config, field)
        return value if value is None else parse_text(value, (*path, field))

    data = parse_value(config.data, (*path, "data"))
    return Event(
        data=None if data is UNSET else JSON_NULL if data is None else data,
        type=parsed("type"),
        id=parsed("id"),
        comment=parsed("comment"),
        retry=config.retry,
        delay_s=delay_s,
    )


def _arguments(text: str, opening: re.Match[str], path: Path) -> tuple[list[str], int]:
    name, start = opening["name"], opening.end()
    if opening["mark"] == "(":
        end = text.find(")", start)
        if end < 0:
            raise ConfigError(f"${name}( has no closing parenthesis", path=path, hint="write `$$` for a plain `$`")
        return [argument.strip() for argument in text[start:end].split(",")], end + 1
    found = re.compile(_COLON_END).search(text, start)
    end = found.start() if found else len(text)
    separator = "," if name == "pick" else ":"
    return text[start:end].split(separator), end


def _random(arguments: list[str], path: Path) -> Hole:
    try:
        low, high = (int(argument) for argument in arguments)
    except ValueError:
        low, high = 1, 0
    if low > high:
        written = ":".join(arguments)
        raise ConfigError(
            f"$random needs two whole numbers, the smaller first; found {written!r}",
            path=path,
            hint="such as `$random:1:100`, or `$random(1,100)` directly before other text",
        )
    return RandomInt(low, high)


_DECIMAL = r"(-?\d{1,15})(?:\.(\d{1,15}))?"
_MOST_DIGITS = 15


def _float(arguments: list[str], path: Path) -> Hole:
    found = [re.fullmatch(_DECIMAL, argument) for argument in arguments[:2]]
    digits = int(arguments[2]) if len(arguments) == 3 and re.fullmatch(r"\d\d?", arguments[2]) else None
    if digits is None or digits > _MOST_DIGITS or not all(found):
        written = ":".join(arguments)
        raise ConfigError(
            f"$float needs two numbers, and 0 to {_MOST_DIGITS} decimal places; found {written!r}",
            path=path,
            hint="such as `$float:0:1:2`, or `$float(0,1,2)` directly before other text",
        )
    low, high = (int(number[1] + (number[2] or "")) * 10**digits for number in found if number)
    # In units of the last place. What lies between two units is rounded inwards.
    scales = [10 ** len(number[2] or "") for number in found if number]
    lowest, highest = -(-low // scales[0]), high // scales[1]
    if lowest > highest:
        raise ConfigError(
            f"$float: no number with {digits} decimal places is from {arguments[0]} to {arguments[1]}",
            path=path,
            hint="the smaller one comes first",
        )
    return RandomDecimal(lowest, highest, digits)


def _pick(arguments: list[str], path: Path) -> Hole:
    if arguments == [""]:
        raise ConfigError("$pick needs something to pick from", path=path, hint="such as `$pick:red,green,blue`")
    if any(break_ in argument for argument in arguments for break_ in "\r\n\0"):
        raise ConfigError("$pick cannot have a line break or NUL in its options", path=path)
    return Pick(tuple(arguments))


_WITH_ARGUMENTS: dict[str, Callable[[list[str], Path], Hole]] = {
    "random": _random,
    "float": _float,
    "pick": _pick,
}

NAMES = frozenset([*_PLAIN, *_WITH_ARGUMENTS])
"""The names of all placeholders."""
