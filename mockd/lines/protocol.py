"""The protocol class of the servers that mockd itself starts: uvicorn's, which also tells what became of an answer."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from mockd.lines.delivery import Delivery

MOST_PIPELINED = 16
"""Most requests that may wait, and take memory, behind the one that is being answered. If there are more, nothing is
read from the connection, so it is not known whether the client has left."""


class Protocol(HttpToolsProtocol):
    """uvicorn's protocol with httptools, whose answers know what the client has acknowledged and how it has left.

    If requests are pipelined, uvicorn stops reading, and tells only the last of them that the client has left. This
    class reads on, and also tells the one that is being answered.
    """

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
