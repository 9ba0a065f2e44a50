"""Answers that go out at once, without a task; and all others, which become one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from mockd.app import MockApp, create_app
from mockd.engine import Engine
from mockd.lines.protocol import Protocol
from mockd.request import Receive, Scope, Send
from tests import in_thread
from tests.wire.sockets import Client

EVENTS = [{"data": "1"}, {"data": "2"}]
MOCKS: dict[str, dict[str, Any]] = {
    "/whole": {"response": {"body": "{{ request.body }}"}},
    "/list": {"sse": {"events": EVENTS}},
    "/paced": {"sse": {"events": EVENTS, "timing": {"fixedDelay": 20}}},
    "/late": {"response": {"body": "x", "delay": 20}},
    "/ended": {"sse": {"events": EVENTS, "lifecycle": {"termination": {"closeDelay": 20}}}},
}
AT_ONCE = {"/whole", "/list", "/nowhere"}


class Noting(MockApp):
    """An app that notes what was started, and whether anything was left to be awaited."""

    started: list[tuple[str, bool]]
    fails = False

    def start(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None] | None:
        if self.fails:
            raise RuntimeError("it fails on purpose")
        rest = super().start(scope, receive, send)
        self.started.append((scope["path"], rest is None))
        return rest


def serving(app: Any) -> AbstractContextManager[str]:
    return in_thread.serving(app, http=Protocol, log_config=None, proxy_headers=False)


@pytest.fixture
def app() -> Noting:
    engine = Engine()
    for path, mock in MOCKS.items():
        engine.create({"id": path.strip("/"), "matcher": {"path": path}, **mock})
    app = create_app(engine=engine)
    app.__class__ = Noting
    assert isinstance(app, Noting)
    app.started = []
    return app


@pytest.mark.parametrize("path", [*MOCKS, "/nowhere", "/__mockd/health"])
def test_only_what_takes_time_is_awaited(app: Noting, path: str) -> None:
    with serving(app) as url, Client(url) as client:
        for _ in range(2):  # on a connection that is kept alive
            client.ask(path, method="POST" if path == "/whole" else "GET", body=b"abc" if path == "/whole" else b"")
            status, headers = client.read_head()
            assert status == {"/nowhere": 404}.get(path, 200)
            if "content-length" in headers:
                body = client.read_exactly(int(headers["content-length"]))
                assert path != "/whole" or body == b"abc"
            else:
                assert b"".join(client.read_chunks()) == b"data: 1\n\ndata: 2\n\n"
    assert app.started == [(path, path in AT_ONCE)] * 2
    assert app.engine.connections.exchanges() == []


@pytest.mark.parametrize("path", sorted(AT_ONCE))
def test_nor_is_the_end_of_the_connection(app: Noting, path: str) -> None:
    with serving(app) as url, Client(url) as client:
        client.ask(path, method="POST" if path == "/whole" else "GET", headers={"Connection": "close"})
        assert client.read_to_end()
    assert app.started == [(path, True)]


def test_a_request_whose_body_is_still_on_its_way_is_not_started(app: Noting) -> None:
    with serving(app) as url, Client(url) as client:
        client.send(f"POST /whole HTTP/1.1\r\nHost: {client.host}\r\nContent-Length: 6\r\n\r\nabc".encode())
        time.sleep(0.05)  # so that the rest comes by itself
        client.send(b"def")
        client.read_head()
        assert client.read_exactly(6) == b"abcdef"
    assert app.started == []


def test_pipelined_requests_are_answered_in_order(app: Noting) -> None:
    with serving(app) as url, Client(url) as client:
        request = f"GET /{{}} HTTP/1.1\r\nHost: {client.host}\r\n\r\n"
        client.send("".join(request.format(path) for path in ("list", "paced", "list", "nowhere")).encode())
        for status in (200, 200, 200, 404):
            found, headers = client.read_head()
            assert found == status
            if "content-length" in headers:
                client.read_exactly(int(headers["content-length"]))
            else:
                assert b"".join(client.read_chunks()) == b"data: 1\n\ndata: 2\n\n"
    assert app.started == [("/list", True), ("/paced", False), ("/list", True), ("/nowhere", True)]


def test_what_fails_is_the_servers_500(app: Noting) -> None:
    with serving(app) as url:
        app.fails = True
        with Client(url) as client:
            assert client.ask("/list").read_head()[0] == 500
        app.fails = False
        with Client(url) as client:
            assert client.ask("/list").read_head()[0] == 200


def test_an_app_that_cannot_start_is_called() -> None:
    async def plain(scope: Scope, receive: Receive, send: Send) -> None:
        assert asyncio.current_task() is not None
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    with serving(plain) as url, Client(url) as client:
        for _ in range(2):
            assert client.ask("/").read_head()[0] == 204
