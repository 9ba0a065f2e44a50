"""The lines for uvicorn. `tests/wire/uvicorn_contract/` checks all private parts of uvicorn that they use.

Both lines know the transport, so they can tell how much is unsent or unacknowledged, and close or reset the connection.
The line for httptools also writes to the transport itself: ASGI messages cost as much as everything else about a short
stream, and the calendar can write without a task.
"""

from __future__ import annotations

import socket
import struct
import sys
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Any

from mockd.headers import FixedHeaders, raw_headers
from mockd.lines.delivery import Delivery, delivery_on, unacknowledged
from mockd.lines.line import BODILESS, Line
from mockd.request import Receive, Scope, Send

_STATUS_LINES = {int(status): b"HTTP/1.1 %d %b\r\n" % (status, status.phrase.encode()) for status in HTTPStatus}
_LINGER_NOT = struct.pack("ii", 1, 0)
"""Value of `SO_LINGER` that makes a close a reset."""


class Watch:
    """A stand-in for uvicorn's event of a request, which calls back once the client has left.

    uvicorn sets the event for each part of the body, at the end of the response, and when the connection is lost. As
    long as the body is on its way, somebody may wait for the event too.
    """

    __slots__ = ("_callback", "_cycle", "_event")

    def __init__(self, cycle: Any, callback: Callable[[], None]) -> None:
        self._cycle = cycle
        self._callback = callback
        self._event = cycle.message_event if cycle.more_body else None

    def set(self) -> None:
        if self._event is not None:
            self._event.set()
        if self._cycle.disconnected:
            self._callback()

    async def wait(self) -> None:
        if self._event is not None:
            await self._event.wait()

    def clear(self) -> None:
        if self._event is not None:
            self._event.clear()


class UvicornLine(Line):
    """The line for uvicorn with h11. It sends messages, and uses the transport for everything else."""

    __slots__ = ("_cycle", "_delivery", "_transport")

    breaks_off = True
    decides_head = True

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        super().__init__(scope, receive, send)
        self._cycle: Any = receive.__self__  # type: ignore[attr-defined]
        self._transport = self._cycle.transport
        self._delivery: Delivery | None = delivery_on(self._transport)

    def head(self, status: int, headers: FixedHeaders, own: Sequence[tuple[bytes, bytes]] = ()) -> None:
        cycle, settled = self._cycle, headers.settled.union([name for name, _ in own])
        if not settled.isdisjoint(_OF_SERVER):
            cycle.default_headers = [header for header in cycle.default_headers if header[0].lower() not in settled]
        super().head(status, headers, own)

    @property
    def is_gone(self) -> bool:
        return self._is_gone or self._cycle.disconnected or self._transport.is_closing()

    @property
    def is_lost(self) -> bool:
        lost: bool = self._cycle.disconnected
        return lost

    @property
    def pending(self) -> bool:
        return bool(self._queue) or self._cycle.flow.write_paused

    async def drain(self) -> None:
        await super().drain()
        if self._cycle.flow.write_paused:
            await self._cycle.flow.drain()

    def limit(self, most: int) -> None:
        if not self._transport.is_closing():  # as it is behind bytes that are no request
            self._transport.set_write_buffer_limits(high=most)

    def unsent(self) -> int:
        size: int = self._transport.get_write_buffer_size()
        return size

    def unacknowledged(self) -> int | None:
        return None if self._transport.is_closing() else unacknowledged(self._transport)

    def raw(self, data: bytes) -> None:
        self._transport.write(data)

    @property
    def is_secure(self) -> bool:
        return self._transport.get_extra_info("ssl_object") is not None

    def close(self) -> None:
        self._transport.close()
        if not self._cycle.response_started:
            self._cycle.disconnected = True  # now, so that uvicorn does not complain that there is no answer

    def left(self) -> None:
        self._cycle.disconnected = True  # now, so that uvicorn does not complain of an incomplete answer

    def receipt(self) -> tuple[Delivery | None, int | None]:
        return self._delivery, None

    def abort(self, *, reset: bool = False) -> None:
        if self._delivery is not None:
            self._delivery.broken_off()
        if reset and not self._transport.is_closing():
            opened: socket.socket = self._transport.get_extra_info("socket")
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
        self._transport.abort()
        self._cycle.disconnected = True  # now, so that uvicorn does not complain of an incomplete answer


class ChunklessLine(UvicornLine):
    """The line for HTTP/1.0 and uvicorn with httptools, if a host app has wrapped `send`: uvicorn would send chunks,
    which HTTP/1.0 does not have. The host app sees all messages."""

    __slots__ = ()

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        super().__init__(scope, receive, send)
        self._cycle.chunked_encoding = False
        self._cycle.expected_content_length = _AnyLength()


