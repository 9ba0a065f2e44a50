"""The page on the admin API, from its OpenAPI document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec.inspect as inspect

from mockd.admin import openapi, shapes
from mockd.admin.app import OPERATIONS
from mockd.config import verification
from mockd.config.words import meaning_of
from scripts.reference import config, markdown
from scripts.reference.markdown import code, first_paragraph, link, table, type_of

INTRODUCTION = """
JSON over HTTP. With two ports (`mockd serve`) the admin API is at the root of the admin port, by default
`http://127.0.0.1:4290`. With one port (`--admin-port 0`, `uvicorn mockd.app:app`, mounted) it is under `/__mockd` on
the mock port. A running server has the OpenAPI document of it at `GET /openapi.json`.

Every error has the shape of an [Error](#error); the codes are in [errors](errors.md). A request that is refused
changes nothing.

Who may use it: without a key, programs on the same machine, but not through a proxy or a Unix socket. With a key
(`--api-key`), whoever sends it as `X-API-Key` or `Authorization: Bearer`. A key is made up and printed when the admin
API is reachable from other machines. `Host` must be a name of the server (`--admin-allow-host` adds some), and pages
of another origin are refused.
"""


def page() -> str:
    document = openapi.document(OPERATIONS)
    rows = [_row(method, path, operation) for path, method, operation in _operations(document)]
    operations = table(("Operation", "What it does", "Body", "Answer", "Refusals"), rows)
    parameters = [
        (code(f"{method.upper()} {path}"), code(query["name"]), _words(query["schema"]), query["description"])
        for path, method, operation in _operations(document)
        for query in operation.get("parameters", [])
        if query["in"] == "query"
    ]
    return markdown.page(
        "Admin API",
        INTRODUCTION,
        "## Operations\n\n" + operations,
        "## Query parameters\n\n" + table(("Operation", "Parameter", "Type", "Meaning"), parameters),
        "## Shapes",
        *(f"### {name}\n\n{text}" for name, text in _shapes(document)),
    )


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            yield path, method, operation


def _row(method: str, path: str, operation: dict[str, Any]) -> tuple[str, ...]:
    content = operation.get("requestBody", {}).get("content", {})
    body = _words(next(iter(content.values()))["schema"]) if content else ""
    success, *refusals = sorted(operation["responses"])
    answer = operation["responses"][success].get("content", {})
    shape = _words(next(iter(answer.values()))["schema"]) if answer else "nothing"
    return code(f"{method.upper()} {path}"), operation["summary"], body, f"{success}: {shape}", ", ".join(refusals)


_TYPES = {
    "object": "a JSON object",
    "boolean": "true or false",
    "string": "text",
    "integer": "a number",
    "number": "a number",
}


def _words(schema: dict[str, Any]) -> str:
    """A schema as a type, with links to those that have a section."""
    if "$ref" in schema:
        return _link(schema["$ref"].rpartition("/")[2])
    if "anyOf" in schema:
        return " or ".join(map(_words, schema["anyOf"]))
    if schema.get("type") == "array":
        return "list of: " + _words(schema["items"])
    if "enum" in schema:
        return ", ".join(map(code, schema["enum"]))
    return _TYPES[schema["type"]]


def _link(name: str) -> str:
    in_config = {cls.__name__: text for cls, text in config.links("config.md").items()}
    return in_config.get(name) or link(name)


def _shapes(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The structs that the document refers to and that are no part of a configuration, by name."""
    own = {
        name: cls
        for module in (shapes, verification)
        for name, cls in vars(module).items()
        if isinstance(cls, type) and cls.__module__ == module.__name__
    }
    known = {cls: _link(name) for name, cls in own.items()} | config.links("config.md")
    for name in document["components"]["schemas"]:
        if name in own:
            cls = own[name]
            struct = inspect.type_info(cls)
            assert isinstance(struct, inspect.StructType)
            yield name, f"{first_paragraph(cls.__doc__)}\n\n{_fields(struct, known)}"


def _fields(struct: inspect.StructType, known: Mapping[type, str]) -> str:
    rows = [
        (
            code(field.encode_name),
            type_of(field.type, known),
            "yes" if field.required else "no",
            meaning_of(field.type),
        )
        for field in struct.fields
    ]
    return table(("Field", "Type", "Always there", "Meaning"), rows)
