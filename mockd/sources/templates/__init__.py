"""Templates: sources with a name and parameters. Each is a module, and is registered by an entry here."""

from __future__ import annotations

from typing import Any

from mockd.sources import llm
from mockd.sources.registry import SourceKind, find_kind, register_later

_NOTIFICATIONS = "notification-stream"
_NAMES = (*llm.WIRES, *llm.ENDPOINTS, *llm.OTHERS, _NOTIFICATIONS)


def register_built_in() -> None:
    """Register the templates that come with mockd. They are loaded when they are first named."""
    for name in (*llm.WIRES, *llm.ENDPOINTS, *llm.OTHERS):
        register_later(name, llm.load)
    register_later(_NOTIFICATIONS, _load_notifications)


def _load_notifications(_: str) -> SourceKind[Any]:
    from mockd.sources.templates.notification_stream import KIND

    return KIND


def built_in() -> tuple[SourceKind[Any], ...]:
    """The templates that come with mockd."""
    return tuple(map(find_kind, _NAMES))
