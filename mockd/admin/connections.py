"""Operations on streams of all kinds, and on the buffers of events for clients that reconnect."""

from __future__ import annotations

from itertools import chain
from typing import Any, get_args

from mockd.admin.calls import Call, answer
from mockd.engine import EVENTS_AT_ONCE, Engine
from mockd.journal.exchange import Exchange
from mockd.journal.registry import Status
from mockd.streaming.sessions.resume import described
from mockd.turns import gone_through

ENDED_LISTED = 100
"""Number of ended streams that are listed by default."""


async def list_connections(engine: Engine, call: Call) -> Any:
    """List live streams, ended streams, or both, oldest first."""
    status = call.choice("status", get_args(Status), "active")
    limit = call.count("limit")
    if limit is None and status != "active":
        limit = ENDED_LISTED
    listed, stats = engine.connections.listed(status, call.text("mock"), limit, call.key), _stats(engine, call)
    return await engine.serving.apart(lambda: answer({"connections": _described(listed), "stats": stats}))


async def get_connection(engine: Engine, call: Call) -> Any:
    """Get a stream, live or ended."""
    return engine.connections.get(call.id, call.key)


async def close_connection(engine: Engine, call: Call) -> Any:
    """End a live stream."""
    engine.connections.close(call.id, call.key)
    return {"message": "Connection closed", "connection": call.id}


async def get_stats(engine: Engine, call: Call) -> Any:
    """Count streams, events and bytes since the start."""
    return _stats(engine, call)


def _stats(engine: Engine, call: Call) -> dict[str, Any]:
    key = call.key
    return engine.connections.stats() if key is None else engine.connections.stats_of(key)


async def list_mock_connections(engine: Engine, call: Call) -> Any:
    """List a mock's live streams, oldest first."""
    live = engine.streams.of(call.id, call.key)
    return await engine.serving.apart(
        lambda: answer({"connections": _described(live), "count": len(live), "mockId": call.id})
    )


async def close_mock_connections(engine: Engine, call: Call) -> Any:
    """End a mock's live streams."""
    return {"message": "Connections closed", "closed": engine.streams.close_all(call.id, call.key), "mockId": call.id}


async def get_buffer(engine: Engine, call: Call) -> Any:
    """List the events that a mock keeps for clients that reconnect."""
    held = []
    for sessions in engine.by_key.mock_for(call.key, call.id)[0].sessions:
        await gone_through(sessions.ageing(), EVENTS_AT_ONCE)
        held += sessions.held(call.key)
    return await engine.serving.apart(
        lambda: answer({"mockId": call.id, "count": len(held), "events": described(held)})
    )


async def clear_buffer(engine: Engine, call: Call) -> Any:
    """Forget the events that a mock keeps for clients that reconnect."""
    mock, _ = engine.by_key.mock_for(call.key, call.id)
    forgetting = [sessions.clearing(call.key) for sessions in mock.sessions]
    cleared = await gone_through(chain.from_iterable(forgetting), EVENTS_AT_ONCE)
    return {"message": "Buffer cleared", "cleared": cleared, "mockId": call.id}


def _described(live: list[Exchange]) -> list[dict[str, Any]]:
    return [connection.to_json() for connection in live]
