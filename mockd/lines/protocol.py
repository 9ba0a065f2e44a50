"""The protocol class of the servers that mockd starts itself: uvicorn's, which also says what became of an answer."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from mockd.lines.delivery import Delivery

MOST_PIPELINED = 16
"""Requests that may wait behind one that is being answered before nothing more is read, not even that the client has
left: they take memory."""


class Protocol(HttpToolsProtocol):
    """uvicorn's protocol with httptools. Its answers know what the client has acknowledged and how it has left, and
    the one that is being sent is told so too if another request was pipelined behind it: uvicorn tells the last
    request only, and reads nothing more by then, not even that the client has left."""

    _running: Any = None
    """uvicorn's object for the request that is being answered."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._delivery = Delivery(transport)

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        if self.pipeline and len(self.pipeline) <= MOST_PIPELINED:
            self.flow.resume_reading()

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        self._running = cycle
        cycle.delivery = self._delivery
        super()._start_asgi_task(cycle, app)

    def eof_received(self) -> None:
        self._delivery.left()

    def connection_lost(self, exc: Exception | None) -> None:
        running, self._running = self._running, None
        self._delivery.lost(exc)
        super().connection_lost(exc)
        if running is not None and running is not self.cycle and not running.response_complete:
            running.disconnected = True
            running.message_event.set()
