"""Pieces of Markdown, and msgspec's types in words."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
import msgspec.inspect as inspect

GENERATED = "<!-- Written by scripts/docs from the code: change it there. -->"

_WORDS: dict[type, str] = {
    inspect.StrType: "text",
    inspect.IntType: "whole number",
    inspect.FloatType: "number",
    inspect.BoolType: "true or false",
    inspect.AnyType: "any JSON value",
}
_LARGE = 1e7
"""Bounds from here on only keep nonsense out, and are not worth telling."""


def page(title: str, introduction: str, *sections: str) -> str:
    """A page with its sections, a blank line between them."""
    return "\n\n".join([GENERATED, f"# {title}", introduction.strip(), *sections]) + "\n"


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table. Bars in cells are escaped."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def code(value: object) -> str:
    return f"`{value}`"


def link(heading: str, page: str = "") -> str:
    """A link to a heading, as GitHub names it."""
    name = "".join(char for char in heading.lower().replace(" ", "-") if char.isalnum() or char in "-_")
    return f"[{heading}]({page}#{name})"


def first_paragraph(docstring: str | None) -> str:
    """What a docstring says first, on one line."""
    return " ".join((docstring or "").strip().partition("\n\n")[0].split())


def struct_table(struct: inspect.StructType, links: Mapping[type, str]) -> str:
    """The fields of a part of the configuration. `links` leads to the parts that have a section."""
    rows = [
        (code(field.encode_name), type_of(field.type, links), _default(field), description_of(field.type))
        for field in struct.fields
    ]
    return table(("Field", "Type", "Default", "Meaning"), rows)


def type_of(node: inspect.Type, links: Mapping[type, str]) -> str:
    """A type in words, without null."""
    if isinstance(node, inspect.Metadata):
        return type_of(node.type, links)
    if isinstance(node, inspect.UnionType):
        return " or ".join(type_of(part, links) for part in node.types if not isinstance(part, inspect.NoneType))
    if isinstance(node, inspect.StructType):
        return links[node.cls]
    if isinstance(node, inspect.LiteralType):
        return ", ".join(code(value) for value in node.values)
    if isinstance(node, inspect.ListType | inspect.VarTupleType):
        return "list of: " + type_of(node.item_type, links)
    if isinstance(node, inspect.DictType):
        return "object of: " + type_of(node.value_type, links)
    return _WORDS[type(node)] + _bounds(node)


def description_of(node: inspect.Type) -> str:
    """What is said of a field where it is declared."""
    while isinstance(node, inspect.Metadata):
        if text := (node.extra_json_schema or {}).get("description"):
            return str(text)
        node = node.type
    return ""


def structs_in(node: inspect.Type) -> Iterator[inspect.StructType]:
    """The structs a type is made of, without those of their fields."""
    if isinstance(node, inspect.StructType):
        yield node
    inner = [getattr(node, name, None) for name in ("type", "item_type", "value_type")]
    for part in (*inner, *getattr(node, "types", ())):
        if isinstance(part, inspect.Type):
            yield from structs_in(part)


def _default(field: inspect.Field) -> str:
    if field.required:
        return "required"
    default = field.default
    if default in (msgspec.NODEFAULT, None, ()) or isinstance(default, msgspec.Struct):
        return ""
    if isinstance(default, float):
        return code(f"{default:g}")
    return code(default if isinstance(default, str) else json.dumps(default, ensure_ascii=False))


def _bounds(node: Any) -> str:
    low, high = getattr(node, "ge", None), getattr(node, "le", None)
    if getattr(node, "gt", None) == 0:
        return " above 0"
    if low is not None and high is not None and high < _LARGE:
        return f", {low} to {high}"
    if low is not None and low > -_LARGE:
        return f", at least {low}" if low else ", not negative"
    return ""
