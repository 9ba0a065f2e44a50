"""What `mockd/lines` relies on of uvicorn's private parts. If a new version of uvicorn fails here, the lines must be
looked at before the bound in `pyproject.toml` is moved.
"""

from __future__ import annotations

import ast
import asyncio
import contextlib
import inspect
import logging
import re
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from uvicorn.protocols.http import h11_impl, httptools_impl

import mockd.lines.protocol
import mockd.lines.uvicorn
from mockd.headers import FixedHeaders
from mockd.lines import Line, line_of
from mockd.lines.protocol import Protocol
from mockd.lines.uvicorn import HttptoolsLine, UvicornLine
from mockd.request import Receive, Scope, Send
from tests import in_thread
from tests.wire.sockets import PATIENCE_S, Client, eventually

Answer = Callable[[Scope, Receive, Send], Awaitable[None]]

HTTPTOOLS = {
    "access_log": bool,
    "access_logger": logging.Logger,
    "body": bytearray,
    "chunked_encoding": type(None),
    "default_headers": list,
    "disconnected": bool,
    "expected_content_length": int,
    "flow.drain": Callable,
    "flow.resume_reading": Callable,
    "flow.write_paused": bool,
    "keep_alive": bool,
    "message_event": asyncio.Event,
    "more_body": bool,
    "on_response": Callable,
    "response_complete": bool,
    "response_started": bool,
    "scope": dict,
    "transport": object,
    "waiting_for_100_continue": bool,
}
"""All that is read or set of uvicorn's object for a request, and what it is there."""
H11 = {name: HTTPTOOLS[name] for name in ("disconnected", "flow.drain", "flow.write_paused", "transport")}
KINDS = {"httptools": HTTPTOOLS, "h11": H11}


def serving(app: Answer, http: Any) -> AbstractContextManager[str]:
    """A server with uvicorn's own access log."""
    return in_thread.serving(app, http=http, log_config=None)


# -- names -------------------------------------------------------------------------------------------------------------


def test_the_classes_are_where_they_are_looked_for() -> None:
    assert {httptools_impl.__name__: HttptoolsLine, h11_impl.__name__: UvicornLine} == mockd.lines.uvicorn._MODULES
    for module in (httptools_impl, h11_impl):
        assert module.RequestResponseCycle.__module__ == module.__name__
    assert issubclass(Protocol, httptools_impl.HttpToolsProtocol)


def used_of(module: Any, *roots: str) -> set[str]:
    """The attributes of some objects that a module reads or sets; those of `flow` with its name."""
    found = set()
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        if isinstance(node, ast.Attribute):
            names = ast.unparse(node)
            for root in roots:
                if names.startswith(root + ".") and re.fullmatch(r"(flow\.)?\w+", names.removeprefix(root + ".")):
                    found.add(names.removeprefix(root + "."))
    return found - {"flow"}


def test_the_tables_have_all_that_is_used() -> None:
    used = used_of(mockd.lines.uvicorn, "cycle", "self._cycle", "watch._cycle")
    used |= used_of(mockd.lines.protocol, "cycle", "running") - {"delivery", "receive", "send"}
    assert used == set(HTTPTOOLS)
    overridden = {
        "_start_asgi_task",
        "connection_lost",
        "connection_made",
        "on_headers_complete",
        "on_message_complete",
        "timeout_keep_alive_handler",
    }
    assert used_of(mockd.lines.protocol, "super()") == overridden


def test_uvicorns_protocol_has_all_that_mockds_own_uses_of_it() -> None:
    """Its own reading of what was received is not called, so that nothing else would notice."""
    inherited = used_of(mockd.lines.protocol, "self") - set(vars(Protocol)) - {"_delivery"}
    there = used_of(httptools_impl, "self")
    assert {"parser", "headers", "scope", "url", "cycle"} < inherited
    assert inherited <= there
    replaced = {"data_received", "on_body", "on_response_complete"}
    assert replaced <= set(vars(httptools_impl.HttpToolsProtocol))


@pytest.mark.parametrize("http", KINDS)
def test_a_live_request_has_them(http: str) -> None:
    wrong: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        cycle = send.__self__  # type: ignore[attr-defined]
        assert receive.__self__ is cycle  # type: ignore[attr-defined]
        for name, kind in KINDS[http].items():
            value = cycle
            for part in name.split("."):
                value = getattr(value, part, None)
            if not isinstance(value, kind):  # type: ignore[arg-type]
                wrong.append(f"{name} is {value!r}")
        wrong.extend(name for name in KINDS[http] if "." not in name and name not in vars(cycle))
        transport = cycle.transport
        assert transport.get_write_buffer_size() == 0
        transport.set_write_buffer_limits(high=1000)
        assert transport.get_write_buffer_limits()[1] == 1000
        assert transport.get_extra_info("socket").fileno() > 0
        await empty(scope, receive, send)

    with serving(app, http) as url, Client(url) as client:
        assert client.ask("/").read_head()[0] == 204
    assert wrong == []


