"""The servers that mockd is run under."""

from __future__ import annotations

from dataclasses import dataclass

APP = "mockd.app:app"


@dataclass(frozen=True)
class Server:
    """`python -m` with these words, `{app}` and `{port}` among them; `group` is the environment, if it needs one."""

    words: tuple[str, ...]
    group: str | None = None
    ends_streams: bool = False
    """Whether mockd learns of the order to stop while streams are live. Otherwise the server ends them in its way."""
    breaks_off: bool = True
    """Whether the connection ends if the app leaves a response unfinished."""
    frames_1_0: bool = True
    """Whether it sends no chunks to clients of HTTP/1.0."""
    takes_any_body: bool = True
    """Whether it takes in a body that the app does not read, and keeps the connection then."""
    shows_break_1_0: bool = False
    """Whether a client of HTTP/1.0 can tell an abrupt end from a clean one."""

    def serving(self, app: str) -> list[str]:
        return [word.replace("{app}", app) for word in self.words]


def _uvicorn(*options: str, group: str | None = None, frames_1_0: bool = True) -> Server:
    return Server(
        ("uvicorn", "{app}", "--port", "{port}", *options), group, True, frames_1_0=frames_1_0, shows_break_1_0=True
    )


_HYPERCORN = ("hypercorn", "{app}", "--bind", "127.0.0.1:{port}")
# Without this option granian waits for streams for ever, whatever the app.
_GRANIAN = ("granian", "{app}", "--port", "{port}", "--workers-kill-timeout", "1", "--interface")

SERVERS: dict[str, Server] = {
    "uvicorn": _uvicorn(),
    "uvicorn without a log": _uvicorn("--no-access-log"),
    "uvicorn, asyncio": _uvicorn("--no-access-log", "--loop", "asyncio"),
    "uvicorn, h11": _uvicorn("--no-access-log", "--http", "h11"),
    "uvicorn, zttp": _uvicorn("--no-access-log", "--http", "zttp", group="zttp", frames_1_0=False),
    "hypercorn": Server(_HYPERCORN, "hypercorn", True, takes_any_body=False),
    "hypercorn, uvloop": Server((*_HYPERCORN, "-k", "uvloop"), "hypercorn", True, takes_any_body=False),
    "granian": Server((*_GRANIAN, "asgi"), "granian", takes_any_body=False),
    "granian, no lifespan": Server((*_GRANIAN, "asginl"), "granian", takes_any_body=False),
    "daphne": Server(("daphne", "{app}", "-p", "{port}"), "daphne", breaks_off=False),
}

HTTP2: dict[str, Server] = {
    "uvicorn, zttp": _uvicorn("--no-access-log", "--http", "zttp", "--http2", group="zttp"),
    "hypercorn": SERVERS["hypercorn"],
    "granian": SERVERS["granian"],
}
"""Those that speak HTTP/2."""
