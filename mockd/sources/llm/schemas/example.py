"""JSON values that are valid against a schema, for requests that ask for structured output.

It covers what models' structured output allows, and more: every type, `enum` and `const`, `anyOf`, `oneOf` and `allOf`,
references within the schema, recursion, bounds, `multipleOf`, `pattern`, `format`, tuples. Of `oneOf`, the first
possible alternative is taken. What is made is checked wherever a part of the schema could say otherwise, and made in
another way if it does.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from reprlib import repr as shortened
from typing import Any

import msgspec

from mockd.cache import Cache
from mockd.jsontext import encode_json
from mockd.sources.llm.budget import Budget, Refused, refuse_large_schema
from mockd.sources.llm.schemas.check import Checker
from mockd.sources.llm.schemas.merge import merged
from mockd.sources.llm.schemas.pattern import Impossible, is_in
from mockd.sources.llm.schemas.reference import referred
from mockd.sources.llm.schemas.values import make_number, make_text

_PLENTY = 300
"""Number of values after which only required ones are made, so that a recursive schema comes to an end."""
_MOST_DEPTH = 60
_MOST_NAMES = 100
"""Most names that are tried for properties that no keyword names."""
_ALL_WAYS = ((False, 0), (True, 0), (False, 1), (True, 2))
"""Ways in which a value is made, until one is right: whether only what is required is in it, and what is added to its
number."""
_PRICE_OF_A_NUMBER = 10
"""Number of steps that making a number takes."""

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


def example(schema: Any, budget: Budget | None = None) -> Any:
    """A value that is valid against `schema`. It is always the same. Several may have one budget.

    Raises `Refused` if the value is too large, takes too many steps, or cannot be made: because the schema contradicts
    itself, is invalid, or has a pattern or a reference that mockd does not understand.
    """
    try:
        return _Maker(schema, budget or Budget()).make(schema)
    except (Refused, RecursionError):
        raise
    except Impossible as reason:
        raise Refused(f"mockd can make no value that is valid against the JSON schema: {reason}.") from None
    except Exception as reason:  # a client may send anything as a schema
        raise Refused(f"The JSON schema has a keyword whose value is of a wrong type: {reason}.") from None


class _WithinBudget:
    """What the check of an example may use."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self.step = budget.spend

    def finds(self, pattern: str, text: str) -> bool:
        return is_in(pattern, text, self._budget)


