"""Whatever others send, an honest client's stream goes on, and each of its events comes in time."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator

import pytest

from tests.stress import server as servers
from tests.stress.honest import Honest
from tests.stress.reproducers.matching import MOCKS as COSTLY
from tests.stress.reproducers.table import REPRODUCERS
from tests.stress.server import Server

ROUNDS = 3
"""Number of times in which events must be late for the server to be to blame: the machine may have other things to do
in one of them."""


@pytest.fixture(scope="module")
def running() -> Iterator[Server]:
    with servers.server(*COSTLY) as server:
        yield server


@pytest.fixture(scope="module")
def honest(running: Server) -> Iterator[Honest]:
    with Honest(running.mocks) as honest:
        yield honest


@pytest.mark.parametrize("name", REPRODUCERS)
def test_no_event_of_an_honest_client_is_late(running: Server, honest: Honest, name: str) -> None:
    rounds = []
    for _ in range(ROUNDS):
        began = time.monotonic()
        late = honest.late_during(lambda: REPRODUCERS[name](running))
        running.check()
        if not late:
            return
        took = time.monotonic() - began
        late_without = honest.late_during(lambda: time.sleep(took))  # noqa: B023
        if late <= 4 * late_without:  # the machine is slow
            return
        rounds.append((late, late_without))
    pytest.fail(f"events late or missing with and without it: {rounds}")


def test_what_holds_up_the_server_is_noticed(running: Server, honest: Honest) -> None:
    def hold_up() -> None:
        running.served.process.send_signal(signal.SIGSTOP)
        time.sleep(0.5)
        running.served.process.send_signal(signal.SIGCONT)

    assert honest.late_during(hold_up) > 10
