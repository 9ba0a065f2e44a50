from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import Literal, TextIO

import pytest

from mockd.clock import SystemClock
from mockd.journal.registry import Registry
from mockd.request import RequestView
from mockd.server.requests import RequestLog
from mockd.store import MemoryStore, ScopedStore

pytestmark = pytest.mark.anyio


@pytest.fixture
def unread() -> Iterator[TextIO]:
    """A pipe whose reader has left."""
    reader, writer = os.pipe()
    os.close(reader)
    with contextlib.suppress(BrokenPipeError), open(writer, "w", buffering=1, encoding="utf-8") as file:
        yield file


@pytest.mark.parametrize("format", ["text", "json"])
async def test_a_log_that_cannot_be_written_fails_no_stream(
    monkeypatch: pytest.MonkeyPatch, unread: TextIO, format: Literal["text", "json"]
) -> None:
    clock = SystemClock()
    request = RequestView({"type": "http", "method": "GET", "path": "/", "headers": []})
    exchange = Registry(clock, ScopedStore(MemoryStore(), "test")).exchange(request)
    log = RequestLog(format, clock)
    monkeypatch.setattr(sys, "stderr", unread)
    log(exchange)
    with contextlib.suppress(BrokenPipeError):
        unread.close()
    log(exchange)
