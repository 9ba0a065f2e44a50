"""Pieces of Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec.inspect as inspect

from mockd.config.words import default_of, meaning_of, type_in_words

GENERATED = "<!-- Written by scripts/docs from the code: change it there. -->"


def page(title: str, introduction: str, *sections: str) -> str:
    """A page with its sections, a blank line between them."""
    return "\n\n".join([GENERATED, f"# {title}", introduction.strip(), *sections]) + "\n"


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table. Bars in cells are escaped."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def code(value: object) -> str:
    text = str(value)
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def link(heading: str, page: str = "") -> str:
    """A link to a heading, as GitHub names it."""
    name = "".join(char for char in heading.lower().replace(" ", "-") if char.isalnum() or char in "-_")
    return f"[{heading}]({page}#{name})"


def first_paragraph(docstring: str | None) -> str:
    """What a docstring says first, on one line."""
    return " ".join((docstring or "").strip().partition("\n\n")[0].split())


def struct_table(struct: inspect.StructType, links: Mapping[type, str]) -> str:
    """The fields of a part of the configuration. `links` leads to the parts that have a section."""
    return fields_table(struct.fields, links)


def fields_table(fields: Iterable[inspect.Field], links: Mapping[type, str]) -> str:
    """Some fields of a part."""
    rows = [
        (code(field.encode_name), type_of(field.type, links), _default(field), meaning_of(field.type))
        for field in fields
    ]
    return table(("Field", "Type", "Default", "Meaning"), rows)


def type_of(node: inspect.Type, links: Mapping[type, str]) -> str:
    """A type in words, without null."""
    return type_in_words(node, lambda struct: links[struct.cls], code)


def _default(field: inspect.Field) -> str:
    if field.required:
        return "required"
    return code(default) if (default := default_of(field)) else ""
