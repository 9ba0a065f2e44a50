"""The engine, which joins the stages of a request, and what it does with live streams, mocks and keys beside that."""

from mockd.engine.engine import Engine
from mockd.engine.serving import EVENTS_AT_ONCE, KEYS_AT_ONCE

__all__ = ["EVENTS_AT_ONCE", "KEYS_AT_ONCE", "Engine"]
