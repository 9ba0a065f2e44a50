"""The protocol class of the servers that mockd starts itself: uvicorn's, which also says how a client has left."""

from __future__ import annotations

from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from mockd.lines.uvicorn import Watch


class Protocol(HttpToolsProtocol):
    """uvicorn's protocol with httptools. It tells a response how its connection was lost, and the one that is being
    sent too if another request was pipelined behind it: uvicorn tells the last request only."""

    _running: Any = None
    """uvicorn's object for the request that is being answered."""

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def connection_lost(self, exc: Exception | None) -> None:
        running, self._running = self._running, None
        if running is not None and type(running.message_event) is Watch:
            running.message_event.lost(exc)
        super().connection_lost(exc)
        if running is not None and running is not self.cycle and not running.response_complete:
            running.disconnected = True
            running.message_event.set()
