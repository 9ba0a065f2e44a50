"""Values that are valid against a JSON schema, checked by the `jsonschema` package."""

from __future__ import annotations

import contextlib
import json
import re
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mockd.sources.llm import budget
from mockd.sources.llm.budget import Refused
from mockd.sources.llm.schemas.example import _texts, example, example_text
from tests.unit.llm.schemas.samples import COMBINED, JSON, PERSON, SCHEMA, SCHEMAS, TANGLED


def is_valid(value: Any, schema: Any) -> None:
    if isinstance(schema, dict) and schema.get("exclusiveMinimum") is True:
        jsonschema.validate(value, schema, cls=jsonschema.Draft4Validator)
    else:
        checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
        jsonschema.validate(value, schema, cls=jsonschema.Draft202012Validator, format_checker=checker)


@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=SCHEMAS)
def test_the_value_is_valid(schema: Any) -> None:
    is_valid(example(schema), schema)


def test_what_is_optional_is_there_too() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "array", "items": PERSON}}}
    assert example(schema) == {"a": "text", "b": [{"name": "text", "age": 18}]}


def test_it_is_the_same_every_time() -> None:
    schema = {"type": "string", "pattern": "[a-z]{8}", "minLength": 8}
    assert example(schema) == example(dict(schema))
    assert json.loads(example_text(schema)) == example(schema)


def test_types_as_gemini_writes_them() -> None:
    schema = {
        "type": "OBJECT",
        "properties": {"n": {"type": "INTEGER"}, "names": {"type": "ARRAY", "items": {"type": "STRING"}}},
    }
    assert example(schema) == {"n": 1, "names": ["text"]}


def test_items_of_a_list_differ() -> None:
    schema = {"type": "array", "items": {"type": "object", "properties": {"id": {"type": "integer"}}}, "minItems": 3}
    assert [item["id"] for item in example(schema)] == [1, 2, 3]


def test_a_schema_that_goes_round_is_answered_shortly() -> None:
    assert len(example_text(TANGLED)) < 100_000


def alternatives_in_alternatives(levels: int) -> Any:
    schema: Any = False
    for _ in range(levels):
        schema = {"anyOf": [schema, schema]}
    return schema


def nested_without_end(levels: int) -> Any:
    def level(number: int) -> Any:
        below = {"$ref": f"#/$defs/{number + 1}"}
        return {"type": "object", "properties": {"a": below, "b": below}, "required": ["a", "b"]}

    return {"$defs": {str(number): level(number) for number in range(levels)}, **level(0)}


