"""Secrets in exchanges that are recorded."""

from __future__ import annotations

from tests.stress import canaries
from tests.stress.cases.rounds import EXAMPLES, Round
from tests.stress.server import Server


def check_canaries(server: Server, seed: int) -> None:
    """None of the canaries of a round reaches the disk."""
    for number in range(EXAMPLES):
        canaries.check(seed * EXAMPLES + number)


RECORDINGS: dict[str, Round] = {"recordings": check_canaries}
