"""What every line does, and the line that any ASGI server can be given: messages."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from mockd.headers import FixedHeaders
from mockd.lines.delivery import Delivery
from mockd.request import Receive, Scope, Send

BODILESS = frozenset({204, 205, 304})
"""Statuses whose answers have no body (RFC 9110, sections 15.3.5, 15.3.6 and 15.4.5)."""


class Line:
    """One response on its way out, by the messages of ASGI: what can be done under every server.

    Nothing here waits but `drain` and `watch`. What is written is handed on at once if the server allows it, and
    otherwise is `pending` until the task of the stream drains it. The head is kept back until something follows it,
    or until `flush`, so that a short answer is one write.
    """

    __slots__ = ("_head", "_is_gone", "_queue", "_receive", "_send", "scope")

    writes_at_once = False
    """Whether what is written is on its way at once; otherwise a task must drain it."""
    breaks_off = False
    """Whether `close` and `abort` end the connection. Otherwise the server does it, once the app has returned."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope = scope
        self._receive = receive
        self._send = send
        self._head: dict[str, Any] | None = None
        self._queue: deque[dict[str, Any]] = deque()
        self._is_gone = False

    # -- the request -----------------------------------------------------------------------------------------------

    def received(self, most: int) -> bytes | None:
        """The body of the request if all of it is here and it has at most `most` bytes; None if it must be waited
        for."""
        return None

    async def receive(self) -> Any:
        """The next message about the request."""
        return await self._receive()

    # -- the answer ------------------------------------------------------------------------------------------------

    def head(self, status: int, headers: FixedHeaders, own: Sequence[tuple[bytes, bytes]] = ()) -> None:
        """Status and headers: those of all answers of a kind, and those of this one."""
        self._head = {"type": "http.response.start", "status": status, "headers": [*headers, *own]}

    def flush(self) -> None:
        """Send the head, if it is still kept back."""
        if self._head is not None:
            self._queue.append(self._head)
            self._head = None

    def write(self, data: bytes) -> None:
        """A part of the body: one chunk, if the body is chunked."""
        self.flush()
        self._queue.append({"type": "http.response.body", "body": data, "more_body": True})

    def finish(self, data: bytes = b"") -> None:
        """The last part of the body, and its clean end."""
        self.flush()
        self._queue.append({"type": "http.response.body", "body": data, "more_body": False})

    @property
    def pending(self) -> bool:
        """Whether more may only be written once `drain` has returned, or at all."""
        return bool(self._queue)

    @property
    def queued(self) -> bool:
        """Whether the server has not taken all that was written."""
        return bool(self._queue)

    async def drain(self) -> None:
        """Wait until the server has taken what was written."""
        queue, send = self._queue, self._send
        try:
            while queue:
                await send(queue[0])
                queue.popleft()
        except OSError:  # what ASGI has `send` raise once the client has left
            self._is_gone = True
            queue.clear()

    # -- the client ------------------------------------------------------------------------------------------------

    @property
    def is_gone(self) -> bool:
        """Whether nothing can reach the client any more, as far as is known: it has left, or the connection is
        closing."""
        return self._is_gone

    @property
    def is_lost(self) -> bool:
        """Whether the connection is closed, with all that was written behind it."""
        return self._is_gone

    async def watch(self) -> None:
        """Wait until the client has left."""
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._is_gone = True

    def on_departure(self, callback: Callable[[], None]) -> bool:
        """Have the server call back once the client has left. False if it cannot, and `watch` is to be awaited."""
        return False

    def limit(self, most: int) -> None:
        """Let at most about `most` bytes wait in this process for the client to read on."""

    def unsent(self) -> int:
        """Bytes that wait in this process for the client to read on; 0 if that is not known."""
        return 0

    def unacknowledged(self) -> int | None:
        """Bytes that the client's machine has not acknowledged, unsent ones included; None if that is not known."""
        return None

    # -- the end of the connection ---------------------------------------------------------------------------------

    @property
    def ends_with_connection(self) -> bool:
        """Whether a body without a length ends where the connection does, as under HTTP/1.0, which knows no chunks:
        there a connection that is closed early looks like a clean end."""
        return self.scope.get("http_version") == "1.0"

    def close(self) -> None:
        """Close the connection without the end of the body, behind what was written."""

    def abort(self, *, reset: bool = False) -> None:
        """Give the connection up at once; with `reset` the client reads a connection reset (TCP RST)."""

    def release(self) -> None:
        """The response is over: keep nothing of the server's."""

    def receipt(self) -> tuple[Delivery | None, int]:
        """The response is over: where to ask what became of it, and up to which byte of the connection it went. None
        if the server cannot tell."""
        return None, 0
