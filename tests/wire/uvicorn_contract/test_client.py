"""What uvicorn tells of the client: that it leaves, does not read, or has sent all."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import threading
from typing import Any

import pytest

from mockd.headers import FixedHeaders
from mockd.lines import Line, line_of
from mockd.lines.protocol import Protocol
from mockd.request import Receive, Scope, Send
from tests.wire.sockets import PATIENCE_S, Client
from tests.wire.uvicorn_contract.asking import KINDS, LAST, REQUESTS, empty, exact, serving


class Told:
    """Stands in for the event of a request."""

    def __init__(self, event: Any, cycle: Any) -> None:
        self._event = event
        self._cycle = cycle
        self.sets: list[tuple[bool, bool]] = []

    def set(self) -> None:
        self.sets.append((self._cycle.disconnected, self._cycle.response_complete))
        self._event.set()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._event, name)


def test_the_event_is_set_when_the_client_has_left() -> None:
    told: list[Told] = []
    over = threading.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        cycle = send.__self__  # type: ignore[attr-defined]
        cycle.message_event = Told(cycle.message_event, cycle)
        told.append(cycle.message_event)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while (await receive())["type"] != "http.disconnect":
            pass
        over.set()

    with serving(app, "httptools") as url:
        with Client(url) as client:
            client.ask("/").read_head()
            assert not any(is_gone for is_gone, _ in told[0].sets)
        assert over.wait(PATIENCE_S)
    assert told[0].sets[-1] == (True, False)


def test_the_line_calls_back_when_the_client_has_left_and_not_before() -> None:
    called: list[str] = []
    over = threading.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        line = exact(scope, receive, send)
        left = asyncio.Event()
        assert line.on_departure(lambda: (called.append(scope["path"]), left.set()))
        line.head(200, FixedHeaders([]))
        line.write(b"x")
        if scope["path"] == "/stays":
            line.finish()
        else:
            await left.wait()
        line.release()
        over.set()

    with serving(app, "httptools") as url:
        with Client(url) as client:
            client.ask("/stays", method="POST", body=b"abc").read_head()
            client.read_chunks()
        assert over.wait(PATIENCE_S)
        over.clear()
        with Client(url) as client:
            client.ask("/leaves").read_head()
        assert over.wait(PATIENCE_S)
    assert called == ["/leaves"]


def test_answers_with_the_same_headers_each_have_their_status() -> None:
    headers = FixedHeaders([(b"content-length", b"0")])

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        line = exact(scope, receive, send)
        line.head(int(scope["path"][1:]), headers)
        line.finish()

    with serving(app, "httptools") as url, Client(url) as client:
        assert [client.ask(f"/{status}").read_head()[0] for status in (200, 503, 200)] == [200, 503, 200]


def test_a_receipt_counts_all_bytes_of_the_answers() -> None:
    ends: list[int] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        line = exact(scope, receive, send)
        line.head(200, FixedHeaders([]))
        line.flush()
        line.write(b"ab")
        line.finish(b"c")
        ends.append(line.receipt()[1])

    with serving(app, Protocol) as url:
        for requests in (LAST, REQUESTS["1.0"], REQUESTS["plain"] + LAST, REQUESTS["HEAD"] + LAST):
            with Client(url) as client:
                client.send(requests)
                received = len(client.read_to_end())
            assert ends[-1] == received


def test_the_body_of_a_request_is_handed_over_once_if_it_is_not_too_long() -> None:
    bodies: list[bytes | None] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        line, cycle = exact(scope, receive, send), send.__self__  # type: ignore[attr-defined]
        while cycle.more_body:  # noqa: ASYNC110  # nothing tells
            await asyncio.sleep(0)
        bodies.extend([line.received(2), line.received(3), bytes(cycle.body)])
        await empty(scope, receive, send)

    with serving(app, "httptools") as url, Client(url) as client:
        client.send(REQUESTS["body"])
        client.read_head()
    assert bodies == [None, b"abc", b""]


def test_the_body_of_a_request_whose_client_has_left_is_not_there() -> None:
    bodies: list[bytes | None] = []
    over = threading.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        line, left = exact(scope, receive, send), asyncio.Event()
        line.on_departure(left.set)
        await left.wait()
        bodies.append(line.received(100))
        over.set()

    with serving(app, "httptools") as url:
        with Client(url) as client:
            client.send(REQUESTS["body"])
        assert over.wait(PATIENCE_S)
    assert bodies == [None]


async def filled(line: Line) -> asyncio.Future[None]:
    """What waits for the client, once it has been written more than it has room for."""
    while True:
        line.write(bytes(64 * 1024))
        draining = asyncio.ensure_future(line.drain())
        for _ in range(5):
            await asyncio.sleep(0)
        if not draining.done():
            return draining
        assert not line.pending  # or whoever drains it again and again would keep all others from their turn


@pytest.mark.parametrize("http", KINDS)
def test_a_client_that_does_not_read_pauses_the_line_until_it_reads_or_leaves(http: str) -> None:
    paused, goes_on = threading.Semaphore(0), threading.Semaphore(0)
    pending: list[bool] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        line = line_of(scope, receive, send)
        line.limit(1000)
        line.head(200, FixedHeaders([]))
        for _ in range(2):
            draining = await filled(line)
            pending.extend([line.pending, line.unsent() > 1000])
            paused.release()
            await draining
            goes_on.release()
        pending.append(line.is_gone)
        goes_on.release()

    with serving(app, http) as url, Client(url, receive_buffer=4096) as client:
        client.ask("/").read_head()
        assert paused.acquire(timeout=PATIENCE_S)
        while not goes_on.acquire(blocking=False):
            client.socket.recv(1 << 20)
        assert paused.acquire(timeout=PATIENCE_S)
        client.socket.close()
        assert goes_on.acquire(timeout=PATIENCE_S)
        assert goes_on.acquire(timeout=PATIENCE_S)
    assert pending == [True] * 5


def test_the_protocol_is_told_of_each_request_and_how_its_connection_was_lost() -> None:
    lines: list[Line] = []
    over = threading.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        line = exact(scope, receive, send)
        left = asyncio.Event()
        line.on_departure(left.set)
        line.head(200, FixedHeaders([]))
        line.write(b"x")
        await left.wait()
        line.release()
        lines.append(line)
        over.set()

    with serving(app, Protocol) as url:
        for pipelined in (b"", LAST):
            for departure in ("client-fin", "client-rst"):
                with Client(url) as client:
                    client.send(REQUESTS["plain"] + pipelined)
                    client.read_head()
                    if departure == "client-rst":
                        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                assert over.wait(PATIENCE_S)
                over.clear()
                delivery, _ = lines[-1].receipt()
                assert delivery is not None
                assert delivery.departure == departure, pipelined


@pytest.mark.parametrize("http", KINDS)
@pytest.mark.parametrize("end", ["close", "abort", "reset", "close and reset"])
def test_an_answer_that_is_broken_off_on_purpose_is_no_fault_of_the_app(
    http: str, end: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        line, left = line_of(scope, receive, send), asyncio.Event()
        line.on_departure(left.set)
        line.head(200, FixedHeaders([]))
        line.write(b"x")
        await line.drain()
        if end.startswith("close"):
            line.close()
            await asyncio.wait_for(line.watch() if http == "h11" else left.wait(), PATIENCE_S)
        line.abort(reset=end.endswith("reset"))

    with serving(app, http) as url, Client(url) as client:
        client.ask("/")
        with pytest.raises(ConnectionResetError) if end == "reset" else contextlib.nullcontext():
            assert not client.read_to_end().endswith(b"0\r\n\r\n")
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []


def test_a_client_that_has_left_before_anybody_asked_is_told_at_once() -> None:
    called: list[bool] = []
    over = threading.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        line, cycle = exact(scope, receive, send), send.__self__  # type: ignore[attr-defined]
        while not cycle.disconnected:  # noqa: ASYNC110  # nothing tells
            await asyncio.sleep(0)
        line.on_departure(lambda: called.append(line.is_gone))
        over.set()

    with serving(app, "httptools") as url:
        Client(url).ask("/").close()
        assert over.wait(PATIENCE_S)
    assert called == [True]


@pytest.mark.parametrize("http", ["httptools", Protocol], ids=str)
def test_a_client_whose_connection_is_closing_is_told_of_once(http: Any) -> None:
    called: list[bool] = []
    over = threading.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        line, left = exact(scope, receive, send), asyncio.Event()
        line.head(200, FixedHeaders([]))
        line.write(b"x")
        line.close()
        line.on_departure(lambda: (called.append(line.is_lost), left.set()))
        await left.wait()
        over.set()

    with serving(app, http) as url, Client(url) as client:
        client.ask("/").read_to_end()
        assert over.wait(PATIENCE_S)
    assert called == [True]


def test_who_waits_for_a_message_is_told_when_the_answer_is_over() -> None:
    messages: list[Any] = []
    over = threading.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        line = exact(scope, receive, send)
        await receive()
        waiting = asyncio.ensure_future(receive())
        await asyncio.sleep(0)
        line.head(200, FixedHeaders([(b"content-length", b"0")]))
        line.finish()
        line.release()
        for _ in range(5):
            await asyncio.sleep(0)
        messages.append(waiting.done() and waiting.result())
        waiting.cancel()
        over.set()

    with serving(app, "httptools") as url, Client(url) as client:
        client.ask("/").read_head()
        assert over.wait(PATIENCE_S)
    assert messages == [{"type": "http.disconnect"}]
