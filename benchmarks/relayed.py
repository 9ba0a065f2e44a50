"""What a relay adds to each chunk: a target sends the time in each, asked directly, by way of a plain TCP relay, and by
way of `mockd record`; and how soon the target sees that a client has left. Prints the figures as JSON; the argument is
how many chunks."""

from __future__ import annotations

import asyncio
import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
import time

PAUSE_S = 0.005
"""Pause between two chunks, in seconds."""
CLIENTS_THAT_LEAVE = 50
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


class _Target:
    """Sends an event each few milliseconds, with the time at which it is sent, until its client leaves. `left` has the
    times at which clients were seen to have left."""

    def __init__(self) -> None:
        self.left: asyncio.Queue[float] = asyncio.Queue()

    async def send_times(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(_HEAD)
        sending = asyncio.ensure_future(self._send(writer))
        with contextlib.suppress(ConnectionError):
            await reader.read()
        self.left.put_nowait(time.monotonic())
        sending.cancel()
        writer.close()

    async def _send(self, writer: asyncio.StreamWriter) -> None:
        while True:
            event = b"data: %d\n\n" % time.monotonic_ns()
            writer.write(b"%x\r\n%b\r\n" % (len(event), event))
            await asyncio.sleep(PAUSE_S)


async def _relay(port: int) -> None:
    """A relay that knows nothing of HTTP."""

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind, before = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(_copy(reader, before), _copy(behind, writer))

    server = await asyncio.start_server(relay, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
    writer.close()


async def _late_ms(port: int, count: int) -> float:
    """How late chunks are, in the middle."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    await reader.readuntil(b"\r\n\r\n")
    late = []
    for _ in range(count):
        line = await reader.readuntil(b"\n\n")
        late.append((time.monotonic_ns() - int(line.partition(b"data: ")[2])) / 1e6)
    writer.transport.abort()
    return statistics.median(late[count // 10 :])


async def _seen_ms(port: int, target: _Target) -> float:
    """How long after it the target sees that a client has left, at most."""
    seen = []
    for _ in range(CLIENTS_THAT_LEAVE):
        await _late_ms(port, 1)
        left = time.monotonic()
        seen.append((await target.left.get() - left) * 1e3)
    return max(seen)


async def _measure(count: int) -> dict[str, float]:
    target = _Target()
    server = await asyncio.start_server(target.send_times, "127.0.0.1", 0)
    target_port = server.sockets[0].getsockname()[1]
    plain = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.relayed", "relay", str(target_port), stdout=subprocess.PIPE
    )
    with tempfile.TemporaryDirectory() as folder:
        options = [
            "--target",
            f"http://127.0.0.1:{target_port}",
            "--out",
            folder,
            "--port",
            "0",
            "--log-format",
            "json",
        ]
        mockd = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "mockd", "record", *options, stderr=subprocess.PIPE
        )
        assert plain.stdout is not None
        assert mockd.stderr is not None
        plain_port = int(await plain.stdout.readline())
        mockd_port = int(json.loads(await mockd.stderr.readline())["mocks"].rpartition(":")[2])
        try:
            direct, tcp, relayed = [await _late_ms(port, count) for port in (target_port, plain_port, mockd_port)]
            for _ in range(3):
                await target.left.get()
            seen = await _seen_ms(mockd_port, target)
        finally:
            for process in (plain, mockd):
                process.terminate()
                await process.wait()
    return {
        "direct_p50_ms": direct,
        "tcp_relay_p50_ms": tcp,
        "relay_p50_ms": relayed,
        "added_p50_ms": relayed - tcp,
        "leave_seen_ms": seen,
    }


if __name__ == "__main__":
    if sys.argv[1] == "relay":
        asyncio.run(_relay(int(sys.argv[2])))
    else:
        print(json.dumps(asyncio.run(_measure(int(sys.argv[1])))))
