"""Holds of streams that are yet to begin."""

from __future__ import annotations

from collections.abc import Iterator

from mockd.config.hand import Hold
from mockd.journal.exchange import Exchange

Mock = tuple[str, str]
"""A mock: the key whose own it is, otherwise empty, and its ID."""


class Upcoming:
    """The holds of streams that are yet to begin, for each mock and key; those for the streams of all keys are under
    None."""

    def __init__(self) -> None:
        self._holds: dict[Mock, dict[str | None, tuple[Hold, float]]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._holds.values()))

    def has(self, mock: Mock, key: str | None) -> bool:
        """Whether there is one for that mock and key."""
        return key in self._holds.get(mock, {})

    def put(self, mock: Mock, key: str | None, hold: Hold, count: float) -> None:
        """Hold the next streams of a mock, so many of them; instead of an earlier hold."""
        self._holds.setdefault(mock, {})[key] = (hold, count)

    def take(self, exchange: Exchange) -> Hold | None:
        """The hold for a stream that begins, or None."""
        mock = (exchange.owner, exchange.mock_id or "")
        holds = self._holds.get(mock)
        if holds is None:
            return None
        key = exchange.key if exchange.key in holds else None
        if key not in holds:
            return None
        hold, count = holds[key]
        if count > 1:
            holds[key] = (hold, count - 1)
        else:
            self._drop(mock, key)
        return hold

    def drop(self, mock: Mock, key: str | None) -> int:
        """Drop the holds for the streams of one key, or for all streams of a mock. Returns their number."""
        keys = list(self._holds.get(mock, ())) if key is None else [key]
        return sum(self._drop(mock, each) for each in keys)

    def forget(self, key: str | None) -> int:
        """Drop all holds for the streams of a key, or for all. Returns their number."""
        found = [(mock, each) for mock, each in self._all() if key in (None, each)]
        return sum(self._drop(mock, each) for mock, each in found)

    def drop_for_all_keys(self) -> None:
        """Drop the holds for the streams of all keys."""
        for mock in list(self._holds):
            self._drop(mock, None)

    def keys(self) -> set[str | None]:
        """The keys for whose streams there are holds."""
        return {key for _, key in self._all()}

    def _all(self) -> Iterator[tuple[Mock, str | None]]:
        return ((mock, key) for mock, holds in self._holds.items() for key in holds)

    def _drop(self, mock: Mock, key: str | None) -> bool:
        holds = self._holds.get(mock, {})
        dropped = holds.pop(key, None) is not None
        if not holds:
            self._holds.pop(mock, None)
        return dropped
