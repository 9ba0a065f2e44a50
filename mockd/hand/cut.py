"""Faults that strike a stream where it is now, with the strikes that the faults of mocks have."""

from __future__ import annotations

import math
from itertools import count
from typing import Any

from msgspec import structs

from mockd.clock import Clock
from mockd.config import faults as config
from mockd.config.fault import Fault
from mockd.config.fault_lines import parse_faults
from mockd.errors import ConfigError, ConflictError
from mockd.events import Fill
from mockd.faults import heads
from mockd.faults.apply import SHAPES, STRIKES, body_of, error_row
from mockd.faults.armed import Armed
from mockd.faults.fitting import why_not
from mockd.faults.places import AtEvents
from mockd.faults.site import Notable, Site
from mockd.faults.strikes import Struck, Trapped
from mockd.faults.throttle import Throttle, Throttled
from mockd.hand.hand import Hand
from mockd.journal.exchange import Exchange
from mockd.program.plan import StreamPlan
from mockd.program.terms import UNSEEDED
from mockd.request import RequestView
from mockd.source import Counters, SourceContext
from mockd.streaming.cursors.body import Bare
from mockd.streaming.cursors.end import EndCursor
from mockd.streaming.cursors.whole import NO_ROWS
from mockd.streaming.instead import instead_of
from mockd.streaming.ops import FINISH, Op

_NOT_NOW = ("before", "after", "requests", "every", "probability", "match")
_numbers = count(1)


def fault_of(given: Any, most_bytes: float = math.inf) -> Fault:
    """The fault of a cut: an object or a line as in a mock, but without place and requests. Raises `ConfigError`."""
    try:
        (fault,) = parse_faults([given], (), most_bytes)
    except ConfigError as error:
        raise ConfigError([structs.replace(one, path=one.path[1:]) for one in error.problems]) from None
    for name in _NOT_NOW:
        if getattr(fault, name) is not None:
            path = (name,) if isinstance(given, dict) else ()
            raise ConfigError(f"`{name}` is not for a cut, which strikes a stream now", path=path, hint="leave it out")
    return fault


def cut(hand: Hand, fault: Fault, plan: StreamPlan | None, timeout_s: float) -> None:
    """Let a fault strike a stream now. `plan` is its mock's, if that is still there. Raises `ConflictError` if it
    is too late for it, or too early."""
    stream = hand.stream
    armed = Armed(fault, 1)
    armed.place = ("now", float(next(_numbers)))
    site = _site(hand, None if plan is None else plan.source, timeout_s)
    if stream.cursor is NO_ROWS:
        _before_head(hand, armed, site, plan)
        return
    if isinstance(fault, config.StatusFault | config.HeaderFault | config.Empty):
        raise _too_late(fault, "the head is sent", "a hold at `head` comes before it")
    if stream.is_ending:
        raise _too_late(fault, "the stream is ending")
    if (why := why_not(fault, stream.program)) is not None:
        raise ConflictError(f"`{fault.action}` is not possible: {why}")
    if type(fault) in SHAPES:
        kind, change = SHAPES[type(fault)]
        hand.change_events(lambda cursor: kind(cursor, armed, site, change, site.started))
        return
    strike = _Idle(site) if isinstance(fault, config.Idle) else STRIKES[type(fault)](site)
    hand.cut(
        lambda cursor, beats: AtEvents(cursor, armed, strike, beats, 0),
        (lambda trap: Throttled(trap, armed)) if isinstance(strike, Throttle) else None,
    )


def _too_late(fault: Fault, why: str, hint: str | None = None) -> ConflictError:
    error = ConflictError(f"it is too late for `{fault.action}`: {why}")
    error.hint = hint
    return error


class _Idle(Struck):
    """The end of the stream without the end of its body, which follows after a while."""

    async def __call__(self, stage: Any, trap: Trapped) -> None:
        self.note(stage, trap)
        fault: config.Idle = trap.armed.fault
        pause_s = math.inf if fault.ms is None else fault.ms / 1000
        stage.end_with(EndCursor(stage.rows, "aborted", b"", FINISH, stage.clock.monotonic(), pause_s))


def _before_head(hand: Hand, armed: Armed, site: Site, plan: StreamPlan | None) -> None:
    """Let a fault strike a stream that is held before its head."""
    fault, stream = armed.fault, hand.stream
    program = stream.program
    if not hand.waits_before_head:
        error = ConflictError("Connection has not begun: what it answers is not decided yet")
        error.hint = "hold it at `head` first"
        raise error
    if "head" not in fault.places:
        error = ConflictError(f"`{fault.action}` is not possible before the head of a stream")
        error.hint = "release it first"
        raise error
    if isinstance(fault, config.StatusFault):
        context = _context(hand.exchange, stream.clock)
        answer = heads.refusal(fault, None if plan is None else plan.source, context, stream.clock.wall())
        hand.answer_with(instead_of(program, plan, answer, stream.clock))
        op: Op = heads.Noted(armed, site, "exact")
    elif isinstance(fault, config.HeaderFault):
        op = heads.ChangedHead(armed, site, program.headers.names.union(name for name, _ in program.own))
        headers = heads.changed_head(program.headers, fault)
        own = [header for header in program.own if header[0] not in headers.settled]
        stream.program = structs.replace(program, headers=headers, own=own)
    elif isinstance(fault, config.DelayFault | config.Stall):
        op = heads.Late(armed, site, heads.wait_of(fault, site))
    else:
        strike = heads.Empty(site) if isinstance(fault, config.Empty | config.Garbage) else STRIKES[type(fault)](site)
        op = heads.BeforeHead(armed, site, strike)
    hand.add_before_head(op, is_last=isinstance(op, heads.BeforeHead | heads.Noted))


class _Site(Site):
    """The site of a stream with a hand, which knows of the events that were pushed."""

    __slots__ = ("hand",)
    hand: Hand

    def note(self, armed: Armed, stream: Notable, events: int, fidelity: str, as_: str | None = None) -> None:
        super().note(armed, stream, self.hand.events_sent, fidelity, as_)


def _site(hand: Hand, source: Any, timeout_s: float) -> Site:
    stream, exchange = hand.stream, hand.exchange
    program = stream.program
    body = body_of(program)
    site = _Site(
        exchange,
        body,
        program.fill or Fill(UNSEEDED, stream.clock),
        timeout_s=timeout_s,
        limited=None,
        error_row=lambda fault: error_row(source, _context(exchange, stream.clock), program, fault, exchange),
    )
    site.hand = hand
    site.started = exchange.first_byte or exchange.arrived
    if not isinstance(program.framing, Bare):
        body.begun.is_so = True  # the stream itself begins the body
    return site


def _context(exchange: Exchange, clock: Clock) -> SourceContext:
    """What is still known of the request: templates make their error event of it."""
    scope = {"type": "http", "method": exchange.method, "path": exchange.path, "query_string": b"", "headers": []}
    request = RequestView(scope)
    request.body = b"{}"
    return SourceContext(request, {}, clock, UNSEEDED, Counters().count)
