"""What clients send, or leave unsent, that is not how HTTP is meant."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from threading import Thread

from tests.stress.asking import ask, raw
from tests.stress.mocks import FORMS
from tests.stress.server import Server
from tests.wire.sockets import Client, eventually

HOST = b"Host: localhost\r\n"
HALVES = (
    b"P",
    b"GET /exact/whole HT",
    b"GET /exact/whole HTTP/1.1\r\n" + HOST + b"X-A: ",
    b"POST /body HTTP/1.1\r\n" + HOST + b"Content-Length: 100\r\n\r\nhalf",
    b"POST /body HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhal",
)
LIES = (
    b"Content-Length: 1000000\r\n\r\nshort",
    b"Content-Length: 1\r\n\r\nlonger than it says",
    b"Content-Length: -1\r\n\r\nx",
    b"Content-Length: " + b"9" * 400 + b"\r\n\r\nx",
    b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
    b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nx",
    b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 100_000 + b"0\r\n\r\n",
    b"Transfer-Encoding: gzip\r\n\r\nx",
    b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n",
    b"Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 5\r\n\r\n12",
)
SECONDS = 1.0
"""How long clients that do nothing do so."""


def zombies(server: Server) -> None:
    """A second request behind a live stream, and a client that leaves."""
    before = len(server.live())
    for path in ("/endless", "/idle", "/varying", "/resume", "/drawn") * 20:
        with Client(server.mocks) as client:
            client.ask(path).ask("/exact/sse").read_head()
            client.reset()
    eventually(lambda: len(server.live()) <= before)


def departures(server: Server) -> None:
    """Clients that leave before their answer, and while it comes."""
    for number in range(200):
        with Client(server.mocks) as client, suppress(ConnectionError):
            client.ask("/endless" if number % 2 else "/exact/late")
            if number % 4 == 1:
                client.read_head()
            client.reset()


def half_requests(server: Server) -> None:
    with ExitStack() as clients:
        for number in range(200):
            clients.enter_context(Client(server.mocks)).send(HALVES[number % len(HALVES)])
        time.sleep(SECONDS)


def slow_readers(server: Server) -> None:
    with ExitStack() as clients:
        for _ in range(50):
            clients.enter_context(Client(server.mocks, receive_buffer=4096)).ask("/endless")
        time.sleep(2 * SECONDS)


def forms(server: Server) -> None:
    """Endless streams without a pause, in every form of their bytes that takes work."""
    with ExitStack() as clients:
        for path in [*FORMS] * 2:
            client = clients.enter_context(Client(server.mocks)).ask(path)
            Thread(target=read_for, args=(client, SECONDS), daemon=True).start()
        time.sleep(2 * SECONDS)


def read_for(client: Client, seconds: float) -> None:
    until = time.monotonic() + seconds
    with suppress(OSError):
        while time.monotonic() < until and client.socket.recv(1 << 16):
            pass


def large_headers(server: Server) -> None:
    """200 MB of headers, which are refused long before."""
    with Client(server.mocks) as client:
        client.send(b"GET /exact/whole HTTP/1.1\r\n" + HOST)
        with suppress(ConnectionError):
            for _ in range(200):
                client.send(b"X-A: " + b"a" * 1_000_000 + b"\r\n")
    for _ in range(20):
        raw(server.mocks, b"GET /" + b"a" * 600_000)


def lying_lengths(server: Server) -> None:
    for lie in LIES:
        for _ in range(3):
            assert b"HTTP/1.1 5" not in raw(server.mocks, b"POST /body HTTP/1.1\r\n" + HOST + lie)


def pipelined_flood(server: Server) -> None:
    """Ten thousand requests in one piece."""
    one = b"GET /exact/generator HTTP/1.1\r\n" + HOST + b"\r\n"
    last = one.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    with Client(server.mocks) as client:
        client.socket.setblocking(False)
        with suppress(BlockingIOError):
            client.socket.send(one * 10_000)
        time.sleep(SECONDS)
    with Client(server.mocks) as client:
        client.send(one * 20 + last)
        assert client.read_to_end().count(b"HTTP/1.1 200") == 21


def near_misses(server: Server) -> None:
    """Requests that no mock answers, with all that a near miss could look at."""
    path = "/exact/" + "sse" * 2000
    for _ in range(5):
        for method in ("GET", "POST", "DELETE"):
            assert ask(f"{server.mocks}{path}?{'a=b&' * 2000}", method, headers={"X-A": "a" * 20_000})[0] == 404
        assert ask(server.mocks + "/nowhere", "POST", b"x" * 9_000_000)[0] == 404
        assert ask(server.mocks + "/nowhere", "POST", b"[" * 1_000_000)[0] == 404


PROTOCOL: dict[str, Callable[[Server], None]] = {
    "requests behind a stream that is left": zombies,
    "clients that leave": departures,
    "half requests": half_requests,
    "clients that do not read": slow_readers,
    "bytes in every form": forms,
    "200 MB of headers": large_headers,
    "lengths that lie": lying_lengths,
    "ten thousand pipelined requests": pipelined_flood,
    "near misses": near_misses,
}
