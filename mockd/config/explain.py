"""Explanation of msgspec's errors as `Problem`s. This module is loaded only after a first error."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import msgspec.inspect as inspect

from mockd.config.base import Mistake
from mockd.config.documents import UnknownKey
from mockd.config.environment import number_or_boolean
from mockd.config.hints import nearest, type_at, unknown_key
from mockd.config.paths import at, replaced
from mockd.errors import Path, Problem

_PLACE = re.compile(r" - at `\$((?:\.\w+|\[\d+\]|\[\.\.\.\])*)`\Z")
_STEP = re.compile(r"\.(?P<name>\w+)|\[(?P<index>\d+)\]|\[(?P<any>\.\.\.)\]")
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<key>.*)`", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(?P<key>.*)`")
_ENUM = re.compile(r"Invalid enum value .*", re.DOTALL)
_LEADING_PATH = re.compile(r"(?P<path>[A-Za-z]+(?:\[\d+\]|\.[A-Za-z]+)*): ")
_LEADING_NAME = re.compile(r"`(?P<path>[A-Za-z]+)` ")


def explained(error: msgspec.ValidationError, value: Any, root: type) -> Problem:
    """msgspec's error about a value that cannot become a `root`, as a problem whose path starts at the value."""
    text = str(error)
    place = _PLACE.search(text)
    message = text[: place.start()] if place else text
    path = _path(place[1] if place else "", text, value, root)
    if isinstance(error.__cause__, Mistake):
        return error.__cause__.problem.under(path)
    if match := _UNKNOWN.fullmatch(message):
        hint = unknown_key(root, value, path, match["key"])
        return UnknownKey(f"unknown key `{match['key']}`", (*path, match["key"]), hint)
    if match := _MISSING.fullmatch(message):
        return Problem(f"missing `{match['key']}`", path)
    if _ENUM.fullmatch(message):
        return _not_one_of(path, value, root)
    if message.startswith("Expected "):
        return Problem(_in_words(message), path, _type_hint(message, at(value, path)))
    return _narrowed(message, path, value)


def _path(place: str, text: str, value: Any, root: type) -> Path:
    path: Path = ()
    for step in _STEP.finditer(place):
        if step["any"]:
            path = (*path, _culprit(path, text, value, root))
        else:
            path = (*path, step["name"] or int(step["index"]))
    return path


def _culprit(path: Path, text: str, value: Any, root: type) -> str:
    """The key that msgspec writes as `[...]`: the key that is refused for the same reason if it stands alone."""
    whole: dict[str, Any] = at(value, path)
    for key, item in whole.items():
        try:
            msgspec.convert(replaced(value, path, {key: item}), root)
        except msgspec.ValidationError as error:
            if str(error) == text:
                return key
    return next(iter(whole))


def _not_one_of(path: Path, value: Any, root: type) -> Problem:
    wanted = type_at(root, path)
    known = [str(name) for name in wanted.values] if isinstance(wanted, inspect.LiteralType) else []
    given = at(value, path)
    close = nearest(str(given), known)
    message = f"{given!r} is not one of {', '.join(f'`{name}`' for name in known)}"
    return Problem(message, path, f"did you mean `{close}`?" if close else None)


_WORDS = {
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}
_TYPES = re.compile(r"`([a-z]+(?: \| [a-z]+)*)`")
_GOT_INSTEAD = re.compile(r"Expected `(?P<wanted>[^`]*)`, got `(?P<got>[^`]*)`")


def _in_words(message: str) -> str:
    def words(match: re.Match[str]) -> str:
        names = match[1].split(" | ")
        if len(names) > 1 and "null" in names:
            names.remove("null")
        return " or ".join(_WORDS.get(name, name) for name in names)

    return re.sub(r"\.0\b", "", "e" + _TYPES.sub(words, message)[1:]).replace("got true or false", "got a boolean")


def _type_hint(message: str, given: Any) -> str | None:
    match = _GOT_INSTEAD.match(message)
    if not match:
        return None
    wanted = match["wanted"].split(" | ")
    if "str" in wanted and isinstance(given, bool | int | float):
        text = str(given).lower() if isinstance(given, bool) else str(given)
        return f'quote it: "{text}"'
    if not isinstance(given, str):
        return None
    if "bool" in wanted and given.lower() in ("yes", "no", "on", "off"):
        return "write true or false"
    meant = type(number_or_boolean(given)).__name__
    return "write it without quotes" if meant in wanted or (meant == "int" and "float" in wanted) else None


def _narrowed(message: str, path: Path, value: Any) -> Problem:
    """A problem that a struct found in itself. If its message begins with the name of a key, it is put at that key."""
    for pattern in (_LEADING_PATH, _LEADING_NAME):
        if match := pattern.match(message):
            inner = tuple(int(part) if part.isdigit() else part for part in re.findall(r"\w+", match["path"]))
            if at(value, (*path, *inner)) is not None:
                return Problem(message[match.end() :] if pattern is _LEADING_PATH else message, (*path, *inner))
    return Problem(message[:1].lower() + message[1:], path)
