"""Explanation of msgspec's errors as `Problem`s. This module is loaded only after a first error."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import islice
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import msgspec
import msgspec.inspect as inspect

from mockd.config.base import DURATION, Mistake
from mockd.config.documents import UnknownKey
from mockd.config.environment import number_or_boolean
from mockd.config.hints import nearest, type_at, unknown_key
from mockd.config.paths import at
from mockd.errors import MAX_PROBLEMS, Path, Problem

_PLACE = re.compile(r" - at `\$((?:\.\w+|\[\d+\])*).*`\Z")
_STEP = re.compile(r"\.(?P<name>\w+)|\[(?P<index>\d+)\]")
_MISSING = re.compile(r"Object missing required field `(?P<key>.*)`")
_NO_DURATION = f"Expected `str` matching regex {DURATION!r}"
_ENUM = re.compile(r"Invalid enum value .*", re.DOTALL)
_LEADING_PATH = re.compile(r"(?P<path>[A-Za-z]+(?:\[\d+\]|\.[A-Za-z]+)*): ")
_LEADING_NAME = re.compile(r"`(?P<path>[A-Za-z]+)` ")


def explained(value: Any, root: Any) -> list[Problem]:
    """The problems for which a value cannot become a `root`, in the order of the text. msgspec itself says only the
    first, so each part that it refuses is looked at by itself."""
    return list(islice(_faults(value, root, (), value, root), MAX_PROBLEMS))


def _faults(part: Any, wanted: Any, path: Path, whole: Any, root: Any) -> Iterator[Problem]:
    """The problems of the part at a path, which should become a `wanted`."""
    try:
        msgspec.convert(part, wanted)
    except msgspec.ValidationError as error:
        is_inside = False
        found: Iterator[Problem]
        for step, item, inner in _inside(part, wanted):
            if inner is None:
                hint = unknown_key(root, whole, path, str(step))
                found = iter([UnknownKey(f"unknown key `{step}`", (*path, step), hint)])
            else:
                found = _faults(item, inner, (*path, step), whole, root)
            for problem in found:
                is_inside = True
                yield problem
        # What a struct says of itself follows from its parts, if they have faults.
        if not is_inside:
            yield _explained(error, path, whole, root)


def _inside(part: Any, wanted: Any) -> Iterator[tuple[str | int, Any, Any]]:
    """The items of a list or object: key or index, value, and the type that is wanted there; None for a key that does
    not belong there. There are none if it is not known which type of a union is meant."""
    if isinstance(part, list):
        lists = [type_ for type_ in _members(wanted) if get_origin(type_) in (list, tuple)]
        if len(lists) == 1:
            yield from ((index, item, get_args(lists[0])[0]) for index, item in enumerate(part))
    elif isinstance(part, dict):
        objects = [type_ for type_ in _members(wanted) if get_origin(type_) is dict or _is_struct(type_)]
        if len(objects) == 1 and _is_struct(objects[0]):
            fields = {field.encode_name: field.type for field in msgspec.structs.fields(objects[0])}
            yield from ((key, item, fields.get(key)) for key, item in part.items())
        elif len(objects) == 1:
            yield from ((key, item, get_args(objects[0])[1]) for key, item in part.items())


def _members(wanted: Any) -> Iterator[Any]:
    """The types of a union, or the one type."""
    if get_origin(wanted) is Annotated:
        yield from _members(get_args(wanted)[0])
    elif get_origin(wanted) in (Union, UnionType):
        for type_ in get_args(wanted):
            yield from _members(type_)
    else:
        yield wanted


def _is_struct(wanted: Any) -> bool:
    return isinstance(wanted, type) and issubclass(wanted, msgspec.Struct)


def _explained(error: msgspec.ValidationError, path: Path, whole: Any, root: Any) -> Problem:
    """msgspec's error about the part at a path, in words."""
    text = str(error)
    place = _PLACE.search(text)
    message = text[: place.start()] if place else text
    for step in _STEP.finditer(place[1] if place else ""):
        path = (*path, step["name"] or int(step["index"]))
    if isinstance(error.__cause__, Mistake):
        return error.__cause__.problem.under(path)
    if match := _MISSING.fullmatch(message):
        return Problem(f"missing `{match['key']}`", path)
    if _ENUM.fullmatch(message):
        return _not_one_of(path, whole, root)
    if message == _NO_DURATION:
        given = at(whole, path)
        hint = "write it without quotes" if number_or_boolean(given) is not None else None
        return Problem(f"{given!r} is neither a number nor a duration such as `500ms`", path, hint)
    if message.startswith("Expected "):
        hint = _words_hint(type_at(root, path), at(whole, path)) or _type_hint(message, at(whole, path))
        return Problem(_in_words(message), path, hint)
    return _narrowed(message, path, whole)


