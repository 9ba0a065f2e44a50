"""Faults that never strike."""

from __future__ import annotations

import math
from collections.abc import Iterator

from mockd.errors import Problem
from mockd.mocks.checks.effects import script_of
from mockd.mocks.registered import Registered
from mockd.program.plan import StreamPlan
from mockd.program.script import CompiledScript
from mockd.program.timetable import size_of
from mockd.streaming.cursors.whole import WholeCursor

_PAUSES = frozenset({"stall", "delay", "throttle", "idle"})
"""Actions that make what follows later."""


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
    plan = mock.plan.framed(script.framing.name)
    return _extent_of(script, plan, is_paused=any(aimed.fault.action in _PAUSES for aimed in mock.faults))


def _extent_of(script: CompiledScript, plan: StreamPlan, *, is_paused: bool) -> dict[str, float]:
    """How much a script sends, as far as it is known; for how long only if no fault makes it later."""
    stop, table = script.stop[0], script.timetable
    if stop == math.inf:
        return {}
    found: dict[str, float] = {"events": script.counted_before(int(stop))}
    if table is None or stop > len(table.frames) or not script.ends_plainly or plan.heartbeat is not None:
        return found
    if not is_paused:
        found["ms"] = 1000 * table.first[int(stop) - 1] if table.first and stop else 0
    if not (table.has_holes or table.lead or plan.framing.has_opening):
        retry = b"" if plan.retry is None else plan.framing.with_retry(b"", plan.retry)
        found["bytes"] = sum(map(size_of, table.frames[: int(stop)])) + len(retry) + len(plan.framing.end)
    return found
