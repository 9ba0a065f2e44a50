"""Values that are valid against a JSON schema, checked by the `jsonschema` package."""

from __future__ import annotations

import json
import logging
import re
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mockd.sources.llm import budget, schema_example
from mockd.sources.llm.budget import Refused
from mockd.sources.llm.schema_example import example, example_text

PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer", "minimum": 18, "maximum": 99}},
    "required": ["name", "age"],
    "additionalProperties": False,
}
TREE = {
    "$defs": {
        "node": {
            "type": "object",
            "properties": {
                "value": {"type": "number"},
                "children": {"type": "array", "items": {"$ref": "#/$defs/node"}},
            },
            "required": ["value", "children"],
            "additionalProperties": False,
        }
    },
    "$ref": "#/$defs/node",
}
LINKED = {
    "type": "object",
    "properties": {"value": {"type": "string"}, "next": {"anyOf": [{"$ref": "#"}, {"type": "null"}]}},
    "required": ["value", "next"],
    "additionalProperties": False,
}
TANGLED = {
    "$defs": {
        name: {
            "type": "object",
            "properties": {
                other: {"anyOf": [{"$ref": f"#/$defs/{other}"}, {"type": "null"}]} for other in "abcdefghij"
            },
            "required": list("abcdefghij"),
            "additionalProperties": False,
        }
        for name in "abcdefghij"
    },
    "$ref": "#/$defs/a",
}

