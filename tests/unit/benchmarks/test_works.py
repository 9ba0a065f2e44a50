"""What the benchmarks ask for is what mockd's mocks send."""

from __future__ import annotations

import json
import random
from itertools import pairwise
from pathlib import Path

import httpx
import pytest
from starlette.testclient import TestClient

from benchmarks import works
from benchmarks.paths import MOCKS
from benchmarks.peers import asgi_app, starlette_app
from benchmarks.servers import SERVERS
from mockd.config.load import load_paths
from mockd.config.models import RandomDelay, Timing
from mockd.engine import Engine
from mockd.events import Event
from mockd.program.pacing import Pacing
from mockd.testing import running_mockd


@pytest.fixture
def generated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(works, "GENERATED", tmp_path)
    works.generate()
    return tmp_path


def test_every_work_has_its_mock(generated: Path) -> None:
    specs = load_paths([str(MOCKS), str(generated / "long.json"), str(generated / "others.json")])
    Engine().load(specs)
    assert len(specs) == 1000 + len(works.WORKS)


def test_everybody_sends_the_same_plain_answer(generated: Path) -> None:
    ready = works.PLAIN.read_bytes()
    assert len(ready) == 1024
    [mock] = [mock for mock in json.loads((generated / "long.json").read_text()) if mock["id"] == "plain"]
    with running_mockd(mock) as server:
        assert httpx.get(f"{server.url}/plain").content == ready
    for app in (starlette_app.app, asgi_app.app):
        assert TestClient(app).get("/plain").content == ready


def test_the_least_app_sends_as_many_events() -> None:
    for work in SERVERS["bare-asgi"].works.values():
        _, parts, _ = asgi_app.ANSWERS[work.path]
        assert b"".join(parts).count(b"\n\n") == (work.events or 0)


def test_the_schedule_is_that_of_the_seed(generated: Path) -> None:
    delay = RandomDelay(min=works.RANDOM_MIN_MS, max=works.RANDOM_MAX_MS)
    pacing, rng = Pacing(Timing(random_delay=delay)), random.Random(works.RANDOM_SEED)
    due = [float(line) for line in (generated / "schedule.txt").read_text().split()]
    delays = [pacing.due_s(number, 0, Event(), rng, 0.0) for number in range(1, len(due))]
    assert due[0] == 0
    assert [round(after - before) for before, after in pairwise(due)] == [round(delay * 1000) for delay in delays]
