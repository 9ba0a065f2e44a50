"""Where an engine keeps the state that may one day be shared or scoped, behind one small interface.

That is what must outlive a request and would have to be the same for two engines that serve as one:

| key | what |
|---|---|
| `("changes",)` | what was changed of the mocks through the admin API (`mockd.state.Changes`) |
| `("sessions", mock id)` | the sessions that clients can come back to, with their buffers |
| `("total", name)` | counters: connections, events, bytes, errors |
| `("streams", mock id)` | the sequence that numbers a mock's streams, where a seed gives each values of its own |

Everything is under a scope, and nothing of one scope is seen in another. What belongs to one process, such as live
connections and compiled mocks, is not kept here.
No event touches a store, and no stream without a session or a seed: totals are handed over when they are asked for.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any, Protocol

from msgspec import Struct

Key = tuple[str, ...]


class Store(Protocol):
    """Values and counters by scope and key."""

    def get(self, scope: str, key: Key) -> Any:
        """The value last put there, the sum of what was added there, or None."""

    def put(self, scope: str, key: Key, value: Any) -> None:
        """Keep a value. Raises a `MockdError` where that cannot be, and then nothing has changed."""

    def drop(self, scope: str, key: Key) -> None:
        """Forget what is there, if anything is."""

    def add(self, scope: str, key: Key, amount: int = 1) -> int:
        """Add to a counter, which begins at 0, and return the new sum. Nothing gets in between."""


class MemoryStore:
    """A store that is gone with the process."""

    def __init__(self) -> None:
        self._scopes: defaultdict[str, dict[Key, Any]] = defaultdict(dict)

    def get(self, scope: str, key: Key) -> Any:
        return self._scopes[scope].get(key)

    def put(self, scope: str, key: Key, value: Any) -> None:
        self._scopes[scope][key] = value

    def drop(self, scope: str, key: Key) -> None:
        self._scopes[scope].pop(key, None)

    def add(self, scope: str, key: Key, amount: int = 1) -> int:
        values = self._scopes[scope]
        total: int = values.get(key, 0) + amount
        values[key] = total
        return total


class ScopedStore(Struct, frozen=True):
    """A store as one engine sees it."""

    store: Store
    name: str = "default"

    def get(self, *key: str) -> Any:
        return self.store.get(self.name, key)

    def put(self, *key: str, value: Any) -> None:
        self.store.put(self.name, key, value)

    def drop(self, *key: str) -> None:
        self.store.drop(self.name, key)

    def add(self, *key: str, amount: int = 1) -> int:
        return self.store.add(self.name, key, amount)
