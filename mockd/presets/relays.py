"""The mocks of `--proxy`: they relay what no other mock answers."""

from __future__ import annotations

import re
from typing import Any

from mockd.config.load import MockSpec, parse_mock
from mockd.settings import Settings
from mockd.targets import Route

_LOWEST = -(1 << 53)
"""Priority of a mock that relays all requests: no other mock has a lower one. Those with a prefix come before it."""


def relaying(settings: Settings) -> list[MockSpec]:
    """A mock for each server to which requests are relayed."""
    return [parse_mock(_mock(Route.read(text), settings), root=None) for text in settings.proxy]


def _mock(route: Route, settings: Settings) -> dict[str, Any]:
    proxy = {"target": route.target.url, "record": settings.record is not None}
    if not route.prefix:
        return {"id": "proxy", "priority": _LOWEST, "matcher": {"path": "/*"}, "proxy": proxy}
    return {
        "id": "proxy" + route.prefix.replace("/", "-"),
        "priority": _LOWEST + len(route.prefix),
        "matcher": {"pathPattern": f"^{re.escape(route.prefix)}(?:/|$)"},
        "proxy": {**proxy, "prefix": route.prefix},
    }
