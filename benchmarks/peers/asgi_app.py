"""The least ASGI app that answers as much as mockd, without a look at the request: what it costs is uvicorn's own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]

HERE = Path(__file__).parent
EVENT = b"data: " + (HERE / "event.json").read_bytes().strip() + b"\n\n"
PLAIN = (HERE / "plain.json").read_bytes()

STREAM_HEADERS = [(b"content-type", b"text/event-stream")]
PLAIN_HEADERS = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(PLAIN))]

# By path: the headers, the body in parts, one for each send, and the pause in seconds between them.
ANSWERS: dict[str, tuple[list[tuple[bytes, bytes]], list[bytes], float]] = {
    "/v1/chat/completions": (STREAM_HEADERS, [EVENT * 23], 0),
    "/plain": (PLAIN_HEADERS, [PLAIN], 0),
    "/events": (STREAM_HEADERS, [EVENT * 500], 0),
    "/flushed": (STREAM_HEADERS, [EVENT] * 500, 0),
    "/paced-few": (STREAM_HEADERS, [EVENT] * 50, 0.01),
    "/paced-many": (STREAM_HEADERS, [EVENT] * 450, 0.01),
}


async def app(scope: Message, receive: Callable[[], Awaitable[Message]], send: Send) -> None:
    if scope["type"] != "http":  # uvicorn does without a lifespan then
        return
    headers, parts, pause = ANSWERS[scope["path"]]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    for part in parts[:-1]:
        await send({"type": "http.response.body", "body": part, "more_body": True})
        if pause:
            await asyncio.sleep(pause)
    await send({"type": "http.response.body", "body": parts[-1]})
