"""JSON schemas: cases of every kind, and strategies that draw any."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

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
    "enum of which one fits": {"type": "string", "enum": [1, None, "a", "bcd"], "minLength": 3},
    "enum beside a reference": {
        "$defs": {"colour": {"enum": ["red", "green"]}},
        "$ref": "#/$defs/colour",
        "enum": ["blue", "green"],
    },
    "enum in a list of different items": {
        "type": "array",
        "items": {"type": "integer", "enum": ["a", 1, 2, "b", 3]},
        "minItems": 3,
        "uniqueItems": True,
    },
    "anyOf in anyOf": {
        "allOf": [{"anyOf": [{"const": 1}, {"const": 2}]}, {"anyOf": [{"const": 2}, {"const": 3}]}],
    },
    "oneOf that overlaps": {"oneOf": [{"required": ["a"]}, {"required": ["b"]}], "type": "object"}
    | {"properties": {"a": {"type": "string"}, "b": {"type": "string"}}},
    "anyOf beside a constant": {"const": "b", "anyOf": [{"type": "integer"}, {"type": "string"}]},
    "closed parts": {
        "allOf": [
            {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": False},
            {"properties": {"b": {"type": "string"}}},
        ]
    },
    "not": {"type": "integer", "not": {"const": 1}},
    "if": {
        "type": "object",
        "properties": {"kind": {"enum": ["cat", "dog"]}, "lives": {"type": "integer"}},
        "required": ["kind"],
        "if": {"properties": {"kind": {"const": "cat"}}},
        "then": {"required": ["lives"], "properties": {"lives": {"const": 9}}},
        "else": {"properties": {"lives": False}},
    },
    "contains": {"type": "array", "items": {"type": "integer"}, "contains": {"minimum": 7}, "minContains": 2},
    "dependent names": {
        "type": "object",
        "properties": {"a": {"type": "string"}},
        "dependentRequired": {"a": ["b"], "b": ["c"]},
    },
    "dependent schemas": {
        "type": "object",
        "properties": {"a": {"type": "string"}},
        "dependentSchemas": {"a": {"required": ["b"]}},
    },
    "names of a pattern": {
        "type": "object",
        "patternProperties": {"^x-": {"type": "integer"}},
        "additionalProperties": False,
        "minProperties": 2,
        "required": ["x-a"],
    },
    "names of properties": {"type": "object", "propertyNames": {"pattern": "^[a-z]{3}$"}, "minProperties": 2},
    "a name with two schemas": {
        "type": "object",
        "properties": {"x-a": {"type": "string"}},
        "patternProperties": {"^x-": {"minLength": 9}},
    },
    "multiple of a tenth": {"type": "number", "multipleOf": 0.1, "exclusiveMinimum": -2},
}


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


def _combined(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Schemas of any keywords, which may depend on each other or contradict each other."""
    parts, small = st.lists(inner, min_size=1, max_size=3), st.integers(0, 3)
    named = st.dictionaries(NAMES, inner, max_size=3)
    patterns = st.sampled_from(["^a$", "b", "^[a-c]+$", r"^\d{2,3}$", "^(a|b)", "(?=a)a"])
    keywords = {
        "type": st.sampled_from(["object", "array", "string", "integer", "number", "boolean", "null"]),
        "enum": st.lists(JSON, min_size=1, max_size=3),
        "const": JSON,
        "anyOf": parts,
        "oneOf": parts,
        "allOf": parts,
        "not": inner,
        "if": inner,
        "then": inner,
        "else": inner,
        "properties": named,
        "patternProperties": st.dictionaries(patterns, inner, max_size=2),
        "additionalProperties": inner | st.booleans(),
        "propertyNames": st.fixed_dictionaries({"pattern": patterns}),
        "required": st.lists(NAMES, max_size=2, unique=True),
        "dependentRequired": st.dictionaries(NAMES, st.lists(NAMES, max_size=2, unique=True), max_size=2),
        "dependentSchemas": named,
        "items": inner,
        "prefixItems": parts,
        "contains": inner,
        "uniqueItems": st.booleans(),
        "pattern": patterns,
        "$ref": st.sampled_from(["#/$defs/a", "#/$defs/b"]),
        **{f"{end}{what}": small for end in ("min", "max") for what in ("Items", "Length", "Properties", "Contains")},
        **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), st.integers(-3, 3)),
        "multipleOf": st.sampled_from([1, 2, 0.5]),
    }
    chosen = st.lists(st.sampled_from(sorted(keywords)), max_size=4, unique=True)
    return chosen.flatmap(lambda names: st.fixed_dictionaries({name: keywords[name] for name in names}))


_ALONE = st.sampled_from(
    [True, {}, {"type": "string"}, {"type": "integer"}, {"type": "object"}, {"type": "array"}, {"const": 1}]
)
_PARTS = st.recursive(_ALONE, _combined, max_leaves=6)
COMBINED = st.builds(lambda schema, a, b: {**schema, "$defs": {"a": a, "b": b}}, _combined(_PARTS), _ALONE, _ALONE)
"""Schemas that may have no value."""
