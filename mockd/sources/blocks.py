"""The events of event streams that come from elsewhere, whose bytes and chunks stay as they are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from mockd.config.events_file import raw_event
from mockd.events import Event
from mockd.program.recorded import RecordedRow

MOST_APART = 256
"""Most events of a chunk that are rows of their own. Those behind them in it are one row, which counts as so many."""

_END = re.compile(rb"(?:\r\n|\n|\r(?!\n)){2}")
_LONGEST_END = 4
_MOST_KEPT = 64 * 1024
"""Most bytes of an event that are kept until it is over, to know its id and whether it counts."""


def told(block: bytes) -> tuple[str | None, int]:
    """The id in a block of an event stream, and the number of events that it counts as."""
    event = raw_event(block, block.decode(errors="replace").removeprefix("\ufeff"))
    return event.id, 1 if event.count is None else event.count


class Blocks:
    """The chunks of an event stream as they come, in rows that end where its events do, so that faults and holds find
    them. The beginning of an event is a row too, and counts as none."""

    def __init__(self) -> None:
        self._begun = bytearray()

    def rows(self, chunk: bytes) -> Iterator[Event]:
        """The rows of the next chunk."""
        begun, before, at = self._begun, len(self._begun), 0
        begun += chunk
        ends = [match.end() for match in _END.finditer(begun, max(0, before - _LONGEST_END + 1))]
        for start, end in pairwise([0, *ends[:MOST_APART]]):
            id_, counts = told(bytes(begun[start:end]))
            stop = end - before
            yield Event(raw=RecordedRow(chunk[at:stop], ends_chunk=stop == len(chunk)), id=id_, counts=counts)
            at = stop
        if at < len(chunk):
            yield Event(raw=RecordedRow(chunk[at:]), counts=len(ends[MOST_APART:]))
        del begun[: ends[-1] if ends else 0]
        del begun[_MOST_KEPT:-_LONGEST_END]
