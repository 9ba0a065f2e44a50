"""A watch for the order to stop the server, of which ASGI does not tell an app in time.

uvicorn ends the lifespan only after every response has ended, and an app that is mounted in another one or run with
`--lifespan off` has no lifespan. So live streams would keep the server waiting. The only trace of the order is a flag
of the server, which can be read but does not call back. hypercorn's is reached from its own `send`, so not if an app
around this one has wrapped it. granian has none: it keeps the order to itself.
"""

from __future__ import annotations

import asyncio
import signal
from asyncio import AbstractEventLoop
from collections.abc import Callable
from typing import Any

from sse_starlette.sse import AppStatus

from mockd.request import Send

LOOK_S = 0.1
"""Time, in seconds, between two looks at the flag."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM)

OnStop = Callable[[float], None]


class StopWatches:
    """Watches for the order to stop, one for each event loop that is answering requests.

    After the order, `on_stop` is called in every such loop, and again every tenth of a second for requests that come in
    later. Its argument is the number of seconds since the order.
    """

    def __init__(self, on_stop: OnStop) -> None:
        self._on_stop = on_stop
        self.by_loop: dict[AbstractEventLoop, StopWatch] = {}
        """The watches that are on. Whoever answers requests must count them up and down in `requests`."""

    def start(self, send: Send) -> StopWatch:
        """Start a watch for the running event loop, with the `send` of the request that comes first."""
        for gone in [other for other in self.by_loop if other.is_closed()]:
            self.by_loop.pop(gone, None)
        loop = asyncio.get_running_loop()
        watch = self.by_loop[loop] = StopWatch(loop, self._on_stop, self.by_loop.pop, _hypercorn(send))
        return watch


class StopWatch:
    """The watch of one event loop. It goes on while `requests` are being answered, and is over at the first look that
    finds none.

    It is a timer and not a task, as nobody must wait for a timer, and asyncio does not complain about one that is left
    in a closed loop.
    """

    __slots__ = ("_had_flag", "_hypercorn", "_loop", "_on_over", "_on_stop", "_told_at", "requests")

    def __init__(
        self, loop: AbstractEventLoop, on_stop: OnStop, on_over: Callable[[AbstractEventLoop], object], hypercorn: Any
    ) -> None:
        self.requests = 0
        self._hypercorn = hypercorn
        self._loop = loop
        self._on_stop = on_stop
        self._on_over = on_over
        self._told_at: float | None = None
        # The flag of sse-starlette stays set, so it may come from an earlier server of this process.
        self._had_flag = AppStatus.should_exit
        loop.call_later(LOOK_S, self._look)

    def _look(self) -> None:
        if not self.requests:
            self._on_over(self._loop)
            return
        self._loop.call_later(LOOK_S, self._look)
        if self._told_at is None and self._is_told():
            self._told_at = self._loop.time()
        if self._told_at is not None:
            self._on_stop(self._loop.time() - self._told_at)

    def _is_told(self) -> bool:
        if self._hypercorn is not None and self._hypercorn.terminated.is_set():
            return True
        # Either sign is enough, and neither is certain: an app may replace uvicorn's signal handlers by its own, and
        # sse-starlette sets its flag only if it was imported before uvicorn began to handle signals.
        return (AppStatus.should_exit and not self._had_flag) or any(map(_server_is_told, _SIGNALS))


def _hypercorn(send: Send) -> Any:
    """What hypercorn's `send` knows of its process, or None under any other server."""
    server = getattr(send, "__self__", None)
    return getattr(server, "context", None) if type(server).__module__.startswith("hypercorn.") else None


def _server_is_told(number: signal.Signals) -> bool:
    """Whether uvicorn handles this signal, by a method of its server, and that server has been told to stop."""
    server = getattr(signal.getsignal(number), "__self__", None)
    return getattr(server, "should_exit", None) is True
