"""The ASGI app: the admin API under `/__mockd`, and the engine for every request that no route takes.

`app` is for `uvicorn mockd.app:app`. It reads its settings from `MOCKD_…` variables when the server starts.
"""

from __future__ import annotations

import contextlib
import logging
import sys
from asyncio import get_running_loop
from collections.abc import AsyncIterator, Awaitable
from typing import Any

from starlette.applications import Starlette
from starlette.routing import BaseRoute, Match, Mount, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from mockd.admin import create_admin, create_probes
from mockd.config.models import ADMIN_PREFIX
from mockd.engine import Engine
from mockd.errors import ConfigError
from mockd.lines import line_of
from mockd.lines.stopping import StopWatches
from mockd.presets import configured
from mockd.request import in_origin_form
from mockd.settings import Settings


class MockApp(Starlette):
    """The Starlette app. Routes that are added to it win over the mocks."""

    engine: Engine
    router: _Router

    def __init__(self, engine: Engine, admin: ASGIApp) -> None:
        super().__init__()
        self.engine = engine
        self.router = _Router(engine, [Mount(ADMIN_PREFIX, admin)])
        self._first_routes = self.router.routes
        self._stop_watches = StopWatches(self._end_streams)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        if not scope["path"].startswith("/"):
            scope = in_origin_form(scope)
        if self._is_for_mocks(scope):
            rest = self.engine.start(line_of(scope, receive, send))
            if rest is not None:
                await self._watched(rest, send)
        else:
            await self._watched(super().__call__(scope, receive, send), send)

    def start(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None] | None:
        """Answer a request as far as that goes at once, for a server that can do so without a task. Returns what is
        left to be awaited, or None if that was all."""
        if not self._is_for_mocks(scope):
            return self(scope, receive, send)
        rest = self.engine.start(line_of(scope, receive, send))
        return None if rest is None else self._watched(rest, send)

    def _is_for_mocks(self, scope: Scope) -> bool:
        """Whether a request may take the shortcut past Starlette's middleware to the engine, to which the router would
        lead too. It saves 30 us, and the engine gets the server's own `receive` and `send`."""
        # Usually the admin API's route is the only one. Comparing the path is faster than asking the route.
        has_own = self.router.routes is not self._first_routes or len(self._first_routes) != 1
        may_have_route = has_own or ADMIN_PREFIX in scope["path"]
        return not self.user_middleware and not (may_have_route and self.router.has_route(scope))

    async def _watched(self, answering: Awaitable[None], send: Send) -> None:
        """Look for the order to stop while a request is being answered."""
        watch = self._stop_watches.by_loop.get(get_running_loop()) or self._stop_watches.start(send)
        watch.requests += 1
        try:
            await answering
        finally:
            watch.requests -= 1

    def _end_streams(self, waited_s: float) -> None:
        """End the streams, as a server that must stop waits for them. Streams that take too long are cut off."""
        self.engine.begin_shutdown()
        if waited_s >= self.engine.settings.shutdown_timeout:
            self.engine.cut()


class _Router(Router):
    """A router with the admin API's route and the routes that users add. All other requests go to the mocks."""

    def __init__(self, engine: Engine, routes: list[BaseRoute]) -> None:
        super().__init__(routes, redirect_slashes=False, lifespan=_lifespan)
        self._engine = engine

    def has_route(self, scope: Scope) -> bool:
        """Whether a route matches path and method. A route for the same path but other methods leaves the request to
        the mocks."""
        return any(route.matches(scope)[0] is Match.FULL for route in self.routes)

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or self.has_route(scope):
            await super().app(scope, receive, send)
        else:
            await self._engine.handle(scope, receive, send)


@contextlib.asynccontextmanager
async def _lifespan(app: MockApp) -> AsyncIterator[None]:
    yield
    await app.engine.shutdown()


def create_app(settings: Settings | None = None, *, engine: Engine | None = None, admin: bool = True) -> MockApp:
    """The app for an engine, or for a new engine with the mocks of `settings.config` and `settings.preset`.

    It is complete when it is made, so it can be mounted in another app, which will not run its lifespan. With
    `admin=False`, only the health probes are under `/__mockd`. Raises `ConfigError`.
    """
    if engine is None:
        engine = Engine(settings)
        engine.load(configured(engine.settings, engine.check))
    if admin and engine.misses.admin_url is None:
        engine.misses.admin_url = ADMIN_PREFIX
    return MockApp(engine, create_admin(engine) if admin else create_probes(engine))


def _warn_of_siblings() -> None:
    """Log a warning if another process of the same server has mocks too, as a change reaches only one of them.

    The first process leaves a mark: a socket in Linux's abstract namespace, which is gone when the process is.
    """
    module = sys.modules.get("multiprocessing.process")
    parent = module.parent_process() if module is not None else None
    if parent is None or sys.platform != "linux":
        return
    import socket

    mark = socket.socket(socket.AF_UNIX)
    try:
        mark.bind(f"\0mockd-worker-of-{parent.pid}")
        _marks.append(mark)
    except OSError:
        mark.close()
        logging.getLogger("mockd").warning(
            "this server has several processes, each with its own mocks, streams and sessions: a change through the "
            "admin API reaches only one of them; start it with one worker"
        )


_marks: list[Any] = []
"""The mark of this process, which must stay open."""


class EnvironmentApp:
    """The app that takes its settings from `MOCKD_…` variables when the server starts, not when the module is imported.

    If a setting is wrong, the lifespan start-up fails. Under a server without lifespan, the variables are read at the
    first request.
    """

    def __init__(self) -> None:
        self._app: MockApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._app is None:
            try:
                self._app = create_app(Settings.from_env())
                _warn_of_siblings()
            except ConfigError as error:
                if scope["type"] != "lifespan":
                    raise
                await receive()
                await send({"type": "lifespan.startup.failed", "message": str(error)})
                return
        await self._app(scope, receive, send)


app = EnvironmentApp()
