"""Strikes: what a fault does to a stream at its place. They are the ops of faults."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

from msgspec import structs

from mockd.config import faults as config
from mockd.config.timing import in_seconds
from mockd.events import drawn
from mockd.faults.armed import Armed
from mockd.faults.site import Site
from mockd.journal.exchange import Outcome
from mockd.lines import Line
from mockd.program.terms import Ending
from mockd.streaming.cursors.body import Body
from mockd.streaming.ops import CLOSE, POLL_S, STUCK_GRACE_S, Stage

NEVER_S = math.inf
_OUTCOME: Outcome = "aborted"
_ORDERED: frozenset[Outcome] = frozenset({"timed_out", "closed_by_admin", "shutdown"})
"""Outcomes of streams that are told to end."""


class Trapped(Protocol):
    """The cursor whose place has been reached, as a strike sees it."""

    armed: Armed
    held: list[bytes]
    events_sent: int
    outcome: Outcome | None

    def leave(self) -> None:
        """Leave out the rest of the event in which the place is."""

    def insert(self, rows: Sequence[bytes], *, is_behind: bool = False) -> None:
        """Send rows before what follows, or behind the event in which the place is."""

    def unsent(self) -> list[bytes]:
        """The bytes that were taken from the body and are still to go out."""

    def pause(self, now: float, seconds: float, *, beats: bool = False, shifts: bool = False) -> None:
        """Send nothing for so long."""


Strike = Callable[[Stage, Trapped], Awaitable[None]]


class Struck:
    """The base of all strikes, which notes that the fault has struck."""

    ends_connection = False
    """Whether it ends the connection, so that a client that does not read is not waited for."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.patience_s = site.timeout_s

    async def __call__(self, stage: Stage, trap: Trapped) -> None:
        raise NotImplementedError

    def breaks(self, line: Line) -> bool:
        """Whether it ends the connection behind a line."""
        return self.ends_connection and line.breaks_off

    def break_off(self, stage: Stage, trap: Trapped) -> None:
        """End the connection though the client has not read all that was sent, and not all of it may be sent."""
        self.site.note(trap.armed, stage, stage.exchange.events_sent, *UNREAD)
        stage.line.abort()

    async def is_read(self, stage: Stage) -> bool:
        """Wait until the client's machine has acknowledged all that was sent, or the kernel has it if that cannot be
        known, but not for a client that reads nothing. Returns whether it has."""
        line, least, until = stage.line, math.inf, 0.0
        while not line.is_lost:
            left = line.unacknowledged()
            left = line.unsent() if left is None else left
            if not left:
                break
            now = stage.clock.monotonic()
            if left < least:
                least, until = left, now + self.patience_s
            elif now >= until:
                return False
            if stage.is_told_to_end:
                return False
            await stage.sleep_until(now + POLL_S)
        return True

    def note(self, stage: Stage, trap: Trapped, fidelity: str | None = None, as_: str | None = None) -> None:
        """Note it, with how near it is to what was asked: by default as near as the line can come."""
        if fidelity is None:
            fidelity, as_ = _fidelity(stage.line, as_)
        self.site.note(trap.armed, stage, trap.events_sent, fidelity, as_)


UNREAD = ("emulated", "before the client had read all")


def _fidelity(line: Line, as_: str | None) -> tuple[str, str | None]:
    if line.breaks_off and line.unacknowledged() is not None:
        return "exact", None
    return "emulated", as_ or "handed to the server at that place"


class Unsupported(Struck):
    """Nothing, and a record that says why."""

    def __init__(self, site: Site, why: str) -> None:
        super().__init__(site)
        self._why = why

    async def __call__(self, stage: Stage, trap: Trapped) -> None:
        self.note(stage, trap, "unsupported", self._why)


class End(Struck):
    async def __call__(self, stage: Stage, trap: Trapped) -> None:
        self.note(stage, trap)
        stage.finish()
        stage.outcome = _OUTCOME


class Break(Struck):
    """The end of the connection, once the client's machine has acknowledged what was sent, and after a while."""

    ends_connection = True
    is_reset = False

    async def __call__(self, stage: Stage, trap: Trapped) -> None:
        line = stage.line
        is_read = await self.is_read(stage)
        if linger_s := trap.armed.fault.linger / 1000:
            await pause(stage, linger_s)
        tls = getattr(trap.armed.fault, "tls", None)
        is_truncated = tls == "truncate" and line.is_secure
        if not line.breaks_off:
            self.note(stage, trap, "emulated", "the body is left without its end; the server ends the connection")
        elif not is_read:
            self.note(stage, trap, *UNREAD)
        elif not (self.is_reset or is_truncated) and line.ends_with_connection:
            self.note(stage, trap, "emulated", "a reset, as a close would be a clean end")
        elif tls is not None and not line.is_secure:
            self.note(stage, trap, "emulated", "a plain close, as the connection has no TLS")
        else:
            self.note(stage, trap)
        if (self.is_reset or is_truncated) and line.breaks_off:
            line.abort(reset=self.is_reset)
            stage.outcome = _OUTCOME
        else:
            await CLOSE.perform(stage, _OUTCOME)

    def break_off(self, stage: Stage, trap: Trapped) -> None:
        self.site.note(trap.armed, stage, stage.exchange.events_sent, *UNREAD)
        stage.line.abort(reset=self.is_reset)


