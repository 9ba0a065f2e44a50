"""The JSON Schema (2020-12) of a line of a `.stream.jsonl` file.

`python -m mockd.recordings.schema` writes it to `stream.schema.json` beside this module.
"""

from __future__ import annotations

import json
import pathlib
from typing import Any

from mockd.recordings.lines import ENDS, VERSION_KEY

SCHEMA_FILE = pathlib.Path(__file__).with_name("stream.schema.json")

_TEXT = {"type": "string"}
_HEADERS = {
    "description": "Headers in order, with the case of their names. A character is a byte: U+0000 to U+00FF.",
    "type": "array",
    "items": {
        "type": "array",
        "prefixItems": [_TEXT, _TEXT],
        "items": False,
        "minItems": 2,
        "maxItems": 2,
    },
    "default": [],
}
_HTTP_VERSION = {"description": "Version of HTTP.", "type": "string", "default": "1.1"}
_REASON = {"description": "Reason phrase.", "type": "string", "default": ""}
_BASE64 = {"type": "string", "pattern": "^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"}


def _object(description: str, required: list[str], **properties: Any) -> dict[str, Any]:
    return {"description": description, "type": "object", "properties": properties, "required": required}


def _status(least: int, most: int) -> dict[str, Any]:
    return {"description": "Status.", "type": "integer", "minimum": least, "maximum": most}


_KINDS: dict[str, tuple[str, list[Any]]] = {
    "i": ("Bytes of the request's body, as text.", [_TEXT]),
    "ib": ("Bytes of the request's body, in base64.", [_BASE64]),
    "info": (
        "An informational answer.",
        [_object("Its head.", ["status"], status=_status(100, 199), reason=_REASON, headers=_HEADERS)],
    ),
    "head": (
        "Status and headers of the answer.",
        [
            _object(
                "Its head.",
                ["status"],
                status=_status(200, 999),
                reason=_REASON,
                httpVersion=_HTTP_VERSION,
                headers=_HEADERS,
            )
        ],
    ),
    "o": ("Bytes of the answer's body, as text: one chunk, or what one read gave.", [_TEXT]),
    "ob": ("The same, in base64.", [_BASE64]),
    "trailers": ("Headers behind the body.", [_object("The headers.", [], headers=_HEADERS)]),
    "end": (
        "How the exchange ended.",
        [
            {"enum": list(ENDS)},
            _object(
                "What there is to say.",
                [],
                text={"description": "For people.", "type": "string"},
                redacted={"description": "Places of what was redacted.", "type": "array", "items": _TEXT},
                decoded={"description": "Content coding that was taken off the answer's body.", "type": "string"},
                decodedRequest={
                    "description": "Content coding that was taken off the request's body.",
                    "type": "string",
                },
            ),
        ],
    ),
}
"""The kinds of lines that are known: what they are, and what stands behind the kind, the first of which must be."""


def json_schema() -> dict[str, Any]:
    """The schema of a line. What it does not know is allowed, as later versions may have more."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "mockd recording, one line",
        "description": "A line of a `.stream.jsonl` file: how an exchange began, or one thing that happened then.",
        "if": {"type": "object"},
        "then": {"$ref": "#/$defs/begun"},
        "else": {"$ref": "#/$defs/happened"},
        "$defs": {
            "begun": _object(
                "The first line of an exchange.",
                [VERSION_KEY, "request"],
                **{VERSION_KEY: {"description": "Version of the format.", "type": "integer", "minimum": 1}},
                recordedAt={"description": "When the request came, as RFC 3339 has it.", "type": "string"},
                request=_object(
                    "The request, without its body.",
                    ["method", "url"],
                    method={"description": "Method.", "type": "string"},
                    url={"description": "URL, as a whole.", "type": "string"},
                    path={
                        "description": "Path that the client asked for, if it is not the URL's.",
                        "type": "string",
                    },
                    httpVersion=_HTTP_VERSION,
                    headers=_HEADERS,
                ),
            ),
            "happened": {
                "description": "Microseconds since the line before, kind, and what there is to say.",
                "type": "array",
                "prefixItems": [{"type": "integer", "minimum": 0}, _TEXT],
                "minItems": 2,
                "allOf": [
                    {"if": {"prefixItems": [True, {"const": kind}]}, "then": _of_kind(*known)}
                    for kind, known in _KINDS.items()
                ],
            },
        },
    }


def _of_kind(description: str, items: list[Any]) -> dict[str, Any]:
    return {"description": description, "prefixItems": [True, True, *items], "minItems": 3}


def schema_text() -> str:
    """The text of the schema file."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    SCHEMA_FILE.write_text(schema_text(), encoding="utf-8")
