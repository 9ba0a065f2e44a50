"""The JSON Schema (2020-12) of a script for `--preset-script`, by which editors complete and check it."""

from __future__ import annotations

import json

from mockd.config.schema import schema_of
from mockd.sources.llm.replies.params import Scripted


def schema() -> str:
    entry, parts = schema_of(Scripted, "#/$defs/{name}")
    parts["Scripted"]["oneOf"] = [{"required": ["reply"]}, {"required": ["replies"]}]
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A script of replies",
        "type": "array",
        "items": entry,
        "$defs": parts,
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
