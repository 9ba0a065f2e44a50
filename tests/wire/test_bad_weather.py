"""Clients that do not read, hang up, send half a request or too much: they harm nobody else."""

from __future__ import annotations

import contextlib
import socket
import struct
import subprocess
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from mockd.settings import Settings
from mockd.testing import RunningMockd, running_mockd
from tests.programs import program
from tests.wire.sockets import PATIENCE_S, Client, curl, eventually

ENDLESS: dict[str, dict[str, Any]] = {
    "sse": {"sse": {"events": [{"data": "x" * 1000}], "repeat": 0}},
    "sse of single events": {"sse": {"events": [{"data": "x" * 1000}], "repeat": 0, "flush": "event"}},
    "sse with fresh data": {"sse": {"events": [{"data": ["$uuid", "x" * 1000]}], "repeat": 0}},
    "sse with resume": {"sse": {"events": [{"data": "x" * 1000}], "repeat": 0, "resume": {"enabled": True}}},
    "fast sse": {"sse": {"events": [{"data": "x" * 10_000}], "repeat": 0, "timing": {"fixedDelay": 0.1}}},
    "limited sse": {"sse": {"events": [{"data": "x" * 10_000}], "repeat": 0, "rateLimit": {"eventsPerSecond": 10_000}}},
    "generator": {"sse": {"generator": {"type": "sequence", "sequence": {"format": "%d " + "x" * 1000}}}},
}


@contextlib.contextmanager
def one(config: dict[str, Any], server: RunningMockd) -> Iterator[RunningMockd]:
    server.engine.create({"id": "s", "matcher": {"path": "/s"}, **config})
    server.engine.create({"id": "other", "matcher": {"path": "/other"}, "sse": {"events": [{"data": "1"}]}})
    yield server


def others_are_served(server: RunningMockd, times: int = 1) -> None:
    with Client(server.url) as client:
        for _ in range(times):
            assert client.ask("/other").read_head()[0] == 200
            assert client.read_chunks() == [b"data: 1\n\n"]


@pytest.mark.parametrize("kind", ENDLESS)
def test_an_endless_stream_leaves_the_server_responsive_and_dies_with_its_client(
    everywhere: RunningMockd, kind: str
) -> None:
    with one(ENDLESS[kind], everywhere) as server, Client(server.url) as reader:
        reader.ask("/s").read_head()
        for _ in range(20):
            reader.read_chunk()
        stop = threading.Event()
        drain = threading.Thread(target=read_on, args=(reader, stop))
        drain.start()
        others_are_served(server, 10)
        stop.set()
        drain.join()
        reader.socket.close()
        eventually(lambda: not server.engine.connections.live("s"))
        others_are_served(server)


def read_on(client: Client, stop: threading.Event) -> None:
    while not stop.is_set():
        client.socket.recv(1 << 20)


@pytest.mark.parametrize("kind", ENDLESS)
def test_a_client_that_stops_reading_holds_no_more_than_its_share(everywhere: RunningMockd, kind: str) -> None:
    with one(ENDLESS[kind], everywhere) as server, Client(server.url, receive_buffer=4096) as idler:
        idler.ask("/s").read_head()
        (connection,) = server.engine.connections.exchanges("s")
        sent = -1
        while sent != connection.bytes_sent:
            sent = connection.bytes_sent
            others_are_served(server, 20)
        assert sent > 0
        assert connection.stream is not None
        assert connection.stream.line.unsent() <= 256 * 1024  # type: ignore[attr-defined]
        idler.socket.close()
        eventually(lambda: not server.engine.connections.live("s"))


@pytest.mark.parametrize("way", [{}, {"http": "h11", "loop": "asyncio"}], ids=str)
def test_the_share_can_be_set(way: dict[str, str]) -> None:
    with (
        running_mockd(
            {"id": "s", "matcher": {"path": "/s"}, **ENDLESS["sse"]}, settings=Settings(send_buffer=65536), **way
        ) as server,
        Client(server.url, receive_buffer=4096) as idler,
    ):
        server.engine.create({"matcher": {"path": "/other"}, "sse": {"events": [{"data": "1"}]}})
        idler.ask("/s").read_head()
        (connection,) = server.engine.connections.exchanges("s")
        sent = -1
        while sent != connection.bytes_sent:
            sent = connection.bytes_sent
            others_are_served(server, 20)
        assert connection.stream is not None
        assert connection.stream.line.unsent() <= 65536  # type: ignore[attr-defined]


def test_a_client_that_reads_nothing_for_too_long_is_cut_off() -> None:
    with (
        running_mockd({"matcher": {"path": "/s"}, **ENDLESS["sse"]}, settings=Settings(send_timeout=0.3)) as server,
        Client(server.url, receive_buffer=4096) as idler,
    ):
        idler.ask("/s").read_head()
        eventually(lambda: not server.engine.connections.live())
        assert server.engine.connections.stats()["connectionErrors"] == 1


HANGING: dict[str, dict[str, Any]] = {
    "sse": {"sse": {"events": [{"data": "1"}], "lifecycle": {"keepOpen": True}}},
    "slow sse": {"sse": {"events": [{"data": "1"}, {"data": "2"}], "timing": {"fixedDelay": 3_600_000}}},
    "fast sse": {"sse": {"events": [{"data": "1"}], "repeat": 0, "timing": {"fixedDelay": 2}}},
    "chunked": {"chunked": {"data": "abc", "chunkSize": 1, "chunkDelay": 3_600_000}},
    "ndjson": {"chunked": {"ndjsonItems": [1, 2], "chunkDelay": 3_600_000}},
    "response": {"response": {"body": "x", "delay": 3_600_000}},
}


