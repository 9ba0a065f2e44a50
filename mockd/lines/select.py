"""Which line a request gets, by the exact classes behind the server's own `send` and `receive`."""

from __future__ import annotations

from typing import Any

from mockd.lines.line import Line
from mockd.request import Receive, Scope, Send

_lines: dict[type, type[Line]] = {}
"""The line for each class of a server's objects for a request."""


def line_of(scope: Scope, receive: Receive, send: Send) -> Line:
    """The line of a request. A middleware's `send` or `receive` is not the server's own: it must see all messages."""
    server = getattr(send, "__self__", None)
    if server is None or getattr(receive, "__self__", None) is not server:
        return Line(scope, receive, send)
    kind = type(server)
    make = _lines.get(kind)
    if make is None:
        make = _lines[kind] = _line_for(kind)
    return make(scope, receive, send)


def _line_for(kind: type) -> type[Line]:
    if kind.__module__.startswith("uvicorn."):
        from mockd.lines.uvicorn import line_for

        return line_for(kind)
    return Line


def http_protocol() -> Any:
    """What uvicorn, started by mockd itself, is to speak HTTP with: the class that knows most, if it can be had."""
    try:
        from mockd.lines.protocol import Protocol
    except ImportError:  # no httptools
        return "auto"
    return Protocol
