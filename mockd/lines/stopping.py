"""Whether the server has been told to stop, of which ASGI does not inform an app in time.

uvicorn waits until every response has ended before it ends the lifespan, and an app that is mounted in another one, or
run with `--lifespan off`, has no lifespan. So live streams would keep the server waiting. The only trace of the order
to stop is uvicorn's own flag, which can be asked, but does not call back.
"""

from __future__ import annotations

import asyncio
import signal
from asyncio import AbstractEventLoop
from collections.abc import Callable

from sse_starlette.sse import AppStatus

LOOK_S = 0.1
"""Seconds between two looks at the flag."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM)

OnStop = Callable[[float], None]


class StopWatches:
    """Watches for the order to stop, one for each event loop that is answering requests.

    `on_stop` is called in every such loop, and again every tenth of a second, with the seconds that have passed since
    the order: requests that still come in after it are told so too.
    """

    def __init__(self, on_stop: OnStop) -> None:
        self._on_stop = on_stop
        self.by_loop: dict[AbstractEventLoop, StopWatch] = {}
        """Those that are on. Their `requests` are to be counted up and down by whoever answers any."""

    def start(self) -> StopWatch:
        """A new watch, of the running event loop."""
        for gone in [other for other in self.by_loop if other.is_closed()]:
            self.by_loop.pop(gone, None)
        loop = asyncio.get_running_loop()
        watch = self.by_loop[loop] = StopWatch(loop, self._on_stop, self.by_loop.pop)
        return watch


class StopWatch:
    """The watch of one event loop. It goes on while `requests` are being answered, and is over at the first look that
    finds none.

    It is a timer and not a task: a timer needs nobody to wait for it, and nobody complains about one that is left in a
    loop that is closed.
    """

    __slots__ = ("_had_flag", "_loop", "_on_over", "_on_stop", "_told_at", "requests")

    def __init__(
        self, loop: AbstractEventLoop, on_stop: OnStop, on_over: Callable[[AbstractEventLoop], object]
    ) -> None:
        self.requests = 0
        self._loop = loop
        self._on_stop = on_stop
        self._on_over = on_over
        self._told_at: float | None = None
        # The flag of sse-starlette stays set, so a process whose last server has stopped starts with it.
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
        # Either is enough, and neither is certain: signal handlers may be replaced by an app's own, which call on
        # uvicorn's, and sse-starlette sets its flag only if it was imported before uvicorn began to handle signals.
        return (AppStatus.should_exit and not self._had_flag) or any(map(_server_is_told, _SIGNALS))


def _server_is_told(number: signal.Signals) -> bool:
    """Whether uvicorn handles this signal, by a method of its server, and that server has been told to stop."""
    server = getattr(signal.getsignal(number), "__self__", None)
    return getattr(server, "should_exit", None) is True
