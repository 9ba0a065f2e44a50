"""Faults that never strike, or do nothing."""

from __future__ import annotations

import math
from collections.abc import Iterator

from mockd.errors import Problem
from mockd.headers import FixedHeaders
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
            yield from _said(mock, number, message, "choose an earlier place")


def effects(mock: Registered) -> Iterator[Problem]:
    """Faults that can do nothing to a plain response."""
    own = mock.spec.mock
    if not mock.faults or own.response is None:
        return
    from mockd.faults.fitting import changes_whole, why_not  # loaded only with the first fault
    from mockd.streaming.pipeline import whole

    plan = mock.plan
    program = mock.program or whole(plan.status, b"", FixedHeaders([(b"content-length", b"0")], plan.header_rules), [])
    for number, aimed in enumerate(mock.faults):
        fault = aimed.fault
        if fault.is_before_head or changes_whole(fault, program) or (why := why_not(fault, program)) is None:
            continue
        message = f"`{fault.action}` does nothing: {why}"
        yield from _said(mock, number, message, "choose another action or place, or an `sse` or `chunked` mock")


def _said(mock: Registered, number: int, message: str, hint: str) -> Iterator[Problem]:
    """A warning about a fault, or about the profile it is of. The server's own profile is not meant for one mock."""
    own = mock.spec.mock
    if number < len(own.faults):
        yield Problem(message, ("faults", number), hint)
    elif own.profile is not None:
        yield Problem(message, ("profile",), f"{hint}, or leave the profile out")


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
