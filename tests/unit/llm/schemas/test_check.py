"""Whether a value is valid against a JSON schema, as the `jsonschema` package sees it."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings

from mockd.patterns import APART, AT_ONCE, Effort, NotAtOnceError
from mockd.sources.llm.budget import Refused
from mockd.sources.llm.schemas.check import is_valid
from mockd.sources.llm.schemas.example import example
from tests.unit.llm.schemas.samples import COMBINED, JSON, SCHEMA, SCHEMAS


def holds(value: Any, schema: Any) -> bool:
    return is_valid(value, schema, Effort(APART))


@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=SCHEMAS)
def test_what_is_made_for_a_schema_is_valid(schema: Any) -> None:
    assert holds(example(schema), schema)


@given(SCHEMA)
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_what_is_made_for_any_schema_is_valid(schema: Any) -> None:
    assert holds(example(schema), schema)


@given(SCHEMA, JSON)
@settings(max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_value_is_valid_if_jsonschema_says_so(schema: Any, value: Any) -> None:
    assert holds(value, schema) == jsonschema.Draft202012Validator(schema).is_valid(value)


@given(COMBINED, JSON)
@settings(max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_keywords_that_depend_on_each_other(schema: Any, value: Any) -> None:
    assert holds(value, schema) == jsonschema.Draft202012Validator(schema).is_valid(value)


CASES: list[tuple[Any, list[Any], list[Any]]] = [
    (True, [1], []),
    (False, [], [1, None]),
    ({"type": "integer"}, [1, 1.0, -2], [1.5, True, "1"]),
    ({"type": "number"}, [1, 1.5], [False, "1", None]),
    ({"type": ["string", "null"]}, ["a", None], [1]),
    ({"enum": [1, "a", {"b": [True]}]}, [1, 1.0, "a", {"b": [True]}], [True, "b", {"b": [1]}]),
    ({"const": {"a": 1, "b": 2}}, [{"b": 2, "a": 1}], [{"a": 1}]),
    ({"minimum": 2, "exclusiveMaximum": 4}, [2, 3.9, "x"], [1, 4]),
    ({"exclusiveMinimum": 2, "maximum": 4}, [2.1, 4], [2, 5]),
    ({"multipleOf": 0.25}, [0.75, 1, "x"], [0.3]),
    ({"multipleOf": 3}, [3, 9.0, 3 * 10**30], [4, 10**30]),
    ({"minLength": 2, "maxLength": 3}, ["ab", "abc", 1], ["a", "abcd"]),
    ({"pattern": "^a+$"}, ["aa", 5], ["ab", ""]),
    ({"items": {"type": "integer"}, "minItems": 1, "maxItems": 2}, [[1], [1, 2], "x"], [[], [1, 2, 3], ["a"]]),
    ({"uniqueItems": True}, [[1, 2], [1, True], [[1], [2]]], [[1, 1.0], [{"a": 1}, {"a": 1}]]),
    ({"prefixItems": [{"type": "integer"}], "items": False}, [[1], []], [["a"], [1, 2]]),
    ({"required": ["a"], "minProperties": 1, "maxProperties": 2}, [{"a": 1}], [{}, {"b": 1}, {"a": 1, "b": 2, "c": 3}]),
    (
        {"properties": {"a": {"type": "string"}}, "additionalProperties": {"type": "integer"}},
        [{"a": "x", "b": 1}, {}],
        [{"a": 1}, {"b": "x"}],
    ),
    ({"properties": {"a": {}}, "additionalProperties": False}, [{"a": 1}], [{"b": 1}]),
    ({"allOf": [{"minimum": 1}, {"maximum": 2}]}, [1], [0, 3]),
    ({"anyOf": [{"type": "string"}, {"minimum": 2}]}, ["a", 2], [1]),
    ({"oneOf": [{"type": "integer"}, {"minimum": 2}]}, [1, 2.5], [3]),
    ({"$defs": {"a/b": {"type": "string"}}, "$ref": "#/$defs/a~1b"}, ["x"], [1]),
    (
        {"properties": {"next": {"$ref": "#"}}, "required": ["id"]},
        [{"id": 1, "next": {"id": 2}}],
        [{"id": 1, "next": {}}],
    ),
]


@pytest.mark.parametrize(("schema", "valid", "invalid"), CASES, ids=str)
def test_keywords(schema: Any, valid: list[Any], invalid: list[Any]) -> None:
    assert [value for value in valid if not holds(value, schema)] == []
    assert [value for value in invalid if holds(value, schema)] == []
    validator = jsonschema.Draft202012Validator(schema)
    assert all(map(validator.is_valid, valid))
    assert not any(map(validator.is_valid, invalid))


def test_schemas_as_google_writes_them() -> None:
    schema = {"type": "OBJECT", "properties": {"a": {"type": "STRING", "nullable": True}}}
    assert holds({"a": None}, schema)
    assert not holds({"a": 1}, schema)


def test_tuples_as_they_were_written_before_2020() -> None:
    schema = {"items": [{"type": "integer"}], "additionalItems": {"type": "string"}}
    assert holds([1, "a"], schema)
    assert not holds([1, 2], schema)
    assert not holds(["a"], schema)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": 5},
        {"enum": 5, "required": 5, "properties": [], "minimum": "a", "anyOf": {}},
        {"pattern": "("},
        {"pattern": 5},
        {"$ref": "#/nowhere"},
        {"$ref": "https://example.com/"},
        {"multipleOf": 0},
        {"multipleOf": 1e999},
    ],
    ids=str,
)
def test_what_is_wrong_in_a_schema_is_ignored(schema: Any) -> None:
    schema = {name: part for name, part in schema.items() if name != "enum"}
    assert holds(1, schema)
    assert holds("a", schema)
    assert holds({}, schema)


def test_a_schema_that_never_ends_is_refused() -> None:
    with pytest.raises(Refused):
        holds(1, {"$ref": "#"})


def test_what_takes_long_is_not_done_at_once() -> None:
    schema = {"$defs": {"a": {"anyOf": [{"properties": {"a": {"$ref": "#/$defs/a"}}, "not": {}, "type": "array"}] * 9}}}
    value: Any = {}
    for _ in range(20):
        value = {"a": value}
    schema["items"] = {"$ref": "#/$defs/a"}
    with pytest.raises(NotAtOnceError):
        is_valid([value] * 5000, schema, Effort(AT_ONCE))
