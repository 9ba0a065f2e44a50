"""Whatever the admin API does, streams go on.

A busy machine may hold a stream up once, and what mockd itself does holds it up each time. So each operation has a few
tries, the later ones on servers of their own.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest

from tests.admin.pace import OPERATIONS, SETTING_UP, Operation, Reader, fill_journal, served, some_mocks
from tests.wire.sockets import eventually

LATE_S = 0.1
MOST_LATE = 60
"""Events of 5 ms each, late by more than `LATE_S`: the stream stood still for 0.4 s."""
TRIES = 3


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, str]]:
    with _set_up() as urls:
        yield urls


@contextmanager
def _set_up() -> Iterator[tuple[str, str]]:
    with served() as (url, admin):
        SETTING_UP.ask(admin)
        fill_journal(url)
        yield url, admin


def is_held_up(lateness: list[float]) -> bool:
    return sum(late > LATE_S for late in lateness) > MOST_LATE


def each_time(attempt: Callable[[int], list[float]]) -> list[list[float]]:
    """How late the stream was in each try, up to one in which it was not held up."""
    tries: list[list[float]] = []
    while len(tries) < TRIES and not (tries and not is_held_up(tries[-1])):
        tries.append(attempt(len(tries)))
    return tries


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_paced_stream_is_not_held_up(server: tuple[str, str], name: str) -> None:
    operations = OPERATIONS[name]()

    def attempt(number: int) -> list[float]:
        with _set_up() if number else nullcontext(server) as (url, admin), Reader(url) as reader:
            return reader.lateness_during(lambda: [operation.ask(admin) for operation in operations])

    tries = each_time(attempt)
    assert not is_held_up(tries[-1]), [lateness[:5] for lateness in tries]


def test_a_reload_does_not_hold_a_stream_up(tmp_path: Path) -> None:
    file = tmp_path / "mocks.json"

    def attempt(number: int) -> list[float]:
        file.write_text(json.dumps(some_mocks("event")))
        with served("--config", str(file), "--watch") as (url, admin), Reader(url) as reader:

            def reload() -> None:
                file.write_text(json.dumps(some_mocks("saved")))
                eventually(lambda: b"saved" in Operation("GET", "/mocks/m7").ask(admin))

            return reader.lateness_during(reload)

    tries = each_time(attempt)
    assert not is_held_up(tries[-1]), [lateness[:5] for lateness in tries]
