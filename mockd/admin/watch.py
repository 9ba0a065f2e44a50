"""Operations that show what a stream sends while it goes on, as Server-Sent Events."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, suppress
from typing import Any

from sse_starlette import EventSourceResponse, ServerSentEvent

from mockd.admin.calls import HEADERS, Call
from mockd.engine import Engine
from mockd.errors import ConflictError
from mockd.hand.watches import Watch
from mockd.jsontext import encode_json


async def watch_connection(engine: Engine, call: Call) -> Any:
    """Watch a live stream until it has ended, as Server-Sent Events: `state`, `sent`, `missed`."""
    exchange = engine.connections.find(call.id, call.key)
    return _answer(engine.streams.take_in_hand().watches.on(exchange))


async def watch_mock(engine: Engine, call: Call) -> Any:
    """Watch the newest live stream of a mock until it has ended, or else the next one: `waiting` until it begins."""
    mock = engine.streams.place_of(call.id, call.key)
    live = [exchange for exchange in engine.streams.of(call.id, call.key) if exchange.status == "active"]
    watches = engine.streams.take_in_hand().watches
    return _answer(watches.on(live[-1]) if live else watches.on_next(mock, call.key))


def _answer(watching: AbstractContextManager[Watch]) -> EventSourceResponse:
    return EventSourceResponse(_events(watching), headers=HEADERS)


async def _events(watching: AbstractContextManager[Watch]) -> AsyncIterator[ServerSentEvent]:
    # The watch begins here, as nothing would end it if the client were gone before. The stream may have ended now.
    with suppress(ConflictError), watching as watch:
        async for type, data in watch.read():
            yield ServerSentEvent(encode_json(data).decode(), event=type)
