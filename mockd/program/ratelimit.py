"""A token bucket that is full at the start, and the effect of a mock's rate limit on one stream's schedule."""

from __future__ import annotations

import math
from typing import Literal

from mockd.config.models import RateLimit

Verdict = Literal["sent", "dropped", "refused"]
"""The fate of an event: "refused" ends the stream there."""

MOST_DROPPED = 256
"""Most events that an endless stream drops at one moment. It then pauses, or it might drop events for ever."""


class TokenBucket:
    """The tokens of one stream. Times are in seconds and never go back: an earlier time counts as the latest so far."""

    def __init__(self, limit: RateLimit, now: float) -> None:
        self._rate = limit.events_per_second
        self._capacity = capacity(limit)
        self._tokens = self._capacity
        self._at = now

    def take(self, when: float) -> float:
        """Take a token at `when` and return `when`. If there is none, only return when there will be one."""
        elapsed = max(0.0, when - self._at)
        self._tokens = min(self._capacity, self._tokens + elapsed * self._rate)
        self._at += elapsed
        # The tolerance lets a token that is due at exactly this time count in spite of rounding.
        if self._tokens >= 1 - 1e-9:
            self._tokens -= 1
            return when
        return max(self._at + (1 - self._tokens) / self._rate, math.nextafter(when, math.inf))


class Limiter:
    """A mock's rate limit on the schedule of one stream. Times are in seconds from the head. It is asked once for each
    event, in order, so that the result does not depend on who reads, or when."""

    def __init__(self, limit: RateLimit, *, is_endless: bool) -> None:
        self.limit = limit
        self.rest_until = 0.0
        """The earliest time at which the next event may be due, whatever the schedule says."""
        self._is_endless = is_endless
        self._bucket = TokenBucket(limit, 0.0)
        self._dropped = 0
        self._dropped_at = -1.0

    def admit(self, due_s: float) -> tuple[float, Verdict]:
        """The time at which an event due at `due_s` goes out, or would have, and the verdict on it."""
        ready_s = self._bucket.take(due_s)
        if ready_s == due_s:
            return due_s, "sent"
        if self.limit.strategy == "error":
            return due_s, "refused"
        if self.limit.strategy == "drop":
            self._note_dropped(due_s, ready_s)
            return due_s, "dropped"
        while (later_s := self._bucket.take(ready_s)) > ready_s:
            ready_s = later_s
        return ready_s, "sent"

    def _note_dropped(self, due_s: float, ready_s: float) -> None:
        if due_s > self._dropped_at:
            self._dropped, self._dropped_at = 0, due_s
        self._dropped += 1
        if self._is_endless and self._dropped == MOST_DROPPED:
            self.rest_until = ready_s


def capacity(limit: RateLimit) -> float:
    """Size of the bucket in tokens. It is at least one by default, or a slow rate would never send anything."""
    return float(limit.burst_size) if limit.burst_size is not None else max(1.0, limit.events_per_second)


def headers(limit: RateLimit, wall: float) -> list[tuple[bytes, bytes]]:
    """The `X-RateLimit-…` headers at the start of a stream. `Reset` is the Unix time at which a bucket that is emptied
    now would be full."""
    held = capacity(limit)
    reset = math.ceil(wall + held / limit.events_per_second)
    return [
        (b"x-ratelimit-limit", b"%d" % held),
        (b"x-ratelimit-remaining", b"%d" % held),
        (b"x-ratelimit-reset", b"%d" % reset),
    ]
