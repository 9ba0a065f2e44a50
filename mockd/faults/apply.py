"""Faults on a program: its head, what comes before it, and the cursors around its rows."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import structs

from mockd.config import faults as config
from mockd.events import Event, Fill, drawn
from mockd.faults import chunks, heads, shapes, strikes
from mockd.faults.armed import Armed
from mockd.faults.around import Beats, Broken, Whole
from mockd.faults.begun import Begun
from mockd.faults.chosen import Aimed, Striking, striking
from mockd.faults.fitting import changes_whole, why_not
from mockd.faults.limited import Limited
from mockd.faults.places import trap
from mockd.faults.site import ErrorRow, Site
from mockd.faults.throttle import Throttle, Throttled
from mockd.faults.wire import AtWireBytes
from mockd.framing import Framing, Row
from mockd.journal.exchange import Exchange
from mockd.program.plan import StreamPlan
from mockd.program.terms import UNSEEDED
from mockd.source import SourceContext
from mockd.streaming.cursors.cursor import Cursor
from mockd.streaming.cursors.whole import WholeCursor
from mockd.streaming.ops import Op
from mockd.streaming.pipeline import Matched, answered, respond
from mockd.streaming.program import Opening, Program
from mockd.streaming.stream import Stream

if TYPE_CHECKING:
    from mockd.streaming.sessions.resume import Sessions

STRIKES: dict[type[config.Fault], Callable[[Site], Any]] = {
    config.End: strikes.End,
    config.Close: strikes.Break,
    config.Reset: strikes.Reset,
    config.Stall: strikes.Stall,
    config.DelayFault: strikes.Delay,
    config.Throttle: Throttle,
    config.Idle: strikes.Idle,
    config.Empty: heads.Empty,
    config.Garbage: lambda site: strikes.Inserted(site, lambda site, fault: heads.garbage(fault.bytes, site.rng)),
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

SHAPES: dict[type[config.Fault], tuple[type[shapes.Shaped], shapes.Change]] = {
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


class Bare(Framing):
    """A framing whose opening and end are rows already. `begun` is whether the body has begun."""

    has_opening = False

    def __init__(self, framing: Framing, begun: Begun) -> None:
        self.name = framing.name
        self.framing = framing
        self.begun = begun
        self.with_retry = framing.with_retry  # type: ignore[method-assign]
        self.row = framing.row  # type: ignore[method-assign]

    def begun_with(self, row: bytes) -> bytes:
        """A row that comes from outside: the first one begins the body."""
        if self.begun.is_so:
            return row
        self.begun.is_so = True
        return self.framing.opening(row)


def broken(
    plan: StreamPlan, sessions: Sessions | None, faults: Sequence[Aimed], matched: Matched, timeout_s: float
) -> Program:
    """What a mock with faults answers. A fault waits at most so long for a client that does not read."""
    found = striking(faults, matched.request, matched.count, _drawing(plan))
    context = SourceContext(
        matched.request, matched.captures, matched.clock, plan.random(matched.count), matched.count_own
    )
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
            program.framing,
            program.fill or Fill(plan.random(matched.count), matched.clock),
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
    """The error event that a stream's provider would send, or None for that of its termination."""
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
    if program.coming is not None:
        return structs.replace(program, coming=_later(program.coming, striking, site_of))
    site = site_of(program)
    program = structs.replace(program, prepared=None)
    first: list[Op] = []
    later: list[Armed] = []
    has_status = False
    for one in [Armed(one.fault, one.request) for one in striking]:
        fault = one.fault
        if changes_whole(fault, program):
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
    program.first = first
    if later:
        program.around = Chain(later, site, structs.replace(program))
        program.framing, program.heartbeat = Bare(program.framing, site.begun), None
    return program


_SECOND_STATUS = "another `status` came before"


def _change_body(program: Program, armed: Armed) -> tuple[str] | tuple[str, str]:
    """Change the body of a whole answer, and say its length anew. Returns how near that comes."""
    assert isinstance(program.rows, WholeCursor)
    before = program.rows.body
    (body,) = SHAPES[type(armed.fault)][1](program.framing, before, armed)
    program.rows = WholeCursor(body)
    said, length = [(b"content-length", b"%d" % len(data)) for data in (before, body)]
    if said in program.headers:  # and not another one, which is a lie
        program.headers = program.headers.replaced([length])
    else:
        program.own = [length if header == said else header for header in program.own]
    return ("unsupported", "the answer has no data") if body == before else ("exact",)


async def _later(coming: Awaitable[Program], striking: Sequence[Striking], site_of: SiteOf) -> Program:
    return faulted(await coming, striking, site_of)


class Chain:
    """The cursors of the faults of one stream, around that of its rows and then that of its end: first what changes
    events, then the places in order."""

    def __init__(self, armed: Sequence[Armed], site: Site, program: Program) -> None:
        self._armed = sorted(armed, key=_rank)
        self._site = site
        self._program = program
        self._is_opened = False
        self._cut: AtWireBytes | None = None

    def __call__(self, cursor: Cursor, opening: Opening, now: float) -> Cursor:
        beats: Beats | None = None
        heartbeat = None if self._is_opened else self._program.heartbeat
        is_first = not self._is_opened
        if is_first:
            self._is_opened, self._site.started = True, now
        assert isinstance(opening, Stream)
        if self._cut is not None and self._cut.is_inside:
            return Broken(cursor)
        for one in self._armed:
            if self._changes_events(one):
                cursor = self._shaped(cursor, one)
        if is_first and self._site.limited is not None:
            cursor = Limited(cursor, self._site.limited, self._site.fill.sent_before)
        if heartbeat is not None and not heartbeat.is_apart:
            cursor = beats = Beats(cursor, heartbeat, now)
        cursor = Whole(cursor, self._program.framing, self._site.begun)
        if heartbeat is not None and heartbeat.is_apart:
            cursor = beats = Beats(cursor, heartbeat, now)
        for one in self._armed:
            if not self._changes_events(one):
                cursor = self._around(cursor, one, beats, opening)
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
        if is_stopped and (not armed.fault.places or isinstance(armed.fault, PAUSING)):
            return cursor  # the stream is told to end: nothing keeps it, and nothing is behind its last event
        if after is not None and after.unit == "wireBytes":
            if not stream.line.sends_raw or len(self._armed) > 1:
                why = "beside other faults of the body" if stream.line.sends_raw else "the server frames the body"
                if not armed.reached:
                    armed.reached = True
                    self._site.note(armed, stream, 0, "unsupported", why)
                return cursor
            self._cut = AtWireBytes(cursor, armed, strike, beats, int(after.count), stream)
            return self._cut
        trapped = trap(armed.fault, cursor, armed, strike, beats, self._site.started)
        return Throttled(trapped, armed) if isinstance(strike, Throttle) else trapped


_UNITS = {"events": 0, "bytes": 1, "wireBytes": 2, "ms": 3}


def _rank(armed: Armed) -> tuple[bool, bool, int, float]:
    fault = armed.fault
    unit, count = ("events", 0.0) if fault.after is None else (fault.after.unit, fault.after.count)
    # Behind the last event comes before the other places, as a moment may come while nothing else does.
    return type(fault) not in SHAPES, bool(fault.places), _UNITS[unit], count
