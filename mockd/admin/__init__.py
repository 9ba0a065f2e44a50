"""The control API under `/__mockd`, as ASGI apps.

They are made when first asked: a process answers its first mock sooner without, and many are never asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from starlette.types import ASGIApp, Receive, Scope, Send

if TYPE_CHECKING:
    from mockd.engine import Engine

__all__ = ["create_admin", "create_probes"]


def create_admin(engine: Engine, *, api_key: str | None = None, bound_host: str | None = None) -> ASGIApp:
    """The admin API of an engine; it may be mounted anywhere. Without `api_key` that of the settings counts;
    `bound_host` is the address it is served on, one of the host names it answers to."""

    def make() -> ASGIApp:
        from mockd.admin import app

        return app.create_admin(engine, api_key=api_key, bound_host=bound_host)

    return _MadeWhenAsked(make)


def create_probes(engine: Engine) -> ASGIApp:
    """Only the health probes."""

    def make() -> ASGIApp:
        from mockd.admin import app

        return app.create_probes(engine)

    return _MadeWhenAsked(make)


class _MadeWhenAsked:
    def __init__(self, make: Callable[[], ASGIApp]) -> None:
        self._make = make
        self._app: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._app is None:
            # In a thread: importing it all takes as long as many events of a stream.
            self._app = await asyncio.to_thread(self._make)
        await self._app(scope, receive, send)
