"""The interface of all lines, and the line for any ASGI server, which sends messages."""

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
    """One response on its way out, sent as ASGI messages, which every server understands.

    Only the coroutines wait. Written bytes go out at once if the server allows that; otherwise they are `pending` until
    the task of the stream drains them. The head is kept back until something follows it or `flush` is called, so that a
    short answer is one write.
    """

    __slots__ = ("_head", "_is_gone", "_queue", "_receive", "_send", "scope")

    writes_at_once = False
    """Whether written bytes go out at once. Otherwise a task must drain them."""
    sends_raw = False
    """Whether `raw` sends bytes as they are. Otherwise the server frames all that it sends."""
    request_head: bytes | None = None
    """The head of the request as it came, and perhaps bytes behind it; None if it is not known."""
    breaks_off = False
    """Whether `close` and `abort` end the connection, and `raw` may be called before the head. Otherwise the server
    ends it, once the app has returned."""
    decides_head = False
    """Whether the server adds no headers whose names are settled. Otherwise it may add a `Date` and a `Server`."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope = scope
        self._receive = receive
        self._send = send
        self._head: dict[str, Any] | None = None
        self._queue: deque[dict[str, Any]] = deque()
        self._is_gone = False

    # -- the request -----------------------------------------------------------------------------------------------

    def received(self, most: int) -> bytes | None:
        """The body of the request, if all of it has come and it has at most `most` bytes; otherwise None."""
        return None

    def open_early(self) -> bool:
        """Let `receive` go on while the response is being sent, as the app answers before the body is there. Returns
        False if the server cannot."""
        return False

    async def receive(self) -> Any:
        """The next message about the request."""
        return await self._receive()

    # -- the answer ------------------------------------------------------------------------------------------------

    def head(self, status: int, headers: FixedHeaders, own: Sequence[tuple[bytes, bytes]] = ()) -> None:
        """Set the status and the headers: those of all answers of a kind, and this answer's own."""
        self._head = {"type": "http.response.start", "status": status, "headers": [*headers, *own]}

    def inform(self, status: int, reason: bytes, headers: Sequence[tuple[bytes, bytes]]) -> None:
        """Send an informational answer (1xx) before the head, if the server can."""

    def trail(self, trailers: Sequence[tuple[bytes, bytes]]) -> None:
        """Let these trailers follow the body, if the server can. Only its clean end may follow."""

    def flush(self) -> None:
        """Send the head, if it is still kept back."""
        if self._head is not None:
            self._queue.append(self._head)
            self._head = None

    def write(self, data: bytes) -> None:
        """Write a part of the body, which is one chunk if the body is chunked."""
        self.flush()
        self._queue.append({"type": "http.response.body", "body": data, "more_body": True})

    def finish(self, data: bytes = b"") -> None:
        """Write the last part of the body, and end the body cleanly."""
        self.flush()
        self._queue.append({"type": "http.response.body", "body": data, "more_body": False})

    def raw(self, data: bytes) -> None:
        """Write bytes as they are, and no head that is kept back."""
        raise NotImplementedError

    def image(self, data: bytes, *, is_last: bool = False) -> tuple[bytes, int]:
        """The bytes in which `write`, or `finish` if it is the last, would send a part of the body, with a head that is
        kept back; and the position of the part in them."""
        raise NotImplementedError

    def done(self) -> None:
        """Let the server know that the response is over, as all of it was written."""
        raise NotImplementedError

    @property
    def is_secure(self) -> bool:
        """Whether mockd itself speaks TLS on the connection, as far as it is known."""
        return False

    @property
    def is_chunked(self) -> bool | None:
        """Whether the body of the response, whose head is set, is chunked; None if only the server knows."""
        return None

    @property
    def wire_bytes(self) -> int | None:
        """Number of bytes of the response that were sent so far, with head and chunk sizes; None if it is not known."""
        return None

    @property
    def pending(self) -> bool:
        """Whether nothing more may be written before `drain` returns, or ever, if the connection is closing."""
        return bool(self._queue)

    @property
    def queued(self) -> bool:
        """Whether the server still has to take something that was written."""
        return bool(self._queue)

    async def drain(self) -> None:
        """Wait until the server has taken what was written."""
        queue, send = self._queue, self._send
        try:
            while queue:
                await send(queue[0])
                queue.popleft()
        except OSError:  # which ASGI has `send` raise once the client has left
            self._is_gone = True
            queue.clear()

    # -- the client ------------------------------------------------------------------------------------------------

    @property
    def is_gone(self) -> bool:
        """Whether nothing can reach the client any more: it is known to have left, or the connection is closing."""
        return self._is_gone

    @property
    def is_lost(self) -> bool:
        """Whether the connection is closed. Before that, what was written may still go out."""
        return self._is_gone

    async def watch(self) -> None:
        """Wait until the client has left."""
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._is_gone = True

    def on_departure(self, callback: Callable[[], None]) -> bool:
        """Have the server call `callback` once the client has left. Returns False if it cannot; then await `watch`."""
        return False

    def limit(self, most: int) -> None:
        """Let at most about `most` bytes wait in this process until the client reads."""

    def unsent(self) -> int:
        """Number of bytes that wait in this process until the client reads; 0 if that is not known."""
        return 0

    def unacknowledged(self) -> int | None:
        """Number of bytes, unsent ones included, that the client's machine has not acknowledged; None if not known."""
        return None

    # -- the end of the connection ---------------------------------------------------------------------------------

    @property
    def ends_with_connection(self) -> bool:
        """Whether only the end of the connection marks the end of a body without a length, as in HTTP/1.0, which has no
        chunks. A connection that is closed early then looks like a clean end."""
        return self.scope.get("http_version") == "1.0"

    def close(self) -> None:
        """Close the connection after what was written, without ending the body."""

    def abort(self, *, reset: bool = False) -> None:
        """Cut the connection at once. With `reset`, the client sees a connection reset (TCP RST)."""

    def left(self) -> None:
        """The client has left, so that the answer stays incomplete. The server may not know yet."""

    def release(self) -> None:
        """Let go of the server's objects, as the response is over."""

    def receipt(self) -> tuple[Delivery | None, int | None]:
        """The delivery of a response that is over, and the position in its connection at which it ended; each is None
        if only the server knows. May only be called once."""
        return None, None
