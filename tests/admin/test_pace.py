"""Whatever the admin API does, streams go on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.admin.pace import OPERATIONS, SETTING_UP, Operation, Reader, served, some_mocks
from tests.wire.sockets import eventually

LATE_S = 0.1
MOST_LATE = 60
"""Events of 5 ms each, late by more than `LATE_S`: the stream stood still for 0.4 s, which no busy machine explains."""


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, str]]:
    with served() as (url, admin):
        SETTING_UP.ask(admin)
        yield url, admin


def is_held_up(lateness: list[float]) -> bool:
    return sum(late > LATE_S for late in lateness) > MOST_LATE


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_paced_stream_is_not_held_up(server: tuple[str, str], name: str) -> None:
    url, admin = server
    operations = OPERATIONS[name]()
    with Reader(url) as reader:
        lateness = reader.lateness_during(lambda: [operation.ask(admin) for operation in operations])
    assert not is_held_up(lateness), lateness[:10]


def test_a_reload_does_not_hold_a_stream_up(tmp_path: Path) -> None:
    file = tmp_path / "mocks.json"
    file.write_text(json.dumps(some_mocks("event")))
    with served("--config", str(file), "--watch") as (url, admin), Reader(url) as reader:

        def reload() -> None:
            file.write_text(json.dumps(some_mocks("saved")))
            eventually(lambda: b"saved" in Operation("GET", "/mocks/m7").ask(admin))

        lateness = reader.lateness_during(reload)
    assert not is_held_up(lateness), lateness[:10]
