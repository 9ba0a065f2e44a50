"""The JSON Schema of a line says the same as the reader."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from jsonschema import Draft202012Validator

from mockd.recordings.lines import Line, encode
from mockd.recordings.schema import SCHEMA_FILE, json_schema, schema_text
from tests.unit.recordings.test_lines import BEGUN, BROKEN, LINES

VALIDATOR = Draft202012Validator(json_schema())
BEYOND_SCHEMAS = {"{", "[" * 10_000, '[0,"head",{"status":200,"headers":[["a","€"]]}]'}
"""What is no JSON, and what no schema can say."""


def test_the_schema_is_written_to_its_file() -> None:
    assert SCHEMA_FILE.read_text(encoding="utf-8") == schema_text()
    Draft202012Validator.check_schema(json_schema())


@given(LINES)
def test_every_line_that_is_written_is_valid(line: Line) -> None:
    VALIDATOR.validate(json.loads(encode(line)))


@pytest.mark.parametrize("line", sorted(BROKEN.keys() - BEYOND_SCHEMAS))
def test_every_line_that_cannot_be_read_is_not(line: str) -> None:
    assert not VALIDATOR.is_valid(json.loads(line))


@pytest.mark.parametrize(
    "line", ['[0,"later",{"a":1}]', '[0,"o","x",{"later":1}]', BEGUN.replace('"request"', '"later":1,"request"')]
)
def test_what_later_versions_add_is_valid(line: Any) -> None:
    VALIDATOR.validate(json.loads(line))
