"""JSON schemas in prompts, as frameworks write them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mockd.sources.llm.schemas.prompts import demands_json, schema_in_prompts
from tests.unit.llm.choosing.test_asked import asked
from tests.unit.llm.schemas.samples import PERSON

INSTRUCTOR = f"""
As a genius expert, your task is to understand the content and provide
the parsed objects in json that match the following json_schema:

{json.dumps(PERSON, indent=2)}

Make sure to return an instance of the JSON, not the schema itself
"""
DSPY = """Your input fields are:
1. `question` (str):
All interactions will be structured in the following way, with the appropriate values filled in.

Outputs will be a JSON object with the following fields.

{
  "answer": "{answer}",
  "days": "{days}        # note: the value you produce must be a single int value",
  "heat": "{heat}        # note: the value you produce must be a single float value",
  "sure": "{sure}        # note: the value you produce must be True or False",
  "kind": "{kind}        # note: the value you produce must exactly match (no extra characters) one of: rain; sun",
  "list": "{list}        # note: the value you produce must adhere to the JSON schema: {\\"type\\": \\"array\\"}"
}
"""
FIELDS = {
    "answer": {"type": "string"},
    "days": {"type": "integer"},
    "heat": {"type": "number"},
    "sure": {"type": "boolean"},
    "kind": {"enum": ["rain", "sun"]},
    "list": {"type": "array"},
}


def test_the_schema_of_instructor() -> None:
    assert demands_json(INSTRUCTOR)
    assert schema_in_prompts([INSTRUCTOR]) == PERSON


def test_the_fields_of_dspy() -> None:
    assert demands_json(DSPY)
    schema = schema_in_prompts([DSPY])
    assert schema["properties"] == FIELDS
    assert schema["required"] == list(FIELDS)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        '{"a"',
        '{"a": 1}',
        '{"a": "{b}"}',
        "{}",
        '{"a": "{a}", "b": 5}',
        '{"' * 10_000,
        "x" * 100_000 + INSTRUCTOR,
    ],
    ids=range(9),
)
def test_what_is_no_schema(text: str) -> None:
    assert schema_in_prompts([text]) is None


def test_the_first_of_several_prompts() -> None:
    assert schema_in_prompts(['Like {"a": 1} or {"type": 5}.', INSTRUCTOR, DSPY]) == PERSON


JSON_MODE = {"response_format": {"type": "json_object"}}


@pytest.mark.parametrize(
    ("prompt", "form", "expected"),
    [
        (INSTRUCTOR, JSON_MODE, PERSON),
        (INSTRUCTOR, {}, PERSON),
        (f"Answer like this: {json.dumps(PERSON)}", JSON_MODE, PERSON),
        (f"Answer like this: {json.dumps(PERSON)}", {}, None),
        ("Write JSON.", JSON_MODE, {"type": "object"}),
        (
            INSTRUCTOR,
            {"response_format": {"type": "json_schema", "json_schema": {"schema": {"type": "array"}}}},
            {"type": "array"},
        ),
    ],
)
@pytest.mark.parametrize("role", ["system", "developer", "user"])
def test_what_a_request_demands(prompt: str, form: dict[str, Any], expected: Any, role: str) -> None:
    body = {"messages": [{"role": role, "content": prompt}], **form}
    assert asked("openai-chat", body).schema == expected


def test_what_others_have_said_demands_nothing() -> None:
    said = [{"role": "user", "content": INSTRUCTOR}, {"role": "assistant", "content": INSTRUCTOR}]
    assert asked("openai-chat", {"messages": [*said, {"role": "user", "content": "Thanks"}]}).schema is None
