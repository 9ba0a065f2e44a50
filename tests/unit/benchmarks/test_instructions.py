"""Instructions are counted per answer, and the counts are shown beside the least app's and beside earlier ones."""

from __future__ import annotations

import dataclasses
import shutil
import time
from pathlib import Path

import pytest

from benchmarks import client, instructions, servers
from benchmarks.instructions import COUNTS, MEASURED, Asked, Count
from benchmarks.servers import SERVERS
from benchmarks.works import WORKS

CHAT = Count("chat", "chat", "request", Asked("chat-short", 100), Asked("chat-short", 600))
COSTS = {"mockd": [900_000.0, 200_000.4, 199_000.0], "bare-asgi": [100_000.0] * 3}


def test_a_cost_is_the_difference_by_what_was_asked_more() -> None:
    paced = Count("paced", "paced", "event", Asked("paced-few", 1), Asked("paced-many", 1))
    assert CHAT.cost(1_000_000.0, 101_000_000.0) == 200_000
    assert paced.cost(1_000_000.0, 17_000_000.0) == 40_000  # 50 events and 450


def test_every_count_is_about_works_of_all_that_are_measured() -> None:
    for count in COUNTS:
        assert count.cost(0.0, 1.0) > 0
        for name in MEASURED:
            assert {count.few.work, count.many.work} <= set(SERVERS[name].works)


def test_a_result_is_the_median_and_a_line_of_the_table() -> None:
    result = instructions.result(CHAT, COSTS)
    assert (result["mockd"], result["bare-asgi"], result["beside"]) == (200_000, 100_000, 100_000)
    assert result["samples"]["mockd"] == [900_000, 200_000, 199_000]
    line = instructions.table([result], []).splitlines()[-1]
    assert line == "| chat | request | 200,000 | 100,000 | 100,000 |"


def test_earlier_results_stand_beside_those_of_the_same_name() -> None:
    result = instructions.result(CHAT, COSTS)
    other = {**result, "name": "new"}
    known, unknown = instructions.table([result, other], [{**result, "mockd": 160_000}]).splitlines()[-2:]
    assert known == "| chat | request | 200,000 | 100,000 | 100,000 | 160,000 (+25.0%) |"
    assert unknown == "| chat | request | 200,000 | 100,000 | 100,000 |  |"


def test_a_dump_says_how_many_instructions_it_is_about() -> None:
    assert instructions.total("events: Ir\nfn=(1)\n17 4\n\ntotals: 12345\n") == 12345
    with pytest.raises(SystemExit, match="no totals"):
        instructions.total("events: Ir\nsummary: 1\n")


@pytest.mark.skipif(not all(map(shutil.which, ("valgrind", "vgdb", "cc"))), reason="needs valgrind and a C compiler")
def test_a_server_is_counted_by_its_answers_and_not_by_the_clock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servers, "LOGS", tmp_path)
    monkeypatch.setattr(instructions, "IDLE_S", 1.0)
    monkeypatch.setattr(instructions, "ROUNDS", 1)
    client.build()
    few = Count("plain", "", "request", Asked("plain", 10), Asked("plain", 60))
    with instructions.metered(SERVERS["bare-asgi"]) as (target, meter):
        [once] = instructions.rounds(few, target, meter)
        [again] = instructions.rounds(dataclasses.replace(few, many=Asked("plain", 160)), target, meter)
        idle = meter.cost_of(lambda: time.sleep(2.0))
    assert 20_000 < once < 1_000_000
    assert again == pytest.approx(once, rel=0.2)
    assert abs(idle) < 4 * once


@pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler")
def test_answers_that_are_not_as_they_must_be_are_not_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "LOGS", tmp_path)
    client.build()
    wrong = {"plain": dataclasses.replace(WORKS["plain"], length=1)}
    server = dataclasses.replace(SERVERS["bare-asgi"], works=wrong)
    with servers.running(server) as target, pytest.raises(SystemExit, match="'wrong_count': 2"):
        instructions.ask(target, Asked("plain", 2))
