"""Clients that leave, in every way and at every moment."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from random import Random

from tests.stress.reproducers.protocol import HALVES
from tests.stress.server import Server
from tests.wire.sockets import Client

PATHS = ("/endless", "/idle", "/varying", "/resume", "/drawn", "/exact/sse", "/exact/late", "/exact/rate")


def leave(client: Client, random: Random) -> None:
    """Leave with a FIN or with a RST."""
    random.choice([client.close, client.reset])()


def from_a_stream(server: Server, random: Random) -> None:
    with Client(server.mocks) as client:
        client.ask(random.choice(PATHS))
        if random.random() < 0.7:
            client.read_head()
        time.sleep(random.random() / 20)
        leave(client, random)


def from_half_a_request(server: Server, random: Random) -> None:
    with Client(server.mocks) as client:
        client.send(random.choice(HALVES))
        time.sleep(random.random() / 20)
        leave(client, random)


def behind_a_stream(server: Server, random: Random) -> None:
    """With requests behind the one that is being answered."""
    with Client(server.mocks) as client, suppress(ConnectionError):
        client.ask(random.choice(PATHS)).read_head()
        for _ in range(random.randint(1, 20)):
            client.ask(random.choice(PATHS))
        time.sleep(random.random() / 20)
        leave(client, random)


LEAVING: dict[str, Callable[[Server, Random], None]] = {
    "leaving a stream": from_a_stream,
    "leaving half a request": from_half_a_request,
    "leaving with requests behind": behind_a_stream,
}