class Reset(Break):
    is_reset = True


class OwnBreak:
    """The op of the break that the lifecycle of a stream says, by `simulateDisconnect` or an `abrupt` termination. It
    is a close, and noted as one."""

    def __init__(self, armed: Armed, site: Site) -> None:
        self.armed = armed
        self._site = site
        self.events_sent = 0

    async def perform(self, stage: Stage, outcome: Outcome) -> None:
        line, strike = stage.line, Break(self._site)
        line.flush()
        await stage.drain()
        if line.is_gone:
            return
        if outcome in _ORDERED:
            strike.patience_s = min(strike.patience_s, STUCK_GRACE_S)
        self.events_sent = stage.exchange.events_sent
        await strike(stage, self)  # type: ignore[arg-type]  # by its protocol
        stage.outcome = outcome

    def break_off(self, stage: Stage) -> None:
        """Break off at once, though the client has not read all that comes before."""
        Break(self._site).break_off(stage, self)  # type: ignore[arg-type]  # by its protocol


class Stall(Struck):
    async def __call__(self, stage: Stage, trap: Trapped) -> None:
        fault: config.Stall = trap.armed.fault
        self.note(stage, trap)
        length_s = NEVER_S if fault.ms is None else fault.ms / 1000
        trap.pause(stage.rows_time, length_s, beats=fault.keepalives, shifts=fault.shift)


class Delay(Struck):
    async def __call__(self, stage: Stage, trap: Trapped) -> None:
        self.note(stage, trap)
        trap.pause(stage.rows_time, drawn(in_seconds(trap.armed.fault.ms), self.site.rng), shifts=True)


class Idle(Stall):
    async def __call__(self, stage: Stage, trap: Trapped) -> None:
        fault: config.Idle = trap.armed.fault
        self.note(stage, trap)
        trap.pause(stage.rows_time, NEVER_S if fault.ms is None else fault.ms / 1000)


BEHIND = "behind the event in which the place is, as it is encoded"


def why_not_behind(body: Body, trap: Trapped) -> str | None:
    """The reason for which nothing can be encoded and sent behind the event in which a place is; None if it can."""
    if body.has_ended:
        return "the encoding of the body has ended"
    if body.is_encoded and len(trap.unsent()) > len(trap.held):
        return "other bytes that are encoded wait before it"
    return None


class Inserted(Struck):
    """Rows that are sent at the place, and are not counted."""

    def __init__(self, site: Site, made: Callable[[Site, Any], bytes], *, is_coded: bool = True) -> None:
        super().__init__(site)
        self._made = made
        self._is_coded = is_coded

    async def __call__(self, stage: Stage, trap: Trapped) -> None:
        body = self.site.body
        if not self._is_coded:
            self.note(stage, trap)
            trap.insert([body.begun_with(self._made(self.site, trap.armed.fault))])
        elif (why := why_not_behind(body, trap)) is not None:
            self.note(stage, trap, "unsupported", why)
        else:
            is_behind = body.is_encoded and bool(trap.held)
            self.note(stage, trap, *(("emulated", BEHIND) if is_behind else ()))
            row = body.form_of(self._made(self.site, trap.armed.fault))
            trap.insert([row] if row else [], is_behind=is_behind)


class Error(Struck):
    """An error event, then the end."""

    async def __call__(self, stage: Any, trap: Trapped) -> None:
        body = self.site.body
        if (why := why_not_behind(body, trap)) is not None:
            self.note(stage, trap, "unsupported", why)
            return
        self.note(stage, trap, *(("emulated", BEHIND) if body.is_encoded and trap.held else ()))
        if not body.is_encoded:
            trap.leave()
        fault: config.ErrorFault = trap.armed.fault
        said = self.site.error_row(fault)
        if said is not None:
            await pause(stage, said.pause_s)
            stage.program = structs.replace(stage.program, ending=Ending(type="error", error=said.row))
        stage.turn_to_end("failed")


async def pause(stage: Stage, seconds: float) -> None:
    """Wait so long, but no longer than the client is there and the stream may go on."""
    until = stage.clock.monotonic() + seconds
    while not (stage.line.is_lost or stage.is_told_to_end) and stage.clock.monotonic() < until:
        await stage.sleep_until(until)
