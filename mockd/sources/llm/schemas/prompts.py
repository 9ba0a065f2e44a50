"""JSON schemas that stand in prompts, as frameworks write them for models that know no structured output."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

_DEMANDING = ("match the following json_schema", "Outputs will be a JSON object")
"""What instructor and DSPy write before a schema."""
_OPENING = re.compile(r'\{\s*"')
_MOST_TRIED = 8
"""Most places of a prompt at which a schema is looked for."""
_LONGEST = 65_536
"""Most characters of a prompt in which one is looked for."""
_NOTE = re.compile(r"#\s*note: the value you produce (.*)", re.DOTALL)
_CHOICE = re.compile(r"one of: (.*)", re.DOTALL)
_TYPES = {"a single int value": "integer", "a single float value": "number", "True or False": "boolean"}


def demands_json(text: str) -> bool:
    """Whether a prompt demands JSON in the words of a framework that writes the schema after them."""
    return any(words in text for words in _DEMANDING)


def schema_in_prompts(texts: Iterable[str]) -> Any:
    """The first JSON schema in prompts, or None. DSPy's form of an object, in which each field has its description as
    value, counts too."""
    return next((schema for text in texts for schema in map(_as_schema, _objects_in(text)) if schema is not None), None)


def _objects_in(text: str) -> Iterator[dict[str, Any]]:
    """The JSON objects that stand in a text."""
    text, place = text[:_LONGEST], 0
    decoder = json.JSONDecoder()
    for _ in range(_MOST_TRIED):
        if (found := _OPENING.search(text, place)) is None:
            return
        try:
            value, place = decoder.raw_decode(text, found.start())
        except (ValueError, RecursionError):
            place = found.end()
        else:
            yield value


def _as_schema(value: dict[str, Any]) -> Any:
    if isinstance(value.get("properties"), dict) or "$ref" in value:
        return value
    fields = {name: _of_field(name, told) for name, told in value.items()}
    if not fields or None in fields.values():
        return None
    return {"type": "object", "properties": fields, "required": list(fields), "additionalProperties": False}


def _of_field(name: str, told: Any) -> Any:
    """The schema of a field in DSPy's form: `{name}`, and a note of what the value must be. None for anything else."""
    if not isinstance(told, str) or not told.startswith(f"{{{name}}}"):
        return None
    note = _NOTE.search(told)
    if note is None:
        return {"type": "string"}
    for words, type_ in _TYPES.items():
        if words in note[1]:
            return {"type": type_}
    if choice := _CHOICE.search(note[1]):
        return {"enum": choice[1].split("; ")}
    return next(_objects_in(note[1]), {"type": "string"})
