"""Lines, each of which is one response on its way out. Only this folder names servers and uses their internals."""

from __future__ import annotations

from mockd.lines.line import Line
from mockd.lines.select import http_protocol, line_of

__all__ = ["Line", "http_protocol", "line_of"]
