"""What nobody would send on purpose, sent for so many minutes: `scripts/fuzz MINUTES`."""

from __future__ import annotations

import argparse
import sys
import time
from random import randrange

from tests.stress.cases.admin_api import ADMIN_API
from tests.stress.cases.configuration import CONFIGURATION
from tests.stress.cases.expressions import EXPRESSIONS
from tests.stress.cases.faults import FAULTS
from tests.stress.cases.framings import FRAMINGS
from tests.stress.cases.matching import MATCHING
from tests.stress.cases.recordings import RECORDINGS
from tests.stress.cases.requests import REQUESTS
from tests.stress.cases.rounds import Round
from tests.stress.honest import Honest
from tests.stress.report import Report, failure_of
from tests.stress.server import Server, server

CASES: dict[str, Round] = {
    **CONFIGURATION,
    **ADMIN_API,
    **REQUESTS,
    **EXPRESSIONS,
    **MATCHING,
    **FAULTS,
    **FRAMINGS,
    **RECORDINGS,
}
"""What is sent. Each has its share of the time, in rounds whose seeds follow each other."""


def fuzz(minutes: float, seed: int, names: list[str]) -> int:
    """Returns the exit code."""
    print(f"seed {seed}", flush=True)
    report = Report()
    left = [(name, report.began + minutes * 60 * number / len(names)) for number, name in enumerate(names, 1)]
    while left:
        # A server in which something has failed says nothing about the cases that follow: they get another.
        with server() as found, Honest(found.mocks) as honest:
            while left and try_case(report, found, honest, *left.pop(0), seed):
                pass
    return report.print()


def try_case(report: Report, found: Server, honest: Honest, name: str, until: float, seed: int) -> bool:
    """Rounds of one case until it is that late, one at least. Returns whether all held."""
    while True:
        began = time.monotonic()
        failure = None
        try:
            CASES[name](found, seed)
            found.check()
            if is_last := time.monotonic() >= until:
                honest.check()
        except Exception as error:  # whatever a library makes of an answer that it does not expect
            failure = f"{failure_of(error)}\nagain: scripts/fuzz 0 --seed {seed} --case {name!r}"
        report.note(name, time.monotonic() - began, failure)
        if failure or is_last:
            return not failure
        seed += 1


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/fuzz", description=__doc__)
    parser.add_argument("minutes", type=float, metavar="MINUTES")
    parser.add_argument("--seed", type=int, default=randrange(10**6), metavar="N")
    parser.add_argument("--case", choices=CASES, metavar="NAME", help=f"one of: {', '.join(CASES)}")
    given = parser.parse_args()
    return fuzz(given.minutes, given.seed, [given.case] if given.case else list(CASES))


if __name__ == "__main__":
    sys.exit(main())
