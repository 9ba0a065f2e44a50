"""Faults: exact breaks of an answer, each at its place. A program with faults has cursors around its own; one without
has none of this."""

from __future__ import annotations

from mockd.faults.apply import broken
from mockd.faults.header import of_header

__all__ = ["broken", "of_header"]
