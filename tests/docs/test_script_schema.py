"""The JSON Schema of scripts accepts the scripts of the pages, and refuses what `mockd serve` refuses."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from mockd.config.load import parse_text
from tests.docs.blocks import PAGES, ROOT, blocks
from tests.docs.reader import is_script

SCHEMA = json.loads((ROOT / "docs/reference/script.schema.json").read_text(encoding="utf-8"))
SCRIPTS = [
    pytest.param(value, id=f"{page.name}:{block.line}")
    for page in PAGES
    for block in blocks(page)
    if block.language == "yaml" and is_script(value := parse_text(block.text.encode(), source=None, format="yaml"))
]


@pytest.mark.parametrize("script", SCRIPTS)
def test_scripts_of_the_pages(script: Any) -> None:
    jsonschema.validate(script, SCHEMA)


def test_there_are_such_scripts() -> None:
    assert len(SCRIPTS) >= 4


@pytest.mark.parametrize(
    "script",
    [
        {"reply": {"text": "a"}},
        [{"when": {"contain": "a"}, "reply": {}}],
        [{"when": {"step": -1}, "reply": {}}],
        [{"when": {"tools": "look"}, "reply": {}}],
        [{"when": {}}],
        [{"reply": {}, "replies": [{}]}],
        [{"reply": {"error": {"cut": "slowly"}}}],
    ],
)
def test_what_is_wrong(script: Any) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(script, SCHEMA)
