"""Lines: one response on its way out. This folder, and no other, names servers and reads what is theirs."""

from __future__ import annotations

from mockd.lines.line import Line
from mockd.lines.select import line_of

__all__ = ["Line", "line_of"]
