"""An honest client of a paced stream, in a process of its own, so that only the server can make its events late.

`python -m tests.stress.honest URL` prints when each event came, in seconds of the machine's clock that only rises.
"""

from __future__ import annotations

import math
import subprocess
import sys
import threading
import time
from collections.abc import Callable

from tests.stress.mocks import HONEST_S
from tests.wire.sockets import PATIENCE_S, Client

PERIODS = 5
"""Number of periods by which an event may be late."""

AFTER_S = 0.5
"""Time after some work, in seconds, in which the server may still be at it."""


class Honest:
    """The client, reading `/honest` until the end of the block."""

    def __init__(self, url: str) -> None:
        command = [sys.executable, "-m", "tests.stress.honest", url]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE)
        self._arrivals: list[float] = []
        self._thread = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> Honest:
        self._thread.start()
        self.check()
        return self

    def __exit__(self, *args: object) -> None:
        self._process.kill()
        self._process.wait()
        self._thread.join()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                self._arrivals.append(float(line))

    def check(self) -> None:
        """Raise `AssertionError` if the stream does not go on."""
        assert self._come(len(self._arrivals) + 2 * PERIODS), "the honest stream does not go on"

    def late_during(self, work: Callable[[], object]) -> int:
        """Number of events that were due during some work, or soon after, and came late or not at all."""
        began = time.monotonic()
        work()
        time.sleep(AFTER_S)
        ended = time.monotonic()
        begin = min(came - number * HONEST_S for number, came in enumerate(self._arrivals))
        first, last = math.ceil((began - begin) / HONEST_S), math.floor((ended - begin) / HONEST_S)
        self._come(last + 1)
        due = range(first, last + 1)
        arrivals = self._arrivals
        return sum(
            number >= len(arrivals) or arrivals[number] - begin > (number + PERIODS) * HONEST_S for number in due
        )

    def _come(self, count: int) -> bool:
        """Wait until so many events have come, or none has come for long. Returns whether they have."""
        deadline = time.monotonic() + PATIENCE_S
        known = len(self._arrivals)
        while known < count and time.monotonic() < deadline and self._thread.is_alive():
            time.sleep(HONEST_S)
            if len(self._arrivals) > known:
                known, deadline = len(self._arrivals), time.monotonic() + PATIENCE_S
        return known >= count


def main(url: str) -> None:
    with Client(url) as client:
        client.ask("/honest").read_head()
        part = client.received
        while True:
            now = time.monotonic()
            for _ in range(part.count(b"tick")):
                print(now, flush=True)
            if not (part := client.socket.recv(65536)):
                return


if __name__ == "__main__":
    main(sys.argv[1])
