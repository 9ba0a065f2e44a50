"""Requests that say something wrong about the length of their body: refused, or read as they should be."""

from __future__ import annotations

import pytest

from mockd.testing import RunningMockd, running_mockd
from tests.wire.conftest import WAYS, serving
from tests.wire.sockets import Client

BODY = b"abcde"
CHUNKS = b"5\r\nabcde\r\n0\r\n\r\n"
MOCKS = [
    {"matcher": {"path": "/s", "method": "POST"}, "response": {"body": "{{ request.body }}"}},
    {"matcher": {"path": "/hidden"}, "response": {"body": "hidden"}},
]
CHUNKED = b"Transfer-Encoding: chunked\r\n"
HIDDEN = b"GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n"


def length(value: bytes) -> bytes:
    return b"Content-Length: " + value + b"\r\n"


NO_LENGTHS = (b"-5", b"+5", b"0x5", b"", b"five", b"5.0", b"5_0", b"5,6", b"5 0", "٥".encode(), b"9" * 5000)
WRONG = {
    **{f"length {value[:24]!r}": (length(value), BODY) for value in NO_LENGTHS},
    "two different": (length(b"5") + length(b"6"), BODY),
    "chunked and a negative length": (CHUNKED + length(b"-3"), CHUNKS),
    "chunked and an endless length": (CHUNKED + length(b"9" * 5000), CHUNKS),
    "another coding": (b"Transfer-Encoding: gzip\r\n", BODY),
    "chunked inside another coding": (b"Transfer-Encoding: chunked, gzip\r\n", CHUNKS),
    "chunked misspelt": (b"Transfer-Encoding: xchunked\r\n", CHUNKS),
    "a negative chunk": (CHUNKED, b"-5\r\nabcde\r\n0\r\n\r\n"),
    "a chunk that is longer than it says": (CHUNKED, b"5\r\nabcdefgh\r\n0\r\n\r\n"),
    "a chunk that never ends": (CHUNKED, b"f" * 40 + b"\r\nabcde"),
}
"""Requests with nothing right in them: the answer is 400, and the end of the connection."""
DOUBTFUL = {
    "two equal": (length(b"5") * 2, BODY),
    "two equal in one": (length(b"5, 5"), BODY),
    "chunked and a length": (CHUNKED + length(b"3"), CHUNKS),
    "a length and chunked": (length(b"3") + CHUNKED, CHUNKS),
    "twice chunked": (CHUNKED * 2, CHUNKS),
}
"""Requests that a server may refuse or understand (RFC 9112, section 6.3), but not in two ways."""
TOO_LONG = {"longer than anything": length(b"99999999999"), "longer than the limit": length(b"20000000")}
SHORTER = length(b"5"), BODY + HIDDEN
LONGER = length(b"6"), BODY


@pytest.fixture(scope="module", params=["mockd's own", *WAYS])
def mockd(request: pytest.FixtureRequest) -> RunningMockd:
    with running_mockd() if request.param == "mockd's own" else serving(request.param) as server:
        for mock in MOCKS:
            server.engine.create(mock)
        yield server


def ask(client: Client, head: bytes, body: bytes) -> int:
    path = client.prefix.encode() + b"/s"
    client.send(b"POST " + path + b" HTTP/1.1\r\nHost: x\r\n" + head + b"\r\n" + body)
    return client.read_head()[0]


@pytest.mark.parametrize("kind", WRONG)
def test_a_wrong_length_is_refused(mockd: RunningMockd, kind: str) -> None:
    with Client(mockd.url) as client:
        assert ask(client, *WRONG[kind]) == 400
        assert b"abcde" not in client.read_to_end()
    assert mockd.engine.connections.live() == []


@pytest.mark.parametrize("kind", DOUBTFUL)
def test_a_doubtful_length_is_refused_or_understood(mockd: RunningMockd, kind: str) -> None:
    head, body = DOUBTFUL[kind]
    with Client(mockd.url) as client:
        if ask(client, head, body) == 400:
            client.read_to_end()
        else:
            assert client.read_exactly(5) == BODY
            assert ask(client, length(b"5"), BODY) == 200
            assert client.read_exactly(5) == BODY


@pytest.mark.parametrize("kind", TOO_LONG)
def test_a_length_above_the_limit_is_refused_before_the_body_is_there(mockd: RunningMockd, kind: str) -> None:
    with Client(mockd.url) as client:
        assert ask(client, TOO_LONG[kind], BODY) == 413


def test_what_is_behind_the_length_is_another_request(mockd: RunningMockd) -> None:
    with Client(mockd.url) as client:
        assert ask(client, SHORTER[0], SHORTER[1].replace(b"/hidden", client.prefix.encode() + b"/hidden")) == 200
        assert client.read_exactly(5) == BODY
        assert client.read_head()[0] == 200
        assert client.read_exactly(6) == b"hidden"


def test_what_is_missing_of_the_length_is_waited_for(mockd: RunningMockd) -> None:
    with Client(mockd.url) as client:
        client.send(b"POST " + client.prefix.encode() + b"/s HTTP/1.1\r\nHost: x\r\n" + LONGER[0] + b"\r\n" + LONGER[1])
        client.socket.settimeout(0.2)
        with pytest.raises(TimeoutError):
            client.read_head()
        client.socket.settimeout(20)
        client.send(b"f")
        assert client.read_head()[0] == 200
        assert client.read_exactly(6) == b"abcdef"
