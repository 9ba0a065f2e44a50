"""A mock's headers on the socket."""

from __future__ import annotations

import contextlib
import gzip
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from mockd.config.load import parse_mock
from mockd.testing import RunningMockd
from tests.wire.sockets import PATIENCE_S, Client, curl

EVENTS = [{"data": "1"}, {"data": "2"}]
ANSWERS: dict[str, dict[str, Any]] = {
    "due at once": {"sse": {"events": EVENTS}},
    "paced": {"sse": {"events": EVENTS, "timing": {"fixedDelay": 5}}},
    "chat": {"sse": {"template": "openai-chat"}},
    "error": {"sse": {"template": "openai-chat", "templateParams": {"error": {"status": 429}}}},
    "lines": {"chunked": {"ndjsonItems": [1]}},
    "whole": {"response": {"body": "four"}},
}


def lines_of(server: RunningMockd, method: str = "GET", times: int = 2) -> list[str]:
    """The lines of the last of several heads on one connection."""
    with Client(server.url) as client:
        for _ in range(times):
            head = client.ask("/s", method=method).read_until(b"\r\n\r\n").decode("latin-1")
            if "transfer-encoding: chunked" in head.lower() and method != "HEAD":
                client.read_chunks()
            elif method != "HEAD":
                length = next(line for line in head.lower().split("\r\n") if line.startswith("content-length: "))
                client.read_exactly(int(length.split(": ")[1]))
    return head.split("\r\n")


@pytest.mark.parametrize("name", ANSWERS)
def test_several_of_one_name_and_none_of_another(everywhere: RunningMockd, name: str) -> None:
    ((kind, part),) = ANSWERS[name].items()
    headers = {
        "Set-Cookie": ["a=1", "b={{ request.path[:0] }}2"],
        "Content-Type": {"omit": True},
        "Cache-Control": {"omit": True},
        "Vary": "Accept",
    }
    everywhere.engine.create({"matcher": {"path": "/s"}, kind: {**part, "headers": headers}})
    lines = [line.lower() for line in lines_of(everywhere)]
    assert [line for line in lines if line.startswith("set-cookie")] == ["set-cookie: a=1", "set-cookie: b=2"]
    assert [line for line in lines if line.startswith(("content-type", "cache-control"))] == []
    assert [line for line in lines if line.startswith("vary")] == ["vary: accept"]


def test_a_true_length_is_said_once(everywhere: RunningMockd) -> None:
    everywhere.engine.create(
        {"matcher": {"path": "/s"}, "response": {"body": "four", "headers": {"Content-Length": "4"}}}
    )
    lines = [line.lower() for line in lines_of(everywhere)]
    assert [line for line in lines if line.startswith("content-length")] == ["content-length: 4"]


@pytest.mark.parametrize("kind", ["sse", "response"])
def test_head_says_the_length_of_a_body_that_is_not_there(unwrapped: RunningMockd, kind: str) -> None:
    part = {"headers": {"Content-Length": "12345"}} | ({"events": EVENTS} if kind == "sse" else {})
    unwrapped.engine.create({"matcher": {"path": "/s", "method": "HEAD"}, kind: part})
    lines = [line.lower() for line in lines_of(unwrapped, "HEAD")]
    assert [line for line in lines if line.startswith("content-length")] == ["content-length: 12345"]


def test_compressed_bytes_from_a_file(everywhere: RunningMockd, tmp_path: Path) -> None:
    (tmp_path / "packed").write_bytes(gzip.compress(b"unpacked"))
    for kind, field in (("response", "bodyFile"), ("chunked", "dataFile")):
        part = {field: "packed", "headers": {"Content-Encoding": "gzip"}}
        spec = parse_mock({"matcher": {"path": f"/{kind}"}, kind: part}, root=tmp_path)
        everywhere.engine.import_specs([spec], replace=False, dry_run=False)
        assert curl(f"{everywhere.url}/{kind}", "--compressed") == (0, "unpacked")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("status", [204, 205, 304])
@pytest.mark.parametrize("name", ["due at once", "paced", "whole"])
def test_a_status_without_a_body_ends_where_its_head_does(
    everywhere: RunningMockd, name: str, status: int, method: str
) -> None:
    """So that its client can send the next request: a 205 without a length would last as long as the connection."""
    ((kind, part),) = ANSWERS[name].items()
    everywhere.engine.create({"matcher": {"path": "/s"}, kind: {**part, "status": status}})
    parts = urlsplit(everywhere.url)
    with contextlib.closing(HTTPConnection(str(parts.hostname), parts.port, timeout=PATIENCE_S)) as client:
        for _ in range(2):
            client.request(method, parts.path + "/s")
            answer = client.getresponse()
            assert (answer.status, answer.read()) == (status, b"")
