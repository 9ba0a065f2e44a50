"""HTTP/1.1 to a target."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import h11

from mockd.relay.connections import Connection
from mockd.relay.heads import Headers
from mockd.relay.upstream import MOST_OF_HEAD, AnswerHead, NoHttpError, Upstream
from mockd.source import CutOffError

MOST_OF_CHUNK = 1024 * 1024
"""Bytes of a chunk from which on it is passed on in several."""
STALL_S = 1.0
"""Longest time, in seconds, that a piece of a chunk waits for the rest of it."""


class Http1(Upstream):
    """A connection on which HTTP/1.1 is spoken. `before_path` is what a proxy needs to know of the target in each
    request, and `more_headers` what it alone gets."""

    def __init__(self, connection: Connection, before_path: str = "", more_headers: Headers = ()) -> None:
        super().__init__(connection)
        self._before_path = before_path
        self._more_headers = more_headers
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=MOST_OF_HEAD)
        self._is_at_end = False

    # -- the request -----------------------------------------------------------------------------------------------

    def send_head(self, method: str, path: str, headers: Headers) -> None:
        try:
            sent = [*headers, *self._more_headers]
            self._send(h11.Request(method=method, target=self._before_path + path, headers=sent))
        except h11.LocalProtocolError as error:
            raise ValueError(str(error)) from None

    async def send(self, part: bytes) -> None:
        self._send_later(h11.Data(part))
        await self._connection.drain()

    def send_end(self) -> None:
        self._send_later(h11.EndOfMessage())

    def _send_later(self, event: h11.Event) -> None:
        try:
            self._send(event)
        except h11.LocalProtocolError as error:  # the target has closed the connection, or the client says too much
            raise OSError(str(error)) from None

    def _send(self, event: h11.Event) -> None:
        if data := self._http.send(event):
            self._connection.write(data)

    # -- the answer ------------------------------------------------------------------------------------------------

    async def _head(self) -> AnswerHead:
        event = await self._next()
        if not isinstance(event, h11.InformationalResponse | h11.Response):
            raise NoHttpError("it changed to another protocol")
        reason, version = event.reason.decode("latin-1"), event.http_version.decode()
        return AnswerHead(event.status_code, reason, event.headers.raw_items(), version)

    async def pieces(self, *, is_chunked: bool) -> AsyncIterator[bytes]:
        held = bytearray()
        until: float | None = None
        event: h11.Event | Exception | None
        while True:
            try:
                event = await self._next(until)
            except (CutOffError, NoHttpError) as error:  # behind what has come
                event = error
            if isinstance(event, h11.Data):
                held += event.data
                if is_chunked and not event.chunk_end and len(held) < MOST_OF_CHUNK:
                    until = until or asyncio.get_running_loop().time() + STALL_S
                    continue
            if held:
                yield bytes(held)
                held, until = bytearray(), None
            if isinstance(event, Exception):
                raise event
            if isinstance(event, h11.EndOfMessage):
                self.trailers = event.headers.raw_items()
                return

    async def _next(self, until: float | None = None) -> h11.Event | None:
        """The next event; None if it has not come by that time of the loop."""
        try:
            while (event := self._http.next_event()) is h11.NEED_DATA:
                if (data := await self._read_until(until)) is None:
                    return None
                self._is_at_end = not data
                self._http.receive_data(data)
        except h11.RemoteProtocolError as error:
            if self._is_at_end:
                raise CutOffError("closed") from None
            raise NoHttpError(str(error)) from None
        return event  # type: ignore[return-value]  # the connection is never paused

    async def _read_until(self, until: float | None) -> bytes | None:
        """What comes next, or None if nothing has come by that time of the loop."""
        for _ in range(2):  # the second time for what has come while a late loop did not look
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(until):
                    return await self._read()
        return None

    def close(self, *, at_once: bool) -> None:
        if at_once:
            self._connection.abort()
        else:
            self._connection.close()
