"""Claims about the requests in the journal, and what one look at it says of them.

A claim is judged step by step, one request in each, so that others have their turn in between.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from itertools import takewhile
from time import thread_time
from typing import TypeVar

from msgspec import Struct

from mockd.config.verification import Verification
from mockd.journal.journal import Asked
from mockd.judging.expected import Expected
from mockd.judging.kept import Doubt, KeptRequest
from mockd.patterns import APART

T = TypeVar("T")

LONGEST_LOOK_S = 2.0
"""Longest time, in seconds, in which requests are searched in one look at the journal."""
MOST_SAID = 5
"""Most requests of an order that a message names."""


class Judgement(Struct, frozen=True):
    """What one look at the journal says of a claim: whether it is so, which is None if that cannot be known; the number
    of requests that came; and both in words. A final one cannot be changed by requests that are yet to come. `missing`
    are requests of which there should have been more."""

    ok: bool | None
    count: int
    message: str
    is_final: bool = False
    missing: Expected | None = None


class Look:
    """One look at the journal. `dropped` is the number of requests that were let go of, by their key; None has the
    number of all."""

    def __init__(self, requests: Sequence[Asked], dropped: Mapping[str | None, int], *, is_open: bool) -> None:
        self.requests = requests
        self.dropped = dropped
        self._is_open = is_open
        self._left_s = LONGEST_LOOK_S
        self._doubtful: dict[Doubt, set[str]] = {}

    def searched(self, asked: Asked, search: Callable[[KeptRequest], T]) -> T:
        """What a search in a request finds, for which there is as much time as is left."""
        began = thread_time()
        request = KeptRequest(asked, is_open=self._is_open)
        request.allow(APART._replace(seconds=max(0.0, min(APART.seconds, self._left_s))))
        found = search(request)
        self._left_s -= thread_time() - began
        return found

    def fits(self, asked: Asked, expected: Expected) -> bool | None:
        """Whether a request is one of those that are expected. None, of which the reason is noted, if that cannot be
        known."""
        number = asked.exchange.number
        told = expected.known.get(number)
        if told is None:
            told, is_settled = self.searched(asked, expected.told_by)
            if is_settled:
                expected.known[number] = told
        if isinstance(told, bool):
            return told
        self._doubtful.setdefault(told, set()).add(asked.exchange.request_id)
        return None

    def unknown(self, expected: Sequence[Expected]) -> str:
        """The reasons for which something cannot be known, in words."""
        dropped = max(self.dropped[each.key] for each in expected)
        words = [f"{dropped:,} older requests were let go of (--journal, --journal-bytes)"] if dropped else []
        for doubt, ids in self._doubtful.items():
            others = f" and {len(ids) - 1:,} more" if len(ids) > 1 else ""
            words.append(f"for {min(ids)}{others}, {doubt.value}")
        return "; ".join(words)


Steps = Generator[None, None, Judgement]


class Counted:
    """The claim that a request came so often."""

    def __init__(self, expected: Expected, least: int, most: int | None, waited: str) -> None:
        self.expected = (expected,)
        self._least = least
        self._most = most
        self._claim = f"expected {expected.words} {_bounds(least, most)}{waited}"

    def judge(self, look: Look) -> Steps:
        """What a look says of the claim."""
        [expected] = self.expected
        count, maybe, last = 0, 0, ""
        for asked in look.requests:
            fits = look.fits(asked, expected)
            maybe += fits is None
            if fits:
                count, last = count + 1, asked.exchange.request_id
            yield
        came = f"it came {_times(count)}"
        if self._most is not None and count > self._most:
            return Judgement(False, count, f"{self._claim}, but {came}, the last time as {last}", True)
        highest = count + maybe + look.dropped[expected.key]
        if highest < self._least:
            return Judgement(False, count, f"{self._claim}, but {came}", missing=expected)
        if count >= self._least and (self._most is None or highest <= self._most):
            return Judgement(True, count, f"{self._claim}, and {came}", self._most is None)
        message = f"{self._claim}; {came} as far as that is known, which may not be all: {look.unknown(self.expected)}"
        return Judgement(None, count, message, missing=expected if count < self._least else None)


class Ordered:
    """The claim that requests came in an order, with others between them or not."""

    def __init__(self, expected: Sequence[Expected], waited: str) -> None:
        self.expected = tuple(expected)
        said = ", then ".join(each.words for each in expected[:MOST_SAID])
        more = f", and so on, {len(expected)} in all" if len(expected) > MOST_SAID else ""
        self._claim = f"expected {said}{more}, in this order{waited}"

    def judge(self, look: Look) -> Steps:
        """What a look says of the claim."""
        expected = self.expected
        # What was let go of came before all that is left, and may have been the first of the order.
        gone = takewhile(lambda each: look.dropped[each.key], expected)
        count, highest = 0, min(look.dropped[None], sum(1 for _ in gone))
        for asked in look.requests:
            if highest < len(expected) and look.fits(asked, expected[highest]) is not False:
                highest += 1
            if count < len(expected) and look.fits(asked, expected[count]):
                count += 1
            yield
        if count == len(expected):
            return Judgement(True, count, f"{self._claim}, and so they came", True)
        missing = expected[count]
        if highest < len(expected):
            after = f"after {expected[count - 1].words}" if count else "there"
            message = f"{self._claim}, but {after} came no {missing.words.removeprefix('a ')}"
            return Judgement(False, count, message, missing=missing)
        came = f"{count} of them came so"
        message = f"{self._claim}; {came} as far as that is known, which may not be all: {look.unknown(expected)}"
        return Judgement(None, count, message, missing=missing)


Claim = Counted | Ordered


def claim_of(given: Verification) -> Claim:
    """The claim that is to be judged. Raises `ConfigError`."""
    waited = f" within {given.within_seconds:g} s" if given.within_seconds else ""
    if given.order is not None:
        return Ordered([Expected(each, ("order", index)) for index, each in enumerate(given.order)], waited)
    assert given.request is not None
    return Counted(Expected(given.request, ("request",)), *given.bounds, waited)


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number:,} times"


def _bounds(least: int, most: int | None) -> str:
    if most is None:
        return f"at least {_times(least)}"
    if most == 0:
        return "never"
    if least == most:
        return f"exactly {_times(most)}"
    return f"at least {_times(least)} and at most {_times(most)}" if least else f"at most {_times(most)}"
