"""The choice of a request's line, by the exact class of the object behind the server's `send` and `receive`."""

from __future__ import annotations

from math import inf
from typing import Any

from mockd.lines.line import Line
from mockd.request import Receive, Scope, Send

_lines: dict[type, type[Line]] = {}
"""The class of line for each class of a server's request object."""


def line_of(scope: Scope, receive: Receive, send: Send) -> Line:
    """The line of a request. If `send` or `receive` is a middleware's, it is the line of messages, so that the
    middleware sees all of them."""
    server = getattr(send, "__self__", None)
    if server is None or getattr(receive, "__self__", None) is not server:
        return _wrapped_line_of(scope, receive)(scope, receive, send)
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


def _wrapped_line_of(scope: Scope, receive: Receive) -> type[Line]:
    kind = type(getattr(receive, "__self__", None))
    if scope.get("http_version") == "1.0" and kind.__module__.startswith("uvicorn."):
        from mockd.lines.uvicorn import chunkless_line_for

        return chunkless_line_for(kind)
    return Line


def http_protocol(request_timeout_s: float, most_files: float = inf) -> Any:
    """The `http` option for a uvicorn that mockd itself starts: mockd's own protocol class, if there is httptools. It
    gives each request so long to arrive; 0: no limit. `most_files` is how many files the process may have open."""
    try:
        from mockd.lines.protocol import Protocol
    except ImportError:  # no httptools
        return "auto"
    return type("Protocol", (Protocol,), {"request_timeout_s": request_timeout_s, "most_files": most_files})
