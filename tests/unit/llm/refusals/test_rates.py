"""Token buckets of rate limits."""

from __future__ import annotations

import math
import random

import pytest

from mockd.kept import Kept
from mockd.sources.llm.refusals.rates import Account, Rate


@pytest.mark.parametrize("most", [1, 3, 60, 1_000_000_000])
def test_a_bucket_is_full_at_first_and_after_a_minute(most: int) -> None:
    rate = Rate(most)
    assert rate.left(0.0, 100.0) == most
    spent = rate.used(0.0, 100.0, most)
    assert spent == 160.0
    assert [rate.left(spent, now) for now in (100.0, 130.0, 160.0, 999.0)] == [0, most / 2, most, most]


def test_the_wait_is_over_when_enough_is_left() -> None:
    rate = Rate(6)
    spent = rate.used(0.0, 0.0, 6)
    assert [rate.wait_s(spent, 0.0, number) for number in (1, 3, 6, 7)] == [10, 30, 60, math.inf]
    assert rate.wait_s(spent, 10.0, 1) == 0
    assert rate.wait_s(rate.used(spent, 0.0, 6), 0.0, 1) == 70  # more was used than there was


def test_no_minute_has_more_than_twice_its_limit() -> None:
    """What a full bucket holds, and what comes in during the minute."""
    rng, rate = random.Random(1), Rate(10)
    now, full_at, answered = 0.0, 0.0, []
    for _ in range(2000):
        now += rng.random() * 4
        if rate.wait_s(full_at, now, 1) == 0:
            full_at = rate.used(full_at, now, 1)
            answered.append(now)
    most = max(sum(start <= at < start + 60 for at in answered) for start in answered)
    assert 10 < most <= 20
    assert len(answered) == pytest.approx(now / 6, rel=0.05)


def test_an_account_is_kept_by_key_and_id() -> None:
    kept = Kept(10, 10_000, lambda key: None)

    def account(key: str, id: str, now: float = 5.0) -> Account:
        return Account({"requests": Rate(2), "tokens": Rate(100)}, kept, key, id, now)

    account("", "a").use({"requests": 1, "tokens": 30})
    assert (account("", "a").left("requests"), account("", "a").left("tokens")) == (1, 70)
    assert [account(*place).left("requests") for place in (("k", "a"), ("", "b"))] == [2, 2]
    assert account("", "a").full_after_s("requests") == 30
    assert account("", "a", 36.0).full_after_s("requests") == 0
    assert account("", "a").lacking({"requests": 2, "tokens": 100}) == ("requests", 30.0)
    assert account("", "a").lacking({"requests": 1, "tokens": 101}) == ("tokens", math.inf)
    assert account("", "a").lacking({"requests": 1, "tokens": 70}) is None
    assert account("", "a").lacking({}) is None


def test_more_than_is_left_shows_as_nothing() -> None:
    account = Account({"tokens": Rate(10)}, Kept(1, 1, lambda key: None), "", "a", 0.0)
    account.use({"tokens": 25})
    assert (account.left("tokens"), account.lacking({"tokens": 1})) == (0, ("tokens", 96.0))
