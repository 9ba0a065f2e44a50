"""Operations on the variants of a stream."""

from __future__ import annotations

from typing import Any

from mockd.admin.calls import Call
from mockd.engine import Engine
from mockd.errors import NotFoundError


async def list_variants(engine: Engine, call: Call) -> Any:
    """List the variants of the stream of `--torture`, each with its URL."""
    if engine.variants is None:
        raise NotFoundError("no variants of a stream are served here: start the server with --torture MOCK")
    return engine.variants
