"""Clients that leave while nobody takes what they upload: that is seen though their end is behind it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mockd.recordings.lines import SUFFIX
from mockd.relay.connections import Connection
from mockd.settings import Settings
from mockd.testing import running_mockd
from tests.relay.clients import eventually
from tests.relay.targets import Target, Visit, serving
from tests.wire.conftest import speaking_tls
from tests.wire.sockets import Client
from tests.wire.test_departures import LEAVE, OWN, ended

HALF = 100_000
"""More bytes than after which mockd reads no more, and so few more that they and an end fit into a socket."""


async def takes_nothing(_: Connection) -> None:
    await asyncio.Event().wait()


@pytest.fixture
def target(monkeypatch: pytest.MonkeyPatch) -> Iterator[Target]:
    """A target that takes nothing more of an upload than its first byte."""

    async def play(visit: Visit) -> None:
        await visit.body(lambda body: body == b"x")
        await visit.gone()

    monkeypatch.setattr(Connection, "drain", takes_nothing)
    with serving(play) as running:
        yield running


def uploading(url: str, target: Target) -> Client:
    """A client that has begun to upload more than anybody takes."""
    client = Client(url)
    client.send(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\nx")
    assert eventually(lambda: target.visits and target.visits[-1].got.endswith(b"\r\n\r\nx"))
    client.send(bytes(HALF))
    return client


def watches() -> int:
    """The number of sets of files that this process watches."""
    found = 0
    for file in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            found += "eventpoll" in os.readlink(file)
    return found


def test_one_that_stays_gets_its_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing is left of the watch for it."""
    drain, takes, size = Connection.drain, threading.Event(), 1_000_000

    async def takes_later(connection: Connection) -> None:
        await asyncio.to_thread(takes.wait, 20)
        await drain(connection)

    async def play(visit: Visit) -> None:
        await visit.body(lambda body: len(body) == size)
        await visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    monkeypatch.setattr(Connection, "drain", takes_later)
    with serving(play) as target, running_mockd(settings=Settings(proxy=(target.url,))) as server:
        before = watches()
        with uploading(server.url, target) as client:
            assert eventually(lambda: watches() > before)
            takes.set()
            client.send(bytes(size - 1 - HALF))
            client.read_until(b"ok")
            assert eventually(lambda: watches() == before)


@pytest.mark.parametrize("how", LEAVE)
@pytest.mark.parametrize("options", OWN.values(), ids=OWN)
def test_a_client_that_leaves_is_seen(target: Target, tmp_path: Path, options: dict[str, Any], how: str) -> None:
    settings = Settings(proxy=(target.url,), record=str(tmp_path))
    with running_mockd(settings=settings, **options) as plain:
        server = speaking_tls(plain) if "ssl_certfile" in options else plain
        LEAVE[how](uploading(server.url, target))
        assert target.visits[0].left.wait(10)
        connection = ended(server, "proxy")
        assert connection["outcome"] == "client_disconnected"
        # What TLS has to say and a client has not read makes a reset of an end.
        assert connection["endedBy"] in ({how, "client-rst"} if server is not plain else {how})
    [file] = tmp_path.glob(f"*{SUFFIX}")
    assert '"end","client"' in file.read_text()
