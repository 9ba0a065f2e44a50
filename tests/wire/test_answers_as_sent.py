"""Answers that a source has from another server: their heads as they are, and their ends as they were."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest

from mockd import BaseSource, Event, SourceContext
from mockd.config.base import Config
from mockd.source import Answer, CutOffError
from mockd.sources import SourceKind, register
from mockd.testing import RunningMockd, running_mockd

HEAD = (("Content-Type", "text/plain"), ("X-ONE", "1"), ("x-Two", "a"), ("x-Two", "b"))
Open = Callable[[SourceContext], Awaitable[Answer]]


class Opens(BaseSource):
    """A source that opens as a test says."""

    def __init__(self, opening: Open) -> None:
        self._opening = opening

    async def open(self, context: SourceContext) -> Answer:
        return await self._opening(context)


class Nothing(Config, frozen=True):
    """No parameters."""


@pytest.fixture
def served() -> Iterator[Callable[[Open], RunningMockd]]:
    from contextlib import ExitStack

    with ExitStack() as stack:

        def serve(opening: Open) -> RunningMockd:
            register(SourceKind("as-sent", Nothing, lambda _: Opens(opening), "A test's own.", "chunked"))
            mock: Any = {"matcher": {"path": "/*"}, "chunked": {"template": "as-sent", "flush": "event"}}
            return stack.enter_context(running_mockd(mock))

        yield serve


def asked(server: RunningMockd, version: str = "1.1") -> tuple[bytes, bool]:
    """All that comes back, and whether the connection was reset behind it."""
    host, port = server.url.removeprefix("http://").split(":")
    got = b""
    with socket.create_connection((host, int(port)), timeout=10) as client:
        client.sendall(f"GET / HTTP/{version}\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        try:
            while data := client.recv(65536):
                got += data
        except ConnectionResetError:
            return got, True
    return got, False


async def pieces(*parts: bytes, cut: Any = None) -> AsyncIterator[Event]:
    for part in parts:
        yield Event(raw=part)
    if cut is not None:
        raise CutOffError(cut)


def test_the_head_is_sent_as_it_is(served: Callable[[Open], RunningMockd]) -> None:
    async def opening(context: SourceContext) -> Answer:
        return Answer(status=299, reason="Quite Fine", headers=HEAD, events=pieces(b"one", b"two"))

    got, _ = asked(served(opening))
    assert got == (
        b"HTTP/1.1 299 Quite Fine\r\nContent-Type: text/plain\r\nX-ONE: 1\r\nx-Two: a\r\nx-Two: b\r\n"
        b"connection: close\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"
    )


def test_trailers_and_informational_answers(served: Callable[[Open], RunningMockd]) -> None:
    async def opening(context: SourceContext) -> Answer:
        assert context.client is not None
        assert (context.client.request_head or b"").startswith(b"GET / HTTP/1.")
        context.client.inform(103, "Early Hints", [("Link", "</a.css>")])
        return Answer(
            reason="OK", headers=(("Trailer", "X-Sum"),), events=pieces(b"one"), trailers=lambda: [("X-Sum", "7")]
        )

    got, _ = asked(served(opening))
    assert got.startswith(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 200 OK\r\nTrailer: X-Sum\r\n")
    assert got.endswith(b"\r\n\r\n3\r\none\r\n0\r\nX-Sum: 7\r\n\r\n")
    old, _ = asked(served(opening), "1.0")
    assert b"103" not in old
    assert old.endswith(b"\r\n\r\none")


@pytest.mark.parametrize("how", ["closed", "reset", "timeout"])
def test_an_answer_that_was_cut_off_is_cut_off(served: Callable[[Open], RunningMockd], how: Any) -> None:
    async def opening(context: SourceContext) -> Answer:
        return Answer(reason="OK", headers=HEAD, events=pieces(b"one", cut=how))

    server = served(opening)
    got, was_reset = asked(server)
    assert got.endswith(b"\r\n\r\n3\r\none\r\n")
    assert was_reset is (how == "reset")
    with server.admin() as admin:
        [ended] = admin.list_connections(status="ended")["connections"]
    assert (ended["outcome"], ended["eventsSent"]) == ("aborted", 1)


@pytest.mark.parametrize("how", ["closed", "reset"])
def test_a_connection_that_ended_before_the_head_ends_so(served: Callable[[Open], RunningMockd], how: Any) -> None:
    async def opening(context: SourceContext) -> Answer:
        raise CutOffError(how)

    assert asked(served(opening)) == (b"", how == "reset")