class _AnyLength:
    """Stands in for the number of bytes that are left of a body: it is none too few, and none too many."""

    def __lt__(self, size: int) -> bool:
        return False

    def __sub__(self, size: int) -> _AnyLength:
        return self

    def __ne__(self, left: object) -> bool:
        return False


class HttptoolsLine(UvicornLine):
    """The line for uvicorn with httptools, which writes to the transport itself."""

    __slots__ = ("_is_chunked", "_sends_body", "_unsent_head", "_written", "request_head")

    writes_at_once = True
    sends_raw = True
    queued = False

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Without `super()`, for speed: this is called for each request.
        self.scope = scope
        self._receive = receive
        self._cycle = cycle = send.__self__  # type: ignore[attr-defined]
        self._transport = cycle.transport
        self._unsent_head: bytes | None = None
        self._written = 0
        # Only mockd's own protocol sets these.
        self._delivery = getattr(cycle, "delivery", None) or delivery_on(cycle.transport)
        self.request_head = getattr(cycle, "head", None)

    @property
    def is_gone(self) -> bool:
        is_gone: bool = self._cycle.disconnected or self._transport.is_closing()
        return is_gone

    def received(self, most: int) -> bytes | None:
        cycle = self._cycle
        if cycle.more_body or cycle.waiting_for_100_continue or cycle.disconnected or len(cycle.body) > most:
            return None
        body, cycle.body = bytes(cycle.body), bytearray()
        return body

    def open_early(self) -> bool:
        if self._delivery is not None:
            self._delivery.early = self._cycle
        return True

    # -- the answer ------------------------------------------------------------------------------------------------

    def head(self, status: int, headers: FixedHeaders, own: Sequence[tuple[bytes, bytes]] = ()) -> None:
        cycle, scope = self._cycle, self.scope
        has_length, closes, others = headers.has_length, headers.closes, b""
        state, start = headers.started
        if state is None or state[0] is not cycle.default_headers or state[1] != status:
            start = _started(status, headers, cycle.default_headers)
        if own:
            others = raw_headers(own)
            for name, value in own:
                if name in _SPECIAL:
                    has_length = has_length or name == b"content-length"
                    closes = closes or (name == b"connection" and b"close" in value.lower())
                    start = _start(status, headers, cycle.default_headers, headers.settled.union([n for n, _ in own]))
        if closes:
            cycle.keep_alive = False
        elif not cycle.keep_alive:
            others += b"connection: close\r\n"
        self._sends_body = scope["method"] != "HEAD" and status not in BODILESS
        self._is_chunked = self._sends_body and not has_length and scope["http_version"] != "1.0"
        end = b"transfer-encoding: chunked\r\n\r\n" if self._is_chunked else b"\r\n"
        self._unsent_head = b"%b%b%b" % (start, others, end)
        cycle.response_started = True
        cycle.waiting_for_100_continue = False
        if cycle.access_log:
            self._log(status)

    def _log(self, status: int) -> None:
        from uvicorn.protocols.utils import get_client_addr, get_path_with_query_string

        scope: Any = self.scope
        where = get_client_addr(scope), scope["method"], get_path_with_query_string(scope)
        self._cycle.access_logger.info('%s - "%s %s HTTP/%s" %d', *where, scope["http_version"], status)

    def flush(self) -> None:
        if self._unsent_head is not None:
            self._transport.write(self._unsent_head)
            self._written += len(self._unsent_head)
            self._unsent_head = None

    def inform(self, status: int, reason: bytes, headers: Sequence[tuple[bytes, bytes]]) -> None:
        if self.scope["http_version"] != "1.0" and not self._cycle.response_started and not self.is_gone:
            self._put(b"HTTP/1.1 %d %b\r\n%b\r\n" % (status, reason, raw_headers(headers)))

    def trail(self, trailers: Sequence[tuple[bytes, bytes]]) -> None:
        if self._is_chunked:
            self.flush()
            self._put(b"0\r\n%b\r\n" % raw_headers(trailers))
            self._is_chunked = False

    def _put(self, data: bytes) -> None:
        self._transport.write(data)
        self._written += len(data)

    def write(self, data: bytes) -> None:
        if not self._sends_body:
            self.flush()
            return
        if self._is_chunked and data:  # a chunk of no bytes would end the body
            data = b"%x\r\n%b\r\n" % (len(data), data)
        if self._unsent_head is not None:
            data = self._unsent_head + data
            self._unsent_head = None
        self._transport.write(data)
        self._written += len(data)

    def finish(self, data: bytes = b"") -> None:
        start, self._unsent_head = self._unsent_head or b"", None
        if not self._sends_body:
            data = start
        elif self._is_chunked:
            data = b"%b%x\r\n%b\r\n0\r\n\r\n" % (start, len(data), data) if data else start + b"0\r\n\r\n"
        else:
            data = start + data
        cycle = self._cycle
        if data:
            self._transport.write(data)
            self._written += len(data)
        cycle.response_complete = True
        cycle.message_event.set()
        if not cycle.keep_alive:
            self._transport.close()
        cycle.on_response()

    def raw(self, data: bytes) -> None:
        self._unsent_head = None
        self._transport.write(data)
        self._written += len(data)

    def image(self, data: bytes, *, is_last: bool = False) -> tuple[bytes, int]:
        head = self._unsent_head or b""
        if not self._sends_body:
            return head, len(head)
        start = b"%x\r\n" % len(data) if self._is_chunked and data else b""
        end = b"\r\n" if start else b""
        if is_last and self._is_chunked:
            end += b"0\r\n\r\n"
        return b"%b%b%b%b" % (head, start, data, end), len(head) + len(start)

    def done(self) -> None:
        self._is_chunked = self._sends_body = False
        self.finish()

    @property
    def is_chunked(self) -> bool | None:
        return self._is_chunked

    @property
    def wire_bytes(self) -> int | None:
        return self._written

    @property
    def pending(self) -> bool:
        # A closing transport drops what is written, without an error.
        is_pending: bool = self._cycle.flow.write_paused or self._transport.is_closing()
        return is_pending

    async def drain(self) -> None:
        await self._cycle.flow.drain()

    # -- the client ------------------------------------------------------------------------------------------------

    def on_departure(self, callback: Callable[[], None]) -> bool:
        cycle = self._cycle
        cycle.message_event = Watch(cycle, callback)
        if self._delivery is None or not self._delivery.is_full:
            cycle.flow.resume_reading()
        # If the connection is only closing, uvicorn sets the event once it is lost.
        if self.is_lost:
            callback()
        return True

    def release(self) -> None:
        if type(self._cycle.message_event) is Watch:
            # The server may still set the event, which must have no effect.
            self._cycle.message_event = _NOBODY
        if self._delivery is not None:
            self._delivery.early = None

    def receipt(self) -> tuple[Delivery | None, int | None]:
        delivery = self._delivery
        if delivery is None:
            return None, None
        delivery.written += self._written
        return delivery, delivery.written


