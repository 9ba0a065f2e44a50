"""A cache that is bounded in entries and in bytes."""

from __future__ import annotations

from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Cache(dict[K, V]):
    """Values by key, the oldest first. The oldest ones are forgotten when there are more than `most`, or when they take
    more than `most_bytes` together. The newest one stays, whatever its size."""

    def __init__(self, most: int, most_bytes: int) -> None:
        super().__init__()
        self._most = most
        self._most_bytes = most_bytes
        self._sizes: dict[K, int] = {}
        self.bytes = 0

    def keep(self, key: K, value: V, size: int) -> V:
        """Add a value whose key is new, and which takes about `size` bytes. Returns the value."""
        self[key] = value
        self._sizes[key] = size
        self.bytes += size
        while len(self) > 1 and (len(self) > self._most or self.bytes > self._most_bytes):
            oldest = next(iter(self))
            del self[oldest]
            self.bytes -= self._sizes.pop(oldest)
        return value

    def drop(self, key: K) -> bool:
        """Forget the value of a key. Returns whether there was one."""
        if key not in self:
            return False
        del self[key]
        self.bytes -= self._sizes.pop(key)
        return True
