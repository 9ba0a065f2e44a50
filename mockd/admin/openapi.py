"""The admin API's operations as data, and the OpenAPI 3.1 document that is made from them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from msgspec import Struct

import mockd
from mockd.admin.calls import Handler
from mockd.admin.shapes import Error
from mockd.config.schema import schema_of

_REFERENCE = "#/components/schemas/{name}"

_KEYS: list[dict[str, list[str]]] = [{"apiKey": []}, {"bearer": []}, {}]

_SECURITY_SCHEMES = {
    "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    "bearer": {"type": "http", "scheme": "bearer"},
}


class Query(Struct, frozen=True):
    """A query parameter of an operation."""

    name: str
    type: Any
    description: str


class Operation(Struct, frozen=True):
    """One operation of the admin API: a row of the route table.

    Its handler's docstring becomes its summary in the document. `answer` is the type of the answer's JSON value, or
    None for an empty answer. `body` has the types of JSON value that the operation takes. `errors` are statuses of
    refusals that do not follow from the other fields. The body may be left out if `needs_body` is false. An `open`
    operation needs no key, as it is for the probes of other machines. An operation with `makes_key` makes the key that
    it is about if there is none. One that `waits` is ended when its client leaves.
    """

    method: str
    path: str
    handler: Handler
    answer: Any
    status: int = 200
    body: tuple[Any, ...] = ()
    body_types: tuple[str, ...] = ("application/json",)
    query: tuple[Query, ...] = ()
    answer_types: tuple[str, ...] = ("application/json",)
    errors: tuple[int, ...] = ()
    open: bool = False
    makes_key: bool = False
    waits: bool = False
    needs_body: bool = True


class _Schemas:
    """JSON Schemas of types. The schemas to which they refer are collected in `components`."""

    def __init__(self) -> None:
        self.components: dict[str, Any] = {}

    def of(self, type: Any) -> dict[str, Any]:
        schema, components = schema_of(type, _REFERENCE)
        self.components |= components
        return schema


def document(operations: Sequence[Operation], prefix: str = "") -> dict[str, Any]:
    """The OpenAPI document of an admin API that is mounted at `prefix`."""
    schemas = _Schemas()
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _describe(operation, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "mockd admin API",
            "version": mockd.__version__,
            "description": "Mocks, live connections and configuration of a running mockd.",
        },
        "servers": [{"url": prefix or "/"}],
        "paths": paths,
        "components": {"schemas": schemas.components, "securitySchemes": _SECURITY_SCHEMES},
    }


def _describe(operation: Operation, schemas: _Schemas) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.handler.__name__,
        "summary": (operation.handler.__doc__ or "").removesuffix("."),
    }
    if parameters := [*_path_parameters(operation), *_query_parameters(operation, schemas)]:
        described["parameters"] = parameters
    if operation.body:
        alternatives = [schemas.of(type) for type in operation.body]
        schema = alternatives[0] if len(alternatives) == 1 else {"anyOf": alternatives}
        described["requestBody"] = {"required": operation.needs_body, "content": _content(operation.body_types, schema)}
    described["responses"] = _responses(operation, schemas)
    described["security"] = [] if operation.open else _KEYS
    return described


def _path_parameters(operation: Operation) -> list[dict[str, Any]]:
    names = re.findall(r"\{(\w+)\}", operation.path)
    schema = {"type": "string", "minLength": 1}
    return [{"name": name, "in": "path", "required": True, "schema": schema} for name in names]


def _query_parameters(operation: Operation, schemas: _Schemas) -> list[dict[str, Any]]:
    return [
        {"name": query.name, "in": "query", "description": query.description, "schema": schemas.of(query.type)}
        for query in operation.query
    ]


def _responses(operation: Operation, schemas: _Schemas) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": HTTPStatus(operation.status).phrase}
    if operation.answer is not None:
        answer["content"] = _content(operation.answer_types, schemas.of(operation.answer))
    error = _content(("application/json",), schemas.of(Error))
    refusals = {
        str(status): {"description": HTTPStatus(status).phrase, "content": error} for status in _refusals(operation)
    }
    return {str(operation.status): answer} | refusals


def _refusals(operation: Operation) -> list[int]:
    """The statuses with which an operation may refuse."""
    statuses = {403, *operation.errors}
    if not operation.open:
        statuses.add(401)
    if "{" in operation.path:
        statuses.add(404)
    if operation.body:
        statuses |= {400, 413}
    if operation.query:
        statuses.add(400)
    return sorted(statuses)


def _content(types: tuple[str, ...], schema: dict[str, Any]) -> dict[str, Any]:
    return {type: {"schema": schema} for type in types}
