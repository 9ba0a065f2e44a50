"""Everything for which the command line needs the engine and no running server: `mockd serve`, checks and lists."""

from __future__ import annotations

from mockd.server.check import check
from mockd.server.run import run

__all__ = ["check", "run"]
