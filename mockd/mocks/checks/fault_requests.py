"""Faults that strike no request, and those that never get their turn."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from mockd.errors import Problem
from mockd.mocks.registered import Registered

if TYPE_CHECKING:
    from mockd.config.fault import Fault
    from mockd.config.models import Mock
    from mockd.mocks.choice import ReadyPart

_ENDS = frozenset({"status", "empty", "garbage", "close", "reset"})
"""Actions that end an answer if they strike before the head."""


def requests(mock: Registered) -> Iterator[Problem]:
    """Faults of a mock of which it is known that they never strike, whatever the answer is."""
    config = mock.spec.mock
    is_bounded = config.responses is not None and config.then == "miss" and not any(mock.sessions)
    return _never(config.faults, sum(entry.times for entry in config.responses or ()) if is_bounded else None)


def own_requests(mock: Registered) -> Iterator[Problem]:
    """The same for the faults of an entry."""
    for ready in mock.parts:
        for problem in _never(ready.part.faults, _most_requests(mock.spec.mock, ready)):
            yield problem.under(ready.part.place)


def _most_requests(config: Mock, ready: ReadyPart) -> int | None:
    """The most requests that an entry answers; None if there is no bound. Who resumes comes back to it any time."""
    entry, responses = ready.part.entry, config.responses
    if entry is None or responses is None or ready.sessions is not None or config.then == "cycle":
        return None
    stays = entry == len(responses) - 1 and config.then != "miss"
    return None if stays else responses[entry].times


def _never(faults: list[Any], most: int | None) -> Iterator[Problem]:
    if not faults:
        return
    from mockd.config.fault_lines import parse_faults  # loaded only with the first fault

    found = parse_faults(faults)
    ending = next((number for number, fault in enumerate(found) if _ends_all(fault)), None)
    for number, fault in enumerate(found):
        reason = _strikes_none(fault, most)
        if reason is None and ending is not None and _is_left_out(fault, found[ending], is_later=number > ending):
            reason = f"fault {ending}, `{found[ending].action}`, answers every request before that"
        if reason is not None:
            message = f"`{fault.action}` never strikes: {reason}"
            yield Problem(message, ("faults", number), "choose other requests, or remove it")


def _strikes_none(fault: Fault, most: int | None) -> str | None:
    """The reason why a fault strikes none of so many requests; None if it strikes some."""
    if fault.probability == 0:
        return "its probability is 0"
    every = fault.every or 1
    firsts = [(-(-low // every) * every, high) for low, high in fault.ranges or [(1, math.inf)]]
    first = min((first for first, high in firsts if first <= high), default=None)
    if first is None:
        return f"none of the requests {fault.requests} is one of every {every}"
    if most is not None and first > most:
        return f"its first request would be number {first}, and there are at most {most}"
    return None


def _ends_all(fault: Fault) -> bool:
    """Whether a fault answers every request of its mock, before anything else is sent."""
    is_for_all = fault.requests is None and fault.every is None and fault.probability is None and fault.match is None
    return is_for_all and fault.is_before_head and fault.action in _ENDS


def _is_left_out(fault: Fault, ending: Fault, *, is_later: bool) -> bool:
    """Whether an answer that ends so does not come to the place of a fault, or to its turn if that is later."""
    if fault.is_before_head:
        return is_later and fault.action in (("status",) if ending.action == "status" else _ENDS)
    after = fault.after
    return ending.action != "status" or (after is not None and after.unit == "events" and after.count > 0)
