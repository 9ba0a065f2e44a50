"""Exchanges that are huge, or odd, recorded and replayed: `python -m tests.stress.huge [NAME …] [--scale PART]`.

Each is relayed by a `mockd record`, and then played by a `mockd serve`, processes of their own. What comes of both is
what the target sent, in the same chunks, and neither process grows by more than `ROOM`, and `ROOM_OF_CLIENT` for each
client, meanwhile, however much comes.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

from mockd.recordings.reading import Exchange, exchanges
from tests.cli.harness import Served
from tests.relay.targets import END, chunk

MB = 1 << 20
ROOM = 32 * MB
"""Bytes by which a process may grow."""
ROOM_OF_CLIENT = MB
"""Bytes by which it may grow for each client: what is on its way, between the target and a client that reads slowly."""
MOST_OF_COMMAND = 120 * MB
"""Most bytes that a command may take in all."""
PATIENCE_S = 600.0
"""How long to wait for what must happen; nothing takes that long unless it never happens."""

_CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\nTransfer-Encoding: chunked\r\n\r\n"


class Body:
    """What came of a body: its size and hash, and the number and the hash of its chunks."""

    def __init__(self) -> None:
        self._bytes, self._chunks = sha256(), sha256()
        self.size = self.count = 0

    def add(self, data: bytes) -> None:
        self._bytes.update(data)
        self._chunks.update(b"%d " % len(data))
        self.size += len(data)
        self.count += 1

    @property
    def data(self) -> tuple[int, str]:
        return self.size, self._bytes.hexdigest()

    @property
    def seen(self) -> tuple[int, str, int, str]:
        return *self.data, self.count, self._chunks.hexdigest()


@dataclass
class Kind:
    """An exchange: its chunks, its content type, and how many clients ask for it at once. If `leaves_after` bytes are
    given, the client leaves behind them."""

    chunks: Callable[[float], Iterator[bytes]]
    content_type: str = "text/event-stream"
    pause_s: float = 0.0
    clients: int = 1
    leaves_after: int | None = None
    small: float = 0.005
    """Part of its size that is enough for a quick check."""


def _events(size: int, of: int) -> Callable[[float], Iterator[bytes]]:
    """So many bytes of events, each of which has so many."""

    def made(scale: float) -> Iterator[bytes]:
        for number in range(max(1, round(size * scale / of))):
            yield b"id: %d\ndata: " % number + b"x" * (of - 20) + b"\n\n"

    return made


def _many(scale: float) -> Iterator[bytes]:
    for number in range(round(100_000 * scale)):
        yield b"data: %d\n\n" % number


def _binary(scale: float) -> Iterator[bytes]:
    rng = Random(1)
    left = round(200 * MB * scale)
    while left > 0:
        size = min(left, rng.choice([1, 100, 4096, 65536, 1_000_000]))
        yield rng.randbytes(size)
        left -= size


def _bytes(scale: float) -> Iterator[bytes]:
    for byte in b"data: one byte a second\n\n"[: max(3, round(30 * scale))]:
        yield bytes([byte])


def _nothing(scale: float) -> Iterator[bytes]:
    return iter(())


def _endless(scale: float) -> Iterator[bytes]:
    while True:
        yield b"data: " + b"x" * 1000 + b"\n\n"


KINDS = {
    "gigabyte": Kind(_events(1024 * MB, 65536)),
    "many chunks": Kind(_many),
    "binary": Kind(_binary, "application/octet-stream"),
    "empty": Kind(_nothing),
    "a byte a second": Kind(_bytes, pause_s=1.0),
    "endless": Kind(_endless, leaves_after=20 * MB),
    "a hundred at once": Kind(_events(100 * MB, 16384), clients=100, small=0.02),
}


# -- the exchange ------------------------------------------------------------------------------------------------------


async def _ask(url: str, number: int, leaves_after: int | None) -> Body:
    """Ask for a stream and read it to its end, or so far."""
    host, port = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port), limit=MB)
    body = Body()
    try:
        writer.write(b"GET /stream/%d HTTP/1.1\r\nHost: localhost\r\n\r\n" % number)
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 "), head
        while size := int(await reader.readline(), 16):
            body.add(await reader.readexactly(size))
            await reader.readexactly(2)
            if leaves_after is not None and body.size >= leaves_after:
                break
    finally:
        writer.transport.abort()
    return body


async def _all(url: str, clients: int, leaves_after: int | None = None) -> list[Body]:
    return await asyncio.gather(*(_ask(url, number, leaves_after) for number in range(clients)))


async def _relayed(kind: Kind, scale: float, folder: Path) -> list[Body]:
    """What clients get of a relay that records into the folder."""

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(ConnectionError):
                await reader.readuntil(b"\r\n\r\n")
                writer.write(_CHUNKED % kind.content_type.encode())
                for data in kind.chunks(scale):
                    writer.write(chunk(data))
                    await writer.drain()
                    await asyncio.sleep(kind.pause_s)
                writer.write(END)
                await writer.drain()
        finally:
            writer.close()

    async with await asyncio.start_server(play, "127.0.0.1", 0) as server:
        target = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        with _served("record", "--target", target, "--out", str(folder), clients=kind.clients) as relay:
            got = await _all(relay.mocks, kind.clients, kind.leaves_after)
            until = time.monotonic() + PATIENCE_S
            while _ended(folder) < kind.clients:
                assert time.monotonic() < until, "recordings have no end"
                await asyncio.sleep(0.01)
            return got


# -- what a process takes ----------------------------------------------------------------------------------------------


def _peak(pid: int) -> int:
    """The most memory that a process has had since it was last asked to forget, in bytes."""
    return _peak_in(Path(f"/proc/{pid}/status").read_text())


def _peak_in(status: str) -> int:
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM:"))


@contextlib.contextmanager
def _served(name: str, *arguments: str, clients: int) -> Iterator[Served]:
    """A process whose memory stays flat while it serves so many clients."""
    server = Served(*arguments, "--quiet", command=name)
    pid = server.process.pid
    try:
        Path(f"/proc/{pid}/clear_refs").write_text("5")
        before = _peak(pid)
        yield server
        grown = _peak(pid) - before
        print(f"  mockd {name}: {before / MB:.0f} MiB, and {grown / MB:.1f} more", flush=True)
        assert grown < ROOM + clients * ROOM_OF_CLIENT, f"mockd {name} grew by {grown:,} bytes"
    finally:
        server.process.kill()
        server.wait()


_COMMAND = """
import atexit, pathlib, sys
from mockd.cli.main import main
atexit.register(lambda: sys.stderr.write(pathlib.Path("/proc/self/status").read_text()))
main()
"""
"""A command of mockd, which says at its end what it took: what its parent had is not in that."""


def _shown(file: Path) -> None:
    """`mockd recordings show` reads a recording of any size in little memory."""
    words = ["recordings", "show", str(file), "--plot"]
    done = subprocess.run([sys.executable, "-c", _COMMAND, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    took = _peak_in(done.stderr)
    print(f"  mockd recordings show: {took / MB:.0f} MiB in all", flush=True)
    assert took < MOST_OF_COMMAND, f"mockd recordings show took {took:,} bytes"


# -- the checks --------------------------------------------------------------------------------------------------------


def _ended(folder: Path) -> int:
    """How many recordings have an end."""
    return sum(map(_has_ended, folder.iterdir()))


def _has_ended(file: Path) -> bool:
    with file.open("rb") as lines:
        lines.seek(max(0, file.stat().st_size - 1000))
        return b'"end","' in lines.read()


def _recorded(exchange: Exchange) -> Body:
    body = Body()
    for _, data in exchange.output():
        body.add(data)
    return body


def check(name: str, scale: float = 1.0) -> None:
    """Record and replay an exchange of this kind. Raises `AssertionError` if it is not the same, or takes more memory
    than it may."""
    kind = KINDS[name]
    sent = Body()
    if kind.leaves_after is None:
        for data in kind.chunks(scale):
            sent.add(data)
    with tempfile.TemporaryDirectory() as name_of_folder:
        folder = Path(name_of_folder)
        got = asyncio.run(_relayed(kind, scale, folder))
        files = sorted(folder.iterdir())
        recorded = []
        for file in files:
            [exchange] = exchanges(file)
            assert exchange.how == ("complete" if kind.leaves_after is None else "client"), exchange.end
            recorded.append(_recorded(exchange))
        if kind.leaves_after is None:
            # Many at once are slow: a chunk that stalls in its middle for too long may come in two.
            is_like = (lambda body: body.seen) if kind.clients == 1 else (lambda body: body.data)
            _same("what clients got", map(is_like, got), [is_like(sent)] * kind.clients)
            _same("what was recorded", (body.seen for body in recorded), [body.seen for body in got])
        else:
            assert recorded[0].size >= got[0].size, f"{recorded[0].size:,} of {got[0].size:,} bytes"
        _shown(files[0])
        with _served("serve", "--config", str(folder), clients=kind.clients) as replay:
            again = asyncio.run(_all(replay.mocks, kind.clients))
        _same("what is replayed", (body.seen for body in again), [body.seen for body in recorded])


def _same(what: str, found: Iterable[Any], expected: Iterable[Any]) -> None:
    found, expected = sorted(found), sorted(expected)
    assert found == expected, f"{what} is not the same: {found[:3]} and {expected[:3]}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.stress.huge", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of: {', '.join(KINDS)}; all without one")
    parser.add_argument("--scale", type=float, default=1.0, metavar="PART", help="part of the size; 1 is all of it")
    given = parser.parse_args()
    if unknown := set(given.names) - set(KINDS):
        parser.error(f"no such kind: {', '.join(sorted(unknown))}; there are {', '.join(KINDS)}")
    has_failed = False
    for name in given.names or KINDS:
        print(name, flush=True)
        began = time.monotonic()
        try:
            check(name, given.scale)
        except AssertionError as error:
            has_failed = True
            print(f"  FAILED: {error}", flush=True)
        print(f"  {time.monotonic() - began:.1f} s", flush=True)
    return int(has_failed)


if __name__ == "__main__":
    sys.exit(main())
