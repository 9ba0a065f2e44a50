"""The OpenAPI document, and the admin API held to it."""

from __future__ import annotations

import inspect
from typing import Any

import jsonschema
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from starlette.testclient import TestClient

from mockd.admin import create_admin
from mockd.admin.app import OPERATIONS
from mockd.admin.openapi import document
from mockd.engine import Engine
from tests.admin.conftest import HELLO
from tests.admin.documented import CHECKS, ENDLESS


def _loaded_app() -> Any:
    app = create_admin(Engine())
    answer = TestClient(app, base_url="http://localhost").post("/mocks", json=HELLO)
    assert answer.status_code == 201
    return app


schema = schemathesis.openapi.from_asgi("/openapi.json", _loaded_app()).exclude(path_regex=ENDLESS)


@schema.parametrize()
@settings(
    max_examples=15, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), phases=[Phase.generate]
)
def test_answers_are_as_the_document_says(case: Any) -> None:
    if case.path.endswith("/wait"):
        case.query = {**(case.query or {}), "timeoutSeconds": "0.01"}
    case.call_and_validate(checks=CHECKS)


def test_every_operation_is_in_the_document(admin: TestClient) -> None:
    document = admin.get("/openapi.json").json()
    listed = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    assert listed == {(operation.method, operation.path) for operation in OPERATIONS}
    ids = [operation["operationId"] for methods in document["paths"].values() for operation in methods.values()]
    assert len(set(ids)) == len(ids)
    assert all(operation["summary"] for methods in document["paths"].values() for operation in methods.values())


def test_schemas_are_valid_and_have_no_loose_ends(admin: TestClient) -> None:
    document = admin.get("/openapi.json").json()
    for component in document["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(component)
    for reference in _references(document):
        assert reference.removeprefix("#/components/schemas/") in document["components"]["schemas"]


def _references(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        return own + [found for inner in value.values() for found in _references(inner)]
    return [found for inner in value for found in _references(inner)] if isinstance(value, list) else []


@pytest.mark.parametrize("path", ["/mocks", "/mocks/hello", "/config", "/status", "/sse/connections", "/health"])
def test_errors_and_answers_have_their_schemas(admin: TestClient, hello: dict[str, Any], path: str) -> None:
    document = admin.get("/openapi.json").json()
    template = path.replace("/mocks/hello", "/mocks/{id}")
    content = document["paths"][template]["get"]["responses"]["200"]["content"]
    bound = content["application/json"]["schema"] | {"components": document["components"]}
    jsonschema.Draft202012Validator(bound).validate(admin.get(path).json())


def test_descriptions_are_the_same_on_every_python() -> None:
    """Some versions of Python keep the indentation of docstrings, and some do not."""
    parts = document(OPERATIONS)["components"]["schemas"]
    described = {name: part["description"] for name, part in parts.items() if "description" in part}
    assert any("\n" in description for description in described.values())
    assert described == {name: inspect.cleandoc(description) for name, description in described.items()}
