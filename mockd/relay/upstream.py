"""A connection to a target, for one exchange: what is sent, and what comes back with its chunks kept apart."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator

from msgspec import Struct

from mockd.relay.connections import Connection
from mockd.relay.heads import Headers
from mockd.source import CutOffError

CONTINUE_S = 1.0
"""Longest time, in seconds, for which a client that waits for `100 Continue` waits for the target's. Many servers never
send it."""
MOST_OF_HEAD = 256 * 1024
"""Most bytes of the head of an answer."""
MOST_INFORMATIONAL = 100
"""Most informational answers before an answer. What a client does not read of them is held for it."""


class UnreachableError(Exception):
    """There is no connection to the target. The text says what was tried."""


class NoHttpError(Exception):
    """The target answers something that is no HTTP."""


class AnswerHead(Struct, frozen=True):
    """Status and headers of an answer, final or informational. HTTP/2 has no reason phrases."""

    status: int
    reason: str
    headers: Headers
    http_version: str


class Upstream(ABC):
    """A connection to a target. Whatever way it ends, `close` lets go of it. `trailers` are there after the pieces."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._continued = asyncio.Event()
        self._informational = 0
        self.trailers: Headers = ()

    @abstractmethod
    def send_head(self, method: str, path: str, headers: Headers) -> None:
        """Send the head of a request. Raises `ValueError` if it cannot be one."""

    @abstractmethod
    async def send(self, part: bytes) -> None:
        """Send a part of the request's body, as fast as the target takes it. Raises `OSError`."""

    @abstractmethod
    def send_end(self) -> None:
        """Send the end of the request. Raises `OSError`."""

    async def wait_to_continue(self) -> None:
        """Wait until the target wants the body of the request, or has not said so for too long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CONTINUE_S):
                await self._continued.wait()

    async def head(self) -> AnswerHead:
        """The next head. Raises `CutOffError`, `NoHttpError`."""
        while (head := await self._head()).status < 200:
            self._informational += 1
            if self._informational > MOST_INFORMATIONAL:
                raise NoHttpError(f"more than {MOST_INFORMATIONAL} informational answers")
            if head.status == 101:
                raise NoHttpError("it changed to another protocol")
            if head.status != 100:
                break
            self._continued.set()
        return head

    @abstractmethod
    async def _head(self) -> AnswerHead: ...

    @abstractmethod
    def pieces(self, *, is_chunked: bool) -> AsyncIterator[bytes]:
        """The pieces of the body, one for each chunk or frame; without them, one for each read. Raises `CutOffError`,
        `NoHttpError`."""

    @abstractmethod
    def close(self, *, at_once: bool) -> None:
        """Close the connection: `at_once`, for a target that is still sending, or behind what was sent."""

    async def _read(self) -> bytes:
        """What comes next; nothing if the target has closed the connection. Raises `CutOffError`."""
        try:
            return await self._connection.read()
        except ssl.SSLError:
            raise CutOffError("closed") from None
        except TimeoutError:  # the system's own, if the target's machine no longer answers
            raise CutOffError("timeout") from None
        except OSError:
            raise CutOffError("reset") from None
