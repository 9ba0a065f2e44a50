"""Bodies that are due as a whole at their head, and end plainly. They go out in one write, with the head.

Whole answers are such bodies, and so are the streams of a chat model without pacing, which come by the thousand. The
bytes of these are joined when their script is compiled.
"""

from __future__ import annotations

from msgspec import Struct

from mockd.events import Fill
from mockd.journal.exchange import Outcome
from mockd.program.terms import Terms
from mockd.program.timetable import Lead, Timetable


class Prepared(Struct, frozen=True):
    """All bytes of a body, as it is framed: `pieces`, and between them the lead, which differs from stream to
    stream."""

    pieces: list[bytes]
    lead: Lead | None = None
    events_sent: int = 0
    last_event_id: str | None = None
    outcome: Outcome = "completed"

    def payload(self, fill: Fill | None) -> bytes:
        """The bytes of one body. A lead needs `fill`."""
        if self.lead is None:
            return self.pieces[0]
        assert fill is not None
        return self.lead.render(fill).join(self.pieces)


class Pieces(Struct, frozen=True):
    """All pieces of a stream whose bytes were made in advance, as its `framing` has them: when each is due, in seconds
    from the head; its bytes, of which an encoder may keep all back; and the number of events and the last ID then."""

    due: list[float]
    rows: list[bytes]
    events: list[int]
    ids: list[str | None]
    outcome: Outcome

    def prepared(self) -> Prepared | None:
        """The body, if all of it is due at the head."""
        if self.due[-1]:
            return None
        return Prepared([b"".join(self.rows)], None, self.events[-1], self.ids[-1], self.outcome)


def prepared(terms: Terms, table: Timetable | None, stop: float, outcome: Outcome) -> Prepared | None:
    """The bytes of a stream that ends plainly after `stop` events. None if it takes time, or if its events must be
    looked at one by one."""
    if table is None or table.first is not None or table.has_holes or terms.retry is not None or terms.flush_each:
        return None
    if terms.framing.has_opening or not 0 < stop <= min(table.most, len(table.frames)):
        return None
    end = int(stop)
    pieces = [b""]
    for place, frame in enumerate(table.frames[:end]):
        assert isinstance(frame, bytes)
        if table.is_led and table.is_led[place]:
            pieces.append(frame)
        else:
            pieces[-1] += frame
    pieces[-1] += terms.framing.end
    ids = [id_ for id_ in (table.ids or [])[:end] if isinstance(id_, str)]
    events_sent = end if table.counted is None else table.counted[end]
    return Prepared(pieces, table.lead, events_sent, ids[-1] if ids else None, outcome)
