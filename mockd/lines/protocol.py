"""The protocol class of the servers that mockd itself starts: uvicorn's, which also tells what became of an answer."""

from __future__ import annotations

import asyncio
import logging
import math
from http import HTTPStatus
from typing import Any

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from mockd.lines.delivery import Delivery
from mockd.lines.hangup import HangUp
from mockd.request import named_by_target

MOST_PIPELINED = 16
"""Most requests that may wait, and take memory, behind the one that is being answered. If there are more, nothing is
read from the connection, so it is not known whether the client has left."""

MOST_UNFINISHED = 512 * 1024
"""Bytes after which no more is read of a head, or of the headers behind a body. What comes in one piece, up to 256 KiB,
is not counted."""

FILES_BESIDE = 32
"""Files that a process may have open besides connections: ports, the log, data files, the event loop's own."""

_log = logging.getLogger("mockd")
_INVALID = "Invalid HTTP request received."


def _nothing() -> None:
    pass


async def _raised(error: Exception) -> None:
    raise error


class Protocol(HttpToolsProtocol):
    """uvicorn's protocol with httptools, whose answers know what the client has acknowledged and how it has left.

    If requests are pipelined, uvicorn stops reading, and tells only the last of them that the client has left. This
    class reads on, and also tells the one that is being answered.

    uvicorn waits for ever for the first byte of a connection and for the rest of a request, and takes heads of any
    length. This class waits `request_timeout_s` for either, and bounds heads.

    uvicorn sets and cancels a timer for every request that a connection is kept alive for. This class has one timer,
    for the rest of requests too. When it is due, the class looks how long the connection has been idle, or a request
    unfinished.

    A short answer needs no task: an app that has a method `start` is asked to answer as far as that goes at once, as
    soon as the whole request is there. Only what is left of the answer becomes a task.

    uvicorn loses the body of a request that offers to change to another protocol, such as HTTP/2 (`Upgrade: h2c`). This
    class ignores the offer (RFC 9110, section 7.8).
    """

    request_timeout_s = 0.0
    """Time for a request, from its first byte to its last, and from a new connection to that byte; 0: no limit."""
    most_files = math.inf
    """Number of files that the process may have open."""

    _running: Any = None
    """uvicorn's object for the request that is being answered."""
    _idle_since: float | None = None
    """Time of the loop since which nothing is answered; None while something is."""
    _look_at = math.inf
    """Time of the loop at which the timer is due, if there is one."""
    _finished: Any = None
    """The scope of the last request that has come to its end. uvicorn makes a scope at the first byte of a request, so
    if `scope` is another one, that request is unfinished."""
    _unfinished: Any = None
    """The scope of the request that was unfinished when something was last received."""
    _unfinished_since = 0.0
    """Time of the loop at which the first bytes of that request came."""
    _unfinished_bytes = 0
    """Number of bytes that came since then, or since the last of its body."""
    _head: bytes | None = None
    """What came since the first byte of a request whose head is not complete; None if other bytes came with that."""
    _hang_up: HangUp | None = None
    """The watch for a client that leaves while nothing of its request is read, as the app, which answers already, does
    not take it."""
    _has_offer = False
    """Whether the head that was parsed last has an offer, after which the parser takes no more for HTTP."""
    _offering: list[tuple[bytes, bytes]] | None = None
    """The headers of the request with an offer whose head is parsed again."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._delivery = Delivery(transport)
        if self.request_timeout_s:
            self._idle_since = self.loop.time()
            self._look_later(self.request_timeout_s)
        if len(self.connections) > self.most_files - FILES_BESIDE:
            self._tell_of_too_many()

    def _tell_of_too_many(self) -> None:
        """Log, once, that the system will soon refuse connections, or does so already. uvloop does not
        tell: it closes them."""
        _log.error(
            "%d connections are open, and this process may have %d files open: the next ones may be refused; raise "
            "the limit with `ulimit -n`, or close idle connections sooner with `--request-timeout`",
            len(self.connections),
            self.most_files,
        )
        type(self).most_files = math.inf

    def data_received(self, data: bytes) -> None:
        # Not uvicorn's, which gives up what follows an offer.
        is_valid = True
        if self.scope is self._finished:
            self._head = data
        elif self._head is not None:
            self._head += data
        try:
            self.parser.feed_data(data)
        except HttpParserUpgrade as offer:
            is_valid = self._parse_rest(offer, data)
        except HttpParserError:
            is_valid = False
        if not is_valid:
            self.logger.warning(_INVALID)
            self._refuse(HTTPStatus.BAD_REQUEST, _INVALID)
        elif self.scope is not self._finished:
            self._wait_for_rest(len(data))

    def _parse_rest(self, offer: HttpParserUpgrade, data: bytes) -> bool:
        """Parse what is left of `data` after an offer: the head of its request without the offer, and all that came
        after the head. Returns whether it is valid."""
        while self._has_offer:  # without one it is CONNECT, which was refused
            self._has_offer, self._offering = False, self.headers
            self.parser = HttpRequestParser(self)
            self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
            data = self._head_without_offer() + data[offer.args[0] :]
            try:
                self.parser.feed_data(data)
            except HttpParserUpgrade as another:
                offer = another
            except HttpParserError:
                return False
        return True

    def _head_without_offer(self) -> bytes:
        start = b"%b %b HTTP/%b\r\n" % (
            self.scope["method"].encode(),
            self.url,
            self.scope["http_version"].encode(),
        )
        lines = [b"%b: %b\r\n" % header for header in self.headers if header[0] != b"upgrade"]
        return b"".join([start, *lines, b"\r\n"])

    def on_headers_complete(self) -> None:
        if self._offering is not None:
            # In place, as they belong to the request's scope already. Mocks see the offer.
            self.headers[:], self._offering = self._offering, None
        elif self.parser.should_upgrade():
            self.scope["method"] = self.parser.get_method().decode()
            self.scope["http_version"] = self.parser.get_http_version()
            self._has_offer = True
            return
        if not self.url.startswith(b"/"):
            self.headers[:] = named_by_target(self.headers, self.url)
        super().on_headers_complete()
        self.headers = []  # what is added from here on are trailers, which are no headers (RFC 9110, section 6.5.1)
        self.cycle.head, self._head = self._head, None  # type: ignore[attr-defined]
        if self.pipeline:
            # Whoever else would read on, such as a stream that starts to watch its client, looks at this first.
            self._delivery.is_full = len(self.pipeline) > MOST_PIPELINED
            if not self._delivery.is_full:
                self.flow.resume_reading()

    def on_body(self, body: bytes) -> None:
        # Not uvicorn's, which asks the parser about offers.
        self._unfinished_bytes = 0
        cycle = self.cycle
        if cycle.response_complete:
            return
        cycle.body += body
        is_early, is_much = self._delivery.early is cycle, len(cycle.body) > HIGH_WATER_LIMIT
        if is_much:
            self.flow.pause_reading()
        cycle.message_event.set()
        if is_early:  # which has its time from each part to the next
            self._unfinished_since = self.loop.time()
            if is_much and self._hang_up is None:
                self._hang_up = HangUp.of(self.loop, self.transport, self._note_hang_up)

    def on_message_complete(self) -> None:
        if not self._has_offer:
            self._finished = self.scope
            super().on_message_complete()

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        self._idle_since = None
        self._running = cycle
        cycle.delivery = self._delivery
        if hasattr(app, "start"):
            # Not at once: the body may follow, and it is cheaper to read all that has come on all connections first.
            self.loop.call_soon(self._start, cycle, app)
        else:
            super()._start_asgi_task(cycle, app)

    def _start(self, cycle: Any, app: Any) -> None:
        """Answer a request as far as that goes at once. If its body is still on its way, all of it is a task."""
        if cycle.more_body:
            super()._start_asgi_task(cycle, app)
            return
        try:
            rest = app.start(cycle.scope, cycle.receive, cycle.send)
        except Exception as error:
            rest = _raised(error)
        if rest is None:
            cycle.on_response = _nothing  # as uvicorn does at the end of a task, so that nothing refers to itself
        else:
            super()._start_asgi_task(cycle, lambda *_: rest)

    def on_response_complete(self) -> None:
        self.server_state.total_requests += 1
        self._watch_no_longer()
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._delivery.is_full = False
            self._start_asgi_task(*self.pipeline.pop())
            return
        self._idle_since = now = self.loop.time()
        if self._look_at > now + self.timeout_keep_alive:
            self._look_later(self.timeout_keep_alive)

    # -- clients that keep the server waiting ----------------------------------------------------------------------

    def _wait_for_rest(self, received: int) -> None:
        """Note that the request on which so many bytes were received is unfinished."""
        if self._unfinished is not self.scope:
            self._unfinished, self._unfinished_bytes = self.scope, 0
            self._unfinished_since = self.loop.time()
            if self.request_timeout_s:
                self._look_later(self.request_timeout_s)
        self._unfinished_bytes += received
        if self._unfinished_bytes > MOST_UNFINISHED:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "The headers of the request are too long.")

    def _look_later(self, delay_s: float) -> None:
        if self.timeout_keep_alive_task is not None:
            self.timeout_keep_alive_task.cancel()
        self._look_at = self.loop.time() + delay_s
        self.timeout_keep_alive_task = self.loop.call_later(delay_s, self.timeout_keep_alive_handler)

    def timeout_keep_alive_handler(self) -> None:
        self.timeout_keep_alive_task, self._look_at = None, math.inf
        now, is_unfinished = self.loop.time(), self.scope is not self._finished
        since: float | None
        if is_unfinished:
            if self._is_busy() or self._is_read_later():  # the client may have sent the rest
                self._unfinished_since = now
            since, most_s = self._unfinished_since, self.request_timeout_s
        else:
            since = self._idle_since
            most_s = self.request_timeout_s if self._finished is None else self.timeout_keep_alive
        if since is None or (is_unfinished and not most_s):
            return
        if (left_s := since + most_s - now) > 0:
            self._look_later(left_s)
        elif is_unfinished:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT, "The request took too long to arrive.")
        else:
            super().timeout_keep_alive_handler()

    def _is_read_later(self) -> bool:
        """Whether nothing is read of a body until the app, which answers already, has taken what came."""
        early, transport = self._delivery.early, self.transport
        return early is not None and early is self.cycle and not transport.is_reading()

    def _is_busy(self) -> bool:
        """Whether an earlier request than that which is being received is still to be answered, so that nothing may be
        read meanwhile."""
        running = self._running
        return running is not None and running.scope is not self.scope and not running.response_complete

    def _refuse(self, status: HTTPStatus, reason: str) -> None:
        """Answer what was received so far, if an answer can be taken for nothing else, and close the connection."""
        if not self.transport.is_closing() and self._may_answer():
            headers = [
                *self.server_state.default_headers,
                (b"content-type", b"text/plain; charset=utf-8"),
                (b"content-length", b"%d" % len(reason)),
                (b"connection", b"close"),
            ]
            lines = [b"HTTP/1.1 %d %b" % (status, status.phrase.encode()), *map(b": ".join, headers), b"", b""]
            self.transport.write(b"\r\n".join(lines) + reason.encode())
        self.transport.close()

    def _may_answer(self) -> bool:
        running = self._running
        if running is None:
            return True
        is_unfinished = running.scope is self.scope and self.scope is not self._finished
        if running.response_complete:
            return not is_unfinished
        return is_unfinished and not running.response_started

    def _note_hang_up(self) -> None:
        """The client has left. If nothing is read, that is not seen in another way."""
        self._hang_up = None
        if not (self.transport.is_reading() or self.transport.is_closing()):
            self._delivery.hung_up()
            self.transport.abort()

    def _watch_no_longer(self) -> None:
        if self._hang_up is not None:
            self._hang_up.close()
            self._hang_up = None

    def eof_received(self) -> None:
        self._delivery.left()

    def connection_lost(self, exc: Exception | None) -> None:
        running, self._running = self._running, None
        self._delivery.lost(exc)
        self._watch_no_longer()
        if self.timeout_keep_alive_task is not None:
            self.timeout_keep_alive_task.cancel()
        super().connection_lost(exc)
        if running is not None and running is not self.cycle and not running.response_complete:
            running.disconnected = True
            running.message_event.set()
