"""How far the gaps between chunks of a replay are from those that were recorded, for one stream and for many at once,
and how much memory a long recording takes. Prints the figures as JSON; the argument is how many play at once."""

from __future__ import annotations

import asyncio
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

CHUNKS = 200
"""Number of chunks in the recording that is timed."""
LONGEST_GAP_S = 0.04
"""Longest gap between its chunks, in seconds."""
SLOWER = 10
"""Factor by which the recording that many play at once is slower, and shorter. That of one would be more than a core
can send."""
START_S = 2.0
"""Time over which many begin, in seconds: clients do not all come at one moment."""
LONG_CHUNKS = 100_000
"""Number of chunks in a long recording, of a kibibyte each."""


def _write(file: Path, path: str, gaps_s: list[float], data: str) -> None:
    begun = {"mockd-stream": 1, "request": {"method": "GET", "url": f"http://a.test{path}", "headers": []}}
    head = [0, "head", {"status": 200, "reason": "OK", "headers": [["Content-Type", "text/event-stream"]]}]
    with file.open("w") as lines:
        for line in (begun, head, *([round(gap_s * 1e6), "o", data] for gap_s in gaps_s), [0, "end", "complete"]):
            lines.write(json.dumps(line) + "\n")


@asynccontextmanager
async def _serving(folder: Path) -> AsyncIterator[tuple[int, int]]:
    """`mockd serve` with the recordings in a folder: its port and the ID of its process."""
    options = ["--config", str(folder), "--port", "0", "--admin-port", "0", "--log-format", "json", "--quiet"]
    mockd = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "mockd", "serve", *options, stderr=subprocess.PIPE
    )
    assert mockd.stderr is not None
    try:
        yield int(json.loads(await mockd.stderr.readline())["mocks"].rpartition(":")[2]), mockd.pid
    finally:
        mockd.terminate()
        await mockd.wait()


async def _arrivals(port: int, path: str, start_s: float = 0.0) -> list[float]:
    """When each chunk has come, for a client that begins so many seconds later."""
    await asyncio.sleep(start_s)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    await reader.readuntil(b"\r\n\r\n")
    arrivals = []
    while size := int(await reader.readline(), 16):
        await reader.readexactly(size + 2)
        arrivals.append(time.monotonic())
    writer.close()
    return arrivals


def _errors_ms(arrivals: list[float], gaps_s: list[float]) -> list[float]:
    pairs = zip(arrivals, arrivals[1:], gaps_s[1:], strict=False)
    return [abs(after - before - gap_s) * 1000 for before, after, gap_s in pairs]


def _resident_mib(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096 / 2**20


async def _measure(count: int) -> dict[str, float]:
    rng = random.Random(1)
    gaps_s = [rng.random() * LONGEST_GAP_S for _ in range(CHUNKS)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write(folder / "001.stream.jsonl", "/timed", gaps_s, "data: x\n\n")
        slow_s = [SLOWER * gap_s for gap_s in gaps_s[: CHUNKS // SLOWER]]
        _write(folder / "003.stream.jsonl", "/slow", slow_s, "data: x\n\n")
        _write(folder / "002.stream.jsonl", "/long", [0.0] * LONG_CHUNKS, f"data: {'x' * 1016}\n\n")
        async with _serving(folder) as (port, pid):
            one = _errors_ms(await _arrivals(port, "/timed"), gaps_s)
            at_once = await asyncio.gather(
                *(_arrivals(port, "/slow", START_S * place / count) for place in range(count))
            )
            before = _resident_mib(pid)
            start = time.monotonic()
            assert len(await _arrivals(port, "/long")) == LONG_CHUNKS
            took_s, after = time.monotonic() - start, _resident_mib(pid)
    many = [error for arrivals in at_once for error in _errors_ms(arrivals, slow_s)]
    return {
        "one_p99_ms": statistics.quantiles(one, n=100)[98],
        "many_p99_ms": statistics.quantiles(many, n=100)[98],
        "long_chunks_per_s": LONG_CHUNKS / took_s,
        "long_added_mib": after - before,
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_measure(int(sys.argv[1])))))
