"""Operations on keys, and the way back to the start."""

from __future__ import annotations

from typing import Any

from mockd.admin.calls import Call, answer
from mockd.engine import KEYS_AT_ONCE, Engine
from mockd.keys.reading import check_key
from mockd.turns import gone_through


async def list_keys(engine: Engine, call: Call) -> Any:
    """List the keys for which anything is kept or open, the one that was used longest ago first."""
    await gone_through(engine.keys.ageing(), KEYS_AT_ONCE)
    known = engine.keyed.known()

    def listed() -> Any:
        keys = [key.to_json() for key in known.listed()]
        return answer({"keys": keys, "total": len(keys)})

    return await engine.serving.apart(listed)


async def delete_key(engine: Engine, call: Call) -> Any:
    """End the streams of a key, and forget all that is kept for it."""
    key = call.params["key"]
    check_key(key)
    return {"message": "Key deleted", "key": key, "closed": engine.keyed.delete(key)}


async def reset(engine: Engine, call: Call) -> Any:
    """Put counters, buffers and the journal back to the start."""
    return await engine.keyed.reset(call.key, mocks=call.flag("mocks") or False, streams=call.flag("streams") or False)
