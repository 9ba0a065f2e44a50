"""A bare Starlette route: a plain JSON answer whose bytes are ready."""

from __future__ import annotations

from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

PLAIN = (Path(__file__).parent / "plain.json").read_bytes()


async def plain(request: Request) -> Response:
    return Response(PLAIN, media_type="application/json")


app = Starlette(routes=[Route("/plain", plain)])
