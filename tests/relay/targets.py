"""A server that sends exactly the bytes that a test says, when it says so, and keeps what it gets."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Awaitable, Callable, Iterator
from typing import Any


class Visit:
    """One connection to the server. `got` is all that came; `left` is set when the client has gone."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer
        self.got = b""
        self.left = threading.Event()

    async def request(self) -> bytes:
        """The whole head of the request."""
        while b"\r\n\r\n" not in self.got:
            await self._more()
        return self.got.partition(b"\r\n\r\n")[0]

    async def body(self, end: Callable[[bytes], bool]) -> bytes:
        """What follows the head, up to where `end` is true of it."""
        await self.request()
        while not end(body := self.got.partition(b"\r\n\r\n")[2]):
            await self._more()
        return body

    async def _more(self) -> None:
        data = await self._reader.read(65536)
        if not data:
            raise ConnectionResetError("the client has left")
        self.got += data

    async def send(self, *parts: bytes) -> None:
        for part in parts:
            self.writer.write(part)
            await self.writer.drain()

    async def gone(self) -> None:
        """Wait until the client has left."""
        with contextlib.suppress(ConnectionError):
            while await self._reader.read(65536):
                pass
        self.left.set()

    async def end(self) -> None:
        """Send the end, and read what is left of the request: a close over unread bytes would be a reset."""
        if self.writer.is_closing() or not self.writer.can_write_eof():
            return
        self.writer.write_eof()
        with contextlib.suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(1):
                while await self._reader.read(65536):
                    pass

    def reset(self) -> None:
        self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


Play = Callable[[Visit], Awaitable[None]]
_TURNS = 10
"""Turns of the event loop, and some more, in which a connection that was accepted becomes a visit."""


class Target:
    """The running server. `visits` are its connections so far."""

    def __init__(self, play: Play, tls: ssl.SSLContext | None) -> None:
        self.play = play
        self.visits: list[Visit] = []
        self.port = 0
        self._tls = tls
        self._tasks: set[asyncio.Task[None]] = set()
        self._scheme = "http" if tls is None else "https"

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self.port}"

    async def run(self, started: threading.Event, stopping: asyncio.Event) -> None:
        server = await asyncio.start_server(self._visit, "127.0.0.1", 0, ssl=self._tls)
        self.port = server.sockets[0].getsockname()[1]
        started.set()
        await stopping.wait()
        for listening in server.sockets:  # what was accepted can become no visit once the server is closed
            asyncio.get_running_loop().remove_reader(listening)
        for _ in range(_TURNS):
            await asyncio.sleep(0)
        server.close()
        for visit in self.visits:
            with contextlib.suppress(AttributeError):  # of a transport that is closed already
                visit.writer.transport.abort()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=5)

    async def _visit(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        visit = Visit(reader, writer)
        self.visits.append(visit)
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            await self.play(visit)
            await visit.end()
        except ConnectionError:
            visit.left.set()
        finally:
            writer.close()


@contextlib.contextmanager
def serving(play: Play, tls: ssl.SSLContext | None = None) -> Iterator[Target]:
    """A server in a thread, which plays this for each connection."""
    target, started, handed = Target(play, tls), threading.Event(), {}

    def serve() -> None:
        async def main() -> None:
            handed["loop"], handed["stop"] = asyncio.get_running_loop(), asyncio.Event()
            await target.run(started, handed["stop"])

        asyncio.run(main())

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    assert started.wait(10)
    try:
        yield target
    finally:
        stop: Any = handed["stop"]
        handed["loop"].call_soon_threadsafe(stop.set)
        thread.join(10)


def chunk(data: bytes) -> bytes:
    """The data as one chunk."""
    return b"%x\r\n%b\r\n" % (len(data), data)


END = b"0\r\n\r\n"
