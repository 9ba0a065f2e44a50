"""The socket behind an ASGI connection, where the server lets us find it.

uvicorn's `send` is a method of an object that has the transport. Wrappers in between hide it, so the outermost ASGI
callable leaves it in the scope. Under other servers there is none, and what needs it falls back.
"""

from __future__ import annotations

import asyncio

from mockd.request import Scope, Send

_KEY = "mockd.transport"


def remember(scope: Scope, send: Send) -> None:
    """Note the transport of this connection in the scope, if this is the server's own `send`."""
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if hasattr(transport, "abort"):  # uvloop's transports are no subclass of asyncio's
        scope[_KEY] = transport


def transport_of(scope: Scope) -> asyncio.WriteTransport | None:
    transport: asyncio.WriteTransport | None = scope.get(_KEY)
    return transport
