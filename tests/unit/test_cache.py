"""The cache that is bounded in entries and in bytes."""

from __future__ import annotations

from mockd.cache import Cache


def test_the_oldest_are_forgotten_when_there_are_too_many() -> None:
    cache: Cache[int, str] = Cache(3, 100)
    for key in range(5):
        assert cache.keep(key, str(key), 1) == str(key)
    assert list(cache.items()) == [(2, "2"), (3, "3"), (4, "4")]
    assert cache.bytes == 3


def test_the_oldest_are_forgotten_when_they_take_too_much() -> None:
    cache: Cache[int, str] = Cache(9, 100)
    for key, size in enumerate((40, 40, 20, 30)):
        cache.keep(key, "", size)
    assert list(cache) == [1, 2, 3]
    assert cache.bytes == 90


def test_the_newest_stays_whatever_its_size() -> None:
    cache: Cache[int, str] = Cache(9, 100)
    cache.keep(0, "", 10)
    cache.keep(1, "", 1000)
    assert list(cache) == [1]
    cache.keep(2, "", 10)
    assert list(cache) == [2]
    assert cache.bytes == 10