def _not_one_of(path: Path, value: Any, root: Any) -> Problem:
    wanted = type_at(root, path)
    types = wanted.types if isinstance(wanted, inspect.UnionType) else (wanted,)
    known = [str(name) for type in types if isinstance(type, inspect.LiteralType) for name in type.values]
    others = [words for type, words in _OTHERS.items() if any(isinstance(each, type) for each in types)]
    given = at(value, path)
    close = nearest(str(given), known)
    message = f"{given!r} is not one of {', '.join([*(f'`{name}`' for name in known), *others])}"
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
_OTHERS = {inspect.IntType: _WORDS["int"], inspect.BoolType: _WORDS["bool"]}
"""Types that a value may have beside words that are known."""
_TYPES = re.compile(r"`([a-z]+(?: \| [a-z]+)*)`")
_GOT_INSTEAD = re.compile(r"Expected `(?P<wanted>[^`]*)`, got `(?P<got>[^`]*)`")


def _in_words(message: str) -> str:
    def words(match: re.Match[str]) -> str:
        names = match[1].split(" | ")
        if len(names) > 1 and "null" in names:
            names.remove("null")
        return " or ".join(_WORDS.get(name, name) for name in names)

    return re.sub(r"\.0\b", "", "e" + _TYPES.sub(words, message)[1:]).replace("got true or false", "got a boolean")


def _words_hint(wanted: inspect.Type, given: Any) -> str | None:
    """A hint for a number in a place where text is one of some words: which quotes do not make it."""
    types = wanted.types if isinstance(wanted, inspect.UnionType) else (wanted,)
    words = [f"`{word}`" for type_ in types if isinstance(type_, inspect.LiteralType) for word in type_.values]
    if not words or not isinstance(given, int | float) or any(isinstance(type_, inspect.StrType) for type_ in types):
        return None
    objects = [type_ for type_ in types if isinstance(type_, inspect.StructType)]
    names = [field.encode_name for type_ in objects for field in type_.fields if _takes(field.type, given)]
    forms = [f"`{json.dumps({name: given})}`" for name in names]
    return f"say {' or '.join(forms)}" if forms else f"known are {', '.join(words)}"


def _takes(wanted: inspect.Type, given: float) -> bool:
    """Whether a number is of a type."""
    if isinstance(wanted, inspect.Metadata):
        return _takes(wanted.type, given)
    types = wanted.types if isinstance(wanted, inspect.UnionType) else (wanted,)
    known = inspect.IntType if isinstance(given, int) else inspect.FloatType
    return not isinstance(given, bool) and any(isinstance(type_, known) for type_ in types)


def _type_hint(message: str, given: Any) -> str | None:
    match = _GOT_INSTEAD.match(message)
    if not match:
        return None
    wanted = match["wanted"].split(" | ")
    if "str" in wanted and isinstance(given, bool | int | float):
        text = str(given).lower() if isinstance(given, bool) else str(given)
        return f'quote it: "{text}"'
    if "array" in wanted and given is not None:
        return "put it in `[ ]`"
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
