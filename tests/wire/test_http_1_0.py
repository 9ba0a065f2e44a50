"""Clients of HTTP/1.0: they get no chunks, the end of the connection ends a body, and a broken body shows."""

from __future__ import annotations

from typing import Any

import pytest

from mockd.testing import RunningMockd
from tests.wire.sockets import Client

EVENTS: dict[str, Any] = {"events": [{"data": "a"}, {"data": "b"}]}
NOW, PACED = {"timing": {"fixedDelay": 0}}, {"timing": {"fixedDelay": 10}}
ABRUPT = {"lifecycle": {"termination": {"type": "abrupt"}}}
BROKEN = {"lifecycle": {"simulateDisconnect": 1}}
FRAMES = b"data: a\n\ndata: b\n\n"
KINDS: dict[str, tuple[dict[str, Any], int, bytes]] = {
    "events at once": ({"sse": EVENTS | NOW}, 200, FRAMES),
    "paced events": ({"sse": EVENTS | PACED}, 200, FRAMES),
    "chunks": ({"chunked": {"data": "abc", "chunkSize": 1, "chunkDelay": 5}}, 200, b"abc"),
    "ndjson": ({"chunked": {"ndjsonItems": [1, 2], "chunkDelay": 5}}, 200, b"1\n2\n"),
    "whole": ({"response": {"body": "x"}}, 200, b"x"),
    "whole and late": ({"response": {"body": "x", "delay": 20}}, 200, b"x"),
    "a length that is given": ({"response": {"body": "x", "headers": {"Content-Length": "1"}}}, 200, b"x"),
    "204": ({"response": {"status": 204}}, 204, b""),
    "205": ({"response": {"status": 205}}, 205, b""),
    "304": ({"response": {"status": 304}}, 304, b""),
}
ENDS = {"abrupt": EVENTS | NOW | ABRUPT, "abrupt and paced": EVENTS | PACED | ABRUPT, "broken": EVENTS | PACED | BROKEN}
CONNECTION = pytest.mark.parametrize("connection", [{}, {"Connection": "keep-alive"}], ids=str)


@CONNECTION
@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("kind", KINDS)
def test_no_chunks_are_sent_and_the_connection_ends(
    unwrapped: RunningMockd, kind: str, method: str, connection: dict[str, str]
) -> None:
    answer, status, body = KINDS[kind]
    unwrapped.engine.create({"matcher": {"path": "/s"}, **answer})
    with Client(unwrapped.url) as client:
        found, headers = client.ask("/s", method=method, version="1.0", headers=connection).read_head()
        assert found == status
        assert "transfer-encoding" not in headers
        assert headers["connection"] == "close"
        assert client.read_to_end() == (b"" if method == "HEAD" else body)


@pytest.mark.parametrize("end", ENDS)
def test_a_body_that_is_broken_off_is_seen_to_be(unwrapped: RunningMockd, end: str) -> None:
    unwrapped.engine.create({"matcher": {"path": "/s"}, "sse": ENDS[end]})
    with Client(unwrapped.url) as client:
        client.ask("/s", version="1.0").read_head()
        with pytest.raises(ConnectionResetError):
            client.read_to_end()


def test_behind_a_middleware_that_wraps_requests_too_chunks_are_sent(behind_middleware: RunningMockd) -> None:
    """Nothing leads to the server from there. The guide says so."""
    behind_middleware.engine.create({"matcher": {"path": "/s"}, "sse": EVENTS | NOW})
    with Client(behind_middleware.url) as client:
        headers = client.ask("/s", version="1.0").read_head()[1]
        assert headers["transfer-encoding"] == "chunked"
