"""Frames with holes, and the table of framings: how events become bytes."""

from __future__ import annotations

from mockd.framing.frames import Frame, FrameTemplate, Row, expressions_of, filled_id
from mockd.framing.framings import FRAMINGS, Framing, framing_named

__all__ = ["FRAMINGS", "Frame", "FrameTemplate", "Framing", "Row", "expressions_of", "filled_id", "framing_named"]
