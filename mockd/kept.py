"""What answers keep for later requests, such as a response that a client may ask for again: bounded, and by key."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mockd.cache import Cache

ACCOUNTS = "accounts"
"""The kind of what clients have used of their rate limits."""


class Kept:
    """Values that answers keep for later requests, by the key of the requests, the kind of the value, and its ID. At
    most `most` of them are kept, which take about `most_bytes`; the oldest are forgotten first. Kinds in `apart` have
    such bounds of their own. `need` is told the key of each, and may raise `TooManyKeysError`. They belong to the
    thread of the event loop."""

    def __init__(
        self,
        most: int,
        most_bytes: int,
        need: Callable[[str], None],
        apart: Mapping[str, tuple[int, int]] | None = None,
    ) -> None:
        self._values: Cache[tuple[str, str, str], Any] = Cache(most, most_bytes)
        self._apart: dict[str, Cache[tuple[str, str, str], Any]] = {
            kind: Cache(*bounds) for kind, bounds in (apart or {}).items()
        }
        self._need = need

    def __len__(self) -> int:
        return sum(map(len, self._all()))

    def keep(self, key: str, kind: str, id: str, value: Any, size: int) -> None:
        """Keep a value that takes about `size` bytes, in place of an older one of that ID. Raises
        `TooManyKeysError`."""
        if key:
            self._need(key)
        values = self._of(kind)
        values.drop((key, kind, id))
        values.keep((key, kind, id), value, size)

    def get(self, key: str, kind: str, id: str) -> Any:
        """A value, or None if it is not there."""
        return self._of(kind).get((key, kind, id))

    def drop(self, key: str, kind: str, id: str) -> bool:
        """Forget a value. Returns whether it was there."""
        return self._of(kind).drop((key, kind, id))

    def forget(self, key: str | None = None) -> int:
        """Forget all values of a key, or of all keys. Returns their number."""
        number = 0
        for values in self._all():
            for name in [name for name in values if key is None or name[0] == key]:
                number += values.drop(name)
        return number

    def _of(self, kind: str) -> Cache[tuple[str, str, str], Any]:
        return self._apart.get(kind, self._values)

    def _all(self) -> tuple[Cache[tuple[str, str, str], Any], ...]:
        return (self._values, *self._apart.values())
