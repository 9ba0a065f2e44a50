"""What well-behaved clients do with streams."""

from __future__ import annotations

import time
from collections.abc import Callable
from random import Random

from tests.stress.asking import answer_of, ask
from tests.stress.mocks import EXACT
from tests.stress.server import Server
from tests.wire.sockets import Client

_known: dict[str, tuple[int, bytes]] = {}


def exact(server: Server, random: Random) -> None:
    """An answer of which every byte is known."""
    path = random.choice([path for path in EXACT if path != "/exact/abrupt"])
    answer = ask(server.mocks + path)
    assert _known.setdefault(path, answer) == answer, f"{path} has other bytes than before"


def abrupt(server: Server, random: Random) -> None:
    """A body that is broken off after as many events as was said."""
    with Client(server.mocks) as client:
        client.ask("/exact/abrupt")
        try:
            received = client.read_to_end()
        except ConnectionError:
            received = client.received
        assert received.count(b"id: ") == 5
        assert b"\r\n0\r\n\r\n" not in received


def resumed(server: Server, random: Random) -> None:
    """A client that leaves and comes back for the rest until it has everything."""
    seen = 0
    while seen < 40:
        with Client(server.mocks) as client:
            client.ask("/resume", headers={"Last-Event-ID": seen - 1} if seen else {})
            assert client.read_head()[0] == 200
            wanted = min(40, seen + random.randint(1, 20))
            while seen < wanted:
                client.read_until(f"id: {seen}\n".encode())
                seen += 1
            if random.random() < 0.5:
                client.reset()


def varying(server: Server, random: Random) -> None:
    """Streams whose events are made for each client."""
    path = random.choice(["/varying", "/drawn", "/following/x?a=1"])
    status, body = ask(server.mocks + path)
    assert (status, body[-2:]) == (200, b"\n\n")


def slow_reader(server: Server, random: Random) -> None:
    """A client that reads a little, pauses, and leaves with much unread."""
    with Client(server.mocks, receive_buffer=4096) as client:
        client.ask("/endless").read_head()
        for _ in range(random.randint(1, 5)):
            client.read_chunk()
            time.sleep(random.random() / 5)


def pipelined(server: Server, random: Random) -> None:
    """Several requests at once, whose answers come in their order."""
    paths = random.choices(["/exact/whole", "/exact/late", "/exact/generator", "/nowhere"], k=random.randint(2, 20))
    statuses = {"/exact/whole": 201, "/nowhere": 404}
    with Client(server.mocks) as client:
        for path in paths:
            client.ask(path)
        for path in paths:
            assert answer_of(client)[0] == statuses.get(path, 200)


def old(server: Server, random: Random) -> None:
    """HTTP/1.0, in which the end of the connection is the end of the body."""
    path = random.choice(["/exact/sse", "/exact/whole", "/varying"])
    with Client(server.mocks) as client:
        client.ask(path, version="1.0")
        status, headers = client.read_head()
        assert status in (200, 201)
        assert "transfer-encoding" not in headers
        assert client.read_to_end()


def bare(server: Server, random: Random) -> None:
    """Heads without bodies, preflights, and what no mock answers."""
    for method, headers, wanted in (
        ("HEAD", {}, {200}),
        ("OPTIONS", {"Origin": "http://a.example", "Access-Control-Request-Method": "GET"}, {204}),
        ("DELETE", {}, {200}),
    ):
        with Client(server.mocks) as client:
            status, _ = client.ask("/exact/burst", method=method, headers=headers).read_head()
            assert status in wanted, (method, status)
    assert ask(f"{server.mocks}/nowhere/{random.random()}", "POST", b"x" * random.randint(0, 10_000))[0] == 404


STREAMS: dict[str, Callable[[Server, Random], None]] = {
    "exact answers": exact,
    "abrupt ends": abrupt,
    "resumes": resumed,
    "streams that vary": varying,
    "slow readers": slow_reader,
    "pipelining": pipelined,
    "HTTP/1.0": old,
    "heads, preflights, misses": bare,
}
