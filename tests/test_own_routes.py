"""Routes that a user adds to the app: they win over the mocks, which keep their short cut."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Host, Mount, Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from mockd.app import MockApp, create_app
from mockd.engine import Engine
from mockd.lines import Line
from mockd.lines.uvicorn import HttptoolsLine
from tests.admin.conftest import serve as serve_app

MOCKED = "data: mocked\n\n"
MINE = "mine"
HOST = "mine.example"


class Noting(Engine):
    """An engine that notes the lines on which it is to answer."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[type[Line]] = []
        for path in ("/mine", "/mine/too", "/mocked"):
            self.create({"matcher": {"path": path}, "sse": {"events": [{"data": "mocked"}]}})

    def start(self, line: Line) -> Awaitable[None] | None:
        self.lines.append(type(line))
        return super().start(line)


class Passing:
    """A middleware that wraps `send`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def passing(message: Any) -> None:
            await send(message)

        await self._app(scope, receive, passing)


async def mine(request: Request) -> PlainTextResponse:
    return PlainTextResponse(MINE)


SUB_APP = Starlette(routes=[Route("/", mine), Route("/too", mine)])

Add = Callable[[MockApp], object]
ADDITIONS: dict[str, tuple[Add, str, str]] = {
    "add_route": (lambda app: app.add_route("/mine", mine), "/mine", "localhost"),
    "appended": (lambda app: app.router.routes.append(Route("/mine", mine)), "/mine", "localhost"),
    "inserted": (lambda app: app.router.routes.insert(0, Route("/mine", mine)), "/mine", "localhost"),
    "new list": (lambda app: setattr(app.router, "routes", [Route("/mine", mine)]), "/mine", "localhost"),
    "app.mount": (lambda app: app.mount("/mine", SUB_APP), "/mine/too", "localhost"),
    "Mount": (lambda app: app.routes.append(Mount("/mine", SUB_APP)), "/mine/too", "localhost"),
    "app.host": (lambda app: app.host(HOST, SUB_APP), "/too", HOST),
    "Host": (lambda app: app.routes.insert(0, Host(HOST, SUB_APP)), "/too", HOST),
}
"""How routes are added, and where each is reached."""


def wrap(app: MockApp) -> None:
    app.add_middleware(Passing)


def leave(app: MockApp) -> None:
    pass


WRAPPINGS: dict[str, tuple[Add, Add]] = {
    "alone": (leave, leave),
    "middleware before": (wrap, leave),
    "middleware after": (leave, wrap),
}
"""What else is done to the app, before and after the route is added."""


@contextmanager
def served(add: Add, wrapping: str = "alone") -> Iterator[tuple[str, Noting]]:
    engine = Noting()
    app = create_app(engine=engine)
    before, after = WRAPPINGS[wrapping]
    for do in (before, add, after):
        do(app)
    with serve_app(app) as url:
        yield url, engine


@pytest.mark.parametrize("wrapping", WRAPPINGS)
@pytest.mark.parametrize("way", ADDITIONS)
def test_an_own_route_wins_and_leaves_the_rest_to_the_mocks(way: str, wrapping: str) -> None:
    add, path, host = ADDITIONS[way]
    with served(add, wrapping) as (url, engine):
        assert httpx2.get(url + path, headers={"host": host}).text == MINE
        assert engine.lines == []
        assert httpx2.get(url + "/mocked").text == MOCKED
        assert httpx2.get(url + "/mocked/").status_code == 404
        admin = httpx2.get(url + "/__mockd/health", headers={"host": "localhost"})
        assert (admin.status_code == 200) is (way != "new list")
        is_short = wrapping == "alone"
    assert engine.lines[0] is (HttptoolsLine if is_short else Line)


@pytest.mark.parametrize("wrapping", WRAPPINGS)
def test_a_route_for_other_methods_leaves_the_request_to_the_mocks(wrapping: str) -> None:
    with served(lambda app: app.add_route("/mine", mine, methods=["POST"]), wrapping) as (url, _):
        assert httpx2.post(url + "/mine").text == MINE
        assert httpx2.get(url + "/mine").text == MOCKED
        assert httpx2.put(url + "/mine").text == MOCKED


def test_a_route_is_added_while_the_app_is_running() -> None:
    app = create_app(engine=Noting())
    with serve_app(app) as url:
        assert httpx2.get(url + "/mine").text == MOCKED
        app.add_route("/mine", mine)
        assert httpx2.get(url + "/mine").text == MINE


def test_no_redirect_comes_of_a_route_but_for_its_slash() -> None:
    with served(lambda app: app.add_route("/own/", mine)) as (url, _):
        assert httpx2.get(url + "/own").status_code == 404


def test_own_routes_are_reached_where_the_app_is_mounted() -> None:
    app = create_app(engine=Noting())
    app.add_route("/mine", mine)
    with serve_app(Starlette(routes=[Mount("/sub", app)])) as url:
        assert httpx2.get(url + "/sub/mine").text == MINE
        assert httpx2.get(url + "/sub/mocked").text == MOCKED
        assert httpx2.get(url + "/sub/__mockd/health").status_code == 200


@pytest.mark.parametrize("wrapping", WRAPPINGS)
def test_errors_of_own_routes_reach_own_handlers(wrapping: str) -> None:
    async def failing(request: Request) -> PlainTextResponse:
        raise HTTPException(418) if request.query_params else KeyError("it")

    async def handled(request: Request, error: Exception) -> PlainTextResponse:
        return PlainTextResponse(f"handled {type(error).__name__}", 400)

    def add(app: MockApp) -> None:
        app.add_route("/failing", failing)
        app.add_exception_handler(HTTPException, handled)
        app.add_exception_handler(KeyError, handled)

    with served(add, wrapping) as (url, _):
        assert httpx2.get(url + "/failing?teapot=1").text == "handled HTTPException"
        assert httpx2.get(url + "/failing").text == "handled KeyError"
        assert httpx2.get(url + "/none").json()["error"]["code"] == "no_match"


@pytest.mark.parametrize("wrapping", WRAPPINGS)
def test_own_web_sockets(wrapping: str) -> None:
    async def echo(socket: WebSocket) -> None:
        await socket.accept()
        await socket.send_text(await socket.receive_text())
        await socket.close()

    with served(lambda app: app.routes.append(WebSocketRoute("/socket", echo)), wrapping) as (url, _):
        base = url.replace("http", "ws")
        with connect(base + "/socket") as socket:
            socket.send("hi")
            assert socket.recv() == "hi"
        with pytest.raises(InvalidStatus), connect(base + "/mocked"):
            pass
        assert httpx2.get(url + "/mocked").text == MOCKED
