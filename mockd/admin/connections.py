"""Operations on live streams, of all kinds, and on the buffers held for clients that come back."""

from __future__ import annotations

from typing import Any

from mockd.admin.calls import Call
from mockd.engine import Engine


def list_connections(engine: Engine, call: Call) -> Any:
    """List all live streams, oldest first."""
    return {"connections": engine.connections.live(), "stats": engine.connections.stats()}


def get_connection(engine: Engine, call: Call) -> Any:
    """Get a stream, live or ended."""
    return engine.connections.get(call.id)


def close_connection(engine: Engine, call: Call) -> Any:
    """End a live stream."""
    engine.connections.close(call.id)
    return {"message": "Connection closed", "connection": call.id}


def get_stats(engine: Engine, call: Call) -> Any:
    """Count streams, events and bytes since the start."""
    return engine.connections.stats()


def list_mock_connections(engine: Engine, call: Call) -> Any:
    """List a mock's live streams, oldest first."""
    mock_id = engine.get(call.id).id
    connections = engine.connections.live(mock_id)
    return {"connections": connections, "count": len(connections), "mockId": mock_id}


def close_mock_connections(engine: Engine, call: Call) -> Any:
    """End a mock's live streams."""
    return {"message": "Connections closed", "closed": engine.close_all(call.id), "mockId": call.id}


def get_buffer(engine: Engine, call: Call) -> Any:
    """List the events a mock holds for clients that come back."""
    events = engine.buffer(call.id)
    return {"mockId": call.id, "count": len(events), "events": events}


def clear_buffer(engine: Engine, call: Call) -> Any:
    """Forget the events a mock holds for clients that come back."""
    return {"message": "Buffer cleared", "cleared": engine.clear_buffer(call.id), "mockId": call.id}
