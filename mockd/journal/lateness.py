"""The lateness of a stream's events: how long after the time that was asked for they were sent."""

from __future__ import annotations

import math
from array import array
from typing import Any

MOST_SAMPLES = 1024
"""Most samples that are kept of one stream. Beyond it, every second one is dropped, and so on."""


class Lateness:
    """The lateness of the events of one stream, in seconds. The longest is exact; of the others there are `samples`,
    each of which stands for `stride` of them."""

    __slots__ = ("_countdown", "_longest", "samples", "stride")

    def __init__(self) -> None:
        self.samples = array("f")
        self._longest = 0.0
        self.stride = self._countdown = 1

    def note(self, late_s: float) -> None:
        """Take note of events that were sent so late. What was due at once has no lateness."""
        if late_s == math.inf:
            return
        if late_s > self._longest:
            self._longest = late_s
        self._countdown -= 1
        if not self._countdown:
            self._countdown = self.stride
            self.samples.append(late_s)
            if len(self.samples) == MOST_SAMPLES:
                del self.samples[::2]
                self.stride *= 2

    def to_json(self) -> dict[str, Any] | None:
        """The median, the 99th percentile and the longest, in milliseconds; None if nothing was noted."""
        samples = sorted(self.samples)
        if not samples:
            return None
        of_all = {
            "p50Ms": samples[len(samples) // 2],
            "p99Ms": samples[len(samples) * 99 // 100],
            "maxMs": self._longest,
        }
        return {name: round(max(0.0, late_s) * 1000, 3) for name, late_s in of_all.items()}
