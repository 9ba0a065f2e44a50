"""What lies under an ASGI connection, where the server lets us find it.

uvicorn's `send` is a method of an object that has the transport. Wrappers in between hide it, so the outermost ASGI
callable leaves it in the scope. Under other servers there is none, and what needs it falls back to ASGI messages.
"""

from __future__ import annotations

import asyncio
import sys
from http import HTTPStatus
from typing import Any

from mockd.request import Receive, Scope, Send

_KEY = "mockd.cycle"
_PHRASES = {int(status): status.phrase.encode() for status in HTTPStatus}


def remember(scope: Scope, send: Send) -> None:
    """Note the server's object for this request in the scope, if this is the server's own `send`."""
    cycle = getattr(send, "__self__", None)
    if hasattr(getattr(cycle, "transport", None), "abort"):  # uvloop's transports are no subclass of asyncio's
        scope[_KEY] = cycle


def forget(scope: Scope) -> None:
    """The request is over. The scope and the server's object refer to each other: left so, each request would be work
    for the garbage collector."""
    scope.pop(_KEY, None)


def _cycle_behind(scope: Scope, call: Any) -> Any:
    """The server's object where `call`, which is `send` or `receive`, is its own, and no middleware's."""
    cycle = scope.get(_KEY)
    return cycle if cycle is not None and getattr(call, "__self__", None) is cycle else None


def transport_of(scope: Scope) -> asyncio.WriteTransport | None:
    """The transport of this connection."""
    cycle = scope.get(_KEY)
    return None if cycle is None else cycle.transport


def unsent(scope: Scope) -> int:
    """Bytes that wait in this process for the client to read on; 0 where that is not known."""
    transport = transport_of(scope)
    return 0 if transport is None else transport.get_write_buffer_size()


def limit_unsent(scope: Scope, most: int) -> None:
    """Have `send` wait while more than so many bytes are unsent."""
    transport = transport_of(scope)
    if transport is not None:
        transport.set_write_buffer_limits(high=most)


def delimit_by_close(scope: Scope) -> bool:
    """For a client of HTTP/1.0, which knows no chunks, have the body end where the connection does.

    True where that is now for the caller to see to: `send` takes the body as it is, for as long as it likes, and must
    not be told of the end. False where the server does it by itself, or cannot be made to.
    """
    cycle: Any = scope.get(_KEY)
    # uvicorn with httptools sends chunks to every client whose response has no length.
    if scope.get("http_version") != "1.0" or not hasattr(cycle, "expected_content_length"):
        return False
    cycle.chunked_encoding = False
    cycle.expected_content_length = sys.maxsize
    return True


def received_body(scope: Scope, receive: Receive, most: int) -> bytes | None:
    """The body of a request, if the server has all of it and it is within `most` bytes; None where `receive` is to be
    asked for it."""
    cycle = _cycle_behind(scope, receive)
    if getattr(cycle, "more_body", True) or cycle.waiting_for_100_continue or cycle.disconnected:
        return None
    if len(cycle.body) > most:
        return None
    body, cycle.body = bytes(cycle.body), bytearray()
    return body


def send_at_once(scope: Scope, send: Send, status: int, headers: bytes, body: bytes) -> bool:
    """Send a whole response, its body as one chunk, in a single write. False if nothing was sent, and `send` is to
    send it: under other servers than uvicorn with httptools, and whenever there is more to do than to write.

    For a short stream the messages of ASGI cost as much as everything else about it. What is done here is what
    uvicorn's `send` does for the two of them.
    """
    cycle = _cycle_behind(scope, send)
    if not body or getattr(cycle, "chunked_encoding", False) is not None:
        return False
    if cycle.response_started or cycle.disconnected or cycle.waiting_for_100_continue:
        return False
    if cycle.flow.write_paused or cycle.access_log or not cycle.keep_alive:
        return False
    cycle.response_started = cycle.response_complete = True
    line = b"HTTP/1.1 %d %b\r\n" % (status, _PHRASES.get(status, b""))
    of_server = [b"%b: %b\r\n" % header for header in cycle.default_headers]
    size = b"transfer-encoding: chunked\r\n\r\n%x\r\n" % len(body)
    cycle.transport.write(b"".join([line, *of_server, headers, size, body, b"\r\n0\r\n\r\n"]))
    cycle.message_event.set()
    cycle.on_response()
    return True


class ChunkWriter:
    """Writes chunks of a chunked body straight to the transport: no coroutine, so the calendar can do it."""

    __slots__ = ("_cycle", "_limit", "_transport")

    def __init__(self, cycle: Any, limit: int) -> None:
        self._cycle = cycle
        self._transport = cycle.transport
        self._limit = limit

    def has_room(self) -> bool:
        """Whether the client is there, and what waits for it is within the limit."""
        return not self._cycle.disconnected and self._transport.get_write_buffer_size() <= self._limit

    def write(self, body: bytes) -> None:
        self._transport.write(b"%x\r\n%b\r\n" % (len(body), body))


def chunk_writer(scope: Scope, send: Send, limit: int) -> ChunkWriter | None:
    """A writer for the response whose head has just been sent; None where its body is not known to be chunked, and
    where middleware is to see it.

    That is known of uvicorn with httptools. `limit`: bytes unsent above which there is no room.
    """
    cycle = _cycle_behind(scope, send)
    if getattr(cycle, "chunked_encoding", None) is not True:
        return None
    return ChunkWriter(cycle, limit)
