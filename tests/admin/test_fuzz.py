"""Whatever is sent, nothing breaks, and a refused change changes nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from mockd import create_app
from mockd.admin import create_admin
from mockd.engine import Engine
from tests.admin.conftest import HELLO
from tests.admin.nearly import RICH, nearly, nearly_mocks, values

bodies = nearly_mocks() | values


@pytest.fixture(scope="module")
def admin() -> TestClient:
    return TestClient(create_admin(Engine()), base_url="http://localhost")


bounded = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def check(admin: TestClient, method: str, path: str, body: bytes, media_type: str = "application/json") -> None:
    """Send `body` to a server with two mocks: it is taken, or refused and nothing is changed."""
    assert admin.post("/config?replace=true", json=[HELLO, RICH]).status_code == 200
    before = admin.get("/mocks").content
    answer = admin.request(method, path, content=body, headers={"content-type": media_type})
    after = admin.get("/mocks")
    assert after.status_code == 200
    if answer.status_code >= 300:
        assert answer.status_code in (400, 409), answer.text
        assert answer.json().keys() >= {"error", "message"}
        assert after.content == before
    else:
        assert admin.get("/config?format=yaml").status_code == 200


@bounded
@given(body=bodies)
def test_any_body_to_post(admin: TestClient, body: Any) -> None:
    check(admin, "POST", "/mocks", json.dumps(body).encode())


@bounded
@given(body=bodies)
def test_any_body_to_put(admin: TestClient, body: Any) -> None:
    check(admin, "PUT", "/mocks/hello", json.dumps(body).encode())


@bounded
@given(body=bodies)
def test_any_body_to_patch(admin: TestClient, body: Any) -> None:
    check(admin, "PATCH", "/mocks/rich", json.dumps(body).encode())


@bounded
@given(body=bodies | st.lists(bodies, max_size=3) | st.fixed_dictionaries({"config": bodies, "replace": values}))
def test_any_body_to_import(admin: TestClient, body: Any) -> None:
    check(admin, "POST", "/config", json.dumps(body).encode())


@bounded
@given(body=st.binary(max_size=40) | st.text(alphabet='{}[]",:\\u0dE-+1.ntf \n', max_size=30).map(str.encode))
@pytest.mark.parametrize("media_type", ["application/json", "application/yaml"])
def test_any_bytes_to_import(admin: TestClient, media_type: str, body: bytes) -> None:
    check(admin, "POST", "/config", body, media_type)


REQUEST: dict[str, Any] = {
    "method": "POST",
    "path": "/a/{id}/*",
    "headers": {"x": "a*", "authorization": {"pattern": "a"}},
    "queryParams": {"key": "a", "q": {"exists": True}},
    "bodyJsonPath": {"$.a": 1, "$[?@ > 0]": {"exists": True}},
    "bodyContains": "a",
    "not": {"pathPattern": "^/x", "bodyEquals": "{}"},
    "mock": "hello",
    "key": "k",
}
VERIFICATIONS: list[dict[str, Any]] = [
    {"request": REQUEST, "times": {"atLeast": 1, "atMost": 2}},
    {"request": "POST /a/1/b", "never": True},
    {"order": ["/a", REQUEST, "GET /hello"]},
    {"request": {"bodyPattern": "a+"}, "times": 1},
]


@pytest.fixture(scope="module")
def app() -> TestClient:
    client = TestClient(create_app(engine=Engine()), base_url="http://localhost")
    headers = {"x": "abc", "authorization": "Bearer abc"}
    client.post("/a/1/b?key=a&q=1", json={"a": 1, "password": "abc"}, headers=headers)
    client.post("/~k/a/1/b?q", content=b"a" * 70_000, headers=headers)
    client.get("/hello")
    return client


@bounded
@given(body=nearly(VERIFICATIONS) | values)
def test_any_body_to_verify(app: TestClient, body: Any) -> None:
    answer = app.post("/__mockd/verify", content=json.dumps(body).encode())
    assert answer.status_code in (200, 400), answer.text
    assert answer.json().keys() >= (
        {"ok", "count", "message", "nearest"} if answer.is_success else {"error", "message"}
    )
