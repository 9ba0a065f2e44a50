"""Connections to servers, in plain or with TLS.

TLS is done here and not by the event loop, which loses what has come and is not read yet if the server closes the
connection behind it. Every server does that behind its answer to `Connection: close`.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl

from mockd.targets import Target

READ_BYTES = 64 * 1024
"""Most bytes that are read at once, and held for a client that does not read."""
CLOSE_S = 5.0
"""Longest time, in seconds, for which the end of a connection waits for a server that takes nothing."""


class _Reader(asyncio.StreamReader):
    """A reader of a connection that breaks off: what came before that is read before the error is raised, which the
    reader of asyncio throws away if nobody has read it by then."""

    _error: Exception | None = None

    def set_exception(self, exc: Exception) -> None:
        self._error = exc
        self.feed_eof()

    def exception(self) -> Exception | None:
        return self._error

    async def read(self, n: int = -1) -> bytes:
        data = await super().read(n)
        if not data and self._error is not None:
            raise self._error
        return data


class Connection:
    """A connection in plain."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def opened(cls, target: Target) -> Connection:
        """A new connection to a target. Raises `OSError`."""
        loop = asyncio.get_running_loop()
        reader = _Reader(limit=READ_BYTES, loop=loop)
        protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
        transport, _ = await loop.create_connection(lambda: protocol, target.host, target.port)
        return cls(reader, asyncio.StreamWriter(transport, protocol, reader, loop))

    async def secured(self, context: ssl.SSLContext, host: str) -> Connection:
        """The same connection with TLS. Raises `OSError`, and closes it then."""
        secured = _TlsConnection(self._reader, self._writer, context, host)
        try:
            await secured.shake_hands()
        except BaseException:
            self.abort()
            raise
        return secured

    async def read(self) -> bytes:
        """What has come, or comes next; empty if the server has closed the connection. Raises `OSError`."""
        return await self._reader.read(READ_BYTES)

    async def read_until(self, end: bytes) -> bytes:
        """What comes, with the first `end` in it. Raises `OSError`, `EOFError`."""
        return await self._reader.readuntil(end)

    def write(self, data: bytes) -> None:
        """Send data, and hold what the server does not take yet."""
        self._writer.write(data)

    async def drain(self) -> None:
        """Wait until the server has taken most of what was written. Raises `OSError`."""
        await self._writer.drain()

    @property
    def protocol(self) -> str | None:
        """The protocol that was agreed upon with TLS (ALPN, RFC 7301)."""
        return None

    def close(self) -> None:
        """Close the connection behind what was written, if the server takes that in time."""
        self._writer.close()
        asyncio.get_running_loop().call_later(CLOSE_S, self._writer.transport.abort)

    def abort(self) -> None:
        """Close the connection at once."""
        self._writer.transport.abort()


class _TlsConnection(Connection):
    """A connection with TLS."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, context: ssl.SSLContext, host: str
    ) -> None:
        super().__init__(reader, writer)
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)

    async def shake_hands(self) -> None:
        """Make the connection secure. Raises `OSError`."""
        while True:
            try:
                self._tls.do_handshake()
                return
            except ssl.SSLWantReadError:
                pass
            finally:
                self._flush()
            await self._receive()

    @property
    def protocol(self) -> str | None:
        return self._tls.selected_alpn_protocol()

    async def read(self) -> bytes:
        while True:
            try:
                return self._tls.read(READ_BYTES)
            except ssl.SSLWantReadError:
                self._flush()
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                return b""
            await self._receive()

    def write(self, data: bytes) -> None:
        self._tls.write(data)
        self._flush()

    def close(self) -> None:
        with contextlib.suppress(ssl.SSLError):  # the server's own end is not waited for
            self._tls.unwrap()
        self._flush()
        super().close()

    async def _receive(self) -> None:
        if data := await super().read():
            self._incoming.write(data)
        else:
            self._incoming.write_eof()

    def _flush(self) -> None:
        if data := self._outgoing.read():
            self._writer.write(data)
