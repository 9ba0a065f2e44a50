"""The fate of the bytes sent on a connection: how many of them the client's machine has acknowledged."""

from __future__ import annotations

import errno
import socket
import struct
from typing import Any, Literal

Departure = Literal["client-fin", "client-rst", "client-timeout"]
"""The way in which a client has left: it closed the connection, reset it, or no longer answered."""

_SIOCOUTQ = 0x5411
"""The Linux request for the bytes that a TCP peer has not acknowledged (tcp(7))."""
_KEPT = "mockd_delivery"
"""The name under which a protocol keeps the delivery of its connection."""
_DEPARTURES: dict[int, Departure] = {errno.ETIMEDOUT: "client-timeout", errno.EHOSTUNREACH: "client-timeout"}


def unacknowledged(transport: Any) -> int | None:
    """Number of bytes that the peer of a transport has not acknowledged, unsent ones included; None if that is not
    known. The transport must not be lost, as another connection may have its file descriptor by then."""
    try:
        import fcntl

        queued = fcntl.ioctl(transport.get_extra_info("socket").fileno(), _SIOCOUTQ, b"\0\0\0\0")
    except (ImportError, OSError, AttributeError, ValueError):  # no Linux, no TCP, or closed below TLS
        return None
    return int(transport.get_write_buffer_size()) + int(struct.unpack("i", queued)[0])


def _left_of(transport: Any) -> int | None:
    """`unacknowledged`, or None if TLS may hold more bytes, whose number cannot be asked. It holds none while nothing
    else is unacknowledged."""
    left = unacknowledged(transport)
    return left if not left or transport.get_extra_info("ssl_object") is None else None


class Delivery:
    """The delivery of all answers on one connection, one after another, until the connection is lost.

    `is_full` is true while more requests wait behind the one that is answered than may, so that none is read.
    `written` is the number of bytes of the answers that are over. `departure` is how the client has left, or None.
    `early` is the server's object for a request that is answered before its body is there.
    """

    __slots__ = ("_left", "_transport", "departure", "early", "is_full", "written")

    def __init__(self, transport: Any, left: int | None = None) -> None:
        self._transport = transport
        self._left = left
        self.written = 0
        self.is_full = False
        self.departure: Departure | None = None
        self.early: Any = None

    def missing(self, end: int | None) -> int | None:
        """Number of bytes before `end`, an earlier value of `written`, that are not acknowledged; None if that cannot
        be known. If `end` is None, as only the server has counted, it is known once nothing is missing any more. May
        only be called in the connection's own event loop."""
        if self._transport is not None:
            self._left = _left_of(self._transport)
        if self._left is None or (end is None and self._left):
            return None
        return 0 if end is None else max(0, self._left - (self.written - end))

    def left(self) -> None:
        """The client has ended its side of the connection."""
        self.departure = "client-fin"
        self._left = _left_of(self._transport)

    def hung_up(self) -> None:
        """The client has left, by an end or a reset behind what it sent and nobody has read."""
        error = self._transport.get_extra_info("socket").getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        self.departure = _DEPARTURES.get(error, "client-rst") if error else "client-fin"
        self.broken_off()

    def broken_off(self) -> None:
        """The server is about to throw away what is unsent."""
        if self._transport is not None:
            self._left, self._transport = _left_of(self._transport), None

    def lost(self, error: BaseException | None) -> None:
        """The connection is lost, and about to be forgotten by the kernel."""
        transport, self._transport = self._transport, None
        if transport is None:
            return
        left = _left_of(transport)
        if error is not None:
            self.departure = _DEPARTURES.get(getattr(error, "errno", None) or 0, "client-rst")
            # asyncio has thrown away what was unsent, and does not say how much.
            self._left = None if type(transport).__module__.startswith("asyncio.") else left
        elif self.departure is None:
            # Under TLS, the client may have closed the connection. Otherwise mockd has, and bytes may still arrive.
            self.departure = "client-fin"
            self._left = 0 if left == 0 else None
        elif left is not None:
            self._left = left


def delivery_on(transport: Any) -> Delivery | None:
    """The delivery on a connection of a server that mockd has not started, made for the first request on it; None if
    the connection is lost. Its protocol keeps no note of how the client leaves, so what tells the protocol so tells
    the delivery before."""
    protocol = transport.get_protocol()
    if protocol is None:
        return None
    kept: Delivery | None = vars(protocol).get(_KEPT)
    if kept is not None:
        return kept
    delivery = Delivery(transport)
    eof_received, connection_lost = protocol.eof_received, protocol.connection_lost

    def left() -> Any:
        delivery.left()
        return eof_received()

    def lost(error: BaseException | None) -> None:
        for name in told:  # so that the protocol does not refer to itself
            delattr(protocol, name)
        delivery.lost(error)
        connection_lost(error)

    told = {_KEPT: delivery, "eof_received": left, "connection_lost": lost}
    vars(protocol).update(told)
    return delivery