@pytest.mark.parametrize("how", ["close", "reset"])
@pytest.mark.parametrize("kind", HANGING)
def test_a_client_that_hangs_up_is_gone_from_the_list(everywhere: RunningMockd, kind: str, how: str) -> None:
    with one(HANGING[kind], everywhere) as server:
        client = Client(server.url).ask("/s")
        if kind != "response":
            client.read_head()
        eventually(lambda: len(server.engine.connections.live("s")) == 1)
        connection = server.engine.connections.live("s")[0]["id"]
        if how == "reset":
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.socket.close()
        eventually(lambda: not server.engine.connections.live("s"))
        assert server.engine.connections.get(connection)["outcome"] == "client_disconnected"
        others_are_served(server)


def test_a_client_that_kills_its_curl(everywhere: RunningMockd) -> None:
    with one(HANGING["fast sse"], everywhere) as server:
        process = subprocess.Popen(
            [program("curl"), "-sN", "--max-time", str(PATIENCE_S), server.url + "/s"], stdout=subprocess.PIPE
        )
        assert process.stdout
        assert process.stdout.readline() == b"data: 1\n"
        process.kill()
        process.communicate()
        eventually(lambda: not server.engine.connections.live("s"))


@pytest.mark.parametrize(
    "half",
    [
        b"",
        b"G",
        b"GET /s HT",
        b"GET /s HTTP/1.1\r\nHost: x\r\n",
        b"POST /s HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc",
        b"POST /s HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
    ],
    ids=repr,
)
def test_half_a_request_harms_nobody(everywhere: RunningMockd, half: bytes) -> None:
    with one(HANGING["sse"], everywhere) as server:
        half = half.replace(b" /s", everywhere.url.partition("//")[2].partition("/")[2].encode().join([b" /", b"/s"]))
        waiting = [Client(server.url) for _ in range(20)]
        for client in waiting:
            client.send(half.replace(b"//", b"/"))
        others_are_served(server)
        for client in waiting:
            client.socket.close()
        others_are_served(server)
        assert server.engine.connections.live("s") == []


def test_a_request_that_is_none(server: RunningMockd) -> None:
    with one(HANGING["sse"], server):
        with Client(server.url) as client:
            client.send(b"\x16\x03\x01\x02\x00 what is this\r\n\r\n")
            client.read_to_end()
        others_are_served(server)


# -- too much ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [2_000_000, 30_000_000])
def test_a_body_over_the_limit_is_answered_even_to_who_sends_it_whole_first(size: int) -> None:
    with running_mockd(
        {"matcher": {"path": "/s"}, "response": {"body": "ok"}}, settings=Settings(max_body=1_000_000)
    ) as server:
        with Client(server.url) as client:
            status, _ = client.ask("/s", method="POST", body=b"x" * size).read_head()
            assert status == 413
        with Client(server.url) as client:
            client.ask("/s", method="POST", headers={"Transfer-Encoding": "chunked"})
            for _ in range(size // 100_000):
                client.send(b"186a0\r\n" + b"x" * 100_000 + b"\r\n")
            client.send(b"0\r\n\r\n")
            assert client.read_head()[0] == 413
        code, text = curl(server.url + "/s", "--data-binary", "x" * 100_000)
        assert (code, text) == (0, "ok")


def test_connections_over_the_limit() -> None:
    with running_mockd({"matcher": {"path": "/s"}, **HANGING["sse"]}, settings=Settings(max_connections=2)) as server:
        clients = [Client(server.url).ask("/s") for _ in range(2)]
        for client in clients:
            assert client.read_head()[0] == 200
        with Client(server.url) as third:
            status, headers = third.ask("/s").read_head()
            assert status == 503
            assert int(headers["retry-after"]) >= 1
        clients[0].socket.close()
        eventually(lambda: len(server.engine.connections.live()) == 1)
        with Client(server.url) as third:
            assert third.ask("/s").read_head()[0] == 200
        clients[1].socket.close()


# -- many --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", [{}, {"http": "h11", "loop": "asyncio"}], ids=str)
def test_hundreds_of_streams_end_properly_when_the_server_stops(way: dict[str, str]) -> None:
    life = {"keepOpen": True, "termination": {"finalEvent": {"data": "bye"}}}
    mock = {"matcher": {"path": "/s"}, "sse": {"events": [{"data": "1"}], "lifecycle": life}}
    with running_mockd(mock, **way) as server:
        clients = [Client(server.url).ask("/s") for _ in range(200)]
        for client in clients:
            client.read_head()
            assert client.read_chunk() == b"data: 1\n\n"
    for client in clients:
        assert client.read_chunks() == [b"data: bye\n\n"]
        client.socket.close()


def test_admin_ends_streams_from_another_thread(everywhere: RunningMockd) -> None:
    life = {"keepOpen": True, "termination": {"finalEvent": {"data": "bye"}}}
    with one({"sse": {"events": [{"data": "1"}], "lifecycle": life}}, everywhere) as server:
        clients = [Client(server.url).ask("/s") for _ in range(5)]
        for client in clients:
            client.read_head()
            assert client.read_chunk() == b"data: 1\n\n"
        assert server.engine.streams.close_all("s") == 5
        for client in clients:
            assert client.read_chunks() == [b"data: bye\n\n"]
            client.socket.close()


def test_streams_in_real_time(everywhere: RunningMockd) -> None:
    events = [{"data": str(number)} for number in range(31)]
    with one({"sse": {"events": events, "timing": {"fixedDelay": 10}}}, everywhere) as server:
        began = server.engine.clock.monotonic()
        with Client(server.url) as client:
            client.ask("/s").read_head()
            assert b"".join(client.read_chunks()) == b"".join(b"data: %d\n\n" % number for number in range(31))
        assert server.engine.clock.monotonic() - began >= 0.299
