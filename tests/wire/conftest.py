"""Real servers, one for each way mockd can sit on a socket."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount

from mockd.app import create_app
from mockd.engine import Engine
from mockd.testing import RunningMockd, running_mockd

DIRECT = ("uvloop and httptools", "asyncio and h11")
"""The ways in which mockd finds its transport."""
DATA = Path(__file__).parents[1] / "cli" / "data"
TLS = {"ssl_certfile": str(DATA / "cert.pem"), "ssl_keyfile": str(DATA / "key.pem")}
"""uvicorn's options for TLS."""
WAYS = (*DIRECT, "mounted", "mounted behind a middleware")


class Stamp(BaseHTTPMiddleware):
    """What many applications have around their routes: it takes every response apart and puts it together again."""

    async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        response = await call_next(request)
        response.headers["x-stamp"] = "1"
        return response


@contextlib.contextmanager
def mounted(*middleware: Middleware) -> Iterator[RunningMockd]:
    """mockd under `/api` of another Starlette app."""
    engine = Engine()
    app = Starlette(routes=[Mount("/api", create_app(engine=engine))], middleware=middleware)
    with socket.create_server(("127.0.0.1", 0), backlog=2048) as listener:
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off", timeout_graceful_shutdown=1))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield RunningMockd(f"http://127.0.0.1:{listener.getsockname()[1]}/api", engine)
        finally:
            engine.begin_shutdown()
            server.should_exit = True
            thread.join()


def speaking_tls(server: RunningMockd) -> RunningMockd:
    """The server with the address that it has under TLS."""
    return RunningMockd(server.url.replace("http:", "https:"), server.engine)


@contextlib.contextmanager
def serving(way: str) -> Iterator[RunningMockd]:
    if way == "mounted":
        server = mounted()
    elif way == "mounted behind a middleware":
        server = mounted(Middleware(Stamp))
    else:
        loop, http = way.split(" and ")
        server = running_mockd(loop=loop, http=http)
    with server as running:
        yield running


@pytest.fixture(scope="session")
def servers() -> Iterator[Callable[[str], RunningMockd]]:
    """The server of a way, started when it is first asked for."""
    with contextlib.ExitStack() as stack:
        yield cache(lambda way: stack.enter_context(serving(way)))


def without_mocks(server: RunningMockd) -> Iterator[RunningMockd]:
    yield server
    for spec in server.engine.mocks():
        server.engine.delete(spec.id)


@pytest.fixture(params=WAYS)
def everywhere(request: pytest.FixtureRequest, servers: Callable[[str], RunningMockd]) -> Iterator[RunningMockd]:
    """A server of every way, without mocks."""
    yield from without_mocks(servers(request.param))


@pytest.fixture(params=WAYS[:-1])
def unwrapped(request: pytest.FixtureRequest, servers: Callable[[str], RunningMockd]) -> Iterator[RunningMockd]:
    """A server of each way in which nobody takes responses apart."""
    yield from without_mocks(servers(request.param))


@pytest.fixture(params=DIRECT)
def server(request: pytest.FixtureRequest, servers: Callable[[str], RunningMockd]) -> Iterator[RunningMockd]:
    """A server that knows its transport."""
    yield from without_mocks(servers(request.param))


@pytest.fixture
def behind_middleware(servers: Callable[[str], RunningMockd]) -> Iterator[RunningMockd]:
    yield from without_mocks(servers(WAYS[-1]))


@pytest.fixture(params=["asyncio", "uvloop"])
def loop(request: pytest.FixtureRequest) -> str:
    """The event loop of uvicorn."""
    if request.param == "uvloop":
        pytest.importorskip("uvloop")
    return str(request.param)
