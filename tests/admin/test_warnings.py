"""Warnings in the answers of the admin API: a key that is there only if there are any."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

DOUBTFUL: dict[str, Any] = {"id": "a", "matcher": {"path": "/a?x=1"}, "response": {"body": "a"}}
PATCH = {"matcher": {"path": "/a?x=2"}}


@pytest.mark.parametrize(
    ("method", "path", "body", "place"),
    [
        ("POST", "/mocks", DOUBTFUL, "$.matcher.path"),
        ("PUT", "/mocks/hello", DOUBTFUL | {"id": "hello"}, "$.matcher.path"),
        ("PATCH", "/mocks/hello", PATCH, "$.matcher.path"),
        ("POST", "/config", [DOUBTFUL], "$[0].matcher.path"),
        ("POST", "/config?dryRun=true", {"config": [DOUBTFUL]}, "$.config[0].matcher.path"),
    ],
)
def test_a_change_is_answered_with_its_warnings(
    admin: TestClient, hello: dict[str, Any], method: str, path: str, body: Any, place: str
) -> None:
    answer = admin.request(method, path, json=body)
    assert answer.status_code in (200, 201)
    (warning,) = answer.json()["warnings"]
    assert warning["path"] == place
    assert "query" in warning["message"]
    assert "queryParams" in warning["hint"]


def test_what_another_tool_noted_is_a_warning_too(admin: TestClient, hello: dict[str, Any]) -> None:
    (warning,) = admin.put("/mocks/hello", json=hello | {"createdAt": "yesterday"}).json()["warnings"]
    assert "`createdAt`" in warning["message"]


def test_other_changes_bring_no_warnings_of_what_stays(admin: TestClient) -> None:
    admin.post("/mocks", json=DOUBTFUL)
    other = DOUBTFUL | {"id": "b", "matcher": {"path": "/b"}}
    assert "warnings" not in admin.post("/mocks", json=other).json()
    assert "warnings" not in admin.post("/config", json=[other]).json()
    assert "warnings" not in admin.post("/config?dryRun=true", json=[other]).json()
