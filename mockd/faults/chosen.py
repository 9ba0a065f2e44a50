"""The choice of the faults that strike one request."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from mockd.config.fault import Fault
from mockd.config.faults import Close
from mockd.matching import Rule
from mockd.patterns import NotAtOnceError, OutOfTimeError
from mockd.program.terms import UNSEEDED

if TYPE_CHECKING:
    from mockd.request import RequestView


_log = logging.getLogger("mockd")


class OwnClose(Close, frozen=True, kw_only=True, tag="close"):
    """The break that the lifecycle of a stream says, by `simulateDisconnect` or an `abrupt` termination. Its place is
    that of the stream's end."""


class Striking(Struct, frozen=True):
    """A fault that strikes a request, and the number of that request among those that it counts, from 1."""

    fault: Fault
    request: int


class Aimed:
    """A fault of a mock, or of a request, with its compiled matcher, if it has one. `name` is its counter's; the
    fault of one request is not counted."""

    __slots__ = ("fault", "is_counted", "name", "rule")

    def __init__(self, fault: Fault, place: int, within: str = "", *, is_counted: bool = True) -> None:
        self.fault = fault
        self.is_counted = is_counted
        self.name = f"{within}faults/{place}"
        self.rule = None if fault.match is None else Rule(fault.match, 0, self.name, None, None)

    def fits(self, request: RequestView) -> bool:
        """Whether the fault is for such a request. A matcher that takes too long does not match."""
        if self.rule is None:
            return True
        try:
            return all(predicate.holds(request) for predicate in self.rule.predicates)
        except (NotAtOnceError, OutOfTimeError):
            _log.warning("a fault does not strike a request, as its `match` would take too long")
            return False


def aimed(faults: Sequence[Fault], within: str = "") -> tuple[Aimed, ...]:
    """The faults of a mock, ready to choose from, with names that begin with `within`. Raises `ConfigError` for a
    matcher that cannot be compiled."""
    return tuple(Aimed(fault, place, within) for place, fault in enumerate(faults))


def striking(
    faults: Sequence[Aimed],
    request: RequestView,
    count: Callable[[str], int],
    drawing: Callable[[str], random.Random],
) -> list[Striking]:
    """The faults that strike a request, in the order in which they are given. `count` counts the requests of each;
    `drawing` is the generator for a request with that name."""
    found = []
    for one in faults:
        if not one.fits(request):
            continue
        number = count(one.name) if one.is_counted else 1
        if _strikes(one.fault, number, drawing(f"{one.name}:{number}") if one.is_counted else UNSEEDED):
            found.append(Striking(one.fault, number))
    return found


def _strikes(fault: Fault, number: int, rng: random.Random) -> bool:
    if fault.requests is not None and not any(low <= number <= high for low, high in fault.ranges):
        return False
    if fault.every is not None and number % fault.every:
        return False
    return fault.probability is None or rng.random() < fault.probability
