"""Streams that are due as a whole at their head, so that their bytes are joined when the script is compiled.

A chat model's answers without pacing are such streams, and they come by the thousand.
"""

from __future__ import annotations

from msgspec import Struct

from mockd.events import Fill
from mockd.program.terms import Terms
from mockd.program.timetable import Lead, Timetable


class Prepared(Struct, frozen=True):
    """All bytes of a script's stream: `pieces`, and between them the lead, which differs from stream to stream."""

    pieces: list[bytes]
    lead: Lead | None
    events_sent: int
    last_event_id: str | None

    def payload(self, fill: Fill) -> bytes:
        """The bytes of one stream."""
        return self.pieces[0] if self.lead is None else self.lead.render(fill).join(self.pieces)


def prepared(terms: Terms, table: Timetable | None, stop: float) -> Prepared | None:
    """The bytes of a stream that stops after `stop` events. None if it takes time, or if its events must be looked at
    one by one."""
    if table is None or table.first is not None or table.has_holes or terms.retry is not None or terms.flush_each:
        return None
    if not 0 < stop <= min(table.most, len(table.frames)):
        return None
    end = int(stop)
    pieces = [b""]
    for place, frame in enumerate(table.frames[:end]):
        assert isinstance(frame, bytes)
        if table.is_led and table.is_led[place]:
            pieces.append(frame)
        else:
            pieces[-1] += frame
    ids = [id_ for id_ in (table.ids or [])[:end] if isinstance(id_, str)]
    return Prepared(pieces, table.lead, end if table.counted is None else table.counted[end], ids[-1] if ids else None)
