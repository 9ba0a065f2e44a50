"""Operations on keys, and the way back to the start."""

from __future__ import annotations

from typing import Any

from mockd.admin.calls import Call, answer
from mockd.engine import Engine
from mockd.keys.reading import check_key
from mockd.turns import gone_through

KEYS_AT_ONCE = 50
"""Number of keys that are forgotten in one turn of the event loop."""


async def list_keys(engine: Engine, call: Call) -> Any:
    """List the keys for which anything is kept or open, the one that was used longest ago first."""
    await gone_through(engine.keys.ageing(), KEYS_AT_ONCE)
    known = engine.known_keys()
    return await engine.apart(lambda: answer({"keys": [key.to_json() for key in known], "total": len(known)}))


async def delete_key(engine: Engine, call: Call) -> Any:
    """End the streams of a key, and forget all that is kept for it."""
    key = call.params["key"]
    check_key(key)
    return {"message": "Key deleted", "key": key, "closed": engine.delete_key(key)}


async def reset(engine: Engine, call: Call) -> Any:
    """Put counters, buffers and the journal back to the start."""
    return await engine.reset(call.key, mocks=call.flag("mocks") or False, streams=call.flag("streams") or False)
