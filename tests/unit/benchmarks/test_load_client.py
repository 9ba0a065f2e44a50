"""The load client reads responses however they are cut, and counts what is in them."""

from __future__ import annotations

import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from benchmarks import client

pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler")

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.fixture(scope="module", autouse=True)
def _program() -> None:
    client.build()


@contextmanager
def answering(parts: list[bytes], requests: list[bytes]) -> Iterator[int]:
    """A server that gives every connection these parts, a send each, and closes it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    requests.append(connection.recv(65536))
                    for part in parts:
                        connection.sendall(part)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
    thread.join()


def load(parts: list[bytes], **options: Any) -> dict[str, Any]:
    with answering(parts, []) as port:
        return client.run(port=port, once=True, seconds=10, **options)


def one_byte_each(whole: bytes) -> list[bytes]:
    return [whole[place : place + 1] for place in range(len(whole))]


EVENTS = b"data: a\n\nevent: x\ndata: b\ndata: c\n\n: keepalive\nid: 7\n\ndata: d\r\n\r\n"
RESPONSES = {
    "chunked": CHUNKED
    + b"9\r\ndata: a\n\n\r\n2;x=y\r\n: \r\n1\r\n\n\r\n0a \r\ndata: bc\n\n\r\n0\r\nTrailer: x\r\n\r\n",
    "sized": b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(EVENTS) + EVENTS,
    "until close": b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + EVENTS,
}
COUNTS = {"chunked": (2, 1), "sized": (3, 1), "until close": (3, 1)}


@pytest.mark.parametrize("kind", RESPONSES)
@pytest.mark.parametrize("is_cut", [False, True], ids=["whole", "byte by byte"])
def test_events_and_comments_are_counted(kind: str, is_cut: bool) -> None:
    parts = one_byte_each(RESPONSES[kind]) if is_cut else [RESPONSES[kind]]
    result = load(parts)
    assert not client.has_errors(result)
    assert result["whole_run"]["streams"] == 1
    assert (result["whole_run"]["events"], result["whole_run"]["comments"]) == COUNTS[kind]


def test_ndjson_is_counted_by_lines() -> None:
    result = load([CHUNKED, b"7\r\n{}\n{}\n\n\r\n3\r\n{}\n\r\n0\r\n\r\n"], format="ndjson")
    assert result["whole_run"]["events"] == 3


@pytest.mark.parametrize(
    ("parts", "error"),
    [
        ([CHUNKED, b"9\r\ndata: a\n\n\r\n"], "incomplete"),
        ([CHUNKED, b"zz\r\n"], "incomplete"),
        ([b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\ndata"], "incomplete"),
        ([b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"], "status"),
        ([CHUNKED, b"9\r\ndata: a\n\n\r\n0\r\n\r\n"], "wrong_count"),
    ],
    ids=["no end", "no chunk", "too short", "404", "other number"],
)
def test_wrong_responses_are_errors(parts: list[bytes], error: str) -> None:
    result = load(parts, expect=0 if error == "status" else 2)
    assert {kind for kind, count in result["errors"].items() if count} == {error}


@pytest.mark.parametrize(("expected", "wrong"), [(4, 0), (5, 1)])
def test_a_body_of_another_length_is_an_error(expected: int, wrong: int) -> None:
    result = load([b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n", b"{}\n\n"], expect_bytes=expected)
    assert result["errors"]["wrong_count"] == wrong


def test_lateness_is_measured_against_a_schedule(tmp_path: Any) -> None:
    schedule = tmp_path / "schedule.txt"
    schedule.write_text("0\n-3600000\n")  # the second event is due an hour before the first byte
    result = load([CHUNKED, b"12\r\ndata: a\n\ndata: b\n\n\r\n0\r\n\r\n"], schedule=schedule)
    assert result["whole_run"]["events"] == 2
    assert result["behind_at_end_us"] == {"n": 0, "p50": -1, "p90": -1, "p99": -1, "p999": -1, "max": 0}


def test_a_body_is_posted() -> None:
    requests: list[bytes] = []
    with answering([b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"], requests) as port:
        client.run(port=port, path="/chat", body='{"stream": true}', once=True, connections=2, seconds=10)
    assert len(requests) == 2
    assert requests[0].startswith(b"POST /chat HTTP/1.1\r\n")
    assert b"\r\nContent-Length: 16\r\n" in requests[0]
    assert requests[0].endswith(b'\r\n\r\n{"stream": true}')


def test_so_many_requests_are_made_and_no_more() -> None:
    requests: list[bytes] = []
    with answering([b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"], requests) as port:
        result = client.run(port=port, requests=7, sources=3, seconds=60)
    assert result["whole_run"]["streams"] == len(requests) == 7
