"""Faults as lines of text, as people type them: `reset after 3 events for requests 1-2`.

    ACTION {name=value} [PLACE] {WHICH}

A line becomes the object that a file would have, so that there is one way to check both.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from typing import Any, NoReturn

from mockd.config.conversion import convert
from mockd.config.fault import Fault
from mockd.config.faults import ACTIONS
from mockd.config.hints import nearest
from mockd.errors import ConfigError, Path, Problem, format_path

MOST_FAULTS = 16
"""Most faults of a mock or of a header."""
MOST_DUPLICATES = 4
"""Most of them that duplicate events, as they multiply."""
LONGEST_LINE = 4096
"""Most characters of a line."""

FORM = (
    "ACTION {name=value} [before head | after N events | bytes | wire bytes | ms] "
    "{for requests 1-2 | every 3 | with probability 0.2}"
)

_BY_NAME = {str(action.__struct_config__.tag): action for action in ACTIONS}
_COMMON = frozenset(Fault.__struct_encode_fields__)
_UNITS = {"event": "events", "events": "events", "byte": "bytes", "bytes": "bytes", "wire": "wireBytes", "ms": "ms"}
_WORD = re.compile(r"[^\s;]+")
_SETTING = re.compile(r"([A-Za-z][A-Za-z0-9]*)=")
_NO_SETTING = re.compile(r"([A-Za-z][A-Za-z0-9_-]*)=")
_SHOWN = 200
"""Most characters of a line that a message repeats."""


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)


def parse_faults(given: object, path: Path = (), most_bytes: float = math.inf) -> list[Fault]:
    """The faults of a list whose items are objects and lines of text; none may make up more than `most_bytes`. Raises
    `ConfigError` with all problems, whose paths begin with `path`."""
    if not isinstance(given, list):
        raise ConfigError(f"expected a list, got {type(given).__name__}", path=path, hint="put it in `[ ]`")
    found: list[Fault] = []
    problems: list[Problem] = []
    for index, item in enumerate(given):
        try:
            found.append(_parsed(item, most_bytes))
        except ConfigError as error:
            problems += error.under((*path, index)).problems
    if problems:
        raise ConfigError(problems)
    _refuse_many(found, path)
    return found


def parse_line(line: str, most_bytes: float = math.inf) -> Fault:
    """The fault of one line. Raises `ConfigError` with the place in the line."""
    faults = parse_lines(line, most_bytes)
    if len(faults) != 1:
        raise ConfigError(f"expected one fault, got {len(faults)}", hint="give each a line of its own")
    return faults[0]


def parse_lines(text: str, most_bytes: float = math.inf) -> list[Fault]:
    """The faults of a text in which they are separated by `;`, as in the header; none may make up more than
    `most_bytes`."""
    if len(text) > LONGEST_LINE:
        message = f"a fault of more than {LONGEST_LINE:,} characters, at character {LONGEST_LINE + 1} of {text[:40]!r}"
        raise ConfigError(message, hint="make it shorter, or write it as an object in a file")
    reader, found = _Reader(text), []
    while not reader.at_end:
        line = _Line(reader)
        value = line.read()
        try:
            found.append(_of_object(value, most_bytes))
        except ConfigError as error:
            raise ConfigError([line.located(problem) for problem in error.problems]) from None
        reader.skip(";")
    _refuse_many(found, ())
    return found


def _refuse_many(faults: Sequence[Fault], path: Path) -> None:
    if len(faults) > MOST_FAULTS:
        raise ConfigError(f"more than {MOST_FAULTS} faults", path=path)
    if sum(fault.action == "duplicate" for fault in faults) > MOST_DUPLICATES:
        raise ConfigError(f"more than {MOST_DUPLICATES} faults that duplicate events", path=path, hint="use `count`")


def _parsed(item: object, most_bytes: float) -> Fault:
    if isinstance(item, str):
        return parse_line(item, most_bytes)
    if isinstance(item, dict):
        return _of_object(item, most_bytes)
    raise ConfigError("a fault is an object or one line of text", hint=FORM)


def _of_object(value: dict[str, Any], most_bytes: float) -> Fault:
    name = value.get("action")
    if not isinstance(name, str) or name not in _BY_NAME:
        known = ", ".join(f"`{known}`" for known in _BY_NAME)
        if name is None:
            raise ConfigError("missing `action`", hint=f"one of {known}")
        close = nearest(str(name), list(_BY_NAME))
        hint = f"did you mean `{close}`?" if close else f"known are {known}"
        raise ConfigError(f"there is no fault {name!r}", path=("action",), hint=hint)
    # Not the union: its problems would not be found part by part.
    inner = {key: item for key, item in value.items() if key != "action"}
    fault = convert(inner, _BY_NAME[name])
    size = 0 if fault.makes_up is None else getattr(fault, fault.makes_up)
    if size > most_bytes:
        message = f"`{name}` would make up {size:,} bytes, and a fault may make up {most_bytes:,}"
        raise ConfigError(message, path=(str(fault.makes_up),), hint="`--max-fault-bytes` allows more")
    return fault


class _Reader:
    """A text that is read from left to right."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self._skip_blanks()

    @property
    def at_end(self) -> bool:
        return self.position == len(self.text)

    def _skip_blanks(self) -> None:
        while self.position < len(self.text) and self.text[self.position].isspace():
            self.position += 1

    def skip(self, mark: str) -> bool:
        """Pass over a mark, if it comes next."""
        if not self.text.startswith(mark, self.position):
            return False
        self.position += len(mark)
        self._skip_blanks()
        return True

    def peek(self) -> str:
        """The next word; empty at the end of the fault."""
        word = _WORD.match(self.text, self.position)
        return word[0] if word else ""

    def word(self) -> str:
        """Take the next word."""
        word = self.peek()
        self.position += len(word)
        self._skip_blanks()
        return word

    def setting(self) -> tuple[str, Any] | None:
        """Take `name=value`, if that comes next."""
        name = _SETTING.match(self.text, self.position)
        if name is None:
            return None
        self.position = name.end()
        return name[1], self.value()

    def value(self) -> Any:
        """Take a value: JSON, or a word that stands for itself."""
        if self.text[self.position : self.position + 1] in ("{", "[", '"'):
            start = self.position
            try:
                value, self.position = _DECODER.raw_decode(self.text, start)
                json.dumps(value, ensure_ascii=False).encode()
            except json.JSONDecodeError as error:
                self.refuse(f"not JSON: {error.msg[:1].lower()}{error.msg[1:]}", at=error.pos)
            except UnicodeEncodeError:
                self.refuse("half of a surrogate pair is no character", "write the character itself", start)
            except ValueError as error:
                self.refuse(f"not JSON: {error}", at=start)
            except RecursionError:
                self.refuse("the value is nested too deeply", at=start)
            self._skip_blanks()
            return value
        word = self.word()
        try:
            return _DECODER.decode(word)
        except ValueError:
            return word

    def where(self, place: int) -> str:
        """A place in the text, in words; behind its end it is its last character."""
        place = max(0, min(place, len(self.text.rstrip()) - 1))
        shown = self.text[:_SHOWN] if place < _SHOWN else self.text[place - _SHOWN // 2 : place + _SHOWN // 2]
        return f"at character {place + 1} of {shown!r}"

    def refuse(self, message: str, hint: str | None = None, at: int | None = None) -> NoReturn:
        where = self.where(self.position if at is None else at)
        raise ConfigError(f"{message}, {where}", hint=hint or FORM)


class _Line:
    """One fault that is read."""

    def __init__(self, reader: _Reader) -> None:
        self._reader = reader
        self._start = reader.position
        self._value: dict[str, Any] = {}
        self._places: dict[str, int] = {}
        """Where each part of the value stands in the text."""

    def read(self) -> dict[str, Any]:
        """The fault as an object."""
        reader, start = self._reader, self._start
        name = reader.word()
        if not name:
            reader.refuse("a fault is missing", "leave out the `;` that is too much", start)
        if name not in _BY_NAME:
            close = f"status {name}" if name.isdecimal() else nearest(name, list(_BY_NAME))
            known = f"known are {', '.join(_BY_NAME)}"
            reader.refuse(f"there is no fault {name!r}", f"did you mean `{close}`?" if close else known, start)
        self._value["action"] = name
        self._settings(_BY_NAME[name])
        while word := reader.peek():
            start = reader.position
            reader.word()
            part = _PARTS.get(word)
            if part is None:
                close = _near_part(word)
                reader.refuse(f"{word!r} is not expected", f"did you mean `{close}`?" if close else None, start)
            part(self, start)
        return self._value

    def _settings(self, action: type[Fault]) -> None:
        reader = self._reader
        own = [name for name in action.__struct_encode_fields__ if name not in _COMMON]
        is_first = True
        while reader.peek():
            start = reader.position
            if (setting := reader.setting()) is not None:
                self._set(*setting, start)
            elif (wrong := _NO_SETTING.match(reader.peek())) is not None:
                close = nearest(re.sub("[-_]", "", wrong[1]), own)
                hint = f"did you mean `{close}`?" if close else None
                reader.refuse(f"`{self._value['action']}` has no setting `{wrong[1]}`", hint, start)
            elif is_first and own and not self._is_part(reader.peek()):
                self._set(own[0], reader.value(), start)  # a lone value is the first setting
            else:
                return
            is_first = False

    def _is_part(self, word: str) -> bool:
        """Whether a word begins a place, or says which requests; or would, if it were spelled right."""
        return word in _PARTS or _near_part(word) is not None

    def _set(self, name: str, value: Any, start: int) -> None:
        if name in self._value:
            self._reader.refuse(f"`{name}` is given twice", "give it once", start)
        self._value[name] = value
        self._places[name] = start

    def located(self, problem: Problem) -> Problem:
        """A problem of the object that the line stands for, as one of the line."""
        place = self._places.get(str(problem.path[0]), self._start) if problem.path else self._start
        inside = f"in `{format_path(problem.path)}` " if len(problem.path) > 1 and "after" not in problem.path else ""
        example = (
            f"as in `{_BY_NAME[self._value['action']].example}`" if problem.message.startswith("missing ") else FORM
        )
        return Problem(f"{problem.message}, {inside}{self._reader.where(place)}", (), problem.hint or example)

    def _given(self, wanted: str) -> Any:
        """Take the value that must come next."""
        if not self._reader.peek():
            self._reader.refuse(f"expected {wanted}")
        return self._reader.value()

    def _words(self, *wanted: Sequence[str]) -> None:
        """Take words, each one of those that are wanted at its place."""
        for words in wanted:
            start = self._reader.position
            if self._reader.word() not in words:
                self._reader.refuse(f"expected `{words[0]}`", None, start)

    def _before(self, start: int) -> None:
        self._words(("head",))
        self._set("before", "head", start)

    def _after(self, start: int) -> None:
        at = at_number = self._reader.position
        number = self._reader.value()
        if isinstance(number, bool) or not isinstance(number, int | float):
            self._reader.refuse("expected a number", None, at)
        at = self._reader.position
        unit = self._reader.word()
        if unit in _UNITS and unit != "ms" and isinstance(number, float):
            self._reader.refuse(f"{number} is no whole number", "a place inside an event is said in bytes", at_number)
        if unit not in _UNITS:
            self._reader.refuse("expected `events`, `bytes`, `wire bytes` or `ms`", None, at)
        if unit == "wire":
            self._words(("bytes", "byte"))
        self._set("after", {_UNITS[unit]: number}, start)

    def _for(self, start: int) -> None:
        self._words(("requests", "request"))
        if not self._reader.peek():
            self._reader.refuse("expected numbers of requests")
        self._set("requests", self._reader.word(), start)

    def _every(self, start: int) -> None:
        self._set("every", self._given("a whole number"), start)

    def _with(self, start: int) -> None:
        self._words(("probability",))
        at = self._reader.position
        probability = self._given("a number from 0 to 1")
        if not isinstance(probability, int | float):
            self._reader.refuse(f"{probability!r} is no number from 0 to 1", "one in five is 0.2", at)
        self._set("probability", probability, start)


def _near_part(word: str) -> str | None:
    """The word for a part of a line that is meant by a misspelt one."""
    return None if word in _UNITS else nearest(word, list(_PARTS))


_PARTS = {
    "before": _Line._before,
    "after": _Line._after,
    "for": _Line._for,
    "every": _Line._every,
    "with": _Line._with,
}
