"""The least app with this stack, for what a start costs: one route, one event."""

from __future__ import annotations

from collections.abc import AsyncIterator

from sse_starlette import EventSourceResponse
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


async def events() -> AsyncIterator[dict[str, str]]:
    yield {"data": "hello"}


async def one(request: Request) -> Response:
    return EventSourceResponse(events())


app = Starlette(routes=[Route("/one", one)])
