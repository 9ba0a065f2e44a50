"""Where an engine keeps the state that may one day be shared or scoped, behind one small interface.

That is what must outlive a request and would have to be the same for two engines that serve as one:

| key | what |
|---|---|
| `("changes",)` | what was changed of the mocks through the admin API (`mockd.mocks.changes.Changes`) |
| `("sessions", mock id)` | the sessions that clients can come back to, with their buffers |
| `("total", name)` | counters: connections, events, bytes, errors |
| `("answers", mock id, key, name)` | counters of what a mock's answers follow, such as `error.times` |
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
        """Forget what is there and under all keys that begin like this one, if anything is."""

    def add(self, scope: str, key: Key, amount: int = 1) -> int:
        """Add to a counter, which begins at 0, and return the new sum. Nothing gets in between."""


_VALUE = object()
"""Where a node has its value, beside the nodes under it."""
_Node = dict[Any, Any]


class MemoryStore:
    """A store that is gone with the process."""

    def __init__(self) -> None:
        self._scopes: defaultdict[str, _Node] = defaultdict(dict)

    def get(self, scope: str, key: Key) -> Any:
        node: _Node | None = self._scopes[scope]
        for part in key:
            if node is None:
                return None
            node = node.get(part)
        return None if node is None else node.get(_VALUE)

    def put(self, scope: str, key: Key, value: Any) -> None:
        self._node(scope, key)[_VALUE] = value

    def drop(self, scope: str, key: Key) -> None:
        nodes = [self._scopes[scope]]
        for part in key:
            if part not in nodes[-1]:
                return
            nodes.append(nodes[-1][part])
        nodes[-1].clear()
        for parent, part in zip(nodes[-2::-1], reversed(key), strict=True):
            if parent[part]:
                break
            del parent[part]

    def add(self, scope: str, key: Key, amount: int = 1) -> int:
        node = self._node(scope, key)
        total: int = node.get(_VALUE, 0) + amount
        node[_VALUE] = total
        return total

    def _node(self, scope: str, key: Key) -> _Node:
        node = self._scopes[scope]
        for part in key:
            node = node.setdefault(part, {})
        return node


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
