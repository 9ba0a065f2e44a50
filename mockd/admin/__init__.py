"""The admin API under `/__mockd`, as ASGI apps.

The apps are made at their first request, so that a process serves its mocks sooner. Many processes never get one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from starlette.types import ASGIApp, Receive, Scope, Send

if TYPE_CHECKING:
    from mockd.engine import Engine

__all__ = ["create_admin", "create_metrics", "create_probes"]


def create_admin(engine: Engine, *, api_key: str | None = None, bound_host: str | None = None) -> ASGIApp:
    """The admin API of an engine, which may be mounted anywhere. The default of `api_key` is the key in the settings.
    `bound_host` is the address on which the API is served; requests may have it as their `Host`."""

    def make() -> ASGIApp:
        from mockd.admin import app

        return app.create_admin(engine, api_key=api_key, bound_host=bound_host)

    return _MadeWhenAsked(make)


def create_probes(engine: Engine) -> ASGIApp:
    """The health probes alone."""

    def make() -> ASGIApp:
        from mockd.admin import app

        return app.create_probes(engine)

    return _MadeWhenAsked(make)


def create_metrics(engine: Engine) -> ASGIApp:
    """The metrics alone."""

    def make() -> ASGIApp:
        from mockd.admin import app

        return app.create_metrics(engine)

    return _MadeWhenAsked(make)


class _MadeWhenAsked:
    def __init__(self, make: Callable[[], ASGIApp]) -> None:
        self._make = make
        self._app: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._app is None:
            # In a thread, as the imports would hold up the streams.
            self._app = await asyncio.to_thread(self._make)
        await self._app(scope, receive, send)
