"""`mockd serve`, and what else needs no running server: everything the command line asks of the engine."""

from __future__ import annotations

from mockd.server.check import check
from mockd.server.run import run

__all__ = ["check", "run"]
