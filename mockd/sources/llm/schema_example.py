"""JSON values that are valid against a schema, for requests that ask for structured output.

It covers what models' structured output allows, and more: every type, `enum` and `const`, `anyOf`, `oneOf` and `allOf`,
references within the schema, recursion, bounds, `multipleOf`, `pattern`, `format`, tuples. Of `oneOf`, the first
possible alternative is taken. `not`, `if`, `contains` and dependencies on other keys are ignored.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from reprlib import repr as shortened
from typing import Any
from urllib.parse import unquote

import msgspec

from mockd.cache import Cache
from mockd.jsontext import encode_json
from mockd.sources.llm.budget import Budget, Refused, refuse_large_schema
from mockd.sources.llm.schema_merge import merged
from mockd.sources.llm.schema_pattern import Impossible
from mockd.sources.llm.schema_values import make_number, make_text

_log = logging.getLogger("mockd")

_PLENTY = 300
"""Number of values after which only required ones are made, so that a recursive schema comes to an end."""
_MOST_DEPTH = 60
_PRICE_OF_A_NUMBER = 10
"""Number of steps that making a number takes."""

_EMPTY: dict[str, Any] = {"object": {}, "array": [], "string": "", "number": 0, "integer": 0, "boolean": False}

Schema = dict[str, Any]
Names = frozenset[str]


_texts: Cache[bytes, str] = Cache(256, 4 * 2**20)
"""Examples that were made before, by their schema."""


def example_text(schema: Any) -> str:
    """JSON text that is valid against `schema`. Raises `Refused` if that takes too much."""
    key = encode_json(schema)
    refuse_large_schema(key)
    text = _texts.get(key)
    if text is None:
        text = encode_json(example(msgspec.json.decode(key))).decode()
        _texts.keep(key, text, len(key) + len(text))
    return text


def example(schema: Any) -> Any:
    """A value that is valid against `schema`. It is always the same.

    If no value can be made, because the schema contradicts itself or is invalid, a warning is logged, and the result is
    an empty value of the schema's type. Raises `Refused` if the value is too large, or takes too many steps.
    """
    try:
        return _Maker(schema).make(schema)
    except (Refused, RecursionError):
        raise
    except Exception as reason:  # a client may send anything as a schema
        _log.warning("the reply is not valid against the JSON schema of its request: %s", reason)
        given = schema.get("type") if isinstance(schema, dict) else None
        return _EMPTY.get(given) if isinstance(given, str) else None


class _Maker:
    """A maker of values for the parts of one schema."""

    def __init__(self, root: Any) -> None:
        self._root = root
        self._budget = Budget()
        self._depth = 0
        self._made = 0

    def make(self, schema: Any, number: int = 0, within: Names = frozenset()) -> Any:
        """A value for a schema. Different values of `number` give different results if the schema allows several.
        `within` are the references that led here."""
        self._depth += 1
        try:
            if self._depth > _MOST_DEPTH:
                raise Impossible(f"it is nested more than {_MOST_DEPTH} levels deep")
            reason: Impossible | None = None
            for alternative, path in self._alternatives(schema, within):
                try:
                    return self._value(alternative, number, path)
                except Impossible as error:
                    reason = reason or error
            raise reason or Impossible("no alternative can be had")
        finally:
            self._depth -= 1

    @property
    def _has_plenty(self) -> bool:
        return self._made > _PLENTY

    # -- references and alternatives -------------------------------------------------------------------------------

    def _alternatives(self, schema: Any, within: Names) -> Iterator[tuple[Schema, Names]]:
        """The schemas without references and combinations for which this one stands, each with the references used."""
        self._made += 1
        self._budget.spend()
        if not isinstance(schema, dict):
            if schema is not True:
                raise Impossible("no value is valid" if schema is False else f"{shortened(schema)} is not a schema")
            schema = {}
        self._budget.spend(len(schema))
        if "$ref" in schema:
            yield from self._alternatives(*self._without_reference(schema, within))
        elif parts := _list(schema, "allOf"):
            whole = _without(schema, "allOf")
            for part in parts:
                part, within = self._without_reference(part, within)
                whole = merged(whole, part, self._budget)
            yield from self._alternatives(whole, within)
        elif name := next((name for name in ("anyOf", "oneOf") if _list(schema, name)), None):
            rest = _without(schema, name)
            parts = _list(schema, name)
            self._budget.spend(len(parts))
            for part in sorted(parts, key=_is_reference) if self._has_plenty else parts:
                try:
                    part, path = self._without_reference(part, within)
                    yield from self._alternatives(merged(rest, part, self._budget), path)
                except Impossible:
                    continue
        else:
            yield schema, within

    def _without_reference(self, schema: Any, within: Names) -> tuple[Any, Names]:
        """The target of a reference, merged with the keywords beside it. Any other schema is returned as it is."""
        while _is_reference(schema):
            reference = schema["$ref"]
            if reference in within:
                raise Impossible(f"{shortened(reference)} never ends")
            self._budget.spend(len(within) + len(schema))
            within |= {reference}
            schema = merged(self._referred(reference), _without(schema, "$ref"), self._budget)
        return schema, within

    def _referred(self, reference: Any) -> Any:
        if not isinstance(reference, str) or not reference.startswith("#"):
            raise Impossible(f"{shortened(reference)} leads out of the schema")
        self._budget.spend(len(reference) // 10)
        found = self._root
        for step in unquote(reference[1:]).split("/")[1:]:
            step = step.replace("~1", "/").replace("~0", "~")
            if isinstance(found, list) and step.isdecimal() and int(step) < len(found):
                found = found[int(step)]
            elif isinstance(found, dict) and step in found:
                found = found[step]
            else:
                raise Impossible(f"{shortened(reference)} leads nowhere")
        return found

    # -- values ----------------------------------------------------------------------------------------------------

    def _value(self, schema: Schema, number: int, within: Names) -> Any:
        if "const" in schema:
            return self._given(schema["const"])
        if "enum" in schema:
            if not (values := _list(schema, "enum")):
                raise Impossible("`enum` is empty")
            return self._given(values[number % len(values)])
        reason: Impossible | None = None
        names = _types(schema)
        self._budget.spend(len(names))
        for name in names:
            try:
                return self._of_type(name, schema, number, within)
            except Impossible as error:
                reason = reason or error
        raise reason or Impossible(f"`type` is {shortened(schema.get('type'))}")

    def _given(self, value: Any) -> Any:
        self._budget.spend(characters=len(encode_json(value)))
        return value

    def _of_type(self, name: str, schema: Schema, number: int, within: Names) -> Any:
        match name:
            case "object":
                return self._object(schema, number, within)
            case "array":
                return self._array(schema, number, within)
            case "string":
                return make_text(schema, number, self._budget)
            case "number" | "integer":
                self._budget.spend(_PRICE_OF_A_NUMBER)
                return make_number(schema, number, whole=name == "integer")
            case "boolean":
                return number % 2 == 0
            case "null":
                return None
            case _:
                raise Impossible(f"there is no type {shortened(name)}")

    def _object(self, schema: Schema, number: int, within: Names) -> dict[str, Any]:
        properties: dict[str, Any] = schema.get("properties") or {}
        others = schema.get("additionalProperties", True)
        required = dict.fromkeys(name for name in _list(schema, "required") if isinstance(name, str))
        least, most = schema.get("minProperties", 0), schema.get("maxProperties", math.inf)
        self._budget.spend(len(properties) + len(required))
        made: dict[str, Any] = {}
        lacking = len(required)
        for name in {**properties, **required}:
            if name not in required and (self._has_plenty or len(made) + lacking >= most):
                continue
            try:
                made[name] = self.make(properties.get(name, others), number, within)
            except Impossible:
                if name in required:
                    raise
            self._budget.spend(characters=len(name))
            lacking -= name in required
        extra = 0
        while len(made) < least:
            extra += 1
            made.setdefault(f"key{extra}", self.make(others, extra, within))
        return made

    def _array(self, schema: Schema, number: int, within: Names) -> list[Any]:
        items, tuple_ = schema.get("items", True), _list(schema, "prefixItems")
        if isinstance(items, list):  # the form of tuples before 2020
            items, tuple_ = schema.get("additionalItems", True), items
        least, most = schema.get("minItems", 0), schema.get("maxItems", math.inf)
        if least > most:
            raise Impossible("no list is that short and that long")
        has_items = isinstance(items, dict) and not self._has_plenty
        made: list[Any] = []
        seen: set[bytes] | None = set() if schema.get("uniqueItems") else None
        for place in range(min(max(least, len(tuple_), has_items), most)):
            item = tuple_[place] if place < len(tuple_) else items
            try:
                made.append(self._item(item, number + place, seen, within))
            except Impossible:
                if place < least:
                    raise
                break
        return made

    def _item(self, item: Any, number: int, seen: set[bytes] | None, within: Names) -> Any:
        """A value for an item of a list: one that is not `seen` yet, if all must differ."""
        if seen is None:
            return self.make(item, number, within)
        for attempt in range(number, number + len(seen) + 1):
            value = self.make(item, attempt, within)
            if (key := encode_json(value)) not in seen:
                seen.add(key)
                return value
        raise Impossible("there are not enough different items")


_IMPLIED = {
    "object": ("properties", "required", "additionalProperties", "minProperties"),
    "array": ("items", "prefixItems", "minItems"),
    "string": ("pattern", "format", "minLength", "maxLength"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
}
"""Keywords that apply only to values of one type. A schema without a type is taken to be of that type."""


def _types(schema: Schema) -> list[str]:
    """The types that a value may have, in lower case (Gemini writes them in capitals), with `null` last."""
    given = schema.get("type")
    if given is None:
        implied = (name for name, keywords in _IMPLIED.items() if any(keyword in schema for keyword in keywords))
        return [*implied, "string"]
    names = [name.lower() for name in (given if isinstance(given, list) else [given]) if isinstance(name, str)]
    return sorted(names, key="null".__eq__)


def _is_reference(schema: Any) -> bool:
    return isinstance(schema, dict) and "$ref" in schema


def _list(schema: Schema, key: str) -> list[Any]:
    value = schema.get(key)
    return value if isinstance(value, list) else []


def _without(schema: Schema, key: str) -> Schema:
    return {name: value for name, value in schema.items() if name != key}
