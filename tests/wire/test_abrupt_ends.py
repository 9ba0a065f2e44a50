"""Connections that are broken off: clients get all that was sent before, and nobody else is kept waiting."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Any

import pytest

from mockd.testing import RunningMockd, running_mockd
from tests.wire.conftest import TLS, speaking_tls
from tests.wire.sockets import PATIENCE_S, Client, curl

WAYS: dict[str, dict[str, Any]] = {
    f"{loop}, {http}{', TLS' if tls else ''}": {"loop": loop, "http": http, **tls}
    for loop in ("uvloop", "asyncio")
    for http in ("httptools", "h11")
    for tls in ({}, TLS)
}
ABRUPT = {"termination": {"type": "abrupt"}}
BREAKS: dict[str, dict[str, Any]] = {
    "a list": {"sse": {"events": [{"data": "1"}, {"data": "2"}], "lifecycle": ABRUPT}},
    "a paced list": {
        "sse": {"events": [{"data": "1"}, {"data": "2"}], "timing": {"fixedDelay": 10}, "lifecycle": ABRUPT}
    },
    "after a pause": {
        "sse": {
            "events": [{"data": "1"}, {"data": "2"}],
            "lifecycle": {"termination": {"type": "abrupt", "closeDelay": 20}},
        }
    },
    "after two events": {"sse": {"events": [{"data": "1"}, {"data": "2"}], "lifecycle": {"simulateDisconnect": 2}}},
}
SENT = "data: 1\n\ndata: 2\n\n"
LARGE = "x" * 1_000_000


@pytest.fixture(params=WAYS.values(), ids=WAYS)
def server(request: pytest.FixtureRequest) -> Iterator[RunningMockd]:
    """A server that knows its transport, with and without TLS."""
    options: dict[str, Any] = request.param
    with running_mockd(**options) as running:
        yield speaking_tls(running) if "ssl_certfile" in options else running


@pytest.mark.parametrize("kind", BREAKS)
def test_curl_tells_how_it_was_broken_off(server: RunningMockd, kind: str) -> None:
    server.engine.create({"matcher": {"path": "/s"}, **BREAKS[kind]})
    assert curl(server.url + "/s", "--insecure") == (18, SENT)
    # A connection that is only closed would look like the end of the body.
    assert curl(server.url + "/s", "--insecure", "--http1.0") == (56, SENT)


def test_nobody_waits_for_the_end_of_another(server: RunningMockd) -> None:
    server.engine.create({"matcher": {"path": "/s"}, **BREAKS["a list"]})
    began = time.monotonic()
    for _ in range(20):
        with Client(server.url) as client:
            client.ask("/s").read_until(SENT.encode())
            client.read_to_end()
    assert time.monotonic() - began < PATIENCE_S / 2


@pytest.mark.parametrize("version", ["1.1", "1.0"])
def test_a_client_that_reads_slowly_gets_all_of_it(server: RunningMockd, version: str) -> None:
    server.engine.create({"matcher": {"path": "/s"}, "sse": {"events": [{"data": LARGE}], "lifecycle": ABRUPT}})
    received = 0
    with Client(server.url, receive_buffer=4096) as client, contextlib.suppress(ConnectionResetError):
        client.ask("/s", version=version).read_head()
        received = len(client.received)
        while part := client.socket.recv(10_000):
            received += len(part)
            time.sleep(0.015)
    assert received >= len(LARGE)
