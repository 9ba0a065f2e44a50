"""Faults on a program: its head, what comes before it, and the cursors around its rows."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any
from weakref import ref

from msgspec import structs

from mockd.config import faults as config
from mockd.config.fault import Fault
from mockd.events import Event, Fill, drawn
from mockd.faults import chunks, heads, shapes, strikes
from mockd.faults.ahead import Ahead
from mockd.faults.armed import Armed
from mockd.faults.chosen import Aimed, OwnClose, Striking, striking
from mockd.faults.fitting import changes_whole, why_not
from mockd.faults.limited import Limited
from mockd.faults.places import trap
from mockd.faults.site import ErrorRow, Site
from mockd.faults.throttle import Throttle, Throttled
from mockd.faults.wire import AtWireBytes, Writes
from mockd.framing import Row
from mockd.framing.encodings import decoded, encoded
from mockd.journal.exchange import Exchange
from mockd.program.plan import StreamPlan
from mockd.program.terms import UNSEEDED
from mockd.source import SourceContext
from mockd.streaming.cursors.around import Around, Beats
from mockd.streaming.cursors.body import Bare, Body
from mockd.streaming.cursors.cursor import AT_ONCE, Cursor
from mockd.streaming.cursors.whole import WholeCursor
from mockd.streaming.ops import Op
from mockd.streaming.pipeline import Matched, answered, respond
from mockd.streaming.program import Opening, Program
from mockd.streaming.stream import Stream

if TYPE_CHECKING:
    from mockd.streaming.sessions.resume import Sessions

STRIKES: dict[type[Fault], Callable[[Site], Any]] = {
    config.End: strikes.End,
    config.Close: strikes.Break,
    config.Reset: strikes.Reset,
    config.Stall: strikes.Stall,
    config.DelayFault: strikes.Delay,
    config.Throttle: Throttle,
    config.Idle: strikes.Idle,
    config.Empty: heads.Empty,
    config.Garbage: lambda site: strikes.Inserted(
        site, lambda site, fault: heads.garbage(fault.bytes, site.rng), is_coded=False
    ),
    config.Insert: lambda site: strikes.Inserted(site, shapes.inserted),
    config.UnknownEvent: lambda site: strikes.Inserted(site, lambda site, _: shapes.unknown_event(site.framing)),
    config.HugeEvent: lambda site: strikes.Inserted(
        site, lambda site, fault: shapes.huge_event(site.framing, fault.size)
    ),
    config.ErrorFault: strikes.Error,
    config.BadChunk: lambda site: chunks.Chunk(site, chunks.bad),
    config.ShortChunk: lambda site: chunks.Chunk(site, chunks.short),
    config.LongChunk: lambda site: chunks.Chunk(site, chunks.long),
    config.ExtraBytes: chunks.Extra,
}
"""What each action does at its place."""

SHAPES: dict[type[Fault], tuple[type[shapes.Shaped], shapes.Change]] = {
    config.Malformed: (shapes.Shaped, shapes.malformed),
    config.Corrupt: (shapes.Shaped, shapes.corrupted),
    config.Drop: (shapes.Shaped, shapes.dropped),
    config.Duplicate: (shapes.Shaped, shapes.duplicated),
    config.Reorder: (shapes.Reordered, shapes.kept),
}
"""What each action makes of the events behind its place."""

PAUSING = (config.Stall, config.DelayFault, config.Throttle)
"""Actions that make a stream last longer."""

RECOUNTING = (config.Drop, config.Duplicate, config.Reorder)
"""Actions with which other events are sent, or another number of them, by the time that a limit is reached."""


def broken(
    plan: StreamPlan, sessions: Sessions | None, faults: Sequence[Aimed], matched: Matched, timeout_s: float
) -> Program:
    """What a mock with faults answers. A fault waits at most so long for a client that does not read."""
    found = striking(faults, matched.request, matched.count, _drawing(plan))
    # Counted apart, so that faults do not change what the streams of a seed draw.
    rng = plan.random(lambda name: matched.count(f"faults/{name}"))
    context = SourceContext(matched.request, matched.captures, matched.clock, rng, matched.count_own)
    limited = plan if any(isinstance(one.fault, RECOUNTING) for one in found) else None
    if limited is not None:
        plan = plan.unlimited()
    status = next((one.fault for one in found if isinstance(one.fault, config.StatusFault)), None)
    if status is None:
        program = respond(plan, sessions, matched)
    else:
        program = answered(plan, matched, heads.refusal(status, plan.source, context, matched.clock.wall()))
    if not found:
        return program

    def site_of(program: Program) -> Site:
        return Site(
            matched.exchange,
            body_of(program),
            program.fill or Fill(rng, matched.clock),
            timeout_s=timeout_s,
            limited=limited,
            error_row=lambda fault: error_row(plan.source, context, program, fault, matched.exchange),
        )

    return faulted(program, found, site_of)


def _drawing(plan: StreamPlan) -> Callable[[str], random.Random]:
    """The generator with which it is drawn whether a fault strikes a request, which has a name."""
    seed = plan.seed if plan.seed is not None else plan.process_seed
    return lambda name: UNSEEDED if seed is None else random.Random(f"{seed}:{plan.mock_id}:{name}")


def error_row(
    source: Any, context: SourceContext, program: Program, fault: config.ErrorFault, exchange: Exchange
) -> ErrorRow | None:
    """The error event that a stream's provider would send, or None for the one of its termination."""
    fill = program.fill
    make = getattr(source, "error_events", None)  # which sources need not have
    events = make(context, fault.type, fault.message, exchange.events_sent) if make is not None else ()
    if not events and (fault.type or fault.message):
        said = {"code": fault.type or "error", "message": fault.message or "the stream has failed"}
        events = [Event(type="error", data={"error": said})]
    if not events or fill is None:
        return None
    row = Row(b"".join([program.framing.row(event).filled(fill)[0] for event in events]))
    return ErrorRow(row, drawn(events[0].delay_s or 0.0, fill.rng))


