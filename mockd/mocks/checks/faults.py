"""Faults that never strike."""

from __future__ import annotations

import math
from collections.abc import Iterator

from mockd.config.faults import Close, DelayFault, Empty, Fault, Garbage, Idle, Reset, Stall, StatusFault, Throttle
from mockd.errors import Problem
from mockd.mocks.checks.effects import script_of
from mockd.mocks.registered import Registered
from mockd.program.timetable import size_of
from mockd.streaming.cursors.whole import WholeCursor

_PAUSES = (Stall, DelayFault, Throttle, Idle)
_ENDS = (StatusFault, Empty, Garbage, Close, Reset)


def places(mock: Registered) -> Iterator[Problem]:
    """Places behind the end of what a mock sends, if that is known."""
    if not mock.faults:
        return
    lengths = _lengths(mock)
    for number, aimed in enumerate(mock.faults):
        after = aimed.fault.after
        if after is None or after.unit not in lengths:
            continue
        most = lengths[after.unit]
        if after.count > most:
            what = f"{most:.0f} {after.unit}"
            message = f"`{aimed.fault.action}` never strikes after {after.count:.0f} {after.unit}: there are {what}"
            yield Problem(message, ("faults", number), "choose an earlier place")


def _lengths(mock: Registered) -> dict[str, float]:
    """How much a mock sends, in units of places: its events, bytes and milliseconds, as far as they are known."""
    if mock.program is not None:
        cursor = mock.program.opened(None, 0.0)  # type: ignore[arg-type]  # a whole answer does not look at its stream
        assert isinstance(cursor, WholeCursor)
        return {"events": 0, "bytes": len(cursor.body)}
    script = script_of(mock)
    if script is None:
        return {"events": 0} if mock.spec.mock.response is not None else {}
    stop, table = script.stop[0], script.timetable
    if stop == math.inf:
        return {}
    found: dict[str, float] = {"events": script.counted_before(int(stop))}
    plan = mock.plan.framed(script.framing.name)
    if table is None or stop > len(table.frames) or not script.ends_plainly or plan.heartbeat is not None:
        return found
    if not any(isinstance(aimed.fault, _PAUSES) for aimed in mock.faults):
        found["ms"] = 1000 * table.first[int(stop) - 1] if table.first and stop else 0
    if not (table.has_holes or table.lead or plan.framing.has_opening):
        retry = b"" if plan.retry is None else plan.framing.with_retry(b"", plan.retry)
        found["bytes"] = sum(map(size_of, table.frames[: int(stop)])) + len(retry) + len(plan.framing.end)
    return found


def requests(mock: Registered) -> Iterator[Problem]:
    """Faults that strike no request, and those that never get their turn."""
    ending: tuple[int, Fault] | None = None
    for number, aimed in enumerate(mock.faults[: len(mock.spec.mock.faults)]):
        fault = aimed.fault
        reason = _strikes_none(fault)
        if reason is None and ending is not None and _is_behind(fault, ending[1]):
            reason = f"fault {ending[0]}, `{ending[1].action}`, answers every request before that"
        if reason is not None:
            message = f"`{fault.action}` never strikes: {reason}"
            yield Problem(message, ("faults", number), "choose other requests, or remove it")
        elif ending is None and _ends_all(fault):
            ending = number, fault


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
    return is_for_all and fault.is_before_head and isinstance(fault, _ENDS)


def _is_behind(fault: Fault, ending: Fault) -> bool:
    """Whether the place of a fault is one that the answer does not come to, as it ends before or has no events."""
    if isinstance(ending, StatusFault):
        after = fault.after
        return isinstance(fault, StatusFault) or (after is not None and after.unit == "events" and after.count > 0)
    return not fault.is_before_head or isinstance(fault, _ENDS)
