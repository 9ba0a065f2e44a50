"""What is large goes through a relay piece by piece: memory stays flat, whoever is slow."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.harness import Served
from tests.relay.clients import Raw
from tests.relay.targets import END, Visit, chunk, serving

MB = 1 << 20
ROOM = 40 * MB
"""Bytes by which a relay may grow while far more goes through it."""


@pytest.fixture
def record(tmp_path: Path) -> Iterator[Callable[..., Served]]:
    started: list[Served] = []

    def start(*arguments: str) -> Served:
        started.append(Served(*arguments, "--quiet", "--out", str(tmp_path), command="record"))
        return started[-1]

    yield start
    for server in started:
        server.process.kill()
        server.wait()


def peak(server: Served) -> int:
    """The most memory that a server has had so far, in bytes."""
    lines = Path(f"/proc/{server.process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


def reset_peak(server: Served) -> None:
    Path(f"/proc/{server.process.pid}/clear_refs").write_text("5")


SIZES = (7, 100_000, 3 * MB)


@pytest.mark.parametrize(("skip", "size"), [("", 20 * MB), ("/*", 100 * MB)], ids=["recorded", "not recorded"])
def test_large_answers(record: Callable[..., Served], skip: str, size: int) -> None:
    """Some to clients that read on, some to clients that do not read until the others are done."""
    count = 6

    async def play(visit: Visit) -> None:
        await visit.request()
        await visit.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        left, number = size, 0
        while left:
            part = min(left, SIZES[number % len(SIZES)])
            left, number = left - part, number + 1
            await visit.send(chunk(bytes(part)))
        await visit.send(END)

    got: list[int] = []

    def read(client: Raw) -> None:
        total, last = 0, b""
        while not last.endswith(END):
            data = client.socket.recv(MB)
            assert data
            total += len(data)
            last = (last + data)[-5:]
        got.append(total)

    with serving(play) as target:
        server = record("--target", target.url, *(("--skip", skip) if skip else ()), "--max-bytes", str(150 * MB))
        with Raw(server.mocks) as client:  # which loads what a relay needs
            client.get("/").until(lambda seen: len(seen) > 1000)
        reset_peak(server)
        before = peak(server)
        slow = [Raw(server.mocks).get("/") for _ in range(4)]
        fast = [Raw(server.mocks).get("/") for _ in range(count - 4)]
        threads = [threading.Thread(target=read, args=(client,)) for client in fast]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(100)
        with slow[0]:
            read(slow[0])
        for client in [*slow, *fast]:
            client.socket.close()
        assert len(got) == count - 3
        assert min(got) > size
        assert peak(server) - before < ROOM


def test_large_requests(record: Callable[..., Served]) -> None:
    size = 200 * MB

    async def play(visit: Visit) -> None:
        await visit.request()
        got = len(visit.got.partition(b"\r\n\r\n")[2])
        while got < size:
            got += len(await visit._reader.read(MB))
        await visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    with serving(play) as target:
        server = record("--target", target.url, "--skip", "/*")
        reset_peak(server)
        before = peak(server)
        with Raw(server.mocks) as client:
            client.send(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % size)
            for _ in range(size // MB):
                client.send(bytes(MB))
            client.until(lambda seen: seen.endswith(b"ok"))
        assert peak(server) - before < ROOM