SiteOf = Callable[[Program], Site]


def faulted(program: Program, striking: Sequence[Striking], site_of: SiteOf) -> Program:
    """The program with the faults that strike its request. Those of one place strike in the order given."""
    if program.is_whole:
        striking = [one for one in striking if not isinstance(one.fault, OwnClose)]
    if not striking:
        return program
    if program.coming is not None:
        return structs.replace(program, coming=_later(program.coming, striking, site_of))
    site = site_of(program)
    program = structs.replace(program, prepared=None, pieces=None)
    first: list[Op] = []
    later: list[Armed] = []
    has_status = False
    own: strikes.OwnBreak | None = None
    for one in [Armed(one.fault, one.request) for one in striking]:
        fault = one.fault
        if isinstance(fault, OwnClose):
            program.breaking = own = strikes.OwnBreak(one, site)
        elif changes_whole(fault, program):
            first.append(heads.Noted(one, site, *_change_body(program, one)))
        elif not fault.is_before_head:
            later.append(one)
        elif isinstance(fault, config.HeaderFault):
            first.append(heads.ChangedHead(one, site, program.headers.names.union(name for name, _ in program.own)))
            program.headers = heads.changed_head(program.headers, fault)
            program.own = [header for header in program.own if header[0] not in program.headers.settled]
        elif isinstance(fault, config.DelayFault | config.Stall):
            first.append(heads.Late(one, site, heads.wait_of(fault, site)))
        elif isinstance(fault, config.StatusFault):
            first.append(heads.Noted(one, site, *(("unsupported", _SECOND_STATUS) if has_status else ("exact",))))
            has_status = True
        elif isinstance(fault, config.Empty | config.Garbage):
            first.append(heads.BeforeHead(one, site, heads.Empty(site)))
        else:
            first.append(heads.BeforeHead(one, site, STRIKES[type(fault)](site)))
    program.first = [*program.first, *first]
    if later or own is not None:
        program.around = Chain(later, site, structs.replace(program), own)
        program.framing, program.heartbeat = Bare(site.body), None
    if any(isinstance(one.fault, config.HeaderFault) for one in striking) and program.headers.closes:
        inside = program.around
        program.around = lambda cursor, opening, now: heads.Closing(
            cursor if inside is None else inside(cursor, opening, now)
        )
    return program


def body_of(program: Program) -> Body:
    """The body of a stream, all of whose bytes are rows."""
    framing = program.framing
    return framing.sent if isinstance(framing, Bare) else Body(framing, program.heartbeat, program.ending)


_SECOND_STATUS = "another `status` came before"


def _change_body(program: Program, armed: Armed) -> tuple[str] | tuple[str, str]:
    """Change the body of a whole answer, and say its length anew. Returns how near that comes."""
    assert isinstance(program.rows, WholeCursor)
    before, encoding = program.rows.body, program.rows.encoding
    data = before if encoding is None else decoded(encoding, before)
    (body,) = SHAPES[type(armed.fault)][1](program.framing, data, armed)
    body = body if encoding is None else encoded(encoding, body)
    program.rows = WholeCursor(body, encoding)
    said, length = [(b"content-length", b"%d" % len(data)) for data in (before, body)]
    if said in program.headers:  # and not another one, which is a lie
        program.headers = program.headers.replaced([length])
    else:
        program.own = [length if header == said else header for header in program.own]
    return ("unsupported", "the answer has no data") if body == before else ("exact",)


async def _later(coming: Awaitable[Program], striking: Sequence[Striking], site_of: SiteOf) -> Program:
    return faulted(await coming, striking, site_of)


