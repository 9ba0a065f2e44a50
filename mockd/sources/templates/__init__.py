"""Templates: sources with a name and parameters. One module each; adding one here makes it known."""

from __future__ import annotations

from typing import Any

from mockd.sources import llm
from mockd.sources.registry import SourceKind, find_kind, register_later
from mockd.sources.templates import notification_stream

_NAMES = (*llm.WIRES, *llm.ENDPOINTS, notification_stream.KIND.name)


def register_built_in() -> None:
    """Make those known that come with mockd. Most are loaded when they are first named."""
    for name in (*llm.WIRES, *llm.ENDPOINTS):
        register_later(name, llm.load)
    register_later(notification_stream.KIND.name, lambda _: notification_stream.KIND)


def built_in() -> tuple[SourceKind[Any], ...]:
    """Those that come with mockd."""
    return tuple(map(find_kind, _NAMES))
