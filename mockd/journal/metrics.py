"""What is counted of all requests, for those who scrape it: tallies by mock, status and outcome, and two histograms."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter

from mockd.journal.exchange import Exchange

MOST_MOCKS = 200
"""Most mocks that have tallies of their own; those of the others are added up as `other`."""
OTHER = "other"
EXTRA = "prometheus_client"
"""Module without which there are no metrics. The extra of the next message installs it."""
EXTRA_MISSING = "metrics need the extra `mockd[metrics]`: install it with `pip install 'mockd[metrics]'`"

_labels = attrgetter("mock_id", "http_status", "outcome")


class Histogram:
    """A histogram of times in seconds. `bounds` are the upper bounds of its buckets, in rising order."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        self._counts = array("Q", [0] * (len(bounds) + 1))
        self.sum = 0.0

    def add(self, times: Iterable[float]) -> None:
        """Add times."""
        ordered = sorted(times)
        before = 0
        for bucket, bound in enumerate(self.bounds):
            below = bisect_right(ordered, bound)
            self._counts[bucket] += below - before
            before = below
        self._counts[-1] += len(ordered) - before
        self.sum += sum(ordered)

    def cumulated(self) -> Iterator[tuple[float, int]]:
        """Each bound, the last of which is infinite, with the number of times up to it."""
        total = 0
        for bound, count in zip((*self.bounds, float("inf")), self._counts, strict=True):
            total += count
            yield bound, total


class Tallies:
    """The tallies of an engine's requests that have ended. They are added many at once, which takes less time."""

    def __init__(self) -> None:
        self.requests: Counter[tuple[str, str, str]] = Counter()
        """Number of requests by mock, status and outcome; empty text for no mock or no status."""
        self.faults: Counter[tuple[str, str]] = Counter()
        """Number of faults that have struck, by action and fidelity."""
        self.first_event = Histogram((0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60))
        self.lateness = Histogram((0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 5))
        self._mocks: set[str] = set()

    def add(self, ended: Sequence[Exchange]) -> None:
        """Add exchanges that have ended."""
        for (mock_id, status, outcome), count in Counter(map(_labels, ended)).items():
            self.requests[self._mock(mock_id), str(status or ""), outcome] += count
        # What is sent in one go has its first event with its head.
        self.first_event.add([(one.first_event or one.first_byte) - one.arrived for one in ended if one.events_sent])
        for one in ended:
            if one.lateness is not None:
                self.lateness.add(one.lateness.samples)
            for fault in one.faults or ():
                self.faults[fault["action"], fault["fidelity"]] += 1

    def _mock(self, mock_id: str | None) -> str:
        if mock_id is None:
            return ""
        if mock_id not in self._mocks:
            if len(self._mocks) >= MOST_MOCKS:
                return OTHER
            self._mocks.add(mock_id)
        return mock_id