async def empty(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


# -- what is written ---------------------------------------------------------------------------------------------------

TEXT = (b"content-type", b"text/plain")
HEADERS: dict[str, list[tuple[bytes, bytes]]] = {
    "none": [],
    "some": [TEXT, (b"set-cookie", b"a=1"), (b"set-cookie", b"b=2"), (b"x-e", b"\xe9")],
    "length": [TEXT, (b"content-length", b"6")],
    "close": [(b"connection", b"close"), TEXT],
    "Close": [(b"connection", b"x, Close")],
    "keep-alive": [(b"connection", b"keep-alive"), TEXT],
    "own length": [TEXT],
    "own close": [TEXT],
    "own Close": [TEXT],
    "own keep-alive": [TEXT],
}
OWN: dict[str, list[tuple[bytes, bytes]]] = {
    "own length": [(b"content-length", b"6")],
    "own close": [(b"connection", b"close")],
    "own Close": [(b"connection", b"x, Close")],
    "own keep-alive": [(b"connection", b"keep-alive")],
}
"""Headers that one answer adds to those of its kind."""
REQUESTS = {
    "plain": b"GET /a%20b?c=d HTTP/1.1\r\nHost: x\r\n\r\n",
    "last": b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    "1.0": b"GET / HTTP/1.0\r\nHost: x\r\n\r\n",
    "1.0 kept alive": b"GET / HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\n\r\n",
    "HEAD": b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n",
    "body": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc",
    "chunks": b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    "expects": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\nabc",
}
LAST = b"GET /last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
BODIES: dict[str, tuple[bytes, ...]] = {"parts": (b"ab", b"c", b"def"), "one": (b"abcdef",), "rest": (b"abcdef", b"")}
"""The parts of a body; the last goes with its end."""


async def read(line: Line, receive: Receive) -> bytes:
    """The body of the request, as mockd reads it."""
    body = line.received(100)
    while body is None:
        message = await receive()
        body = message["body"] if not message["more_body"] else None
    return body


def answering(make: Callable[..., Line], status: int, headers: str, parts: tuple[bytes, ...]) -> Answer:
    """An app that answers by a line; the last request of a connection with its path and what it had for a body."""
    fixed = FixedHeaders(HEADERS[headers])

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        line = make(scope, receive, send)
        body = await read(line, receive) if scope["method"] == "POST" else b""
        if scope["path"] == "/last":
            line.head(200, FixedHeaders([(b"content-length", b"4")]))
            line.finish(b"last")
        else:
            line.head(status, fixed, [(b"x-own", b"1"), (b"x-body", body), *OWN.get(headers, ())])
            for part in parts[:-1]:
                line.write(part)
            line.finish(parts[-1])
        await line.drain()

    return app


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


def exact(scope: Scope, receive: Receive, send: Send) -> Line:
    line = line_of(scope, receive, send)
    assert type(line) is HttptoolsLine
    return line


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


# -- the client --------------------------------------------------------------------------------------------------------


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


# -- which line --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("http", "expected"), [("httptools", HttptoolsLine), ("h11", UvicornLine), (Protocol, HttptoolsLine)], ids=str
)
def test_only_exactly_what_is_known_gets_a_line_of_its_own(http: Any, expected: type[Line]) -> None:
    got: dict[str, type[Line]] = {}

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        async def wrapped_send(message: Any) -> None:
            await send(message)

        async def wrapped_receive() -> Any:
            return await receive()

        cycle = send.__self__  # type: ignore[attr-defined]
        child = type("Child", (type(cycle),), {"__module__": type(cycle).__module__})
        heir = child.__new__(child)
        heir.__dict__.update(vars(cycle))
        namesake = type(type(cycle).__name__, (), {"send": None, "receive": None, "__module__": type(cycle).__module__})
        other = object.__new__(type(cycle))
        stranger = namesake()
        for name, ends in {
            "itself": (receive, send),
            "a wrapped send": (receive, wrapped_send),
            "a wrapped receive": (wrapped_receive, send),
            "both wrapped": (wrapped_receive, wrapped_send),
            "a subclass": (heir.receive, heir.send),
            "two requests": (other.receive, send),
            "a namesake": (bound(stranger), bound(stranger)),
        }.items():
            got[name] = type(line_of(scope, *ends))
        await empty(scope, receive, send)

    with serving(app, http) as url, Client(url) as client:
        assert client.ask("/").read_head()[0] == 204
    assert got.pop("itself") is expected
    assert set(got.values()) == {Line}
    assert len(got) == 6


def bound(thing: object) -> Any:
    """A method of that object."""
    return (lambda self: None).__get__(thing)


def test_the_version_is_bounded() -> None:
    """To what is tested: before 1.0, anything may change with a minor version."""
    project = (Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8")
    major, minor = uvicorn.__version__.split(".")[:2]
    assert f'"uvicorn[standard]>={major}.{minor},<{major}.{int(minor) + 1}"' in project
