"""The end of a connection under TLS whose client keeps its side open, as one that reads no end of TLS does: the server
ends the connection all the same."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from mockd.config.faults import ACTIONS
from mockd.testing import RunningMockd, running_mockd
from tests.wire.conftest import TLS, speaking_tls
from tests.wire.sockets import Client
from tests.wire.test_faults_under_tls import SETTINGS, WAYS

EVENTS: dict[str, Any] = {"events": [{"data": "1"}, {"data": "2"}]}
ABRUPT = {"lifecycle": {"termination": {"type": "abrupt"}}}
MOCKS: dict[str, dict[str, Any]] = {
    "s": {"sse": EVENTS},
    "w": {"response": {"body": "whole"}},
    "simulateDisconnect": {"sse": {**EVENTS, "lifecycle": {"simulateDisconnect": 1}}},
    "abrupt": {"sse": EVENTS | ABRUPT},
}
LINES = {
    "close": ["close before head", "close after 1 event", "close tls=truncate", "close tls=notify"],
    "reset": ["reset before head", "reset"],
    "empty": ["empty"],
    "garbage": ["garbage bytes=5"],
    "badChunk": ["badChunk after 1 event"],
    "shortChunk": ["shortChunk after 1 event"],
    "longChunk": ["longChunk after 1 event"],
    "extraBytes": ["extraBytes bytes=3"],
    "header": ['header set={"content-length":"2"}'],
}
"""The actions that end the connection."""
ENDS = [
    *(("s", line) for lines in LINES.values() for line in lines),
    *(("w", line) for name, lines in LINES.items() for line in lines if "Chunk" not in name and "event" not in line),
    *((kind, "") for kind in ("simulateDisconnect", "abrupt")),
]


@pytest.fixture(scope="module", params=WAYS, ids=" and ".join)
def server(request: pytest.FixtureRequest) -> Iterator[RunningMockd]:
    loop, http = request.param
    mocks = [{"id": id_, "matcher": {"path": f"/{id_}"}, **mock} for id_, mock in MOCKS.items()]
    with running_mockd(*mocks, settings=SETTINGS, loop=loop, http=http, **TLS) as running:
        yield speaking_tls(running)


def test_every_action_that_ends_the_connection_is_here() -> None:
    assert set(LINES) == {one.__struct_config__.tag for one in ACTIONS if "closed" in one.connection}


class HalfOpen:
    """A client that reads the end of TLS, and never says it itself."""

    def __init__(self, url: str) -> None:
        self._plain = Client(url.replace("https", "http"))
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        trusting = ssl.create_default_context()
        trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
        self._tls = trusting.wrap_bio(self._incoming, self._outgoing)
        self._pumped(self._tls.do_handshake)

    def __enter__(self) -> HalfOpen:
        return self

    def __exit__(self, *_: object) -> None:
        self._plain.close()

    def _pumped(self, step: Callable[[], Any]) -> Any:
        while True:
            try:
                return step()
            except ssl.SSLWantReadError:
                self._flush()
                if not (part := self._plain.socket.recv(65536)):
                    raise EOFError from None
                self._incoming.write(part)

    def _flush(self) -> None:
        if said := self._outgoing.read():
            self._plain.send(said)

    def ask(self, path: str, line: str) -> None:
        self._tls.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nX-Mockd-Fault: {line}\r\n\r\n".encode())
        self._flush()

    def reads_to_the_end_of_tcp(self) -> bool:
        """Whether the connection ends, after that of TLS if there is one."""
        try:
            while self._pumped(lambda: self._tls.read(65536)):
                pass
            while self._plain.socket.recv(65536):
                pass
        except TimeoutError:
            return False
        except (EOFError, ConnectionResetError, ssl.SSLError):
            pass
        return True


@pytest.mark.parametrize(("kind", "line"), ENDS)
def test_the_connection_ends(server: RunningMockd, kind: str, line: str, request: pytest.FixtureRequest) -> None:
    if "h11" in request.node.name and any(name in line for name in ("Chunk", "extraBytes")):
        pytest.skip("uvicorn with h11 sends no such bytes")
    if "h11" in request.node.name and "content-length" in line:
        reason = "behind a length that lies, h11 closes the connection itself, and TLS waits for the client's end"
        request.applymarker(pytest.mark.xfail(strict=True, reason=reason))
    with HalfOpen(server.url) as client:
        client.ask(f"/{kind}", line)
        assert client.reads_to_the_end_of_tcp()
