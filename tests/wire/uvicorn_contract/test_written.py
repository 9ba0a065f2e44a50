"""What the lines write is what uvicorn's own `send` would write."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest

from mockd.headers import FixedHeaders
from mockd.lines import Line, line_of
from mockd.request import Receive, Scope, Send
from tests.wire.sockets import Client, eventually
from tests.wire.uvicorn_contract.asking import BODIES, HEADERS, KINDS, LAST, REQUESTS, answering, empty, exact, serving


class Heard(logging.Handler):
    """What the access log was told, without the port of the client."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(re.sub(r":\d+ - ", " - ", record.getMessage()))


@pytest.fixture
def heard() -> Iterator[Heard]:
    logger, handler = logging.getLogger("uvicorn.access"), Heard()
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield handler
    logger.setLevel(before)
    logger.removeHandler(handler)


def sent_for(url: str, request: bytes) -> bytes:
    """All bytes of a connection on which that request is sent, and a last one if the connection is still there."""
    with Client(url) as client:
        client.send(request + LAST)
        received = client.read_to_end()
    return re.sub(rb"\r\ndate: [^\r]+", b"\r\ndate: now", received)


ANSWERS = {
    **{(status, "some", "parts"): None for status in (200, 201, 404, 418, 500, 599)},
    **{(200, headers, "parts"): None for headers in HEADERS},
    **{(200, headers, parts): None for headers in ("some", "length") for parts in BODIES},
    (204, "some", "empty"): None,
    (304, "some", "empty"): None,
}


@pytest.mark.parametrize("answer", ANSWERS, ids=str)
def test_the_same_is_written_as_by_its_own_send(heard: Heard, answer: tuple[int, str, str]) -> None:
    status, headers, body = answer
    parts = BODIES.get(body, (b"",))
    said: list[list[str]] = []
    got: list[dict[str, bytes]] = []
    for make in (Line, exact):
        with serving(answering(make, status, headers, parts), "httptools") as url:
            got.append({name: sent_for(url, request) for name, request in REQUESTS.items()})
        said.append(heard.said.copy())
        heard.said.clear()
    theirs, ours = got
    for name in REQUESTS:
        if name.startswith("1.0") and not headers.endswith("length") and status not in (204, 304):
            # HTTP/1.0 has no chunks; uvicorn sends them all the same.
            head, chunks = theirs[name].split(b"\r\n\r\n", 1)
            head = head.replace(b"\r\ntransfer-encoding: chunked", b"")
            theirs[name] = head + b"\r\n\r\n" + b"".join(parts)
            assert chunks.endswith(b"0\r\n\r\n")
        assert ours[name] == theirs[name], name
    assert said[0] == said[1]
    assert f'127.0.0.1 - "GET /a%20b?c=d HTTP/1.1" {status}' in said[1]
    assert any(line.startswith('127.0.0.1 - "GET /last HTTP/1.1" 200') for line in said[1]) is (
        not headers.lower().endswith("close")
    )


def test_without_an_access_log_nothing_is_said(heard: Heard) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        send.__self__.access_log = False  # type: ignore[attr-defined]
        await answering(exact, 200, "some", (b"",))(scope, receive, send)

    with serving(app, "httptools") as url:
        sent_for(url, REQUESTS["plain"])
    assert heard.said == []


def test_head_and_first_part_are_one_write() -> None:
    written: list[bytes] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        cycle = send.__self__  # type: ignore[attr-defined]
        cycle.transport = Recorder(cycle.transport, written)
        await answering(exact, 200, "none", (b"a", b"b"))(scope, receive, send)

    with serving(app, "httptools") as url, Client(url) as client:
        client.ask("/").read_head()
        assert client.read_chunks() == [b"a", b"b"]
    assert [data.partition(b"\r\n\r\n")[2] or data for data in written] == [b"1\r\na\r\n", b"1\r\nb\r\n0\r\n\r\n"]


class Recorder:
    """A transport that notes what is written to it."""

    def __init__(self, transport: asyncio.Transport, written: list[bytes]) -> None:
        self._transport = transport
        self._written = written

    def write(self, data: bytes) -> None:
        self._written.append(data)
        self._transport.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


def test_a_connection_that_is_closing_takes_no_more() -> None:
    pending: list[bool] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        line = exact(scope, receive, send)
        line.head(200, FixedHeaders([]))
        line.write(b"x")
        pending.append(line.pending)
        line.close()
        pending.append(line.pending)

    with serving(app, "httptools") as url, Client(url) as client:
        client.ask("/").read_to_end()
    assert pending == [False, True]


@pytest.mark.parametrize("http", KINDS)
def test_nothing_reaches_a_client_whose_connection_is_closing_but_it_is_not_lost_yet(http: str) -> None:
    said: list[tuple[bool, bool, bool]] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        line = line_of(scope, receive, send)
        line.head(200, FixedHeaders([]))
        line.write(b"x")
        await line.drain()
        said.append((line.is_gone, line.is_lost, line.unacknowledged() is None))
        line.close()
        # Its socket may be that of another connection before one is told.
        said.append((line.is_gone, line.is_lost, line.unacknowledged() is None))

    with serving(app, http) as url, Client(url) as client:
        client.ask("/").read_to_end()
    assert said == [(False, False, False), (True, False, True)]


def test_the_headers_of_the_server_are_a_new_list_when_they_change() -> None:
    """They are rendered anew only then, so the date would stand still otherwise."""
    lists: list[Any] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        lists.append(send.__self__.default_headers)  # type: ignore[attr-defined]
        await empty(scope, receive, send)

    with serving(app, "httptools") as url, Client(url) as client:
        eventually(lambda: client.ask("/").read_head() and lists[-1] is not lists[0])
    assert [name for name, _ in lists[-1]] == [b"date", b"server"]
