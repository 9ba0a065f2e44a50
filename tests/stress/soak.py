"""A server under mixed load, for so many minutes, and what it holds afterwards: `scripts/soak MINUTES`."""

from __future__ import annotations

import argparse
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from random import Random, randrange

from tests.stress.activities.changes import CHANGES
from tests.stress.activities.leaving import LEAVING
from tests.stress.activities.models import MODELS
from tests.stress.activities.streams import STREAMS
from tests.stress.honest import Honest
from tests.stress.kills import kills
from tests.stress.report import Report, failure_of
from tests.stress.server import Held, Server, server
from tests.wire.sockets import Client

ACTIVITIES: dict[str, Callable[[Server, Random], None]] = {**STREAMS, **LEAVING, **CHANGES, **MODELS}
"""What clients do, each in its own way each time. One that raises has failed."""

CLIENTS = 8
WARMING_UP, KILLING = 0.2, 0.15
"""Parts of the time. What is kept for later requests grows in the first of them, and no more after it."""

BOUNDS = {
    "objects": (1.1, 5_000),
    "tasks": (1.0, 3),
    "threads": (1.0, 2),
    "files": (1.0, 4),
    "kilobytes": (1.2, 30_000),
}
"""For all that a process holds, a factor and a number that it may grow by after warming up."""


def load(server: Server, report: Report, until: float, seed: int) -> None:
    """Clients that do one activity after another until it is that late."""

    def client(number: int) -> None:
        random = Random(f"{seed} {number}")
        while time.monotonic() < until:
            name = random.choice(list(ACTIVITIES))
            attempt(report, name, lambda: ACTIVITIES[name](server, random))  # noqa: B023

    threads = [threading.Thread(target=client, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def attempt(report: Report, name: str, work: Callable[[], object]) -> None:
    """Do something, and note whether it failed."""
    began = time.monotonic()
    failure = None
    try:
        work()
    except (AssertionError, OSError, ValueError, KeyError) as error:
        failure = failure_of(error)
    report.note(name, time.monotonic() - began, failure)


def check_growth(before: Held, after: Held) -> None:
    """Raise `AssertionError` if a process holds more than it may."""
    for name, (factor, more) in BOUNDS.items():
        was, now = getattr(before, name), getattr(after, name)
        print(f"{name}: {was:,} after warming up, {now:,} at the end", flush=True)
        assert now <= was * factor + more, f"{name} grew from {was:,} to {now:,}"


def check_stop(server: Server) -> None:
    """Stop the server while clients read and do not read."""
    with ExitStack() as clients:
        for path in ("/endless", "/idle", "/resume", "/varying") * 5:
            clients.enter_context(Client(server.mocks)).ask(path).read_head()
        print(f"stopped in {server.stop():.1f} s", flush=True)


def soak(minutes: float, seed: int) -> int:
    """Returns the exit code."""
    print(f"seed {seed}", flush=True)
    report = Report()
    end = report.began + minutes * 60
    killing = end - minutes * 60 * KILLING
    with server() as found:
        load(found, report, report.began + minutes * 60 * WARMING_UP, seed)
        before = found.held()
        with Honest(found.mocks) as honest:
            late = honest.late_during(lambda: load(found, report, killing, seed + 1))
            print(f"{late} events of an honest client were late or missing", flush=True)
            attempt(report, "the honest client", honest.check)
        attempt(report, "growth", lambda: check_growth(before, found.held()))
        attempt(report, "the log", found.check)
        attempt(report, "the stop", lambda: check_stop(found))
    attempt(report, "kills", lambda: print(f"{kills(end, Random(seed))} kills", flush=True))
    return report.print()


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/soak", description=__doc__)
    parser.add_argument("minutes", type=float, metavar="MINUTES")
    parser.add_argument("--seed", type=int, default=randrange(10**6), metavar="N")
    given = parser.parse_args()
    return soak(given.minutes, given.seed)


if __name__ == "__main__":
    sys.exit(main())
