"""A relay under other servers, mounted, under TLS, and for old clients: what that server can, and nothing wrong."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount

from mockd.app import create_app
from mockd.settings import Settings
from mockd.testing import running_mockd
from tests.in_thread import serving as serving_app
from tests.relay.clients import Raw
from tests.relay.conftest import Relay
from tests.relay.targets import END, Visit, chunk, serving
from tests.wire.conftest import TLS, Stamp

DATA = Path(__file__).parents[1] / "cli" / "data"
SSE = b"HTTP/1.1 203 Mine\r\nContent-Type: text/event-stream\r\nX-One: 1\r\nTransfer-Encoding: chunked\r\n\r\n"


async def plays(visit: Visit) -> None:
    head = await visit.request()
    if b"POST" in head:
        await visit.body(lambda body: len(body) == 100_000 or body.endswith(END))
    await visit.send(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", SSE, chunk(b"data: 1\n\n"), chunk(b"data: 2\n\n"))
    if b"/cut" not in head:
        await visit.send(b"0\r\nX-Sum: 1\r\n\r\n")


@contextlib.contextmanager
def mounted(settings: Settings, *middleware: Middleware) -> Iterator[str]:
    app = Starlette(routes=[Mount("/api", create_app(settings))], middleware=middleware)
    with serving_app(app, log_config=None) as url:
        yield url


@contextlib.contextmanager
def somewhere(way: str, target: str) -> Iterator[tuple[str, str]]:
    """The URL of a relay, and the path below which it is."""
    settings = Settings(proxy=(target,))
    if way.startswith("mounted"):
        with mounted(settings, *([Middleware(Stamp)] if "middleware" in way else [])) as url:
            yield url, "/api"
    elif way == "uvicorn":
        with serving_app(create_app(settings), log_config=None, http="h11") as url:
            yield url, ""
    else:
        with running_mockd(settings=settings, http=way) as mockd:
            yield mockd.url, ""


WAYS = ("h11", "httptools", "uvicorn", "mounted", "mounted behind a middleware")


@pytest.mark.parametrize("way", WAYS)
def test_answers_and_uploads(way: str) -> None:
    with serving(plays) as target, somewhere(way, target.url) as (url, below):
        with Raw(url) as client:
            client.get(f"{below}/a?b", "Connection: close").all()
        assert b" 203 " in client.got
        assert b"x-one: 1" in client.got.lower()
        assert chunk(b"data: 1\n\n") + chunk(b"data: 2\n\n") in client.got
        assert target.visits[0].got.startswith(b"GET /a?b HTTP/1.1\r\n")
        with Raw(url) as client:
            head = f"POST {below}/a HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 100000\r\n\r\n"
            client.send(head.encode() + bytes(50_000)).send(bytes(50_000)).all()
        assert chunk(b"data: 2\n\n") in client.got
        with Raw(url) as client:
            head = (
                f"POST {below}/a HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
            )
            client.send(head.encode()).send(chunk(bytes(70_000))).send(END).all()
        assert chunk(b"data: 2\n\n") in client.got
        assert target.visits[2].got.endswith(END)


@pytest.mark.parametrize("way", WAYS)
def test_of_two_lengths_no_more_than_one_is_passed_on(way: str) -> None:
    with serving(plays) as target, somewhere(way, target.url) as (url, below), Raw(url) as client:
        head = f"POST {below}/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
        client.send(head.encode() + chunk(b"hello") + END).until(lambda got: got.endswith((b"}", END)) or b"400" in got)
        assert all(b"content-length" not in visit.got.lower() for visit in target.visits)
        assert bool(target.visits) is not client.got.startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("way", WAYS[:-1])  # this middleware ends every body cleanly
def test_an_answer_that_breaks_off_never_looks_whole(way: str) -> None:
    with serving(plays) as target, somewhere(way, target.url) as (url, below), Raw(url) as client:
        client.get(f"{below}/cut").all()
        assert chunk(b"data: 2\n\n") in client.got
        assert not client.got.endswith(END)


@pytest.mark.parametrize("way", WAYS)
def test_a_client_that_leaves(way: str) -> None:
    async def play(visit: Visit) -> None:
        await visit.request()
        await visit.send(SSE, chunk(b"data: 1\n\n"))
        await visit.gone()

    with serving(play) as target, somewhere(way, target.url) as (url, below):
        with Raw(url) as client:
            client.get(f"{below}/a").until(lambda got: b"data: 1" in got)
        assert target.visits[0].left.wait(5)


def test_a_client_of_http_1_0(relay: Relay) -> None:
    with serving(plays) as target:
        url = relay(target.url).url
        with Raw(url) as client:
            client.get("/a", version="1.0").all()
        assert client.got.startswith(b"HTTP/1.1 203 Mine\r\n")
        assert (client.body, client.end) == (b"data: 1\n\ndata: 2\n\n", "fin")
        with Raw(url) as client:
            client.get("/cut", version="1.0").all()
        assert client.end == "rst"  # as it would look whole otherwise


def test_under_tls() -> None:
    with serving(plays) as target, running_mockd(settings=Settings(proxy=(target.url,)), **TLS) as mockd:
        with Raw(mockd.url) as client:
            context = ssl.create_default_context(cafile=str(DATA / "cert.pem"))
            client.socket = context.wrap_socket(client.socket, server_hostname="localhost")
            client.send(b"POST /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n").send(bytes(100_000))
            client.until(lambda got: got.endswith(b"X-Sum: 1\r\n\r\n"))
        assert client.got.startswith(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 203 Mine\r\n")


def test_mocks_of_a_key_relay_too(relay: Relay) -> None:
    with serving(plays) as target:
        server = relay("http://127.0.0.1:9", proxy_allow=(target.url,))
        with server.admin() as admin:
            admin.create_mock({"matcher": {"path": "/*"}, "proxy": {"target": target.url}}, key="k1")
        with Raw(server.url) as client:
            client.get("/~k1/a", "Connection: close").all()
        assert b"203 Mine" in client.got
        assert target.visits[0].got.startswith(b"GET /a HTTP/1.1\r\n")
