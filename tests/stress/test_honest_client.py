"""Whatever others send, an honest client's stream goes on, and each of its events comes in time."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator

import pytest

from tests.stress import server as servers
from tests.stress.honest import Honest
from tests.stress.reproducers.table import REPRODUCERS
from tests.stress.server import Server

ROUNDS = 3
"""Number of times in which events must be late for the server to be to blame: the machine may have other things to do
in one of them."""


@pytest.fixture(scope="module")
def running() -> Iterator[Server]:
    with servers.server() as server:
        yield server


@pytest.fixture(scope="module")
def honest(running: Server) -> Iterator[Honest]:
    with Honest(running.mocks) as honest:
        yield honest


def late_while_nothing_happens(honest: Honest) -> int:
    """The control: events that are late because the machine is slow."""
    return honest.late_during(lambda: time.sleep(1))


@pytest.mark.parametrize("name", REPRODUCERS)
def test_no_event_of_an_honest_client_is_late(running: Server, honest: Honest, name: str) -> None:
    late = []
    for _ in range(ROUNDS):
        late.append(honest.late_during(lambda: REPRODUCERS[name](running)))
        running.check()
        if not late[-1]:
            return
    assert min(late) <= late_while_nothing_happens(honest), f"late or missing in each round: {late}"


def test_what_holds_up_the_server_is_noticed(running: Server, honest: Honest) -> None:
    def hold_up() -> None:
        running.served.process.send_signal(signal.SIGSTOP)
        time.sleep(0.5)
        running.served.process.send_signal(signal.SIGCONT)

    assert honest.late_during(hold_up) > 10
