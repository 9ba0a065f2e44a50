"""The page on the configuration format, from its structs."""

from __future__ import annotations

import inspect as python_inspect
from collections.abc import Iterator

import msgspec.inspect as inspect

import mockd.placeholders
from mockd.config.models import Distribution, EventConfig, Mock, MockFile, OmittedHeader, ValueTest
from mockd.config.words import structs_in
from scripts.reference import markdown
from scripts.reference.markdown import first_paragraph, link, struct_table

INTRODUCTION = """
A configuration file is JSON or YAML: one mock, a list of mocks, or an object with `version` and `mocks`. An unknown
key is an error that names the nearest known one. The JSON Schema of it is [mockd.schema.json][schema]; a running
server has it at `GET /schema`.

Units: milliseconds in `timing`, `chunked` and everything called a delay; seconds in `lifecycle` and `resume`. Any of
them may be a duration instead, which is text with a unit of its own: `"500ms"`, `"2s"`, `"1m"`.

`${NAME}` and `${NAME:-default}` stand for environment variables, in the values of configuration files only. A literal
`${` is written `$${`. What they hold is in the answers of a mock and in nothing else: lists, exports, near misses,
messages and the log have the variables as they are written. An `id` is a name for URLs and logs, so put no secret in
it. Names of data files are relative to the file that names them, and must not lead out of its folder.

What `template` may name, and the parameters in `templateParams`: [templates](templates.md).

[schema]: ../../mockd/config/mockd.schema.json
"""

ROOTS = (MockFile, Mock)
HEADINGS: dict[type, str] = {
    MockFile: "A file",
    Mock: "A mock",
    EventConfig: "An event",
    Distribution: "A distribution",
    OmittedHeader: "A header left out",
    ValueTest: "A criterion without a value",
}
"""Headings of parts that stand in several places; those of the others are the keys that lead there."""


def sections() -> dict[type, tuple[str, inspect.StructType]]:
    """Every part of the format with its heading, in the order of the page: each before those inside it."""
    found: dict[type, tuple[str, inspect.StructType]] = {}
    for root in ROOTS:
        for place, struct in _walk(inspect.type_info(root), ""):
            if struct.cls not in found:
                found[struct.cls] = (HEADINGS.get(struct.cls, place), struct)
    return found


def _walk(node: inspect.Type, place: str) -> Iterator[tuple[str, inspect.StructType]]:
    for struct in structs_in(node):
        yield place, struct
        for field in struct.fields:
            inner = f"{place}.{field.encode_name}" if place else field.encode_name
            if not any(part.cls in (*ROOTS, struct.cls) for part in structs_in(field.type)):
                yield from _walk(field.type, inner)


def links(at: str = "") -> dict[type, str]:
    """A link to the section of every part, as seen from this page or from another."""
    return {cls: link(heading, at) for cls, (heading, _) in sections().items()}


def page() -> str:
    known = links()
    parts = [
        f"## {heading}\n\n{first_paragraph(struct.cls.__doc__)}\n\n{struct_table(struct, known)}"
        for heading, struct in sections().values()
    ]
    return markdown.page("Configuration", INTRODUCTION, *parts, _placeholders())


def _placeholders() -> str:
    text = python_inspect.getdoc(mockd.placeholders) or ""
    return "## Placeholders\n\n" + text[text.index("| written") :]
