"""How long mockd takes to start and to stop inside a process, as a test fixture: prints the medians as JSON."""

from __future__ import annotations

import json
import sys
import time
from statistics import median

from benchmarks.paths import MOCKS
from mockd.testing import running_mockd


def main(rounds: int) -> None:
    """Start and stop, once to warm up and then so many times."""
    mock = json.loads((MOCKS / "one.json").read_text())["mocks"][0]
    starts, stops = [], []
    for _ in range(rounds + 1):
        began = time.perf_counter()
        with running_mockd(mock):
            starts.append(time.perf_counter() - began)
            began = time.perf_counter()
        stops.append(time.perf_counter() - began)
    print(json.dumps({"start_ms": median(starts[1:]) * 1000, "stop_ms": median(stops[1:]) * 1000}))


if __name__ == "__main__":
    main(int(sys.argv[1]))
