"""A source that decides the head of each answer, at once or after it has awaited something."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterator
from typing import Any, Literal

from msgspec import Struct

from mockd.events import Event
from mockd.source import Answer, BaseSource, Opened, Script, SourceContext
from mockd.sources import SourceKind

What = Literal["iterator", "async iterator", "script", "body", "events", "async events"]


class Deciding(Struct, rename="camel", forbid_unknown_fields=True, frozen=True, kw_only=True):
    """What is opened, with which head; `awaits` says that it is awaited, `fails` that this raises."""

    what: What = "events"
    status: int = 202
    headers: dict[str, str] = {}
    framing: str | None = None
    delay_ms: float = 0
    awaits: bool = False
    fails: bool = False


class Log:
    """What happened to the sources here. They wait for `gate` if there is one."""

    def __init__(self) -> None:
        self.gate: asyncio.Event | None = None
        self.happened: list[str] = []


log = Log()


class DecidingSource(BaseSource):
    """What it is told."""

    def __init__(self, params: Deciding) -> None:
        self._params = params

    def open(self, context: SourceContext) -> Opened | Awaitable[Opened]:
        return self._awaited(context) if self._params.awaits else self._opened(context)

    async def _awaited(self, context: SourceContext) -> Opened:
        log.happened.append("asked")
        try:
            if log.gate is not None:
                await log.gate.wait()
        except asyncio.CancelledError:
            log.happened.append("cancelled")
            raise
        return self._opened(context)

    def _opened(self, context: SourceContext) -> Opened:
        params = self._params
        if params.fails:
            raise ValueError("nobody there")
        log.happened.append("opened")
        match params.what:
            case "iterator":
                return _events()
            case "async iterator":
                return _awaited_events()
            case "script":
                headers = [(name.lower().encode(), value.encode()) for name, value in params.headers.items()]
                return Script(lambda: list(_events()), framing=params.framing, headers=headers)
        head: dict[str, Any] = {
            "status": params.status,
            "headers": tuple(params.headers.items()),
            "framing": params.framing,
            "delay_s": params.delay_ms / 1000,
        }
        if params.what == "body":
            return Answer(**head, body={"path": context.request.path})
        return Answer(**head, events=_events() if params.what == "events" else _awaited_events())


def _events() -> Iterator[Event]:
    for number in (1, 2, 3):
        yield Event({"n": number})


async def _awaited_events() -> AsyncIterator[Event]:
    for event in _events():
        yield event


DECIDING = SourceKind("deciding", Deciding, DecidingSource, "For tests.")
IN_CHUNKED = SourceKind("deciding-chunked", Deciding, DecidingSource, "For tests.", "chunked")
IN_RESPONSE = SourceKind("deciding-response", Deciding, DecidingSource, "For tests.", "response")
