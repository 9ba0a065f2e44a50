"""The lateness of a stream's events."""

from __future__ import annotations

from mockd.journal.lateness import MOST_SAMPLES, Lateness


def test_the_longest_is_that_of_all_and_the_rest_that_of_the_latest() -> None:
    lateness = Lateness()
    assert lateness.to_json() is None
    lateness.longest = 0.5
    lateness.samples.extend([0.5, *([0.001] * 150), *([0.002] * 100), *([0.004] * 6)])
    assert len(lateness.samples) == MOST_SAMPLES
    assert lateness.to_json() == {"p50Ms": 1.0, "p99Ms": 4.0, "maxMs": 500.0}


def test_what_was_sent_within_the_rounding_is_on_time() -> None:
    lateness = Lateness()
    lateness.samples.append(-0.0000001)
    assert lateness.to_json() == {"p50Ms": 0.0, "p99Ms": 0.0, "maxMs": 0.0}
