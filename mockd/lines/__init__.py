"""Lines: one response on its way out. This folder, and no other, names servers and reads what is theirs."""

from __future__ import annotations

from mockd.lines.line import Line
from mockd.lines.select import http_protocol, line_of

__all__ = ["Line", "http_protocol", "line_of"]
