"""A server of streams the way the README of sse-starlette shows it: a generator, `json.dumps`, `asyncio.sleep`."""

from __future__ import annotations

import asyncio
import json
import random
import time
import uuid
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from sse_starlette import EventSourceResponse
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

EVENT: dict[str, Any] = json.loads((Path(__file__).parent / "event.json").read_text())
EVENTS = 500
TOKENS = {"short": 20, "long": 500}

Events = AsyncIterator[dict[str, str]]


async def static() -> Events:
    for _ in range(EVENTS):
        yield {"data": json.dumps(EVENT)}


async def with_uuid() -> Events:
    for _ in range(EVENTS):
        yield {"data": json.dumps({**EVENT, "id": str(uuid.uuid4())})}


async def with_random() -> Events:
    for _ in range(EVENTS):
        yield {"data": json.dumps({**EVENT, "volume": random.randint(10000, 99999)})}


async def one() -> Events:
    yield {"data": json.dumps(EVENT)}


async def paced() -> Events:
    while True:
        yield {"data": json.dumps(EVENT)}
        await asyncio.sleep(0.05)


async def endless() -> Events:
    while True:
        yield {"data": json.dumps(EVENT)}


async def nothing() -> Events:
    await asyncio.Event().wait()
    yield {}


def stream(events: Callable[[], Events]) -> Callable[[Request], Any]:
    async def endpoint(request: Request) -> Response:
        return EventSourceResponse(events())

    return endpoint


async def chat(request: Request) -> Response:
    body = await request.json()
    tokens = TOKENS.get(body["messages"][-1]["content"])
    if not body.get("stream") or tokens is None:
        return JSONResponse({"error": "not found"}, status_code=404)
    return EventSourceResponse(completion(body["model"], tokens))


async def completion(model: str, tokens: int) -> Events:
    head = {
        "id": f"chatcmpl-{uuid.uuid4().hex}",
        "object": "chat.completion.chunk",
        "created": int(time.time()),
        "model": model,
        "service_tier": "default",
        "system_fingerprint": "fp_peer",
    }

    def chunk(delta: dict[str, Any], finish_reason: str | None = None) -> dict[str, str]:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        return {"data": json.dumps({**head, "choices": [choice]})}

    yield chunk({"role": "assistant", "content": ""})
    for _ in range(tokens):
        yield chunk({"content": "word "})
    yield chunk({}, "stop")
    yield {"data": "[DONE]"}


app = Starlette(
    routes=[
        Route("/events", stream(static)),
        Route("/uuid", stream(with_uuid)),
        Route("/random", stream(with_random)),
        Route("/one", stream(one)),
        Route("/paced", stream(paced)),
        Route("/endless", stream(endless)),
        Route("/idle", stream(nothing)),
        Route("/v1/chat/completions", chat, methods=["POST"]),
    ]
)