class _Maker:
    """A maker of values for the parts of one schema."""

    def __init__(self, root: Any, budget: Budget) -> None:
        self._root = root
        self._budget = budget
        self._checker = Checker(root, _WithinBudget(budget))
        self._depth = 0
        self._made = 0
        self._is_sparse = False

    def make(self, schema: Any, number: int = 0, within: Names = frozenset()) -> Any:
        """A value for a schema. Different values of `number` give different results if the schema allows several.
        `within` are the references that led here."""
        self._depth += 1
        was_sparse = self._is_sparse
        try:
            if self._depth > _MOST_DEPTH:
                raise Impossible(f"it is nested more than {_MOST_DEPTH} levels deep")
            reason: Impossible | None = None
            for is_sparse, other in _ALL_WAYS if _must_be_checked(schema) else _ALL_WAYS[:1]:
                self._is_sparse = was_sparse or is_sparse
                for alternative, path in self._alternatives(schema, within):
                    try:
                        value = self._value(alternative, number + other, path)
                    except Impossible as error:
                        reason = reason or error
                        continue
                    if self._is_right(value, schema):
                        return value
            raise reason or Impossible(f"nothing meets all of {shortened(schema)}")
        finally:
            self._depth -= 1
            self._is_sparse = was_sparse

    def _is_right(self, value: Any, schema: Any) -> bool:
        return not _must_be_checked(schema) or self._checker.holds(value, schema)

    @property
    def _has_plenty(self) -> bool:
        return self._is_sparse or self._made > _PLENTY

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
        elif parts := _list(schema, "allOf"):
            whole = _without(schema, "allOf")
            for part in parts:
                part, within = self._without_reference(part, within)
                whole = merged(whole, part, self._budget)
            yield from self._alternatives(whole, within)
        elif "if" in schema:
            rest = {name: value for name, value in schema.items() if name not in _CONDITION}
            positive = merged(schema["if"], schema.get("then", True), self._budget)
            for part in (positive, schema.get("else", True)):
                yield from self._alternatives(merged(rest, part, self._budget), within)
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
        try:
            return referred(self._root, reference)
        except LookupError:
            raise Impossible(f"{shortened(reference)} leads nowhere") from None

    # -- values ----------------------------------------------------------------------------------------------------

    def _value(self, schema: Schema, number: int, within: Names) -> Any:
        if "const" in schema:
            return self._given((schema["const"],), _without(schema, "const"), number)
        if "enum" in schema:
            if not (values := _list(schema, "enum")):
                raise Impossible("`enum` is empty")
            return self._given(values, _without(schema, "enum"), number)
        reason: Impossible | None = None
        names = _types(schema)
        self._budget.spend(len(names))
        for name in names:
            try:
                return self._of_type(name, schema, number, within)
            except Impossible as error:
                reason = reason or error
        raise reason or Impossible(f"`type` is {shortened(schema.get('type'))}")

    def _given(self, values: Sequence[Any], beside: Schema, number: int) -> Any:
        """One of the values that a schema gives: one that is valid against what stands `beside` them."""
        for place in range(len(values)):
            value = values[(number + place) % len(values)]
            self._budget.spend(characters=len(encode_json(value)))
            if self._checker.holds(value, beside):
                return value
        raise Impossible(f"none of {shortened(values)} is valid against what stands beside it")

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
        required = self._required(schema)
        least, most = schema.get("minProperties", 0), schema.get("maxProperties", math.inf)
        if max(least, len(required)) > most:
            raise Impossible("no object has so many properties and so few")
        self._budget.spend(len(properties) + len(required))
        made: dict[str, Any] = {}
        lacking = len(required)
        for name in {**properties, **required}:
            if name not in required and (self._has_plenty or len(made) + lacking >= most):
                continue
            try:
                made[name] = self.make(self._of_property(schema, name), number, within)
            except Impossible:
                if name in required:
                    raise
            self._budget.spend(characters=len(name))
            lacking -= name in required
        extra = 0
        while len(made) < least:
            extra += 1
            if (name := self._new_name(schema, extra, within)) not in made:
                made[name] = self.make(self._of_property(schema, name), extra, within)
        return made

    def _required(self, schema: Schema) -> dict[str, None]:
        """The names of the properties that must be there, with those that come with them."""
        names = dict.fromkeys(name for name in _list(schema, "required") if isinstance(name, str))
        if not isinstance(depending := schema.get("dependentRequired"), dict):
            return names
        waiting = [*names] if self._has_plenty else [*names, *(schema.get("properties") or ())]
        while waiting:
            self._budget.spend()
            others = [name for name in _list(depending, waiting.pop()) if isinstance(name, str) and name not in names]
            names |= dict.fromkeys(others)
            waiting += others
        return names

    def _of_property(self, schema: Schema, name: str) -> Any:
        """The schema of the property of a name."""
        properties, patterns = schema.get("properties") or {}, schema.get("patternProperties")
        found = [properties[name]] if name in properties else []
        if isinstance(patterns, dict):
            found += [part for pattern, part in patterns.items() if is_in(pattern, name, self._budget)]
        if len(found) == 1:
            return found[0]
        return {"allOf": found} if found else schema.get("additionalProperties", True)

    def _new_name(self, schema: Schema, number: int, within: Names) -> str:
        """A name for a property that no keyword gives. Different values of `number` give different ones if possible."""
        if number > _MOST_NAMES and ("propertyNames" in schema or "patternProperties" in schema):
            raise Impossible("there are not enough names of properties")
        if "propertyNames" in schema:
            return str(self.make(merged({"type": "string"}, schema["propertyNames"], self._budget), number, within))
        patterns = schema.get("patternProperties")
        if patterns and isinstance(patterns, dict) and schema.get("additionalProperties") is False:
            return str(self.make({"type": "string", "pattern": list(patterns)[number % len(patterns)]}, number, within))
        return f"key{number}"

    def _array(self, schema: Schema, number: int, within: Names) -> list[Any]:
        items, tuple_ = schema.get("items", True), _list(schema, "prefixItems")
        if isinstance(items, list):  # the form of tuples before 2020
            items, tuple_ = schema.get("additionalItems", True), items
        least, most = schema.get("minItems", 0), schema.get("maxItems", math.inf)
        if "contains" in schema:
            # The items that it must contain come behind those whose place is given.
            inner = merged(items, schema["contains"], self._budget)
            tuple_ = [*tuple_, *[inner] * min(schema.get("minContains", 1), _PLENTY)]
            least = max(least, len(tuple_))
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
    "object": ("properties", "required", "additionalProperties", "patternProperties", "minProperties"),
    "array": ("items", "prefixItems", "contains", "minItems"),
    "string": ("pattern", "format", "minLength", "maxLength"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
}
"""Keywords that apply only to values of one type. A schema without a type is taken to be of that type."""


_INDEPENDENT = frozenset(
    {
        *("type", "title", "description", "default", "examples", "$schema", "$id", "$defs", "definitions", "format"),
        *("properties", "required", "additionalProperties", "minProperties", "maxProperties", "const", "enum"),
        *("items", "prefixItems", "additionalItems", "minItems", "maxItems", "uniqueItems"),
        *("pattern", "minLength", "maxLength"),
        *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    }
)
"""Keywords that a value meets as it is made, so that it need not be checked."""
_CONDITION = ("if", "then", "else")


def _must_be_checked(schema: Any) -> bool:
    """Whether what is made for a schema may be wrong, as its keywords depend on each other."""
    return isinstance(schema, dict) and not _INDEPENDENT.issuperset(schema)


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
