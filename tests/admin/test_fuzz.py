"""Whatever is sent, nothing breaks, and a refused change changes nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from mockd.admin import create_admin
from mockd.engine import Engine
from tests.admin.conftest import HELLO

RICH: dict[str, Any] = {
    "id": "rich",
    "name": "Rich",
    "priority": 3,
    "matcher": {"method": "POST", "path": "/a/{id}/*", "headers": {"x": "a*"}, "bodyJsonPath": {"$.a": 1}},
    "sse": {
        "events": [{"type": "a", "data": {"n": [1, "$uuid"]}, "id": "1", "retry": 5, "comment": "c", "delay": 3}],
        "timing": {"burst": {"count": 2, "interval": 1, "pause": 5}, "perEventDelays": [1, 2]},
        "lifecycle": {"keepaliveInterval": 5, "termination": {"type": "error", "finalEvent": {"data": "x"}}},
        "rateLimit": {"eventsPerSecond": 2.5, "burstSize": 1, "strategy": "drop"},
        "resume": {"enabled": True, "bufferSize": 2},
        "headers": {"X-A": "b"},
        "repeat": 2,
    },
}
SHAPES: list[dict[str, Any]] = [
    HELLO,
    RICH,
    {"matcher": {"pathPattern": "^/x"}, "chunked": {"ndjsonItems": [{"a": 1}], "chunkDelay": 1}},
    {"matcher": {"path": "/g"}, "sse": {"generator": {"type": "sequence", "sequence": {"format": "n%d"}}}},
    {"matcher": {"path": "/t"}, "sse": {"template": "openai-chat", "templateParams": {"tokens": ["a"]}}},
    {"matcher": {"path": "/n"}, "sse": {"template": "notification-stream"}},
    {"matcher": {"bodyPattern": "a+"}, "response": {"status": 201, "body": {"a": 1}, "delay": 1}},
    {"type": "http", "http": {"matcher": {"path": "/h"}, "chunked": {"data": "abc", "chunkSize": 1}}},
]

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([-1, 0, 2**64, 10**30, 1e308, -0.0]),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
    st.sampled_from(["", "$random:5:1", "$pick:", "${X}", "(", "/{a", "\u2028", "\x00", "a\r\nb", "\ud800", "../x"]),
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
)


def places(value: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every value inside a JSON value, its own included."""
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place] + [found for step, inner in steps for found in places(inner, (*place, step))]


@st.composite
def nearly_mocks(draw: st.DrawFn) -> Any:
    """A mock with one value anywhere in it exchanged for another, or under another key."""
    mock = json.loads(json.dumps(draw(st.sampled_from(SHAPES))))
    *way, last = draw(st.sampled_from(places(mock)[1:]))
    parent = mock
    for step in way:
        parent = parent[step]
    if isinstance(last, str) and draw(st.booleans()):
        parent[draw(st.text(max_size=6))] = parent.pop(last)
    else:
        parent[last] = draw(values)
    return mock


bodies = nearly_mocks() | values


@pytest.fixture(scope="module")
def admin() -> TestClient:
    return TestClient(create_admin(Engine()), base_url="http://localhost")


bounded = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)


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
