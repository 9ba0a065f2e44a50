"""What mockd does straight on uvicorn's objects: the same bytes as through ASGI, and nothing is left of it."""

from __future__ import annotations

import gc
from collections import Counter
from typing import Any

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from mockd.app import create_app
from mockd.engine import Engine
from mockd.testing import running_mockd
from tests.admin.conftest import serve as serve_app
from tests.wire.sockets import Client

CHAT = {"template": "openai-chat", "templateParams": {"tokens": ["a", "b"]}}
STREAMS: dict[str, dict[str, Any]] = {
    "due at once": {"events": [{"data": "one"}, {"data": "two"}]},
    "with an id of its own": CHAT,
    "paced": {"events": [{"data": "one"}, {"data": "two"}], "timing": {"fixedDelay": 5}},
}


class Counting:
    """A middleware in mockd's own app that counts what passes it."""

    def __init__(self, app: ASGIApp, seen: Counter[str]) -> None:
        self._app = app
        self._seen = seen

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def counting_receive() -> Message:
            message = await receive()
            self._seen["asked"] += len(message.get("body", b""))
            return message

        async def counting_send(message: Message) -> None:
            self._seen["answered"] += len(message.get("body", b""))
            await send(message)

        await self._app(scope, counting_receive, counting_send)


@pytest.mark.parametrize("kind", STREAMS)
def test_a_middleware_sees_all_bytes(kind: str) -> None:
    engine, seen = Engine(), Counter[str]()
    engine.create({"matcher": {"path": "/s", "bodyJsonPath": {"$.stream": True}}, "sse": STREAMS[kind]})
    app = create_app(engine=engine)
    app.add_middleware(Counting, seen=seen)
    body = b'{"stream": true}'
    with serve_app(app) as url, Client(url) as client:
        assert client.ask("/s", method="POST", body=body).read_head()[0] == 200
        answer = b"".join(client.read_chunks())
    assert seen == {"asked": len(body), "answered": len(answer)}


@pytest.mark.parametrize("kind", STREAMS)
def test_a_request_leaves_nothing_to_the_garbage_collector(kind: str) -> None:
    times = 20
    with running_mockd({"matcher": {"path": "/s"}, "sse": STREAMS[kind]}) as server, Client(server.url) as client:
        gc.collect()
        gc.disable()
        try:
            for _ in range(times):
                client.ask("/s").read_head()
                client.read_chunks()
            kept = sum(isinstance(thing, RequestResponseCycle) for thing in gc.get_objects())
        finally:
            gc.enable()
    # A connection keeps its last one.
    assert kept < times / 2