SCHEMAS: dict[str, Any] = {
    "anything": {},
    "true": True,
    "object": {"type": "object"},
    "person": PERSON,
    "tree": TREE,
    "linked list": LINKED,
    "ten that refer to each other": TANGLED,
    "optional recursion": {"type": "object", "properties": {"again": {"$ref": "#"}, "n": {"type": "integer"}}},
    "recursion through allOf": {
        "$defs": {"n": {"type": "object", "properties": {"child": {"allOf": [{"$ref": "#/$defs/n"}]}}}},
        "$ref": "#/$defs/n",
    },
    "definitions": {"definitions": {"a/b": {"const": 1}}, "$ref": "#/definitions/a~1b"},
    "reference with more beside it": {
        "$defs": {"n": {"type": "integer", "minimum": 3}},
        "$ref": "#/$defs/n",
        "maximum": 4,
    },
    "reference to a reference": {
        "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"type": "boolean"}},
        "type": "array",
        "items": {"$ref": "#/$defs/a"},
        "minItems": 2,
    },
    "enum": {"enum": ["red", 7, None]},
    "enum of a type": {"type": "string", "enum": ["a", "b"]},
    "const null": {"const": None},
    "nullable": {"type": ["null", "string"]},
    "only null": {"type": "null"},
    "anyOf": {"anyOf": [{"type": "string", "minLength": 5}, {"type": "null"}]},
    "anyOf whose first cannot be": {"anyOf": [False, {"type": "string", "minLength": 3, "maxLength": 2}, {"const": 4}]},
    "anyOf beside properties": {
        "type": "object",
        "properties": {"a": {"type": "string"}},
        "anyOf": [{"required": ["a"]}, {"required": ["b"]}],
    },
    "tagged oneOf": {
        "oneOf": [
            {"type": "object", "properties": {"kind": {"const": kind}, "n": {"type": "integer"}}, "required": ["kind"]}
            for kind in ("cat", "dog")
        ]
    },
    "allOf": {
        "allOf": [
            {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]},
            {"properties": {"a": {"minLength": 9}, "b": {"type": "integer"}}, "required": ["b"]},
        ]
    },
    "allOf of numbers": {"allOf": [{"type": "number", "minimum": 2}, {"type": "integer", "maximum": 2.5}]},
    "allOf of enums": {"allOf": [{"enum": [1, 2, 3]}, {"enum": [3, 4]}]},
    "length": {"type": "string", "minLength": 40, "maxLength": 41},
    "short": {"type": "string", "maxLength": 2},
    "empty text": {"type": "string", "maxLength": 0},
    "pattern": {"type": "string", "pattern": "^[A-Z]{3}-\\d{4}$"},
    "pattern with length": {"type": "string", "pattern": "^[a-z]*$", "minLength": 7, "maxLength": 12},
    "pattern anywhere": {"type": "string", "pattern": "a(b|c)+d"},
    "pattern of an address": {"type": "string", "pattern": r"^[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}$"},
    "pattern of numbers": {"type": "string", "pattern": r"^((25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(25[0-5]|1?\d?\d)$"},
    "pattern that looks ahead": {"type": "string", "pattern": r"^(?=.*[A-Z])(?=.*\d).{8,}$"},
    "pattern with a reference": {"type": "string", "pattern": r"^(a|b)-\1$"},
    "pattern of what is not": {"type": "string", "pattern": r"^[^\sa-z]+\D\W\S$"},
    "pattern of long words": {"type": "string", "pattern": "^(([a-z])+.)+[A-Z]([a-z])+$", "minLength": 40},
    "pattern of all characters": {"type": "string", "pattern": "[\\x00-\\uffff]{3}"},
    "integer": {"type": "integer"},
    "between": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
    "old exclusive": {"type": "integer", "minimum": 5, "exclusiveMinimum": True, "maximum": 6},
    "negative": {"type": "integer", "maximum": -3},
    "multiple": {"type": "integer", "multipleOf": 7, "minimum": 8},
    "multiple of a fraction": {"type": "number", "multipleOf": 0.25, "exclusiveMinimum": 1},
    "whole multiple of a fraction": {"type": "integer", "multipleOf": 1.5, "minimum": 1},
    "list": {"type": "array", "items": {"type": "integer"}, "minItems": 3, "maxItems": 4},
    "no list items": {"type": "array", "items": {"type": "integer"}, "maxItems": 0},
    "unique numbers": {"type": "array", "items": {"type": "integer", "maximum": 5}, "minItems": 4, "uniqueItems": True},
    "unique words": {"type": "array", "items": {"enum": ["a", "b", "c"]}, "minItems": 3, "uniqueItems": True},
    "unique texts": {"type": "array", "items": {"type": "string", "maxLength": 5}, "minItems": 9, "uniqueItems": True},
    "unique objects": {"type": "array", "items": PERSON, "minItems": 3, "uniqueItems": True},
    "tuple": {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}], "items": False},
    "map": {"type": "object", "additionalProperties": {"type": "integer"}, "minProperties": 2},
    "few properties": {
        "type": "object",
        "properties": {"a": {}, "b": {}, "c": {}},
        "required": ["c"],
        "maxProperties": 2,
    },
    "property that must not be": {"type": "object", "properties": {"a": False, "b": {"type": "string"}}},
    "required without a schema": {"type": "object", "required": ["a"]},
    "type by its keywords": {"properties": {"a": {"minimum": 5}, "b": {"items": {"pattern": "x+"}}}},
    **{f"format {name}": {"type": "string", "format": name} for name in ("date-time", "date", "email", "uuid", "ipv4")},
    "unknown format": {"type": "string", "format": "colour"},
}


def is_valid(value: Any, schema: Any) -> None:
    if isinstance(schema, dict) and schema.get("exclusiveMinimum") is True:
        jsonschema.validate(value, schema, cls=jsonschema.Draft4Validator)
    else:
        checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
        jsonschema.validate(value, schema, cls=jsonschema.Draft202012Validator, format_checker=checker)


@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=SCHEMAS)
def test_the_value_is_valid(schema: Any, caplog: pytest.LogCaptureFixture) -> None:
    is_valid(example(schema), schema)
    assert not caplog.records


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


