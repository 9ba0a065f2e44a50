"""The fixture `mockd` in a test of mockd's own, and clients of its mocks."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlsplit

import pytest

from mockd.fixtures import Mockd, MockdServer
from mockd.fixtures.mockd import new_key
from mockd.fixtures.server import started
from tests.plugin.methods.asking import PATIENCE_S, Ask


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MockdServer]:
    with started(files_root=str(tmp_path_factory.getbasetemp())) as server:
        yield server


@pytest.fixture
def mockd(server: MockdServer, request: pytest.FixtureRequest) -> Iterator[Mockd]:
    mockd = Mockd(server, new_key("main", request.node.nodeid))
    yield mockd
    mockd.delete()


@pytest.fixture
def ask() -> Iterator[Ask]:
    """Asks for something, and reads nothing."""
    with ExitStack() as clients:

        def ask(url: str, body: Any = None, **headers: str) -> http.client.HTTPConnection:
            parts = urlsplit(url)
            client = http.client.HTTPConnection(parts.netloc, timeout=PATIENCE_S)
            clients.callback(client.close)
            content = None if body is None else json.dumps(body)
            client.request("GET" if body is None else "POST", parts.path, content, headers)
            return client

        yield ask
