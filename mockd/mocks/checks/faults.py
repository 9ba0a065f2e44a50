"""Faults that never strike, or that can do nothing."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from mockd.errors import Problem
from mockd.headers import FixedHeaders
from mockd.mocks.checks.answer import CheckedAnswer, answers_of
from mockd.mocks.registered import Registered
from mockd.program.plan import StreamPlan
from mockd.program.script import CompiledScript
from mockd.program.timetable import size_of
from mockd.streaming.cursors.whole import WholeCursor

if TYPE_CHECKING:
    from mockd.config.fault import Fault
    from mockd.faults.chosen import Aimed

_PAUSES = frozenset({"stall", "delay", "throttle", "idle"})
"""Actions that make what follows later."""
_ADDITIONS = frozenset({"duplicate", "insert", "unknownEvent", "hugeEvent", "garbage", "malformed", "error"})
"""Actions by which something else is sent, or more."""


def own_places(answer: CheckedAnswer) -> Iterator[Problem]:
    """Places of an entry's own faults behind the end of what it sends, if that is known."""
    for number, message in _behind(_own(answer), [answer]):
        yield Problem(message, ("faults", number), "choose an earlier place")


def places(mock: Registered) -> Iterator[Problem]:
    """Places of a mock's faults behind the end of everything that it sends, if that is known."""
    for number, message in _behind(_shared(mock), answers_of(mock)):
        yield from _said(mock, number, message, "choose an earlier place")


def own_effects(answer: CheckedAnswer) -> Iterator[Problem]:
    """Faults of an entry that can do nothing to its plain response."""
    for number, message in _without_effect(_own(answer), [answer]):
        yield Problem(message, ("faults", number), _OTHER)


def effects(mock: Registered) -> Iterator[Problem]:
    """Faults of a mock that can do nothing to any of its plain responses."""
    for number, message in _without_effect(_shared(mock), answers_of(mock)):
        yield from _said(mock, number, message, _OTHER)


_OTHER = "choose another action or place, or an `sse` or `chunked` answer"


def _own(answer: CheckedAnswer) -> Sequence[Aimed]:
    return answer.ready.faults[: len(answer.ready.part.faults)]


def _shared(mock: Registered) -> Sequence[Aimed]:
    first = mock.parts[0]
    shared = first.faults[len(first.part.faults) :]
    if not shared:
        return ()
    from mockd.faults.chosen import OwnClose

    return [one for one in shared if not isinstance(one.fault, OwnClose)]


def _said(mock: Registered, number: int, message: str, hint: str) -> Iterator[Problem]:
    """A warning about a fault, or about the profile it is of. The server's own profile is not meant for one mock."""
    own = mock.spec.mock
    if number < len(own.faults):
        yield Problem(message, ("faults", number), hint)
    elif own.profile is not None:
        yield Problem(message, ("profile",), f"{hint}, or leave the profile out")


def _behind(faults: Sequence[Aimed], answers: Sequence[CheckedAnswer]) -> Iterator[tuple[int, str]]:
    """The numbers of the faults that strike behind the end of all these answers, each with a message."""
    if not faults:
        return
    lengths = [_lengths(answer) for answer in answers]
    for number, aimed in enumerate(faults):
        after = aimed.fault.after
        if after is None:
            continue
        most = max(length.get(after.unit, math.inf) for length in lengths)
        if after.count > most:
            what = f"{most:.0f} {after.unit}"
            yield number, f"`{aimed.fault.action}` never strikes after {after.count:.0f} {after.unit}: there are {what}"


def _without_effect(faults: Sequence[Aimed], answers: Sequence[CheckedAnswer]) -> Iterator[tuple[int, str]]:
    """The numbers of the faults that can do nothing to all these answers, each with a message."""
    if not faults or not all(answer.is_plain for answer in answers):
        return
    for number, aimed in enumerate(faults):
        reasons = [_reason(aimed.fault, answer) for answer in answers]
        if not aimed.fault.is_before_head and None not in reasons:
            yield number, f"`{aimed.fault.action}` does nothing: {reasons[0]}"


def _reason(fault: Fault, answer: CheckedAnswer) -> str | None:
    """Why a fault can do nothing to a plain response; None if it can."""
    from mockd.faults.fitting import changes_whole, why_not  # loaded only with the first fault
    from mockd.streaming.answers import whole

    plan = answer.plan
    headers = FixedHeaders([(b"content-length", b"0")], plan.header_rules)
    program = answer.ready.program or whole(plan.status, b"", headers, [])
    return None if changes_whole(fault, program) else why_not(fault, program)


def _lengths(answer: CheckedAnswer) -> dict[str, float]:
    """How much is sent, in units of places: events, bytes and milliseconds, as far as they are known."""
    if answer.ready.program is not None:
        cursor = answer.ready.program.opened(None, 0.0)  # type: ignore[arg-type]  # a whole answer looks at no stream
        assert isinstance(cursor, WholeCursor)
        return {"events": 0, "bytes": len(cursor.body)}
    script = answer.script
    if script is None:
        return {"events": 0} if answer.is_plain else {}
    actions = {aimed.fault.action for aimed in answer.ready.faults}
    found = _extent_of(script, answer.plan.framed(script.framing.name))
    unknown = [*(("ms",) if actions & _PAUSES else ()), *(("events", "bytes") if actions & _ADDITIONS else ())]
    return {unit: most for unit, most in found.items() if unit not in unknown}


def _extent_of(script: CompiledScript, plan: StreamPlan) -> dict[str, float]:
    """How much a script sends by itself, as far as it is known."""
    stop, table = script.stop[0], script.timetable
    if stop == math.inf:
        return {}
    found: dict[str, float] = {"events": script.counted_before(int(stop))}
    if table is None or stop > len(table.frames) or not script.ends_plainly or plan.heartbeat is not None:
        return found
    if plan.variation is not None:
        return found  # there may be more bytes, and pauses between them
    found["ms"] = 1000 * table.first[int(stop) - 1] if table.first and stop else 0
    if not (table.has_holes or table.lead or plan.framing.has_opening):
        retry = b"" if plan.retry is None else plan.framing.with_retry(b"", plan.retry)
        found["bytes"] = sum(map(size_of, table.frames[: int(stop)])) + len(retry) + len(plan.framing.end)
    return found
