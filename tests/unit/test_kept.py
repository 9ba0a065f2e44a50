"""What answers keep for later requests: bounds, keys, and how it is forgotten."""

from __future__ import annotations

import pytest

from mockd.errors import TooManyKeysError
from mockd.kept import Kept


def kept(most: int = 10, most_bytes: int = 1000) -> tuple[Kept, list[str]]:
    needed: list[str] = []
    return Kept(most, most_bytes, needed.append), needed


def test_a_value_belongs_to_its_key_kind_and_id() -> None:
    values, needed = kept()
    values.keep("a", "kind", "1", "value", 1)
    assert values.get("a", "kind", "1") == "value"
    assert [values.get(*place) for place in (("b", "kind", "1"), ("a", "other", "1"), ("a", "kind", "2"))] == [None] * 3
    assert needed == ["a"]


def test_requests_without_a_key_need_no_place() -> None:
    values, needed = kept()
    values.keep("", "kind", "1", "value", 1)
    assert (values.get("", "kind", "1"), needed) == ("value", [])


def test_the_oldest_are_forgotten_above_a_number() -> None:
    values, _ = kept(most=2)
    for id in "123":
        values.keep("", "kind", id, id, 1)
    assert [values.get("", "kind", id) for id in "123"] == [None, "2", "3"]


def test_the_oldest_are_forgotten_above_a_size() -> None:
    values, _ = kept(most_bytes=10)
    values.keep("", "kind", "1", "1", 6)
    values.keep("", "kind", "2", "2", 4)
    assert len(values) == 2
    values.keep("", "kind", "3", "3", 1)
    assert [values.get("", "kind", id) for id in "123"] == [None, "2", "3"]


def test_a_value_that_is_kept_again_is_the_newest_and_counts_once() -> None:
    values, _ = kept(most_bytes=10)
    values.keep("", "kind", "1", "old", 6)
    values.keep("", "kind", "2", "2", 4)
    values.keep("", "kind", "1", "new", 6)
    assert [values.get("", "kind", id) for id in "12"] == ["new", "2"]
    values.keep("", "kind", "3", "3", 4)
    assert [values.get("", "kind", id) for id in "123"] == ["new", None, "3"]


def test_values_are_dropped_and_forgotten_by_key() -> None:
    values, _ = kept()
    for key in ("", "a", "b"):
        values.keep(key, "kind", "1", key, 100)
    assert values.drop("", "kind", "1")
    assert not values.drop("", "kind", "1")
    assert values.forget("a") == 1
    assert values.get("b", "kind", "1") == "b"
    assert values.forget() == 1
    values.keep("", "kind", "1", "x", 1000)
    values.keep("", "kind", "2", "y", 0)
    assert len(values) == 2, "what was dropped takes no bytes"


def test_a_key_that_has_no_place_keeps_nothing() -> None:
    def need(key: str) -> None:
        raise TooManyKeysError("full")

    values = Kept(10, 1000, need)
    with pytest.raises(TooManyKeysError):
        values.keep("a", "kind", "1", "value", 1)
    assert len(values) == 0


def test_a_kind_apart_has_bounds_of_its_own() -> None:
    values = Kept(1, 1000, lambda key: None, {"apart": (2, 1000)})
    for id in ("1", "2", "3"):
        values.keep("a", "apart", id, id, 1)
        values.keep("b", "kind", id, id, 1)
    assert [values.get("a", "apart", id) for id in ("1", "2", "3")] == [None, "2", "3"]
    assert [values.get("b", "kind", id) for id in ("1", "2", "3")] == [None, None, "3"]
    assert len(values) == 3
    assert (values.drop("a", "apart", "2"), values.drop("a", "apart", "2")) == (True, False)
    assert (values.forget("a"), values.forget("a"), values.forget(), len(values)) == (1, 0, 1, 0)