class Chain:
    """The cursors of the faults of one stream, around the one of its rows and then of its end: first what changes
    events, then the places in order."""

    def __init__(
        self, armed: Sequence[Armed], site: Site, program: Program, own: strikes.OwnBreak | None = None
    ) -> None:
        self._armed = sorted(armed, key=_rank)
        self._own = own
        self._site = site
        self._program = program
        self._is_opened = False
        self._outermost: ref[Around] | None = None  # a weak one, so that rows go when their stream lets go of them

    def __call__(self, cursor: Cursor, opening: Opening, now: float) -> Cursor:
        is_first, body = not self._is_opened, self._site.body
        if is_first:
            self._is_opened, self._site.started = True, now
        assert isinstance(opening, Stream)
        for one in self._armed:
            if self._changes_events(one):
                cursor = self._shaped(cursor, one)
        if is_first and self._site.limited is not None:
            cursor = Limited(cursor, self._site.limited, self._site.fill.sent_before)
        cursor = body(cursor, opening, now)
        before = self._outermost() if self._outermost is not None else None
        if before is not None and (unsent := before.unsent()):
            cursor = Behind(cursor, unsent, before)
        beats = body.beats if is_first else None
        for one in self._armed:
            if not self._changes_events(one):
                cursor = self._around(cursor, one, beats, opening)
        counting = [one for one in self._armed if one.place[0] == "bytes" and self._changes_events(one)]
        if is_first and counting:  # there are no events in the end
            cursor = shapes.Counted(cursor, counting, self._site)
        ahead = Ahead(cursor, self._site, self._own, is_abrupt=self._program.ending.type == "abrupt")
        if ahead.patience_s is not None:
            cursor = ahead
        self._outermost = ref(cursor) if isinstance(cursor, Around) else None
        return cursor

    def _changes_events(self, armed: Armed) -> bool:
        return type(armed.fault) in SHAPES and why_not(armed.fault, self._program) is None

    def _shaped(self, cursor: Cursor, armed: Armed) -> Cursor:
        kind, change = SHAPES[type(armed.fault)]
        return kind(cursor, armed, self._site, change, self._site.started)

    def _around(self, cursor: Cursor, armed: Armed, beats: Beats | None, stream: Stream) -> Cursor:
        why = why_not(armed.fault, self._program)
        strike = STRIKES[type(armed.fault)](self._site) if why is None else strikes.Unsupported(self._site, why)
        after = armed.fault.after
        is_stopped = cursor.outcome not in (None, "completed", "max_events")
        is_spared = is_stopped and (not armed.fault.places or isinstance(armed.fault, PAUSING))
        if is_spared:
            armed.reached = True  # the stream is told to end: nothing keeps it, and nothing is behind its last event
        if after is not None and after.unit == "wireBytes":
            self._write_around(armed, strike, beats, stream)
        if is_spared or (after is not None and after.unit == "wireBytes"):
            return cursor
        trapped = trap(armed.fault, cursor, armed, strike, beats, self._site.started)
        return Throttled(trapped, armed) if isinstance(strike, Throttle) else trapped

    def _write_around(self, armed: Armed, strike: Any, beats: Beats | None, stream: Stream) -> None:
        """Put the fault around the writes of the stream, also those of its end, if its place can be known."""
        place, chunks = int(armed.fault.after.count), stream.program.chunks
        if isinstance(chunks, Writes) or armed.reached:
            return
        if stream.line.sends_raw and len(self._armed) == 1:
            stream.program.chunks = Writes(
                chunks, lambda cursor: AtWireBytes(cursor, armed, strike, beats, place, stream)
            )
            return
        armed.reached = True
        why = "beside other faults of the body" if stream.line.sends_raw else "the server frames the body"
        self._site.note(armed, stream, 0, "unsupported", why)


class Behind(Around):
    """The end of a stream behind bytes of its rows that are still to go out: without them, the event in which they are
    would end in the middle. `cut` is the cursor that holds these bytes."""

    def __init__(self, end: Cursor, before: list[bytes], cut: Around) -> None:
        super().__init__(end)
        self._before = before
        self._events, self._id = cut.events_sent - cut.taken[0], cut.last_event_id

    @property
    def next_due(self) -> float:
        return AT_ONCE if self._before else self.inner.next_due

    @property
    def op(self) -> Op | None:
        return None if self._before else self.inner.op

    def take(self, now: float, most: int = 0) -> list[bytes]:
        if not self._before:
            return self.inner.take(now, most)
        rows, self._before = self._before, []
        return rows

    @property
    def events_sent(self) -> int:
        return self.inner.events_sent + (self._events if self._before else 0)

    @property
    def last_event_id(self) -> str | None:
        return self._id if self._before else self.inner.last_event_id


_UNITS = {"events": 0, "bytes": 1, "wireBytes": 2, "ms": 3}


def _rank(armed: Armed) -> tuple[bool, bool, int, float]:
    fault = armed.fault
    unit, count = ("events", 0.0) if fault.after is None else (fault.after.unit, fault.after.count)
    # Behind the last event comes before the other places, as a moment may come while nothing else does.
    return type(fault) not in SHAPES, bool(fault.places), _UNITS[unit], count
