"""Faults that never strike."""

from __future__ import annotations

import math
from collections.abc import Iterator

from mockd.errors import Problem
from mockd.mocks.checks.effects import script_of
from mockd.mocks.registered import Registered
from mockd.streaming.cursors.whole import WholeCursor


def places(mock: Registered) -> Iterator[Problem]:
    """Places behind the end of what a mock sends, if that is known."""
    if not mock.faults:
        return
    events, size = _lengths(mock)
    for number, aimed in enumerate(mock.faults):
        after = aimed.fault.after
        if after is None or after.unit not in ("events", "bytes"):
            continue
        most = events if after.unit == "events" else size
        if after.count > most:
            what = f"{most:.0f} {after.unit}"
            message = f"`{aimed.fault.action}` never strikes after {after.count:.0f} {after.unit}: there are {what}"
            yield Problem(message, ("faults", number), "choose an earlier place")


def _lengths(mock: Registered) -> tuple[float, float]:
    """The number of events and of bytes of what a mock sends; infinite if it is not known."""
    if mock.program is not None:
        cursor = mock.program.opened(None, 0.0)  # type: ignore[arg-type]  # a whole answer does not look at its stream
        assert isinstance(cursor, WholeCursor)
        return 0, len(cursor.body)
    script = script_of(mock)
    if script is None:
        return (0, math.inf) if mock.spec.mock.response is not None else (math.inf, math.inf)
    stop = script.stop[0]
    return (script.counted_before(int(stop)) if stop < math.inf else math.inf), math.inf
