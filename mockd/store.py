"""The store of an engine's state, behind a small interface, so that several engines could share it.

It keeps the state that must outlive a request and would be common to engines that serve the same mocks:

| key | value |
|---|---|
| `("changes",)` | the changes made to mocks through the admin API (`mockd.mocks.changes.Changes`) |
| `("sessions", mock id)` | the sessions that clients can resume, with their buffers, for each of the mock's answers |
| `("scenarios", key, name)` | the state of a scenario that is not at its start |
| `("total", name)` | counters of connections, events, bytes and errors |
| `("counters", key, mock id, name)` | counters on which a mock's answers depend, such as the one of `error.times` |

Every value is in a scope, and scopes are separate. State of one process, such as live connections and compiled mocks,
is not kept here.
Sending an event does not touch the store, nor does a stream without a session or seed. Totals are stored when they are
asked for.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any, Protocol

from msgspec import Struct

Key = tuple[str, ...]


class Store(Protocol):
    """A store of values and counters, by scope and key."""

    def get(self, scope: str, key: Key) -> Any:
        """The value that was last put under a key, the sum of a counter, or None."""

    def put(self, scope: str, key: Key, value: Any) -> None:
        """Keep a value. Raises a `MockdError` if that is not possible, and then changes nothing."""

    def drop(self, scope: str, key: Key) -> int:
        """Forget the values under a key and under all keys that begin with it. Returns their number."""

    def add(self, scope: str, key: Key, amount: int = 1) -> int:
        """Add to a counter, which starts at 0, and return the new sum. This is atomic."""


_VALUE = object()
"""The key of a node's own value, beside the nodes below it."""
_Node = dict[Any, Any]


class MemoryStore:
    """A store in memory, which ends with the process."""

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

    def drop(self, scope: str, key: Key) -> int:
        nodes = [self._scopes[scope]]
        for part in key:
            if part not in nodes[-1]:
                return 0
            nodes.append(nodes[-1][part])
        dropped = _size(nodes[-1])
        nodes[-1].clear()
        for parent, part in zip(nodes[-2::-1], reversed(key), strict=True):
            if parent[part]:
                break
            del parent[part]
        return dropped

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


def _size(node: _Node) -> int:
    """The number of values in a node and in the nodes below it."""
    return sum(1 if part is _VALUE else _size(below) for part, below in node.items())


class ScopedStore(Struct, frozen=True):
    """One scope of a store, as an engine sees it."""

    store: Store
    name: str = "default"

    def get(self, *key: str) -> Any:
        return self.store.get(self.name, key)

    def put(self, *key: str, value: Any) -> None:
        self.store.put(self.name, key, value)

    def drop(self, *key: str) -> int:
        return self.store.drop(self.name, key)

    def add(self, *key: str, amount: int = 1) -> int:
        return self.store.add(self.name, key, amount)
