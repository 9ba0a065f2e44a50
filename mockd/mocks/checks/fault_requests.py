"""Faults that strike no request, and those that never get their turn."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from mockd.errors import Problem
from mockd.mocks.checks.answer import CheckedAnswer
from mockd.mocks.registered import Registered

if TYPE_CHECKING:
    from mockd.config.faults import Fault

_ENDS = frozenset({"status", "empty", "garbage", "close", "reset"})
"""Actions that end an answer if they strike before the head."""


def requests(mock: Registered) -> Iterator[Problem]:
    """Faults of a mock of which it is known that they never strike, whatever the answer is."""
    return _never(mock.spec.mock.faults)


def own_requests(answer: CheckedAnswer) -> Iterator[Problem]:
    """The same for the faults of an entry."""
    return _never(answer.ready.part.faults)


def _never(faults: list[Any]) -> Iterator[Problem]:
    if not faults:
        return
    from mockd.config.fault_lines import parse_faults  # loaded only with the first fault

    found = parse_faults(faults)
    ending = next((number for number, fault in enumerate(found) if _ends_all(fault)), None)
    for number, fault in enumerate(found):
        reason = _strikes_none(fault)
        if reason is None and ending is not None and _is_left_out(fault, found[ending], is_later=number > ending):
            reason = f"fault {ending}, `{found[ending].action}`, answers every request before that"
        if reason is not None:
            message = f"`{fault.action}` never strikes: {reason}"
            yield Problem(message, ("faults", number), "choose other requests, or remove it")


def _strikes_none(fault: Fault) -> str | None:
    """The reason why a fault strikes no request; None if it strikes some."""
    if fault.probability == 0:
        return "its probability is 0"
    every, ranges = fault.every or 1, fault.ranges
    if ranges and all(-(-low // every) * every > high for low, high in ranges):
        return f"none of the requests {fault.requests} is one of every {every}"
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
