"""What is relied on of uvicorn, apps that answer by a line, and servers for them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from typing import Any

from mockd.headers import FixedHeaders
from mockd.lines import Line, line_of
from mockd.lines.uvicorn import HttptoolsLine
from mockd.request import Receive, Scope, Send
from tests import in_thread

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


async def empty(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


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


def exact(scope: Scope, receive: Receive, send: Send) -> Line:
    line = line_of(scope, receive, send)
    assert type(line) is HttptoolsLine
    return line
