"""Clients that leave while nothing is read from their connections, as nobody takes what they send.

Their end is behind all that. Linux says of a socket beside it that its peer has left (`EPOLLRDHUP`, epoll_ctl(2));
elsewhere it is seen once what was sent before is read.
"""

from __future__ import annotations

import select
from asyncio import AbstractEventLoop
from collections.abc import Callable
from typing import Any


class HangUp:
    """The watch for the client of a transport, which calls back once."""

    __slots__ = ("_callback", "_loop", "_poll")

    def __init__(self, loop: AbstractEventLoop, transport: Any, callback: Callable[[], None]) -> None:
        self._loop = loop
        self._callback = callback
        self._poll = select.epoll()
        self._poll.register(transport.get_extra_info("socket").fileno(), select.EPOLLRDHUP)
        loop.add_reader(self._poll.fileno(), self._note)

    @classmethod
    def of(cls, loop: AbstractEventLoop, transport: Any, callback: Callable[[], None]) -> HangUp | None:
        """A watch, or None if the system has none."""
        return cls(loop, transport, callback) if hasattr(select, "epoll") else None

    def _note(self) -> None:
        self.close()
        self._callback()

    def close(self) -> None:
        """Watch no longer. Later calls do nothing."""
        if not self._poll.closed:
            self._loop.remove_reader(self._poll.fileno())
            self._poll.close()
