"""Clients that send another request behind a live stream, and leave: the stream ends, and its place is free again."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from mockd.settings import Settings
from mockd.testing import running_mockd
from tests.wire.sockets import Client, eventually

PATH = {"matcher": {"path": "/s"}}
STREAMS: dict[str, dict[str, Any]] = {
    "paced": {"sse": {"events": [{"data": "x"}], "repeat": 0, "timing": {"fixedDelay": 5}}},
    "without delay": {"sse": {"events": [{"data": "x"}], "repeat": 0}},
    "event by event": {"sse": {"events": [{"data": "x"}], "repeat": 0, "flush": "event"}},
    "with resume": {
        "sse": {"events": [{"data": "x"}], "repeat": 0, "timing": {"fixedDelay": 5}, "resume": {"enabled": True}}
    },
    "a generator": {"sse": {"generator": {"type": "sequence", "sequence": {"format": "%d"}}}},
    "chunks": {"chunked": {"data": "x" * 10_000, "chunkSize": 1, "chunkDelay": 5}},
}
SILENT = {"sse": {"events": [{"data": "x"}], "lifecycle": {"keepOpen": True}}}
"""A stream that never writes, so that only the end of what is read tells of its client."""
REQUEST = b"GET /s HTTP/1.1\r\nHost: x\r\n\r\n"
BEHIND = {
    "a request": REQUEST,
    "many requests": REQUEST * 3,
    "half a request": REQUEST[:20],
    "half a body": b"POST /s HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf",
}
LIMIT = Settings(max_connections=1)


def leave(client: Client, how: str) -> None:
    client.reset() if how == "reset" else client.close()


def is_fault(record: logging.LogRecord) -> bool:
    """Whether something has gone wrong. uvicorn itself says so of every answer that is not complete."""
    return record.levelno >= logging.ERROR and "without completing response" not in record.getMessage()


@pytest.fixture(params=["mockd's own", "httptools", "h11"])
def http(request: pytest.FixtureRequest) -> dict[str, str]:
    return {} if request.param == "mockd's own" else {"http": request.param}


@pytest.mark.parametrize("how", ["close", "reset"])
@pytest.mark.parametrize("behind", BEHIND)
@pytest.mark.parametrize("stream", STREAMS)
def test_a_stream_with_something_behind_it_ends_with_its_client(
    loop: str, http: dict[str, str], stream: str, behind: str, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    with running_mockd({**PATH, **STREAMS[stream]}, settings=LIMIT, loop=loop, **http) as mockd:
        with Client(mockd.url) as client:
            client.send(REQUEST + BEHIND[behind])
            assert client.read_head()[0] == 200
            client.read_chunk()
            leave(client, how)
        eventually(lambda: not mockd.engine.connections.live())
        with Client(mockd.url) as next_one:
            assert next_one.ask("/s").read_head()[0] == 200
            next_one.read_chunk()
        eventually(lambda: not mockd.engine.connections.live())
    assert [record.getMessage() for record in caplog.records if is_fault(record)] == []


@pytest.mark.parametrize("how", ["close", "reset"])
def test_a_silent_stream_ends_too(loop: str, how: str) -> None:
    with running_mockd({**PATH, **SILENT}, settings=LIMIT, loop=loop) as mockd:
        with Client(mockd.url) as client:
            client.send(REQUEST * 2)
            client.read_head()
            client.read_chunk()
            leave(client, how)
        eventually(lambda: not mockd.engine.connections.live())
