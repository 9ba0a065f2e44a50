"""A process that is late, as it was busy or stopped, plays the chunks of a recording late, and no others."""

from __future__ import annotations

import random
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from mockd.sources import recording
from tests.stream.harness import files_are_read
from tests.stream.test_replay_in_time import bodies, played

pytestmark = pytest.mark.anyio


def chunks(seed: int) -> list[Any]:
    """The lines of an event stream that is cut anywhere, some microseconds apart."""
    rng = random.Random(seed)
    text = "".join(f"id: {number}\ndata: {'x' * rng.choice((0, 1, 30))}\n\n" for number in range(30))
    cuts = sorted({0, len(text), *rng.sample(range(1, len(text)), rng.choice((5, 20, 60)))})
    gaps = rng.choice(((0,), (1,), (0, 1, 50), (2000,), (0, 1, 2000, 50_000)))
    return [[rng.choice(gaps), "o", text[start:stop]] for start, stop in pairwise(cuts)]


REPLAYS: list[dict[str, Any]] = [{}, {"speed": 3}, {"maxGap": 1}, {"timing": "none"}]


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("is_long", [False, True], ids=["in memory", "read while it is played"])
@pytest.mark.parametrize("late_s", [0.0, 0.0015, 0.02, 1.0])
async def test_chunks_stay_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int, is_long: bool, late_s: float
) -> None:
    monkeypatch.setattr(recording, "AHEAD_EVENTS", 1 + seed)
    if is_long:
        monkeypatch.setattr(recording, "MOST_SCRIPTED_CHUNKS", 1)
    lines = chunks(seed)
    replay = REPLAYS[seed % len(REPLAYS)]
    lab, exchange = await played(tmp_path, [*lines, [0, "end", "complete"]], seconds=0, sse={"replay": replay})
    for _ in range(400):
        if not exchange.is_open:
            break
        await files_are_read()
        lab.clock.skip(late_s)
        await lab.clock.advance(0.05)
    assert [message["body"].decode() for _, message in exchange.messages[1:-1]] == [line[2] for line in lines]


async def test_an_event_that_is_read_in_two_parts_keeps_its_times(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "MOST_SCRIPTED_CHUNKS", 1)
    monkeypatch.setattr(recording, "AHEAD_EVENTS", 2)
    parts = ["data: 1\n\nda", "ta: 2\n\ndat", "a: ", "3\n\nda", "ta: 4\n\ndata: 5\n\n"]
    lines: list[Any] = [[10_000, "o", part] for part in parts]
    lab, exchange = await played(tmp_path, [*lines, [10_000, "end", "complete"]], seconds=0)
    for _ in range(300):
        await files_are_read()
        await lab.clock.advance(0.001)
    assert bodies(exchange)[1:] == [(210 + 10 * place, part.encode()) for place, part in enumerate([*parts, ""])]
