"""mockd for test suites: a real server in a thread of this process.

with running_mockd({"matcher": {"path": "/events"}, "sse": {"events": [{"data": "hi"}]}}) as mockd:
    httpx.get(mockd.url + "/events")
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any

import uvicorn
from msgspec import Struct

from mockd.app import create_app
from mockd.client import AdminClient
from mockd.engine import Engine
from mockd.lines import http_protocol
from mockd.presets import configured
from mockd.settings import Settings

_KEEP_ALIVE_S = 75
"""Time for which an idle connection is kept, as in `mockd serve`: longer than in the pools of common clients."""


class RunningMockd(Struct, frozen=True):
    """A running server. `url` is the base URL of its mocks, and `admin_url` is the URL of the admin API."""

    url: str
    engine: Engine

    @property
    def admin_url(self) -> str:
        return self.url + "/__mockd"

    def admin(self) -> AdminClient:
        """A client of the admin API, which the caller must close."""
        return AdminClient(self.admin_url, api_key=self.engine.settings.api_key)


@contextlib.contextmanager
def running_mockd(
    *mocks: dict[str, Any], settings: Settings | None = None, engine: Engine | None = None, **uvicorn_options: Any
) -> Iterator[RunningMockd]:
    """Serve mocks on a free port of this machine during a `with` block.

    `mocks` are added to those of `settings.config` and `settings.preset`, or to those of `engine`, which is served
    instead of a new one. Raises `ConfigError`.
    """
    if engine is None:
        engine = Engine(settings)
        engine.load(configured(engine.settings, engine.check))
    for mock in mocks:
        engine.create(mock)
    with socket.create_server(("127.0.0.1", 0), backlog=2048) as listener:
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # asyncio sets it only on sockets it made
        thread = _ServerThread(engine, listener, uvicorn_options)
        thread.start()
        thread.started.result()
        try:
            host, port = listener.getsockname()[:2]
            yield RunningMockd(f"http://{host}:{port}", engine)
        finally:
            thread.stop()


class _ServerThread(threading.Thread):
    """A thread that runs uvicorn step by step, as uvicorn itself checks only ten times a second whether to stop."""

    def __init__(self, engine: Engine, listener: socket.socket, options: dict[str, Any]) -> None:
        super().__init__(name="mockd", daemon=True)
        self._engine = engine
        self._listener = listener
        protocol = http_protocol(engine.settings.request_timeout)
        # As `mockd serve` has it: the peer counts as the client, and nothing is around the app.
        options = {"http": protocol, "timeout_keep_alive": _KEEP_ALIVE_S, "proxy_headers": False, **options}
        self._config = uvicorn.Config(
            create_app(engine=engine), ws="none", lifespan="off", log_config=None, access_log=False, **options
        )
        self.started: Future[None] = Future()

    def run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=self._config.get_loop_factory()) as runner:
                runner.run(self._serve())
        except BaseException as error:
            if self.started.done():
                raise
            self.started.set_exception(error)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        self._config.load()
        server = uvicorn.Server(self._config)
        server.lifespan = self._config.lifespan_class(self._config)
        await server.startup(sockets=[self._listener])
        ticking = asyncio.create_task(server.main_loop())
        self.started.set_result(None)
        await self._stopping.wait()
        await self._engine.shutdown()
        ticking.cancel()
        # The steps of uvicorn's own shutdown, without its pauses of a tenth of a second.
        for listening in server.servers:
            listening.close()
        for connection in list(server.server_state.connections):
            connection.shutdown()
        await asyncio.sleep(0)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)
        self.join()
