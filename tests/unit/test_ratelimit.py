"""The token bucket, as numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockd.config.models import RateLimit
from mockd.program.ratelimit import Limiter, TokenBucket, capacity, headers


@pytest.mark.parametrize(
    ("limit", "held"),
    [
        (RateLimit(events_per_second=10), 10),
        (RateLimit(events_per_second=0.5), 1),
        (RateLimit(events_per_second=2.5), 2.5),
        (RateLimit(events_per_second=10, burst_size=3), 3),
        (RateLimit(events_per_second=0.1, burst_size=20), 20),
    ],
)
def test_capacity(limit: RateLimit, held: float) -> None:
    assert capacity(limit) == held


def test_it_is_full_at_the_start_and_says_when_the_next_token_comes() -> None:
    bucket = TokenBucket(RateLimit(events_per_second=4, burst_size=2), 100.0)
    assert bucket.take(100.0) == 100.0
    assert bucket.take(100.0) == 100.0
    assert bucket.take(100.0) == 100.25
    assert bucket.take(100.125) == 100.25
    assert bucket.take(100.25) == 100.25
    assert bucket.take(100.25) == 100.5


def test_it_holds_no_more_than_its_capacity() -> None:
    bucket = TokenBucket(RateLimit(events_per_second=4, burst_size=2), 0.0)
    assert [bucket.take(1000.0) for _ in range(3)] == [1000.0, 1000.0, 1000.25]


def test_a_moment_that_has_passed_counts_as_the_last_one() -> None:
    bucket = TokenBucket(RateLimit(events_per_second=1, burst_size=1), 5.0)
    assert bucket.take(7.0) == 7.0
    assert bucket.take(6.0) == 8.0
    bucket = TokenBucket(RateLimit(events_per_second=1, burst_size=2), 5.0)
    assert [bucket.take(when) for when in (7.0, 6.0, 7.0)] == [7.0, 6.0, 8.0]


def test_where_numbers_are_coarse_a_token_is_later_and_none_is_given_twice() -> None:
    """So far from 0, the time of the next token is rounded down to one at which it is not there yet."""
    start, gap = 2.0**30, 2.0**-10
    limit = RateLimit(events_per_second=(1 - 1e-5) / gap, burst_size=1)
    bucket = TokenBucket(limit, start)
    assert bucket.take(start) == start
    assert bucket.take(start + gap) > start + gap
    limiter = Limiter(limit, is_endless=False)
    first, second, third = [limiter.admit(start)[0] for _ in range(3)]
    assert first + gap < second
    assert second + gap <= third


@given(
    rate=st.floats(0.01, 1000),
    burst=st.none() | st.integers(1, 50),
    gaps=st.lists(st.floats(0, 10), min_size=1, max_size=60),
)
def test_never_more_than_the_rate_allows(rate: float, burst: int | None, gaps: list[float]) -> None:
    limit = RateLimit(events_per_second=rate, burst_size=burst)
    bucket, now, taken = TokenBucket(limit, 0.0), 0.0, 0
    for gap in gaps:
        now += gap
        if bucket.take(now) == now:
            taken += 1
        assert taken <= capacity(limit) + now * rate + 1e-3


@given(rate=st.floats(0.01, 1000), tries=st.integers(1, 40))
def test_who_waits_gets_a_token_at_the_moment_said(rate: float, tries: int) -> None:
    bucket, now = TokenBucket(RateLimit(events_per_second=rate, burst_size=1), 0.0), 0.0
    for number in range(tries):
        while (when := bucket.take(now)) != now:
            now = when
        assert now == pytest.approx(number / rate)


def test_headers() -> None:
    limit = RateLimit(events_per_second=0.5, burst_size=5, headers=True)
    assert headers(limit, 1000.25) == [
        (b"x-ratelimit-limit", b"5"),
        (b"x-ratelimit-remaining", b"5"),
        (b"x-ratelimit-reset", b"1011"),
    ]
