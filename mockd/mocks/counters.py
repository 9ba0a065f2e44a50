"""What a mock counts, and by which its answers differ, such as the requests of a template's `error.times`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from mockd.kept import Kept
from mockd.store import ScopedStore


class Remembering(Protocol):
    """What remembers the keys of requests, as long as anything is kept for them."""

    def need(self, key: str) -> None:
        """Remember a key, as something is kept for it. Raises `TooManyKeysError`."""

    def names(self) -> Iterable[str]:
        """The keys that are remembered."""

    @property
    def kept(self) -> Kept:
        """What answers keep for later requests."""


class Counters:
    """The counters of one mock. They are in the engine's store, each under a key (whose requests are counted) and a
    name (what is counted). They belong to the thread of the event loop."""

    def __init__(self, mock_id: str, state: ScopedStore, keys: Remembering) -> None:
        self._mock_id = mock_id
        self._state = state
        self._keys = keys
        self._has_counted_keys = False
        self.kept = keys.kept

    def need(self, key: str) -> None:
        """Remember a key, as something is kept for it. Raises `TooManyKeysError`."""
        if key:
            self._keys.need(key)

    def count(self, key: str, name: str) -> int:
        """Add one to a counter, which starts at 0, and return its new value. Raises `TooManyKeysError`."""
        if key:
            self._keys.need(key)
            self._has_counted_keys = True
        return self._state.add("counters", key, self._mock_id, name)

    def peek(self, key: str, name: str) -> int:
        """What `count` would return, without counting: for a HEAD, which asks only what a GET would get."""
        return (self._state.get("counters", key, self._mock_id, name) or 0) + 1

    def reset(self) -> None:
        """Set all counters back to 0, those of all keys."""
        for key in ("", *(self._keys.names() if self._has_counted_keys else ())):
            self._state.drop("counters", key, self._mock_id)
