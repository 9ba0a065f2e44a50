"""Values and counters by scope and key."""

from __future__ import annotations

import pytest

from mockd.store import Key, MemoryStore


@pytest.fixture
def store() -> MemoryStore:
    store = MemoryStore()
    for scope in ("s", "t"):
        store.put(scope, ("a", "1"), "value")
        store.add(scope, ("a", "1", "x", "y"))
        store.add(scope, ("a", "1", "z", "y"))
        store.add(scope, ("a", "2", "x"))
        store.put(scope, ("b",), "other")
    return store


KEYS: tuple[Key, ...] = (("a", "1"), ("a", "1", "x", "y"), ("a", "1", "z", "y"), ("a", "2", "x"), ("b",))


def kept(store: MemoryStore, scope: str = "s") -> list[Key]:
    return [key for key in KEYS if store.get(scope, key) is not None]


@pytest.mark.parametrize("key", [*KEYS, ("a",), ("a", "2"), ("a", "1", "x"), ("c",), ("a", "1", "none"), ("b", "none")])
def test_what_is_dropped_is_gone_with_all_under_it_and_nothing_else(store: MemoryStore, key: Key) -> None:
    assert store.drop("s", key) == len([other for other in KEYS if other[: len(key)] == key])
    assert kept(store) == [other for other in KEYS if other[: len(key)] != key]
    assert kept(store, "t") == list(KEYS)


def test_nothing_is_left_of_what_was_dropped(store: MemoryStore) -> None:
    before = repr(vars(store))
    for number in range(10):
        store.add("s", ("c", str(number), "x"))
    for number in range(10):
        store.drop("s", ("c", str(number), "x"))
    assert repr(vars(store)) == before


def test_a_counter_begins_at_nothing(store: MemoryStore) -> None:
    assert [store.add("s", ("n",)), store.add("s", ("n",), 2), store.get("s", ("n",))] == [1, 3, 3]
    store.drop("s", ("n",))
    assert store.get("s", ("n",)) is None
    assert store.add("s", ("n",)) == 1