CONTRADICTIONS: dict[str, Any] = {
    "false": False,
    "no schema": "text",
    "unknown type": {"type": "colour"},
    "too short and too long": {"type": "string", "minLength": 3, "maxLength": 2},
    "bounds": {"type": "integer", "minimum": 3, "maximum": 2},
    "no integer between": {"type": "integer", "exclusiveMinimum": 1, "exclusiveMaximum": 2},
    "empty enum": {"type": "string", "enum": []},
    "enum of another type": {"type": "string", "enum": [1, None]},
    "const of another type": {"type": "string", "const": 1},
    "const that is too short": {"const": "a", "minLength": 2},
    "two constants": {"const": 1, "allOf": [{"const": 2}]},
    "endless": {"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]},
    "reference to nowhere": {"$ref": "#/$defs/no"},
    "reference to elsewhere": {"$ref": "https://example.com/schema"},
    "reference that is none": {"$ref": 7},
    "forbidden and required": {"type": "object", "properties": {}, "required": ["a"], "additionalProperties": False},
    "too many required": {"type": "object", "required": ["a", "b"], "maxProperties": 1},
    "few and many properties": {"type": "object", "minProperties": 2, "maxProperties": 1},
    "names that nothing has": {"type": "object", "minProperties": 1, "propertyNames": False},
    "too few names": {"type": "object", "minProperties": 3, "propertyNames": {"enum": ["a", "b"]}},
    "two of the alternatives": {"oneOf": [{"type": "integer"}, {"type": "number"}], "type": "integer"},
    "nothing but what is forbidden": {"type": "null", "not": {"type": "null"}},
    "no place for what it contains": {"type": "array", "contains": {"const": 1}, "maxItems": 0},
    "not enough different items": {"type": "array", "items": {"const": 1}, "minItems": 2, "uniqueItems": True},
    "broken pattern": {"type": "string", "pattern": "("},
    "pattern that nothing fits": {"type": "string", "pattern": "^a(?!a)a$"},
    "half a character": {"type": "string", "pattern": r"^\ud800$"},
    "nested without end": nested_without_end(99),
    "nonsense": {"type": "array", "minItems": "x", "items": 4},
    "nonsense properties": {"type": "object", "properties": [1]},
}


@pytest.mark.parametrize("schema", CONTRADICTIONS.values(), ids=CONTRADICTIONS)
def test_a_schema_without_a_valid_value_is_refused(schema: Any) -> None:
    with pytest.raises(Refused, match="JSON schema"):
        example(schema)


TOO_MUCH: dict[str, Any] = {
    "too many items": {"type": "array", "minItems": 10**9, "items": {}},
    "too many items in items": {
        "type": "array",
        "minItems": 300,
        "items": {"type": "array", "minItems": 300, "items": {"type": "array", "minItems": 300, "items": {}}},
    },
    "too long": {"type": "string", "minLength": 10**9},
    "many long items": {"type": "array", "minItems": 5000, "items": {"type": "string", "minLength": 50_000}},
    "many constants": {"type": "array", "minItems": 5000, "items": {"const": "x" * 50_000}},
    "many long names": {
        "type": "array",
        "minItems": 5000,
        "items": {"type": "object", "properties": {"x" * 50_000: {}}, "required": ["x" * 50_000]},
    },
    "too many properties": {"type": "object", "minProperties": 10**9},
    "alternatives without end": alternatives_in_alternatives(50),
    "references in a chain": {
        "$defs": {str(number): {"$ref": f"#/$defs/{number + 1}"} for number in range(5000)},
        "$ref": "#/$defs/0",
    },
    "many parts": {"allOf": [{"properties": {str(number): {}}} for number in range(5000)]},
    "many parts in items": {
        "type": "array",
        "minItems": 5000,
        "items": {"allOf": [{"enum": list(range(500))}, {"enum": list(range(400, 900))}]},
    },
    "many types": {"type": "array", "minItems": 500, "items": {"type": ["object"] * 5000 + ["string"]}},
    "many different items": {"type": "array", "minItems": 20_000, "uniqueItems": True, "items": {"type": "integer"}},
    **{
        f"checked too often: {name}": {
            "$defs": {"same": same, "often": {"allOf": [{"$ref": "#/$defs/same"}] * 5000}},
            "enum": [value],
            "not": {"not": {"$ref": "#/$defs/often"}},
        }
        for name, same, value in (
            ("const", {"const": [0] * 5000}, [0] * 5000),
            ("unique items", {"uniqueItems": True}, list(range(5000))),
            ("required", {"required": [f"p{number}" for number in range(999)]}, {f"p{n}": 0 for n in range(999)}),
            ("properties", {"properties": {f"p{number}": {} for number in range(999)}}, {"p0": 0}),
            ("no others", {"additionalProperties": False, "patternProperties": {".": {}}}, {"a": 0}),
            ("no needs", {"dependentRequired": {f"p{number}": [] for number in range(999)}}, {"a": 0}),
            ("no schemas", {"dependentSchemas": {f"p{number}": {} for number in range(999)}}, {"a": 0}),
        )
    },
    "a long pattern": {"type": "string", "pattern": "a" * (budget.LONGEST_PATTERN + 1)},
    "pattern that repeats too much": {"type": "string", "pattern": "((((a{999}){999}){999}){999})"},
    "pattern that repeats nothing": {"type": "string", "pattern": "(?:){4000000000}"},
    "pattern that repeats itself": {"type": "string", "pattern": r"(a{99})(\1{99})(\2{99})(\3{99})(\4{99})"},
    "a pattern for each item": {
        "type": "array",
        "minItems": 5000,
        "items": {"type": "string", "pattern": r"[\x00-\x20\u0000-\uffff]{90}"},
    },
}


@pytest.mark.parametrize("schema", TOO_MUCH.values(), ids=TOO_MUCH)
def test_what_would_take_too_much_is_refused(schema: Any) -> None:
    with pytest.raises(Refused):
        example(schema)


BACKTRACKING = [
    "^(a+)+$",
    "^(a|a)*$",
    "^(a|ab)(c|bcd)*$",
    r"^(\w+\s?)*$",
    "(x+x+)+y",
    "^(?:(?:a?){30}){30}$",
    "(?i)^(a+)+$",
]


@pytest.mark.parametrize("pattern", BACKTRACKING)
@pytest.mark.parametrize("least", [1, 60])
def test_a_pattern_that_backtracks_is_searched_for_only_if_that_is_quick(
    pattern: str, least: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def search(pattern: str, text: str) -> object:
        assert len(text) < 20
        return found(pattern, text)

    found = re.search
    monkeypatch.setattr(re, "search", search)
    text = example({"type": "string", "pattern": pattern, "minLength": least})
    assert len(text) >= least or least == 60


@pytest.mark.parametrize("schema", [{"type": "integer", "minimum": 1e300}, {"type": "number", "maximum": -1e300}])
def test_a_number_that_is_too_large_for_an_integer_is_a_float(schema: Any) -> None:
    is_valid(json.loads(example_text(schema)), schema)


def test_close_to_the_budget_there_is_a_value() -> None:
    schemas: list[Any] = [
        {"type": "array", "minItems": 1000, "items": {"type": "integer"}},
        {"type": "array", "minItems": 100, "items": PERSON},
        {"type": "array", "minItems": 9, "items": {"type": "string", "minLength": 100_000}},
        {"type": "object", "properties": {f"p{number}": {"type": "string"} for number in range(5000)}},
        {"type": "array", "minItems": 100, "items": SCHEMAS["pattern of numbers"]},
        {"type": "array", "minItems": 200, "uniqueItems": True, "items": {"type": "integer"}},
    ]
    for schema in schemas:
        is_valid(json.loads(example_text(schema)), schema)


def test_examples_are_kept_in_few_bytes() -> None:
    for length in range(900_000, 900_020):
        example_text({"type": "string", "minLength": length})
    assert sum(map(len, _texts.values())) < 8 * 2**20


# -- any schema --------------------------------------------------------------------------------------------------------


@given(SCHEMA)
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_schema_has_its_value(schema: Any) -> None:
    is_valid(example(schema), schema)


KEYWORDS = re.findall(
    r"\S+",
    "type items properties required enum const anyOf oneOf allOf $ref $defs minItems maxItems minLength maxLength "
    "pattern format minimum maximum multipleOf uniqueItems prefixItems additionalProperties minProperties",
)


@given(st.recursive(JSON, lambda inner: st.dictionaries(st.sampled_from(KEYWORDS), inner), max_leaves=10))
@settings(max_examples=300, deadline=None)
def test_nothing_that_a_client_sends_as_a_schema_is_too_much(schema: Any) -> None:
    with contextlib.suppress(Refused):
        json.loads(example_text(schema))


@given(COMBINED)
@settings(max_examples=700, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_what_is_made_is_valid_or_the_schema_is_refused(schema: Any) -> None:
    with contextlib.suppress(Refused):
        jsonschema.validate(example(schema), schema, cls=jsonschema.Draft202012Validator)
