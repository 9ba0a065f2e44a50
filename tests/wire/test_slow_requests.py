"""Requests that do not come to their end, and heads that have none."""

from __future__ import annotations

import asyncio.constants
import time

import pytest

from mockd.lines.protocol import MOST_UNFINISHED
from mockd.settings import Settings
from mockd.testing import running_mockd
from tests.wire.conftest import TLS, speaking_tls
from tests.wire.sockets import PATIENCE_S, Client, ask_whole, eventually

LIMIT_S = 0.4
SOON = Settings(request_timeout=LIMIT_S)
WHOLE = {"matcher": {"path": "/whole"}, "response": {"body": "x"}}
PACED = {"matcher": {"path": "/paced"}, "sse": {"events": [{"data": "x"}] * 8, "timing": {"fixedDelay": 100}}}
HEAD = b"POST /whole HTTP/1.1\r\nHost: x\r\n"
UNFINISHED = {
    "a byte": b"P",
    "a head": HEAD,
    "a body": HEAD + b"Content-Length: 10\r\n\r\n12345",
    "no body": HEAD + b"Content-Length: 10\r\n\r\n",
    "chunks": HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n",
    "trailers": HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX-A: 1\r\n",
    "an offer": HEAD + b"Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 10\r\n\r\n12345",
}


@pytest.mark.parametrize("is_first", [True, False])
@pytest.mark.parametrize("kind", UNFINISHED)
def test_a_request_that_does_not_come_to_its_end_is_answered_with_408(loop: str, kind: str, is_first: bool) -> None:
    with running_mockd(WHOLE, settings=SOON, loop=loop) as mockd, Client(mockd.url) as client:
        if not is_first:
            ask_whole(client)
        began = time.monotonic()
        client.send(UNFINISHED[kind])
        status, headers = client.read_head()
        assert (status, headers["connection"]) == (408, "close")
        assert len(client.read_to_end()) == int(headers["content-length"])
        assert time.monotonic() - began >= LIMIT_S - 0.1
        eventually(lambda: not len(mockd.engine.connections))


def test_one_that_comes_byte_by_byte_has_no_more_time(loop: str) -> None:
    with running_mockd(WHOLE, settings=SOON, loop=loop) as mockd, Client(mockd.url) as client:
        ask_whole(client)
        client.socket.settimeout(LIMIT_S / 10)
        deadline = time.monotonic() + PATIENCE_S
        client.send(HEAD)
        while time.monotonic() < deadline:
            client.send(b"X-A: b\r\n")
            try:
                assert client.socket.recv(65536).startswith(b"HTTP/1.1 408 ")
                return
            except TimeoutError:
                pass
        pytest.fail("it was never refused")


def test_one_that_comes_slowly_but_in_time_is_answered(loop: str) -> None:
    with running_mockd(WHOLE, settings=Settings(request_timeout=4), loop=loop) as mockd, Client(mockd.url) as client:
        for _ in range(2):
            for part in (b"PO", b"ST /whole HTTP/1.1\r\nHo", b"st: x\r\nContent-Length: 2\r\n\r\n1", b"2"):
                client.send(part)
                time.sleep(0.05)
            assert client.read_head()[0] == 200
            client.read_exactly(1)


def test_without_a_limit_it_is_waited_for(loop: str) -> None:
    settings = Settings(request_timeout=0)
    with (
        running_mockd(WHOLE, settings=settings, loop=loop, timeout_keep_alive=0.1) as mockd,
        Client(mockd.url) as client,
    ):
        ask_whole(client)
        client.send(HEAD)
        time.sleep(0.5)
        client.send(b"\r\n")
        assert client.read_head()[0] == 200


def test_an_answer_may_take_longer(loop: str) -> None:
    with running_mockd(PACED, settings=SOON, loop=loop) as mockd, Client(mockd.url) as client:
        client.ask("/paced").read_head()
        assert len(client.read_chunks()) == 8


def test_an_unfinished_request_behind_a_stream_does_not_break_it(loop: str) -> None:
    """It has its time from the end of the stream, as it may not have been read before."""
    with running_mockd(PACED, settings=SOON, loop=loop) as mockd, Client(mockd.url) as client:
        client.ask("/paced").send(HEAD)
        client.read_head()
        assert len(client.read_chunks()) == 8
        assert client.read_head()[0] == 408


def test_a_body_that_is_too_long_and_never_ends_is_not_answered_twice(loop: str) -> None:
    settings = Settings(request_timeout=LIMIT_S, max_body=10)
    with running_mockd(WHOLE, settings=settings, loop=loop) as mockd, Client(mockd.url) as client:
        client.send(HEAD + b"Content-Length: 100\r\n\r\n12345")
        status, headers = client.read_head()
        assert status == 413
        assert len(client.read_to_end()) == int(headers["content-length"])


SILENT = {"nothing": b"", "empty lines": b"\r\n\r\n"}
TLS_TOO = pytest.mark.parametrize("tls", [{}, TLS], ids=["plain", "TLS"])


