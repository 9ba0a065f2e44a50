"""The protocol class of the servers that mockd itself starts: uvicorn's, which also tells what became of an answer."""

from __future__ import annotations

import asyncio
from typing import Any

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from mockd.lines.delivery import Delivery

MOST_PIPELINED = 16
"""Most requests that may wait, and take memory, behind the one that is being answered. If there are more, nothing is
read from the connection, so it is not known whether the client has left."""

_INVALID = "Invalid HTTP request received."


def _nothing() -> None:
    pass


async def _raised(error: Exception) -> None:
    raise error


class Protocol(HttpToolsProtocol):
    """uvicorn's protocol with httptools, whose answers know what the client has acknowledged and how it has left.

    If requests are pipelined, uvicorn stops reading, and tells only the last of them that the client has left. This
    class reads on, and also tells the one that is being answered.

    uvicorn sets and cancels a timer for every request that a connection is kept alive for. This class looks, when its
    one timer is due, how long the connection has been idle.

    A short answer needs no task: an app that has a method `start` is asked to answer as far as that goes at once, as
    soon as the whole request is there. Only what is left of the answer becomes a task.

    uvicorn loses the body of a request that offers to change to another protocol, such as HTTP/2 (`Upgrade: h2c`). This
    class ignores the offer (RFC 9110, section 7.8).
    """

    _running: Any = None
    """uvicorn's object for the request that is being answered."""
    _idle_since: float | None = None
    """Time of the loop since which nothing is asked or answered; None while something is."""
    _is_parsing = False
    _ready: tuple[Any, Any] | None = None
    """The request to start with its app, once all that was received is parsed."""
    _has_offer = False
    """Whether the head that was parsed last has an offer, after which the parser takes no more for HTTP."""
    _offering: list[tuple[bytes, bytes]] | None = None
    """The headers of the request with an offer whose head is parsed again."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._delivery = Delivery(transport)

    def data_received(self, data: bytes) -> None:
        # Not uvicorn's, which gives up what follows an offer.
        self._unset_keepalive_if_required()
        self._is_parsing = True
        try:
            while data:
                data = self._parse(data)
        except HttpParserError:
            self.logger.warning(_INVALID)
            self.send_400_response(_INVALID)
        self._is_parsing = False
        if self._ready is not None:
            ready, self._ready = self._ready, None
            self._start(*ready)

    def _parse(self, data: bytes) -> bytes:
        """Parse what was received. Returns what must be parsed next: after an offer, the head of its request without
        the offer, and all that came after the head."""
        try:
            self.parser.feed_data(data)
        except HttpParserUpgrade as offer:
            if not self._has_offer:  # CONNECT, which was refused
                return b""
            self._has_offer, self._offering = False, self.headers
            self.parser = HttpRequestParser(self)
            self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
            return self._head_without_offer() + data[offer.args[0] :]
        return b""

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
        super().on_headers_complete()
        if self.pipeline and len(self.pipeline) <= MOST_PIPELINED:
            self.flow.resume_reading()

    def on_message_complete(self) -> None:
        if not self._has_offer:
            super().on_message_complete()

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        self._running = cycle
        cycle.delivery = self._delivery
        if self._is_parsing and hasattr(app, "start"):
            self._ready = cycle, app
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
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
            return
        self._idle_since = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self._look_later(self.timeout_keep_alive)

    def _look_later(self, delay_s: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(delay_s, self.timeout_keep_alive_handler)

    def _unset_keepalive_if_required(self) -> None:
        self._idle_since = None

    def timeout_keep_alive_handler(self) -> None:
        self.timeout_keep_alive_task = None
        if self._idle_since is None:
            return
        left_s = self._idle_since + self.timeout_keep_alive - self.loop.time()
        if left_s > 0:
            self._look_later(left_s)
        else:
            super().timeout_keep_alive_handler()

    def eof_received(self) -> None:
        self._delivery.left()

    def connection_lost(self, exc: Exception | None) -> None:
        running, self._running = self._running, None
        self._delivery.lost(exc)
        if self.timeout_keep_alive_task is not None:
            self.timeout_keep_alive_task.cancel()
        super().connection_lost(exc)
        if running is not None and running is not self.cycle and not running.response_complete:
            running.disconnected = True
            running.message_event.set()
