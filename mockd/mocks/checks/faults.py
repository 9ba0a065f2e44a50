"""Faults that never strike."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from mockd.errors import Problem
from mockd.mocks.checks.answer import CheckedAnswer, answers_of
from mockd.mocks.registered import Registered
from mockd.streaming.cursors.whole import WholeCursor

if TYPE_CHECKING:
    from mockd.faults.chosen import Aimed


def own_places(answer: CheckedAnswer) -> Iterator[Problem]:
    """Places of an entry's own faults behind the end of what it sends, if that is known."""
    own = answer.ready.faults[: len(answer.ready.part.faults)]
    if own:
        yield from _behind(own, *_lengths(answer))


def places(mock: Registered) -> Iterator[Problem]:
    """Places of a mock's faults behind the end of everything that it sends, if that is known."""
    shared = mock.parts[0].faults[len(mock.parts[0].part.faults) :]
    if shared:
        events, sizes = zip(*map(_lengths, answers_of(mock)), strict=True)
        yield from _behind(shared, max(events), max(sizes))


def _behind(faults: Sequence[Aimed], events: float, size: float) -> Iterator[Problem]:
    for number, aimed in enumerate(faults):
        after = aimed.fault.after
        if after is None or after.unit not in ("events", "bytes"):
            continue
        most = events if after.unit == "events" else size
        if after.count > most:
            what = f"{most:.0f} {after.unit}"
            message = f"`{aimed.fault.action}` never strikes after {after.count:.0f} {after.unit}: there are {what}"
            yield Problem(message, ("faults", number), "choose an earlier place")


def _lengths(answer: CheckedAnswer) -> tuple[float, float]:
    """The number of events and of bytes of what is sent; infinite if it is not known."""
    if answer.ready.program is not None:
        cursor = answer.ready.program.opened(None, 0.0)  # type: ignore[arg-type]  # a whole answer looks at no stream
        assert isinstance(cursor, WholeCursor)
        return 0, len(cursor.body)
    script = answer.script
    if script is None:
        return (math.inf, math.inf) if answer.stream is not None else (0, math.inf)
    stop = script.stop[0]
    return (script.counted_before(int(stop)) if stop < math.inf else math.inf), math.inf
