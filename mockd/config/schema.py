"""The JSON Schema (2020-12) of a configuration file, made from the structs. Editors use it to complete and to check.

`python -m mockd.config.schema` writes it to `mockd.schema.json` beside this module.
"""

from __future__ import annotations

import inspect
import json
import pathlib
from typing import Any

import msgspec

from mockd.config.models import MockFile
from mockd.config.shape import FILE_BOOKKEEPING, MOCK_BOOKKEEPING, SCHEMA_KEY, VERSIONS

SCHEMA_FILE = pathlib.Path(__file__).with_name("mockd.schema.json")


_SCHEMA = {"description": "Address of this schema, for editors.", "type": "string"}


def schema_of(type_: Any, reference: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The schema of a type, and by name the schemas to which it refers."""
    (schema,), components = msgspec.json.schema_components([type_], ref_template=reference)
    for component in components.values():
        if "description" in component:  # a docstring, of which Python 3.12 and earlier keep the indentation
            component["description"] = inspect.cleandoc(component["description"])
    return schema, components


def json_schema() -> dict[str, Any]:
    """The schema of a file: one mock, a list of mocks, or several under `mocks`; each mock flat or nested.

    It accepts every file that mockd loads, except `${NAME}` in place of a number or boolean.
    """
    _, parts = schema_of(MockFile, "#/$defs/{name}")
    for part in parts.values():
        for field in part["properties"].values():
            if isinstance(field.get("default"), dict):
                del field["default"]
    mock, file = parts["Mock"], parts["MockFile"]
    fault = _fault(parts)
    for part in (mock, parts["SequenceEntry"]):
        part["properties"]["faults"]["items"] = fault
    parts["NestedMock"] = {
        "title": "NestedMock",
        "description": "The part of a mock that may stand in `http`.",
        "type": "object",
        "properties": dict(mock["properties"]),
        "additionalProperties": False,
    }
    mock["properties"] |= {
        "type": {"description": "Kind of the mock.", "const": "http"},
        "http": {"description": "The same keys, nested.", "$ref": "#/$defs/NestedMock"},
        SCHEMA_KEY: _SCHEMA,
        **dict.fromkeys(MOCK_BOOKKEEPING, _dropped()),
    }
    del mock["required"]
    mock["anyOf"] = [{"required": ["matcher"]}, {"required": ["http"]}]
    file["properties"] |= {SCHEMA_KEY: _SCHEMA} | dict.fromkeys(FILE_BOOKKEEPING, _dropped())
    file["properties"]["version"] = {
        "description": file["properties"]["version"]["description"],
        "enum": list(VERSIONS),
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "mockd configuration",
        "description": "One mock, a list of mocks, or a file with several under `mocks`.",
        "if": {"type": "array"},
        "then": {"items": {"$ref": "#/$defs/Mock"}},
        "else": {
            "if": {"anyOf": [{"required": ["mocks"]}, {"required": ["version"]}]},
            "then": {"$ref": "#/$defs/MockFile"},
            "else": {"$ref": "#/$defs/Mock"},
        },
        "$defs": dict(sorted(parts.items())),
    }


def _fault(parts: dict[str, Any]) -> dict[str, Any]:
    """The schema of a fault. The schemas to which it refers are added to `parts`. They are not in those of the structs,
    as most mocks have no faults, and their structs are loaded only with the first one."""
    from mockd.config.faults import AnyFault

    fault, components = schema_of(AnyFault, "#/$defs/{name}")
    for component in components.values():
        if "action" in component["properties"]:
            component["properties"]["action"]["description"] = "What happens."
    parts |= {name: component for name, component in components.items() if name not in parts}
    line = {"description": "A fault as one line, such as `reset after 3 events`.", "type": "string"}
    return {"anyOf": [line, *fault["anyOf"]]}


def _dropped() -> dict[str, Any]:
    return {"description": "Accepted and dropped.", "deprecated": True}


def schema_text() -> str:
    """The text of the schema file."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    SCHEMA_FILE.write_text(schema_text(), encoding="utf-8")
