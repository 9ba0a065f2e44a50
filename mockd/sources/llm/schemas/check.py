"""Whether a JSON value is valid against a schema.

It knows every keyword but those of `unevaluated…` and of dynamic references, which hold for every value. A client may
send any schema, so every step is taken from the effort for its request, or from the budget of an example.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any, Protocol

from mockd.jsontext import encode_json
from mockd.patterns import Effort, compiled
from mockd.sources.llm.budget import LONGEST_PATTERN, MOST_NESTED, TOO_DEEP, Refused
from mockd.sources.llm.schemas.reference import referred

_TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}


def is_valid(value: Any, schema: Any, effort: Effort) -> bool:
    """Whether a value is valid against a schema. What is wrong in the schema itself is ignored. Raises as `Effort.left`
    does, and `Refused` for a schema that leads too deep."""
    return Checker(schema, _WithinEffort(effort)).holds(value, schema)


_MANY = 50
"""Steps after which it is looked whether time is left."""
_OF_A_STEP = 20
"""Characters of an item that are compared in one step."""


class Means(Protocol):
    """What a check may use: steps, of which there may be no more, and searches for patterns."""

    def step(self, steps: int = 1) -> None:
        """Note so many short steps. Raises an error if there are too many."""

    def finds(self, pattern: str, text: str) -> bool:
        """Whether a pattern is in a text. A pattern that is not understood is in every text."""


class _WithinEffort:
    """A check within the effort for a request."""

    def __init__(self, effort: Effort) -> None:
        self._effort = effort

    def step(self, steps: int = 1) -> None:
        if steps < _MANY:
            self._effort.step()
        else:
            self._effort.left()

    def finds(self, pattern: str, text: str) -> bool:
        if len(pattern) > LONGEST_PATTERN:
            return True
        try:
            compiled_ = compiled(pattern)
        except (ValueError, OverflowError, re.error):
            return True
        found: bool = compiled_.is_in(text, self._effort)
        return found


class Checker:
    """The check of values against one schema and its parts."""

    def __init__(self, root: Any, means: Means) -> None:
        self._root = root
        self._means = means
        self._depth = 0

    def holds(self, value: Any, schema: Any) -> bool:
        """Whether a value is valid against a part of the schema. Raises what the means for it raise."""
        self._means.step()
        if not isinstance(schema, dict):
            return schema is not False
        if value is None and schema.get("nullable") is True:  # as Google's schemas say it
            return True
        self._depth += 1
        try:
            if self._depth > MOST_NESTED:
                raise Refused(TOO_DEEP)
            return all(_KEYWORDS[name](self, value, schema[name], schema) for name in schema if name in _KEYWORDS)
        finally:
            self._depth -= 1

    # -- references and alternatives -------------------------------------------------------------------------------

    def ref(self, value: Any, given: Any, schema: Any) -> bool:
        if not isinstance(given, str) or not given.startswith("#"):
            return True
        try:
            found = referred(self._root, given)
        except LookupError:
            return True
        return self.holds(value, found)

    def all_of(self, value: Any, given: Any, schema: Any) -> bool:
        return all(self.holds(value, part) for part in _list(given))

    def any_of(self, value: Any, given: Any, schema: Any) -> bool:
        return not _list(given) or any(self.holds(value, part) for part in given)

    def one_of(self, value: Any, given: Any, schema: Any) -> bool:
        return not _list(given) or sum(self.holds(value, part) for part in given) == 1

    def none_of(self, value: Any, given: Any, schema: Any) -> bool:
        return not isinstance(given, dict | bool) or not self.holds(value, given)

    def condition(self, value: Any, given: Any, schema: Any) -> bool:
        return self.holds(value, schema.get("then" if self.holds(value, given) else "else", True))

    # -- values ----------------------------------------------------------------------------------------------------

    def of_type(self, value: Any, given: Any, schema: Any) -> bool:
        names = [name.lower() for name in (given if isinstance(given, list) else [given]) if isinstance(name, str)]
        return not names or any(_is_of(value, name) for name in names)

    def enum(self, value: Any, given: Any, schema: Any) -> bool:
        return any(self.const(value, one, schema) for one in _list(given))

    def const(self, value: Any, given: Any, schema: Any) -> bool:
        return self._is_same(value, given)

    def _is_same(self, one: Any, other: Any) -> bool:
        """Whether JSON values are equal: `1` and `1.0` are, `true` and `1` are not."""
        self._means.step()
        if isinstance(one, dict) and isinstance(other, dict):
            return one.keys() == other.keys() and all(self._is_same(one[name], other[name]) for name in one)
        if isinstance(one, list) and isinstance(other, list):
            return len(one) == len(other) and all(map(self._is_same, one, other))
        return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)

    # -- objects and lists -----------------------------------------------------------------------------------------

    def properties(self, value: Any, given: Any, schema: Any) -> bool:
        if not isinstance(value, dict) or not isinstance(given, dict):
            return True
        self._means.step(len(given))
        return all(self.holds(value[name], part) for name, part in given.items() if name in value)

    def of_patterns(self, value: Any, given: Any, schema: Any) -> bool:
        if not isinstance(value, dict) or not isinstance(given, dict):
            return True
        return all(
            self.holds(item, part)
            for pattern, part in given.items()
            for name, item in value.items()
            if self._means.finds(pattern, name)
        )

    def additional(self, value: Any, given: Any, schema: Any) -> bool:
        if not isinstance(value, dict):
            return True
        self._means.step(len(value))
        known, patterns = (_object(schema.get(name)) for name in ("properties", "patternProperties"))
        return all(
            self.holds(item, given)
            for name, item in value.items()
            if name not in known and not any(self._means.finds(pattern, name) for pattern in patterns)
        )

    def names(self, value: Any, given: Any, schema: Any) -> bool:
        return not isinstance(value, dict) or all(self.holds(name, given) for name in value)

    def together(self, value: Any, given: Any, schema: Any) -> bool:
        if not isinstance(value, dict):
            return True
        self._means.step(len(_object(given)))
        return all(self.required(value, others, schema) for name, others in _object(given).items() if name in value)

    def dependent(self, value: Any, given: Any, schema: Any) -> bool:
        if not isinstance(value, dict):
            return True
        self._means.step(len(_object(given)))
        return all(self.holds(value, part) for name, part in _object(given).items() if name in value)

    def required(self, value: Any, given: Any, schema: Any) -> bool:
        self._means.step(len(_list(given)))
        return not isinstance(value, dict) or all(name in value for name in _list(given) if isinstance(name, str))

    def items(self, value: Any, given: Any, schema: Any) -> bool:
        if not isinstance(value, list):
            return True
        if isinstance(given, list):  # the form of tuples before 2020
            rest = schema.get("additionalItems", True)
            return self.in_order(value, given, schema) and all(self.holds(item, rest) for item in value[len(given) :])
        return all(self.holds(item, given) for item in value[len(_list(schema.get("prefixItems"))) :])

    def in_order(self, value: Any, given: Any, schema: Any) -> bool:
        return not isinstance(value, list) or all(map(self.holds, value, _list(given)))

    def contains(self, value: Any, given: Any, schema: Any) -> bool:
        if not isinstance(value, list):
            return True
        least, most = schema.get("minContains", 1), schema.get("maxContains", math.inf)
        found = sum(self.holds(item, given) for item in value)
        return not (_is_of(least, "number") and found < least) and not (_is_of(most, "number") and found > most)

    def unique(self, value: Any, given: Any, schema: Any) -> bool:
        if given is not True or not isinstance(value, list):
            return True
        items = [encode_json(_same(item)) for item in value]
        self._means.step(sum(map(len, items)) // _OF_A_STEP)
        return len(set(items)) == len(items)

    # -- texts and numbers -----------------------------------------------------------------------------------------

    def pattern(self, value: Any, given: Any, schema: Any) -> bool:
        return not isinstance(value, str) or not isinstance(given, str) or self._means.finds(given, value)

    def multiple(self, value: Any, given: Any, schema: Any) -> bool:
        size, step = _exact(value), _exact(given)
        return not size or not step or (size / step).denominator == 1


Keyword = Callable[[Checker, Any, Any, dict[str, Any]], bool]


def _bound(kind: str, size: Callable[[Any], Any], holds: Callable[[Any, Any], bool]) -> Keyword:
    """A keyword that bounds the size of values of one type."""

    def check(checker: Checker, value: Any, given: Any, schema: dict[str, Any]) -> bool:
        return not _is_of(value, kind) or not _is_of(given, "number") or holds(size(value), given)

    return check


def _bounds() -> Iterator[tuple[str, Keyword]]:
    def least(size: Any, bound: Any) -> bool:
        return bool(size >= bound)

    def most(size: Any, bound: Any) -> bool:
        return bool(size <= bound)

    for kind, what in (("object", "Properties"), ("array", "Items"), ("string", "Length")):
        yield f"min{what}", _bound(kind, len, least)
        yield f"max{what}", _bound(kind, len, most)
    yield "minimum", _bound("number", lambda value: value, least)
    yield "maximum", _bound("number", lambda value: value, most)
    yield "exclusiveMinimum", _bound("number", lambda value: value, lambda size, bound: bool(size > bound))
    yield "exclusiveMaximum", _bound("number", lambda value: value, lambda size, bound: bool(size < bound))


_KEYWORDS: dict[str, Keyword] = {
    "$ref": Checker.ref,
    "allOf": Checker.all_of,
    "anyOf": Checker.any_of,
    "oneOf": Checker.one_of,
    "not": Checker.none_of,
    "if": Checker.condition,
    "type": Checker.of_type,
    "enum": Checker.enum,
    "const": Checker.const,
    "properties": Checker.properties,
    "patternProperties": Checker.of_patterns,
    "additionalProperties": Checker.additional,
    "propertyNames": Checker.names,
    "dependentRequired": Checker.together,
    "dependentSchemas": Checker.dependent,
    "required": Checker.required,
    "items": Checker.items,
    "prefixItems": Checker.in_order,
    "contains": Checker.contains,
    "uniqueItems": Checker.unique,
    "pattern": Checker.pattern,
    "multipleOf": Checker.multiple,
    **dict(_bounds()),
}


def _is_of(value: Any, name: str) -> bool:
    """Whether a value is of a type of JSON Schema, in which `true` is no number and `1.0` is an integer."""
    if name == "integer":
        return _is_of(value, "number") and (isinstance(value, int) or value.is_integer())
    kind = _TYPES.get(name)
    return kind is None or (isinstance(value, kind) and (name == "boolean" or not isinstance(value, bool)))


def _exact(value: Any) -> Fraction | None:
    """A number as it is written, or None for all else."""
    if not _is_of(value, "number") or value in (math.inf, -math.inf):
        return None
    return Fraction(value) if isinstance(value, int) else Fraction(repr(value))


def _same(value: Any) -> Any:
    """A value in a form that is equal for equal JSON values: `1` and `1.0` are equal, `true` and `1` are not."""
    if isinstance(value, bool):
        return (value,)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {name: _same(value[name]) for name in sorted(value)}
    return [_same(item) for item in value] if isinstance(value, list) else value


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
