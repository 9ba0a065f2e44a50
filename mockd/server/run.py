"""`mockd serve`: one process, one event loop, a port for the mocks and one for the admin API."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import gc
import math
import os
import secrets
import signal
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from types import FrameType
from typing import TYPE_CHECKING, Any

import uvicorn
from msgspec.structs import replace

import mockd
from mockd.addresses import is_loopback
from mockd.admin import create_admin, create_metrics
from mockd.app import create_app
from mockd.config.models import ADMIN_PREFIX
from mockd.engine import Engine
from mockd.errors import ConfigError
from mockd.journal.metrics import EXTRA, EXTRA_MISSING
from mockd.lines import http_protocol
from mockd.presets import configured, preset_of
from mockd.server import logs
from mockd.server.ports import BACKLOG, check_tls, listen, url
from mockd.server.requests import RequestLog
from mockd.server.welcome import aligned, curl_line
from mockd.settings import Settings, spelling

if TYPE_CHECKING:
    from mockd.server.watch import Watcher

_KEEP_ALIVE_S = 75
"""Time for which an idle connection is kept. It is longer than in the pools of common clients, so that a client never
sends a request on a connection that was just closed."""


def run(settings: Settings, worded: Callable[[str], str] = str) -> int:
    """Serve until a signal stops it. Returns the exit code: 0, or 2 if the configuration prevents serving. `worded` is
    what a command makes of the text of a problem."""
    logs.configure(settings.log_level, settings.log_format)
    try:
        service = _Service(settings)
    except ConfigError as error:
        for problem in error.problems:
            print(worded(str(problem)), file=sys.stderr)
        return 2
    return service.run()


class _Service:
    """The engine with its mocks and open ports, ready to serve when `run` is called."""

    def __init__(self, settings: Settings) -> None:
        if settings.workers > 1:
            raise ConfigError(f"--workers {settings.workers}: only 1 is possible for now, as state is kept per process")
        check_tls(settings)
        if settings.metrics_port and find_spec(EXTRA) is None:
            raise ConfigError(f"{spelling('metrics_port')}: {EXTRA_MISSING}")
        self.watcher = _watcher(settings)
        exposes_admin = _exposes_admin(settings)
        if exposes_admin and settings.api_key == "":
            raise ConfigError(
                f"{spelling('api_key')}: empty, although other machines can reach the admin API",
                hint="give a key, or leave the option out: mockd makes one up",
            )
        self.made_up_key = exposes_admin and settings.api_key is None
        self.admin_has_tls = exposes_admin and settings.tls_cert is not None
        if self.made_up_key:
            settings = replace(settings, api_key="mk_" + secrets.token_hex(32))
        self.engine = Engine(settings)
        self.engine.load(configured(settings, self.engine.check))
        with contextlib.ExitStack() as opened:
            options = ["port", *(option for option in ("admin_port", "metrics_port") if getattr(settings, option))]
            self.listeners = [opened.enter_context(listen(settings, option)) for option in options]
            opened.pop_all()
        self.request_log = _request_log(settings, self.engine)
        # The port that was opened, as port 0 stands for any free one.
        self.settings = settings = self.engine.settings = replace(settings, port=self.listeners[0].getsockname()[1])
        base = url("https" if settings.tls_cert else "http", settings.host, settings.port)
        admin = base + ADMIN_PREFIX
        if settings.admin_port:
            admin = url("https" if self.admin_has_tls else "http", settings.admin_host, settings.admin_port)
        self.engine.misses.mocks_url, self.engine.misses.admin_url = base, admin
        if settings.torture is not None:
            from mockd.torture.service import serve_variants

            self.engine.variants = serve_variants(self.engine, settings.torture, base)

    def run(self) -> int:
        servers = self._servers(_raised_file_limit())
        with asyncio.Runner(loop_factory=servers[0].config.get_loop_factory()) as runner:
            runner.run(self._serve(servers))
        return 0

    def _servers(self, most_files: float) -> list[_Server]:
        settings, http = self.settings, http_protocol(self.settings.request_timeout, most_files)
        tls = {"ssl_certfile": settings.tls_cert, "ssl_keyfile": settings.tls_key}
        servers = [
            _server(settings, http, create_app(settings, engine=self.engine, admin=not settings.admin_port), **tls)
        ]
        if settings.admin_port:
            # Without TLS, the key could be read on the way. On this machine there is no way.
            app = create_admin(self.engine, bound_host=settings.admin_host)
            servers.append(_server(settings, http, app, **(tls if self.admin_has_tls else {})))
        if settings.metrics_port:
            servers.append(_server(settings, http, create_metrics(self.engine), **tls))
        return servers

    async def _serve(self, servers: list[_Server]) -> None:
        stopping = asyncio.Event()
        asyncio.get_running_loop().set_exception_handler(_say_failure)
        with _signals(stopping.set):
            async with asyncio.TaskGroup() as tasks:
                for server, listener in zip(servers, self.listeners, strict=True):
                    tasks.create_task(server.serve(sockets=[listener]))
                watching = tasks.create_task(self.watcher.run(self.engine)) if self.watcher else None
                self._welcome()
                _calm_garbage_collector()
                # Time for which the admin API's thread may hold the interpreter while the event loop waits; the
                # default is 5 ms.
                sys.setswitchinterval(0.001)
                await stopping.wait()
                if watching:
                    watching.cancel()
                # uvicorn closes ports and idle connections while the engine ends the streams.
                for server in servers:
                    server.should_exit = True
                await self.engine.shutdown()
        if self.request_log is not None:
            self.request_log.sum_up()
        self._count_recordings()

    def _count_recordings(self) -> None:
        recorder = self.engine.mock_set.relays.recorder
        if recorder is None or not (recorder.recorded or recorder.lost):
            return
        text = f"recorded {logs.count_of(recorder.recorded, 'exchange')} in {recorder.files.folder}"
        if recorder.lost:
            text += f"; {recorder.lost} could not be recorded, or not as a whole"
        logs.say(text, self.settings.log_format, recorded=recorder.recorded, notWhole=recorder.lost)

    def _welcome(self) -> None:
        settings = self.settings
        mocks = self.engine.mocks()
        base = self.engine.misses.mocks_url or ""
        lines = {"mocks": base, "admin": self.engine.misses.admin_url}
        if settings.metrics_port:
            scheme = "https" if settings.tls_cert else "http"
            lines["metrics"] = url(scheme, settings.host, settings.metrics_port) + "/metrics"
        if settings.torture is not None:
            lines["torture"] = f"{self.engine.misses.admin_url}/torture"
        lines["try"] = curl_line(mocks, base)
        if self.made_up_key:
            lines["key"] = settings.api_key
        lines["relays to"], lines["records in"] = ", ".join(settings.proxy) or None, settings.record
        fields: dict[str, Any] = {name: value for name, value in lines.items() if value is not None}
        text = f"mockd {mockd.__version__} serves {logs.count_of(len(mocks), 'mock')}"
        if settings.log_format == "text":
            text = "\n".join([text, *aligned(fields)])
        if (preset := preset_of(settings)) is not None:
            fields["baseUrls"] = {name: base + path for name, path in preset.base_urls.items()}
            if settings.log_format == "text":
                text = "\n".join([text, "base URLs for clients", *aligned(fields["baseUrls"])])
        logs.say(text, settings.log_format, **fields)


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers, as mockd ends its streams before the ports are closed."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _server(settings: Settings, http: Any, app: Any, **tls: Any) -> _Server:
    config = uvicorn.Config(
        app,
        interface="asgi3",
        http=http,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,  # mockd has a request log of its own
        server_header=False,
        backlog=BACKLOG,
        timeout_keep_alive=_KEEP_ALIVE_S,
        proxy_headers=False,  # the peer counts as the client, as any client can forge a proxy's headers
        # Connections that are still open after this time are cut off. Fractions work, although the type is `int`.
        timeout_graceful_shutdown=settings.shutdown_timeout,  # type: ignore[arg-type]
        **tls,
    )
    config.load()
    return _Server(config)


@contextlib.contextmanager
def _signals(stop: Callable[[], None]) -> Iterator[None]:
    """Call `stop` in the event loop on SIGINT, SIGTERM or SIGHUP. On SIGINT after that, exit at once."""
    loop = asyncio.get_running_loop()
    seen = False

    def handle(number: int, frame: FrameType | None) -> None:
        nonlocal seen
        if seen and number == signal.SIGINT:
            os._exit(128 + number)
        seen = True
        # This also wakes the event loop, which a plain call would not.
        loop.call_soon_threadsafe(stop)

    before = {number: signal.signal(number, handle) for number in _stopping_signals()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _stopping_signals() -> Iterator[int]:
    yield from (signal.SIGINT, signal.SIGTERM)
    # The terminal was closed. Under `nohup` the signal is ignored already. Windows does not have it.
    hangup = getattr(signal, "SIGHUP", None)
    if hangup is not None and signal.getsignal(hangup) is not signal.SIG_IGN:
        yield hangup


def _watcher(settings: Settings) -> Watcher | None:
    if not settings.watch:
        return None
    if not (settings.config or settings.preset_script):
        named = f"{spelling('config')} or {spelling('preset_script')}"
        logs.logger.warning("%s: there is no file to watch; name one with %s", spelling("watch"), named)
        return None
    from mockd.server.watch import Watcher

    return Watcher(settings)


def _request_log(settings: Settings, engine: Engine) -> RequestLog | None:
    if settings.quiet or settings.log_level not in ("info", "debug"):
        return None
    log = RequestLog(settings.log_format, engine.clock)
    engine.connections.observers.append(log)
    return log


def _exposes_admin(settings: Settings) -> bool:
    return not is_loopback(settings.admin_host if settings.admin_port else settings.host)


def _calm_garbage_collector() -> None:
    # With the defaults, each pass over the oldest generation takes 20 to 55 ms while a thousand streams are accepted,
    # and every paced event that is due in that time is late. The objects that are loaded now live as long as the
    # process. They hold next to no garbage, and to look for it would delay the first answer, so they are frozen. A pass
    # over 20,000 younger objects takes 5 ms. With these thresholds, thousands of mocks that are created at once cause
    # many such passes instead of a few long ones.
    gc.freeze()
    gc.set_threshold(5_000, 3, 2_000)
    gc.enable()


def _raised_file_limit() -> float:
    """The number of files that this process may have open, which is made as large as possible."""
    # Every stream is an open file. The usual limit is 1,024, but a process may raise it to the hard limit.
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        if most != resource.RLIM_INFINITY:
            return most
    return math.inf


def _say_failure(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log what went wrong in the event loop, but not that there are no more files: asyncio says so thousands of times a
    second, and mockd says it once."""
    error = context.get("exception")
    if not (isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE)):
        loop.default_exception_handler(context)
