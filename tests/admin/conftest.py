"""An engine with its admin API, in process; and the same on a real socket."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

import pytest
from starlette.testclient import TestClient
from starlette.types import ASGIApp

from mockd.admin import create_admin
from mockd.engine import Engine
from mockd.settings import Settings
from tests.in_thread import serving

HELLO: dict[str, Any] = {
    "id": "hello",
    "matcher": {"method": "GET", "path": "/hello"},
    "sse": {"events": [{"data": "Hello"}, {"data": "World"}]},
}


@pytest.fixture
def engine() -> Engine:
    return Engine(Settings())


@pytest.fixture
def admin(engine: Engine) -> TestClient:
    """The admin API as a page-less local program sees it."""
    return TestClient(create_admin(engine), base_url="http://localhost:4290")


@pytest.fixture
def hello(admin: TestClient) -> dict[str, Any]:
    """The mock `hello`, created."""
    answer = admin.post("/mocks", json=HELLO)
    assert answer.status_code == 201, answer.text
    return HELLO


def serve(app: ASGIApp) -> AbstractContextManager[str]:
    """Serve `app` on a free port of this machine, in a thread; the URL."""
    return serving(app, log_level="critical")