@TLS_TOO
@pytest.mark.parametrize("kind", SILENT)
def test_a_connection_on_which_no_request_comes_is_closed(loop: str, kind: str, tls: dict[str, str]) -> None:
    with running_mockd(WHOLE, settings=SOON, loop=loop, **tls) as mockd:
        url = speaking_tls(mockd).url if tls else mockd.url
        began = time.monotonic()
        with Client(url) as client:
            client.send(SILENT[kind])
            assert client.read_to_end() == b""
            assert time.monotonic() - began >= LIMIT_S - 0.1


@TLS_TOO
def test_a_connection_that_had_a_request_is_kept(loop: str, tls: dict[str, str]) -> None:
    with (
        running_mockd(WHOLE, settings=SOON, loop=loop, **tls) as mockd,
        Client(speaking_tls(mockd).url if tls else mockd.url) as client,
    ):
        ask_whole(client)
        time.sleep(2 * LIMIT_S)
        ask_whole(client)


def test_without_a_limit_a_connection_without_a_request_is_kept(loop: str) -> None:
    settings = Settings(request_timeout=0)
    with (
        running_mockd(WHOLE, settings=settings, loop=loop, timeout_keep_alive=0.1) as mockd,
        Client(mockd.url) as client,
    ):
        time.sleep(0.5)
        ask_whole(client)


def test_a_handshake_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the event loop, after a minute. Its own constant is made shorter here; uvloop's cannot be."""
    assert asyncio.constants.SSL_HANDSHAKE_TIMEOUT == 60
    monkeypatch.setattr(asyncio.constants, "SSL_HANDSHAKE_TIMEOUT", LIMIT_S)
    with running_mockd(WHOLE, loop="asyncio", **TLS) as mockd, Client(mockd.url) as client:
        client.send(b"\x16\x03\x01")  # the first bytes of a handshake
        assert client.read_to_end() == b""


def test_empty_lines_do_not_keep_a_connection(loop: str) -> None:
    with running_mockd(WHOLE, loop=loop, timeout_keep_alive=LIMIT_S) as mockd, Client(mockd.url) as client:
        ask_whole(client)
        client.send(b"\r\n")
        assert client.read_to_end() == b""


ENDLESS = {
    "names": (HEAD, b"X-Name-That-Is-Long: 1\r\n" * 1000),
    "a name": (HEAD, b"x" * 20_000),
    "a value": (HEAD + b"X-A: ", b"x" * 20_000),
    "an address": (b"GET /", b"x" * 20_000),
    "trailers": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n", b"X-Name-That-Is-Long: 1\r\n" * 1000),
    "a trailer": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nX-A: ", b"x" * 20_000),
}


@pytest.mark.parametrize("kind", ENDLESS)
def test_a_head_without_end_is_refused(loop: str, kind: str) -> None:
    start, more = ENDLESS[kind]
    with running_mockd(WHOLE, loop=loop) as mockd, Client(mockd.url) as client:
        client.send(start)
        sent = 0
        try:
            while sent < 10 * MOST_UNFINISHED:
                client.send(more)
                sent += len(more)
                time.sleep(0.001)
        except ConnectionError:
            return
        pytest.fail(f"{sent} bytes were taken")


def test_what_refuses_a_head_says_so(loop: str) -> None:
    with running_mockd(WHOLE, loop=loop) as mockd, Client(mockd.url) as client:
        client.send(HEAD)
        for _ in range(MOST_UNFINISHED // 1000 + 1):
            client.send(b"X-A: " + b"x" * 993 + b"\r\n")
        assert client.read_head()[0] == 431


@pytest.mark.parametrize("parts", [1, 7])
def test_long_bodies_are_no_heads(loop: str, parts: int) -> None:
    body = b"x" * (4 * MOST_UNFINISHED)
    with running_mockd(WHOLE, loop=loop) as mockd, Client(mockd.url) as client:
        client.send(HEAD + b"Content-Length: %d\r\n\r\n" % (parts * len(body)))
        for _ in range(parts):
            client.send(body)
        assert client.read_head()[0] == (200 if parts == 1 else 413)


def test_long_heads_one_after_another_are_taken(loop: str) -> None:
    long = b"X-A: " + b"x" * 60_000 + b"\r\n"
    with running_mockd(WHOLE, loop=loop) as mockd, Client(mockd.url) as client:
        for _ in range(MOST_UNFINISHED // 60_000 + 3):
            client.send(HEAD + long)
            time.sleep(0.01)
            client.send(b"\r\n")
            assert client.read_head()[0] == 200
            client.read_exactly(1)


def test_what_cannot_be_a_request_behind_a_stream_is_not_answered_inside_it(loop: str) -> None:
    with running_mockd(PACED, loop=loop) as mockd, Client(mockd.url) as client:
        client.ask("/paced").read_head()
        client.send(b"\x00\x00\x00\r\n\r\n")
        assert b"HTTP/1.1" not in client.read_to_end()


def test_what_cannot_be_a_request_is_not_taken_for_the_answer_to_another(loop: str) -> None:
    late = {"matcher": {"path": "/late"}, "response": {"body": "x", "delay": 60_000}}
    with running_mockd(WHOLE, late, loop=loop) as mockd, Client(mockd.url) as client, Client(mockd.url) as other:
        ask_whole(client)
        client.send(b"\x00\r\n\r\n")
        assert client.read_head()[0] == 400
        other.ask("/late").send(b"\x00\r\n\r\n")
        assert other.read_to_end() == b""
