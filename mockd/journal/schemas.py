"""JSON Schemas of credentials, as in the tools of a model: `{"password": {"type": "string"}}` describes a password, and
has none."""

from __future__ import annotations

from typing import Any

_TYPES = frozenset({"array", "boolean", "integer", "null", "number", "object", "string"})
_OF_ONE = frozenset({"additionalProperties", "contains", "contentSchema", "items", "not", "propertyNames"})
"""Keywords whose value is a schema, or true or false."""
_OF_MANY = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
_BY_NAME = frozenset({"$defs", "definitions", "patternProperties", "properties"})
_OF_TEXT = frozenset(
    {"$comment", "$id", "$ref", "$schema", "contentEncoding", "contentMediaType", "description", "format", "pattern"}
    | {"title"}
)
_OF_NUMBERS = frozenset(
    {"exclusiveMaximum", "exclusiveMinimum", "maxItems", "maxLength", "maxProperties", "maximum", "minItems"}
    | {"minLength", "minProperties", "minimum", "multipleOf"}
)
_OF_FLAGS = frozenset({"deprecated", "nullable", "readOnly", "uniqueItems", "writeOnly"})
_OF_LISTS = frozenset({"enum", "propertyOrdering", "required"})
_OF_VALUES = frozenset({"const", "default", "example", "examples"})
"""Keywords whose value can be a credential, if it is a text or a number."""


def describes(value: Any) -> bool:
    """Whether a value is a JSON Schema that says what kind of value is meant, and has no such value in it: nothing but
    keywords that are known, each with a value of its kind."""
    if not isinstance(value, dict):
        return False
    if not (_is_type(value.get("type")) or "$ref" in value or _OF_MANY.intersection(value)):
        return False
    return all(_is_fit(keyword, found) for keyword, found in value.items())


def _is_type(found: Any) -> bool:
    """Whether this is a type, or a list of types. Some write them in capitals."""
    if isinstance(found, list):
        return bool(found) and all(isinstance(name, str) and _is_type(name) for name in found)
    return isinstance(found, str) and found.lower() in _TYPES


def _is_fit(keyword: str, found: Any) -> bool:
    if keyword == "type":
        return _is_type(found)
    if keyword == "$ref":
        return isinstance(found, str) and found.startswith(("#", "http:", "https:"))
    if keyword in _OF_ONE:
        return isinstance(found, bool) or describes(found)
    if keyword in _OF_MANY:
        return isinstance(found, list) and all(map(describes, found))
    if keyword in _BY_NAME:
        return isinstance(found, dict) and all(map(describes, found.values()))
    if keyword in _OF_TEXT:
        return isinstance(found, str)
    if keyword in _OF_NUMBERS:
        return isinstance(found, int | float)
    if keyword in _OF_FLAGS:
        return isinstance(found, bool)
    if keyword in _OF_LISTS:
        return isinstance(found, list)
    return keyword in _OF_VALUES and (not found or found is True)
