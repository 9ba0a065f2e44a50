"""The JSON Schema: current, valid, and no stricter than the loader."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from mockd.config.load import parse_collection
from mockd.config.schema import SCHEMA_FILE, json_schema, schema_text

MOCK: dict[str, Any] = {"matcher": {"path": "/a"}, "response": {}}
SSE: dict[str, Any] = {"matcher": {"path": "/a"}, "sse": {"events": [{"data": None}]}}

VALIDATOR = Draft202012Validator(json_schema())


def test_the_shipped_schema_is_current() -> None:
    assert SCHEMA_FILE.read_text(encoding="utf-8") == schema_text(), "run: python -m mockd.config.schema"


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(json_schema())


@pytest.mark.parametrize(
    "document",
    [
        MOCK,
        [],
        [MOCK, SSE],
        {"mocks": []},
        {"$schema": "mockd.schema.json", "mocks": []},
        {"$schema": "mockd.schema.json", **MOCK},
        {"version": "1.0", "name": None, "mocks": [MOCK]},
        {"version": 1, "mocks": [MOCK]},
        {"version": "1", "mocks": [MOCK]},
        {"version": 1.0, "kind": "x", "metadata": {"name": 1}, "serverConfig": None, "mocks": [SSE]},
        {"type": "http", "id": "a", "http": MOCK},
        {"http": {"matcher": {"path": "/a"}}, "response": {}},
        {"mocks": [{"http": SSE, "createdAt": 5, "workspaceId": ""}]},
        {**MOCK, "type": "http", "id": None, "name": None, "syncVersion": 1},
        {**MOCK, "sse": None},
        {
            "matcher": {"method": "post", "headers": {"a": "*"}, "bodyJsonPath": {"$.a": {"exists": True}}},
            "sse": {
                "template": "t",
                "templateParams": {"x": [1]},
                "timing": {"fixedDelay": 1, "randomDelay": {"max": 5}, "burst": {"count": 2}},
                "lifecycle": {"keepaliveInterval": 15, "termination": {"type": "error", "finalEvent": {"data": 1}}},
                "rateLimit": {"eventsPerSecond": 0.5},
                "resume": {"enabled": True},
            },
        },
        {
            "matcher": {"path": "/a"},
            "responses": [
                {"response": {"status": 503}, "times": 2},
                {"sse": {"events": [{"data": 1}]}, "faults": ["reset", {"action": "stall", "after": {"events": 1}}]},
            ],
            "then": "miss",
            "scenario": {"name": "s", "when": ["a", "b"], "set": "c"},
        },
    ],
)
def test_what_the_loader_accepts_the_schema_accepts(document: Any) -> None:
    parse_collection(document, root=None)
    VALIDATOR.validate(document)


@pytest.mark.parametrize(
    "document",
    [
        {"version": "2.0", "mocks": []},
        {"version": "1.0"},
        {"response": {}},
        {**MOCK, "type": "grpc"},
        {**MOCK, "respons": {}},
        {**MOCK, "id": 5},
        [{**MOCK, "response": {"status": 1000}}],
        {"http": {**MOCK, "type": "http"}},
        {"matcher": {"path": "/a"}, "sse": {"events": [{"data": 1, "foo": 1}]}},
        {"matcher": {"path": "/a"}, "responses": []},
        {"matcher": {"path": "/a"}, "responses": [{"response": {}, "times": 0}]},
        {"matcher": {"path": "/a"}, "responses": [{"response": {}, "faults": [{"action": "rest"}]}]},
        {"matcher": {"path": "/a"}, "responses": [{"response": {}}], "then": "stop"},
        {"matcher": {"path": "/a"}, "response": {}, "scenario": {"name": "s", "when": []}},
    ],
)
def test_common_mistakes_are_seen_by_the_schema(document: Any) -> None:
    assert not VALIDATOR.is_valid(document)


def test_every_key_of_the_format_is_described() -> None:
    for part, schema in json_schema()["$defs"].items():
        for key, field in schema["properties"].items():
            assert field.get("description"), f"{part}.{key}"
