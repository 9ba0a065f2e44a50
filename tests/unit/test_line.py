"""The line of any ASGI server: what waits, and what is left once the client has gone."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from mockd.headers import FixedHeaders
from mockd.lines.line import Line
from tests.manual_clock import settle

pytestmark = pytest.mark.anyio


async def no_messages() -> Any:
    raise AssertionError("nobody asks for the request")


async def test_what_the_server_has_not_taken_yet_is_still_queued() -> None:
    takes, sent = asyncio.Event(), []

    async def send(message: Any) -> None:
        await takes.wait()
        sent.append(message["type"])

    line = Line({"type": "http"}, no_messages, send)
    line.head(200, FixedHeaders([]))
    line.flush()
    draining = asyncio.ensure_future(line.drain())
    await settle()
    assert (line.queued, line.pending, sent) == (True, True, [])
    takes.set()
    await draining
    assert (line.queued, line.pending, sent) == (False, False, ["http.response.start"])


async def test_what_cannot_reach_a_client_that_has_left_is_not_kept() -> None:
    async def send(message: Any) -> None:
        raise OSError

    line = Line({"type": "http"}, no_messages, send)
    line.head(200, FixedHeaders([]))
    line.finish(b"x")
    assert not line.is_gone
    await line.drain()
    assert (line.is_gone, line.is_lost, line.queued, line.pending) == (True, True, False, False)


async def test_a_client_is_gone_once_the_server_says_so() -> None:
    messages = [{"type": "http.request"}, {"type": "http.disconnect"}]

    async def receive() -> Any:
        return messages.pop(0)

    line = Line({"type": "http"}, receive, no_messages)  # type: ignore[arg-type]
    await line.watch()
    assert (line.is_gone, messages) == (True, [])