CONTRADICTIONS: dict[str, tuple[Any, Any]] = {
    "false": (False, None),
    "no schema": ("text", None),
    "unknown type": ({"type": "colour"}, None),
    "too short and too long": ({"type": "string", "minLength": 3, "maxLength": 2}, ""),
    "bounds": ({"type": "integer", "minimum": 3, "maximum": 2}, 0),
    "no integer between": ({"type": "integer", "exclusiveMinimum": 1, "exclusiveMaximum": 2}, 0),
    "empty enum": ({"type": "string", "enum": []}, ""),
    "endless": ({"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]}, {}),
    "reference to nowhere": ({"$ref": "#/$defs/no"}, None),
    "reference to elsewhere": ({"$ref": "https://example.com/schema"}, None),
    "reference that is none": ({"$ref": 7}, None),
    "forbidden and required": (
        {"type": "object", "properties": {}, "required": ["a"], "additionalProperties": False},
        {},
    ),
    "not enough different items": ({"type": "array", "items": {"const": 1}, "minItems": 2, "uniqueItems": True}, []),
    "broken pattern": ({"type": "string", "pattern": "("}, ""),
    "pattern that nothing fits": ({"type": "string", "pattern": "^a(?!a)a$"}, ""),
    "nested without end": (nested_without_end(99), {}),
    "nonsense": ({"type": "array", "minItems": "x", "items": 4}, []),
    "nonsense properties": ({"type": "object", "properties": [1]}, {}),
}


@pytest.mark.parametrize(("schema", "value"), CONTRADICTIONS.values(), ids=CONTRADICTIONS)
def test_without_a_valid_value_a_warning_says_so(schema: Any, value: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "mockd"):
        assert example(schema) == value
    [record] = caplog.records
    assert record.getMessage().startswith("the reply is not valid against the JSON schema of its request: ")


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


def test_half_a_character_is_no_text() -> None:
    assert example_text({"type": "string", "pattern": r"^\ud800$"}) == '""'


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
    assert sum(map(len, schema_example._texts.values())) < 8 * 2**20


# -- any schema --------------------------------------------------------------------------------------------------------

NAMES = st.sampled_from(["a", "b", "c", "d"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text("xyz", max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)


@st.composite
def number_schemas(draw: st.DrawFn) -> dict[str, Any]:
    low = draw(st.integers(-50, 50))
    bounds = {"minimum": low, "maximum": low + draw(st.integers(5, 40)), "exclusiveMinimum": low}
    chosen = draw(st.sets(st.sampled_from(sorted(bounds))))
    step = {"multipleOf": draw(st.sampled_from([1, 2, 5, 0.5]))} if draw(st.booleans()) else {}
    kind = draw(st.sampled_from(["integer", "number"]))
    return {"type": kind, **{name: bounds[name] for name in sorted(chosen)}, **step}


@st.composite
def text_schemas(draw: st.DrawFn) -> dict[str, Any]:
    least = draw(st.integers(0, 30))
    schema: dict[str, Any] = {"type": "string"}
    if draw(st.booleans()):
        schema |= {"minLength": least, "maxLength": least + draw(st.integers(0, 9))}
    return schema


def object_schemas(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    @st.composite
    def make(draw: st.DrawFn) -> dict[str, Any]:
        properties = draw(st.dictionaries(NAMES, inner, max_size=4))
        required = draw(st.lists(st.sampled_from(sorted(properties)), unique=True)) if properties else []
        return {
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": draw(st.booleans()),
        }

    return make()


def array_schemas(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.builds(
        lambda items, least: {"type": "array", "items": items, "minItems": least, "maxItems": least + 1},
        inner,
        st.integers(0, 3),
    )


SCHEMA = st.recursive(
    number_schemas()
    | text_schemas()
    | st.just({"type": "boolean"})
    | st.builds(lambda values: {"enum": values}, st.lists(JSON, min_size=1, max_size=3))
    | st.builds(lambda value: {"const": value}, JSON),
    lambda inner: (
        object_schemas(inner)
        | array_schemas(inner)
        | st.builds(lambda parts: {"anyOf": parts}, st.lists(inner, min_size=1, max_size=3))
        | st.builds(lambda part: {"allOf": [part], "$defs": {"unused": {}}}, inner)
        | st.builds(lambda part: {"type": ["array", "null"], "items": part, "minItems": 2}, inner)
    ),
    max_leaves=12,
)


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
    json.loads(example_text(schema))
