"""The admin API behind a Unix socket: whoever asks there has no address, and may be a proxy for anybody."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
import uvicorn

from mockd import Settings, create_app
from mockd.engine import Engine

MOCK: dict[str, Any] = {"matcher": {"path": "/m"}, "response": {"body": "mocked"}}
PROXIED = {"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Host": "localhost"}


@contextmanager
def serving(folder: Path, **settings: Any) -> Iterator[httpx2.Client]:
    engine = Engine(Settings(**settings))
    engine.create(MOCK)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / "socket"))
        listener.listen()  # so that a client that is ahead of the server waits, and is not refused
        # Every peer is believed to be a proxy, as uvicorn is told to do with a socket.
        config = uvicorn.Config(create_app(engine=engine), log_config=None, lifespan="off", forwarded_allow_ips="*")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            transport = httpx2.HTTPTransport(uds=str(folder / "socket"))
            with httpx2.Client(transport=transport, base_url="http://localhost") as client:
                yield client
        finally:
            server.should_exit = True
            thread.join()


@pytest.mark.parametrize("headers", [{}, PROXIED, {"Via": "1.1 proxy"}], ids=str)
def test_without_a_key_it_is_closed(tmp_path: Path, headers: dict[str, str]) -> None:
    with serving(tmp_path) as client:
        assert client.get("/m", headers=headers).text == "mocked"
        answer = client.get("/__mockd/mocks", headers=headers)
        assert (answer.status_code, answer.json()["error"]) == (403, "api_key_required")


@pytest.mark.parametrize("headers", [{}, PROXIED], ids=str)
def test_the_key_opens_it(tmp_path: Path, headers: dict[str, str]) -> None:
    with serving(tmp_path, api_key="k") as client:
        assert client.get("/__mockd/mocks", headers={**headers, "X-API-Key": "k"}).status_code == 200
        assert client.get("/__mockd/mocks", headers=headers).status_code == 401
        answer = client.get("/__mockd/mocks", headers={**headers, "X-API-Key": "k", "Host": "evil.example"})
        assert (answer.status_code, answer.json()["error"]) == (403, "forbidden_host")
