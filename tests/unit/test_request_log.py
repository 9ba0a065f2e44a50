from __future__ import annotations

import os
import sys

import pytest

from mockd.clock import SystemClock
from mockd.journal.registry import Registry
from mockd.request import RequestView
from mockd.server.requests import RequestLog
from mockd.store import MemoryStore, ScopedStore

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.parametrize("format", ["text", "json"])
async def test_a_log_that_cannot_be_written_fails_no_stream(monkeypatch: pytest.MonkeyPatch, format: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    clock = SystemClock()
    exchange = Registry(clock, ScopedStore(MemoryStore(), "test")).exchange(
        RequestView({"type": "http", "method": "GET", "path": "/", "headers": []})
    )
    with open(writer, "w", buffering=1, encoding="utf-8") as gone:
        monkeypatch.setattr(sys, "stderr", gone)
        log = RequestLog("json" if format == "json" else "text", clock)
        log(exchange)
        monkeypatch.undo()
        with pytest.raises(BrokenPipeError):
            gone.flush()
        os.dup2(os.open(os.devnull, os.O_WRONLY), writer)
    monkeypatch.setattr(sys, "stderr", gone)  # closed
    log(exchange)
