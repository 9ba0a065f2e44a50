"""Recorded, replayed, recorded again: the same bytes in the same pieces, with the same end, whatever they were."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

from mockd.recordings.reading import Exchange, Remarks, exchanges
from mockd.settings import Settings
from mockd.testing import running_mockd
from tests.relay.clients import Raw, eventually
from tests.relay.targets import END, Visit, chunk, serving

ENDS = ("complete", "complete", "closed", "reset")


class Scripts:
    """Random answers, the same for a number in every run."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def of(self, number: int) -> tuple[list[bytes], list[float], str]:
        """The chunks of an answer, the pauses before them, and its end."""
        rng = random.Random(f"{self._seed}/{number}")
        sizes = [rng.choice((1, 2, 7, 100, 5000, 40_000)) for _ in range(rng.randint(1, 12))]
        chunks = [
            rng.choice((rng.randbytes(size), b"data: x\n\n" * (size // 9 + 1), "ü€😀".encode()[: size % 9 + 1]))
            for size in sizes
        ]
        return chunks, [rng.choice((0.0, 0.002, 0.01)) for _ in sizes], rng.choice(ENDS)

    async def play(self, visit: Visit) -> None:
        head = await visit.request()
        chunks, pauses, end = self.of(int(head.split()[1].rpartition(b"/")[2]))
        await visit.send(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        for data, pause_s in zip(chunks, pauses, strict=True):
            await asyncio.sleep(pause_s)
            await visit.send(chunk(data))
        if end == "complete":
            await visit.send(END)
        elif end == "reset":
            await asyncio.sleep(0.05)  # a reset throws away what is on its way
            visit.reset()


def recorded(folder: Path) -> dict[str, Exchange]:
    found = [exchange for file in folder.glob("*.stream.jsonl") for exchange in exchanges(file, Remarks())]
    return {exchange.begun.url.rpartition("/")[2]: exchange for exchange in found}


def record(url: str, folder: Path, count: int) -> dict[str, Exchange]:
    """What is recorded of so many exchanges, many at once."""
    with running_mockd(settings=Settings(proxy=(url,), record=str(folder), record_mode="all")) as relay:
        for start in range(0, count, 20):
            clients = [Raw(relay.url).get(f"/a/{number}", "Connection: close") for number in range(start, start + 20)]
            for client in clients:
                with client:
                    client.all()
        assert eventually(lambda: sum('"end"' in file.read_text() for file in folder.glob("*")) == count)
    return recorded(folder)


def is_same(exchange: Exchange, chunks: list[bytes]) -> bool:
    """Whether these chunks were recorded. A reset throws away what has come and was not read yet, on a busy machine,
    also in the middle of a chunk."""
    found = [data for _, data in exchange.output()]
    if exchange.how != "reset" or not found:
        return found == chunks or exchange.how == "reset"
    *whole, last = found
    return whole == chunks[: len(whole)] and last != b"" and chunks[len(whole)].startswith(last)


@pytest.mark.parametrize("seed", [1])
def test_two_hundred_random_exchanges(tmp_path: Path, seed: int) -> None:
    scripts, count = Scripts(seed), 200
    with serving(scripts.play) as target:
        first = record(target.url, tmp_path / "first", count)
    for number in range(count):
        chunks, _, end = scripts.of(number)
        assert is_same(first[str(number)], chunks), number
        assert first[str(number)].how == end, number
    with running_mockd(settings=Settings(config=(str(tmp_path / "first"),))) as replayed:
        second = record(replayed.url, tmp_path / "second", count)
    for name, exchange in first.items():
        again = second[name]
        assert is_same(again, [data for _, data in exchange.output()]), name
        assert again.how == exchange.how, name
