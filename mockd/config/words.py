"""The types, defaults and meanings of structs' fields in words, for the reference pages and `mockd templates`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import msgspec.inspect as inspect

from mockd.config.base import DURATION

_WORDS: dict[type, str] = {
    inspect.StrType: "text",
    inspect.BytesType: "base64 text",
    inspect.IntType: "whole number",
    inspect.FloatType: "number",
    inspect.BoolType: "true or false",
    inspect.AnyType: "any JSON value",
}
_LARGE = 1e7
"""Smallest bound that is not mentioned, as such bounds only keep nonsense out."""


def type_in_words(
    node: inspect.Type,
    struct: Callable[[inspect.StructType], str] = lambda struct: "object",
    literal: Callable[[object], str] = str,
) -> str:
    """A type in words, without null. `struct` and `literal` write structs and literal values."""
    if isinstance(node, inspect.Metadata):
        return type_in_words(node.type, struct, literal)
    if isinstance(node, inspect.UnionType):
        parts = (part for part in node.types if not isinstance(part, inspect.NoneType))
        return " or ".join(type_in_words(part, struct, literal) for part in parts)
    if isinstance(node, inspect.StructType):
        return struct(node)
    if isinstance(node, inspect.LiteralType):
        return ", ".join(map(literal, node.values))
    if isinstance(node, inspect.ListType | inspect.VarTupleType):
        return "list of: " + type_in_words(node.item_type, struct, literal)
    if isinstance(node, inspect.TupleType):
        return f"list of: {', '.join(type_in_words(part, struct, literal) for part in node.item_types)}"
    if isinstance(node, inspect.DictType):
        return "object of: " + type_in_words(node.value_type, struct, literal)
    if getattr(node, "pattern", None) == DURATION:
        return "duration"
    return _WORDS[type(node)] + _bounds(node)


def meaning_of(node: inspect.Type) -> str:
    """The description of a field from its declaration; empty if it has none."""
    while isinstance(node, inspect.Metadata):
        if text := (node.extra_json_schema or {}).get("description"):
            return str(text)
        node = node.type
    return ""


def default_of(field: inspect.Field) -> str:
    """A field's default as users write it; empty if there is none worth mentioning."""
    default = field.default
    if default in (msgspec.NODEFAULT, msgspec.UNSET, None, ()) or isinstance(default, msgspec.Struct):
        return ""
    if isinstance(default, float):
        return f"{default:g}"
    return default if isinstance(default, str) else json.dumps(default, ensure_ascii=False)


def structs_in(node: inspect.Type) -> Iterator[inspect.StructType]:
    """The structs that a type is made of, without those in their fields."""
    if isinstance(node, inspect.StructType):
        yield node
    inner = [getattr(node, name, None) for name in ("type", "item_type", "value_type")]
    for part in (*inner, *getattr(node, "types", ())):
        if isinstance(part, inspect.Type):
            yield from structs_in(part)


def struct_info(cls: type[msgspec.Struct]) -> inspect.StructType:
    """msgspec's description of a struct."""
    info = inspect.type_info(cls)
    assert isinstance(info, inspect.StructType)
    return info


def _bounds(node: Any) -> str:
    low, high = getattr(node, "ge", None), getattr(node, "le", None)
    if getattr(node, "gt", None) == 0:
        return " above 0"
    if low is not None and high is not None and high < _LARGE:
        return f", {low} to {high}"
    if low is not None and low > -_LARGE:
        return f", at least {low}" if low else ", not negative"
    return ""
