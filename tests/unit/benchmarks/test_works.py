"""What the benchmarks ask for is what mockd's mocks send."""

from __future__ import annotations

import random
from itertools import pairwise
from pathlib import Path

import pytest

from benchmarks import works
from benchmarks.paths import MOCKS
from mockd.config.load import load_paths
from mockd.config.models import RandomDelay, Timing
from mockd.engine import Engine
from mockd.events import Event
from mockd.program.pacing import Pacing


@pytest.fixture
def generated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(works, "GENERATED", tmp_path)
    works.generate()
    return tmp_path


def test_every_work_has_its_mock(generated: Path) -> None:
    specs = load_paths([str(MOCKS), str(generated / "long.json"), str(generated / "others.json")])
    Engine().load(specs)
    assert len(specs) == 1000 + len(works.WORKS)


def test_the_schedule_is_that_of_the_seed(generated: Path) -> None:
    delay = RandomDelay(min=works.RANDOM_MIN_MS, max=works.RANDOM_MAX_MS)
    pacing, rng = Pacing(Timing(random_delay=delay)), random.Random(works.RANDOM_SEED)
    due = [float(line) for line in (generated / "schedule.txt").read_text().split()]
    delays = [pacing.due_s(number, 0, Event(), rng, 0.0) for number in range(1, len(due))]
    assert due[0] == 0
    assert [round(after - before) for before, after in pairwise(due)] == [round(delay * 1000) for delay in delays]
