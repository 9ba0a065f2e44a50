"""An engine with its admin API, in process; and the same on a real socket."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import uvicorn
from starlette.testclient import TestClient
from starlette.types import ASGIApp

from mockd.admin import create_admin
from mockd.engine import Engine
from mockd.settings import Settings

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


@contextmanager
def serve(app: ASGIApp) -> Iterator[str]:
    """Serve `app` on a free port of this machine, in a thread; the URL."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_level="critical", lifespan="off", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
