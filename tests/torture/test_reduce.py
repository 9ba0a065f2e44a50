"""Delta debugging, against wholes of which it is known what they cannot do without."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from mockd.torture.reduce import fewest


@given(st.integers(1, 60), st.data())
def test_what_is_needed_is_left(size: int, data: st.DataObject) -> None:
    needed = data.draw(st.sets(st.integers(0, size - 1), min_size=1))
    assert list(fewest(range(size), lambda parts: needed <= set(parts))) == sorted(needed)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=40), st.integers(1, 60))
def test_nothing_that_is_left_can_be_left_out_alone(parts: list[int], total: int) -> None:
    def fails(some: Sequence[int]) -> bool:
        return sum(some) >= total

    found = list(fewest(parts, fails))
    if not fails(parts):
        assert found == parts
    elif len(found) > 1:
        assert fails(found)
        assert not any(fails([*found[:place], *found[place + 1 :]]) for place in range(len(found)))


def test_few_tries_find_one_of_many() -> None:
    tries = []

    def fails(parts: Sequence[int]) -> bool:
        tries.append(parts)
        return 700 in parts

    assert list(fewest(range(1000), fails)) == [700]
    assert len(tries) <= 20


def test_never_fewer_than_the_least() -> None:
    assert len(fewest(range(10), lambda parts: True, least=3)) == 3