class _Nobody:
    """An event that nobody waits for."""

    def set(self) -> None:
        pass


_NOBODY = _Nobody()


_OF_SERVER = frozenset({b"date", b"server"})
_SPECIAL = frozenset({b"content-length", b"connection", *_OF_SERVER})
"""Names of headers that the server would add or must obey."""
_Defaults = list[tuple[bytes, bytes]]
"""The headers of the server itself: `Date`, which changes each second, and `Server`."""


def _started(status: int, headers: FixedHeaders, defaults: _Defaults) -> bytes:
    """The status line and the fixed headers of an answer, which `headers` keep until uvicorn makes a new list of its
    own headers, once a second."""
    start = _start(status, headers, defaults, headers.settled)
    headers.started = ((defaults, status), start)
    return start


def _start(status: int, headers: FixedHeaders, defaults: _Defaults, settled: frozenset[bytes]) -> bytes:
    of_server = [(name.lower(), value) for name, value in defaults if name.lower() not in settled]
    line = _STATUS_LINES.get(status) or b"HTTP/1.1 %d \r\n" % status
    if headers.reason is not None:
        line = b"HTTP/1.1 %d %b\r\n" % (status, headers.reason)
    return line + raw_headers(of_server) + headers.raw


_MODULES: dict[str, type[UvicornLine]] = {
    "uvicorn.protocols.http.httptools_impl": HttptoolsLine,
    "uvicorn.protocols.http.h11_impl": UvicornLine,
}


def line_for(kind: type) -> type[Line]:
    """The line for the class of a uvicorn request object. A subclass of it gets the line of messages."""
    line = _MODULES.get(kind.__module__)
    known = getattr(sys.modules.get(kind.__module__), "RequestResponseCycle", None)
    return Line if line is None or kind is not known else line


def chunkless_line_for(kind: type) -> type[Line]:
    """The line for the class of a uvicorn request object whose `send` is wrapped, and whose client speaks HTTP/1.0."""
    return ChunklessLine if line_for(kind) is HttptoolsLine else Line
