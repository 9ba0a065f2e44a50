"""A token bucket, full at the start."""

from __future__ import annotations

import math

from mockd.config.models import RateLimit


class TokenBucket:
    """Tokens for one stream. Times are monotonic seconds and must not go back."""

    def __init__(self, limit: RateLimit, now: float) -> None:
        self._rate = limit.events_per_second
        self._capacity = capacity(limit)
        self._tokens = self._capacity
        self._at = now

    def take(self, when: float) -> float:
        """Take a token at `when`: that time again if there was one, else (nothing taken) when there will be."""
        when = max(when, self._at)
        self._tokens = min(self._capacity, self._tokens + (when - self._at) * self._rate)
        self._at = when
        # The tolerance lets a token that is due at exactly this time count in spite of rounding.
        if self._tokens >= 1 - 1e-9:
            self._tokens -= 1
            return when
        return when + (1 - self._tokens) / self._rate


def capacity(limit: RateLimit) -> float:
    """What the bucket holds: at least one token, or a slow rate would never send anything."""
    return float(limit.burst_size) if limit.burst_size is not None else max(1.0, limit.events_per_second)


def headers(limit: RateLimit, wall: float) -> list[tuple[bytes, bytes]]:
    """`X-RateLimit-…` for the start of a stream; `Reset` is when a bucket emptied now would be full (Unix time)."""
    held = capacity(limit)
    reset = math.ceil(wall + held / limit.events_per_second)
    return [
        (b"x-ratelimit-limit", b"%d" % held),
        (b"x-ratelimit-remaining", b"%d" % held),
        (b"x-ratelimit-reset", b"%d" % reset),
    ]
