"""The end of a connection under TLS: cut off, or said before."""

from __future__ import annotations

import re
import socket
import ssl
import subprocess
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from mockd.settings import Settings
from mockd.testing import RunningMockd, running_mockd
from tests.programs import program
from tests.wire.conftest import TLS, speaking_tls
from tests.wire.sockets import Client, body_of, curl, eventually

EVENTS = [{"data": str(number)} for number in range(1, 4)]
WHOLE = {"response": {"body": "whole"}}
LARGE = {"response": {"body": "x" * 3_000_000}}
MOCKS: list[dict[str, Any]] = [
    {"id": "s", "matcher": {"path": "/s"}, "sse": {"events": EVENTS}},
    {"id": "w", "matcher": {"path": "/w"}, **WHOLE},
    {"id": "l", "matcher": {"path": "/l"}, **LARGE},
]
SETTINGS = Settings(allow_fault_header=True, fault_timeout=5)
WAYS = [(loop, http) for loop in ("uvloop", "asyncio") for http in ("httptools", "h11")]
BODIES = {
    "before head": b"",
    "after 0 events": b"",
    "after 5 bytes": b"data:",
    "after 1 event": b"data: 1\n\n",
    "after 2 events": b"data: 1\n\ndata: 2\n\n",
}
VERSIONS = {"TLS 1.2": ssl.TLSVersion.TLSv1_2, "TLS 1.3": ssl.TLSVersion.TLSv1_3}


@pytest.fixture(scope="module", params=WAYS, ids=" and ".join)
def server(request: pytest.FixtureRequest) -> Iterator[RunningMockd]:
    loop, http = request.param
    with running_mockd(*MOCKS, settings=SETTINGS, loop=loop, http=http, **TLS) as running:
        yield speaking_tls(running)


def received(
    server: RunningMockd, path: str, line: str, version: ssl.TLSVersion = VERSIONS["TLS 1.3"], http: str = "1.1"
) -> tuple[bytes, str]:
    """All that comes, and whether TLS says that it ends: `notify`, `truncate` or `rst`."""
    parts = urlsplit(server.url)
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    trusting.minimum_version = trusting.maximum_version = version
    # Python sets it for OpenSSL 3, which then takes a missing end for an end.
    trusting.options &= ~getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)
    data = b""
    with (
        socket.create_connection((str(parts.hostname), int(parts.port or 0)), timeout=10) as plain,
        trusting.wrap_socket(plain, suppress_ragged_eofs=False) as client,
    ):
        client.sendall(
            f"GET {path} HTTP/{http}\r\nHost: x\r\nConnection: close\r\nX-Mockd-Fault: {line}\r\n\r\n".encode()
        )
        try:
            while part := client.recv(65536):
                data += part
        except ssl.SSLError as error:
            # Before Python 3.11.4, the same with OpenSSL 3 is no `SSLEOFError`.
            if isinstance(error, ssl.SSLEOFError) or error.reason == "UNEXPECTED_EOF_WHILE_READING":
                return data, "truncate"
            raise
        except ConnectionResetError:
            return data, "rst"
    return data, "notify"


def record(server: RunningMockd) -> dict[str, Any]:
    eventually(lambda: not server.engine.connections.live())
    (found,) = server.engine.connections.listed("ended")[-1].faults or ()
    return found


@pytest.mark.parametrize("version", VERSIONS.values(), ids=VERSIONS)
@pytest.mark.parametrize("tls", ["truncate", "notify"])
@pytest.mark.parametrize(
    "place",
    ["before head", "after 0 events", "after 2 events", "after 5 bytes", "after 100 wire bytes", "after 1 event"],
)
def test_tls_ends_as_it_is_told(server: RunningMockd, version: ssl.TLSVersion, tls: str, place: str) -> None:
    data, end = received(server, "/s", f"close tls={tls} linger={2 * ('1 event' in place)} {place}", version)
    found = record(server)
    if "wire" in place and found["fidelity"] == "unsupported":  # only the line for httptools counts them
        return
    assert end == tls
    if "wire" in place:
        assert len(data) == 100
    else:
        assert body_of(data) == BODIES[place]
    assert bool(data) == (place != "before head")
    assert found["fidelity"] == "exact"


def test_without_a_word_it_is_said_before(server: RunningMockd) -> None:
    assert received(server, "/s", "close after 1 event")[1] == "notify"


def test_all_of_a_large_body_comes_before_it_is_cut_off(server: RunningMockd) -> None:
    data, end = received(server, "/l", "close tls=truncate after 2500000 bytes")
    assert (len(body_of(data)), end) == (2_500_000, "truncate")
    assert record(server)["bytesAcked"] == 2_500_000


def test_what_openssl_says(server: RunningMockd) -> None:
    for tls in ("truncate", "notify"):
        line = f"X-Mockd-Fault: close tls={tls} after 1 event"
        # curl takes both for the end.
        assert curl(server.url + "/s", "--insecure", "--header", line) == (18, "data: 1\n\n")
        where = urlsplit(server.url).netloc
        asked = f"GET /s HTTP/1.1\r\nHost: x\r\n{line}\r\n\r\n".encode()
        said = subprocess.run(
            [program("openssl"), "s_client", "-quiet", "-ign_eof", "-connect", where],
            input=asked,
            capture_output=True,
            timeout=20,
            check=False,
        )
        assert bool(re.search(b"unexpected eof", said.stderr)) == (tls == "truncate")


@pytest.mark.parametrize("http", ["httptools", "h11"])
@pytest.mark.parametrize("tls", ["truncate", "notify"])
def test_without_tls_it_says_that_there_is_none(http: str, tls: str) -> None:
    with running_mockd(*MOCKS, settings=SETTINGS, http=http) as server, Client(server.url) as client:
        client.ask("/s", headers={"X-Mockd-Fault": f"close tls={tls} after 1 event"})
        assert body_of(client.read_to_end()) == b"data: 1\n\n"
        found = record(server)
    assert (found["fidelity"], found["as"]) == ("emulated", "a plain close, as the connection has no TLS")


def test_over_http_1_0_a_truncation_is_no_clean_end(server: RunningMockd) -> None:
    data, end = received(server, "/s", "close tls=truncate after 1 event", http="1.0")
    assert (body_of(data), end) == (b"data: 1\n\n", "truncate")
    assert record(server)["fidelity"] == "exact"
