"""An app without mockd: a stream that does not end, and no lifespan."""

import asyncio


async def app(scope, receive, send):
    assert scope["type"] == "http"
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"data: Hello\n\n", "more_body": True})
    await asyncio.Event().wait()
