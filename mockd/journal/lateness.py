"""The lateness of a stream's events: how long after the time that was asked for they were sent."""

from __future__ import annotations

from collections import deque
from typing import Any

MOST_SAMPLES = 256
"""Most samples that are kept of one stream: the latest ones."""


class Lateness:
    """The lateness of what one stream sent, in seconds: of the latest events, and the longest of all.

    Whoever sends takes note of it in place, as that is done for each event and a call would cost twice as much.
    """

    __slots__ = ("longest", "samples")

    def __init__(self) -> None:
        self.samples: deque[float] = deque(maxlen=MOST_SAMPLES)
        self.longest = 0.0

    def to_json(self) -> dict[str, Any] | None:
        """The median and the 99th percentile of the samples, and the longest of all, in milliseconds; None if nothing
        was noted."""
        samples = sorted(self.samples)
        if not samples:
            return None
        of_all = {
            "p50Ms": samples[len(samples) // 2],
            "p99Ms": samples[len(samples) * 99 // 100],
            "maxMs": self.longest,
        }
        return {name: round(max(0.0, late_s) * 1000, 3) for name, late_s in of_all.items()}
