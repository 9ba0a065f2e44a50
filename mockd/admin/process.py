"""Operations that describe the process itself."""

from __future__ import annotations

from typing import Any

import mockd
from mockd.admin.calls import Call
from mockd.clock import rfc3339
from mockd.config.schema import json_schema
from mockd.engine import Engine


async def get_health(engine: Engine, call: Call) -> Any:
    """Check that the process is alive."""
    return _probe(engine, "ok")


async def get_ready(engine: Engine, call: Call) -> Any:
    """Check that mocks are served."""
    return _probe(engine, "ready")


def _probe(engine: Engine, status: str) -> dict[str, Any]:
    now = engine.clock.wall()
    mocks = {} if engine.misses.mocks_url is None else {"mocks": engine.misses.mocks_url}
    return {"status": status, "uptime": _uptime(engine, now), "timestamp": rfc3339(now), **mocks}


async def get_status(engine: Engine, call: Call) -> Any:
    """Get a summary of the process."""
    mocks = engine.mocks()
    stats = engine.connections.stats()
    return {
        "status": "running",
        "version": mockd.__version__,
        "startedAt": rfc3339(engine.started_at),
        "uptime": _uptime(engine, engine.clock.wall()),
        "httpPort": engine.settings.port,
        "adminPort": engine.settings.admin_port,
        "mockCount": len(mocks),
        "activeMocks": sum(spec.mock.enabled for spec in mocks),
        **{name: stats[name] for name in ("activeConnections", "totalConnections", "connectionErrors")},
    }


def get_schema(engine: Engine, call: Call) -> Any:
    """Get the JSON Schema of configuration files."""
    return json_schema()


def get_recording_schema(engine: Engine, call: Call) -> Any:
    """Get the JSON Schema of a line of a recording."""
    from mockd.recordings import schema

    return schema.json_schema()


def _uptime(engine: Engine, now: float) -> int:
    return max(0, int(now - engine.started_at))
