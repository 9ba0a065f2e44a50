"""Rate limits of requests and tokens per minute, as token buckets.

A bucket holds at most what there is in a minute, and is refilled evenly: after a pause of a minute, all of it may be
used at once. What is in it follows from the moment at which it is full again, which is all that is kept.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from msgspec import Struct

from mockd.kept import ACCOUNTS, Kept

_BYTES = 400
"""About the number of bytes that one client takes."""
_ROUNDING = 1e-6


class Rate(Struct, frozen=True):
    """So many per minute. `full_at` is the moment at which the bucket is full, in seconds."""

    most: int

    def left(self, full_at: float, now: float) -> float:
        """The number that is left, which is below 0 if more was used than there was."""
        return self.most - max(0.0, full_at - now) * self.most / 60

    def used(self, full_at: float, now: float, number: float) -> float:
        """The moment at which the bucket is full if so many are used now."""
        return max(full_at, now) + number * 60 / self.most

    def wait_s(self, full_at: float, now: float, number: float) -> float:
        """The time in seconds until so many are left: 0 if they are, infinite if there are never so many."""
        if number > self.most:
            return math.inf
        missing = number - self.left(full_at, now)
        return 0.0 if missing < _ROUNDING else missing * 60 / self.most


class Account:
    """What one client has used of the rates of a provider, by their names, at the moment `now`. It is kept under `id`
    for the key of the client's requests."""

    def __init__(self, rates: Mapping[str, Rate], kept: Kept, key: str, id: str, now: float) -> None:
        self._rates = rates
        self._kept = kept
        self._key = key
        self._id = id
        self._now = now
        self._full_at: Mapping[str, float] = kept.get(key, ACCOUNTS, id) or {}

    def lacking(self, needs: Mapping[str, float]) -> tuple[str, float] | None:
        """The rate of which a client with these needs must wait longest, and how long in seconds; None if all that is
        needed is left."""
        waits = {
            name: rate.wait_s(self._full(name), self._now, needs[name])
            for name, rate in self._rates.items()
            if name in needs
        }
        name = max(waits, key=waits.__getitem__, default=None)
        return (name, waits[name]) if name is not None and waits[name] > 0 else None

    def use(self, numbers: Mapping[str, float]) -> None:
        """Use so many of each rate. Raises `TooManyKeysError`."""
        used = {
            name: rate.used(self._full(name), self._now, numbers.get(name, 0)) for name, rate in self._rates.items()
        }
        self._full_at = used
        self._kept.keep(self._key, ACCOUNTS, self._id, used, _BYTES)

    def left(self, name: str) -> int:
        """The whole number that is left of a rate."""
        return max(0, math.floor(self._rates[name].left(self._full(name), self._now) + _ROUNDING))

    def full_after_s(self, name: str) -> float:
        """The time in seconds until a bucket is full."""
        return max(0.0, self._full(name) - self._now)

    def _full(self, name: str) -> float:
        return self._full_at.get(name, self._now)
