"""The stream that faults strike, and what they note of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from mockd.clock import Clock
from mockd.config.faults import ErrorFault
from mockd.events import Fill
from mockd.faults.armed import Armed
from mockd.framing import Row
from mockd.journal.exchange import Exchange
from mockd.lines import Line
from mockd.program.terms import Terms
from mockd.streaming.cursors.body import Body


class Notable(Protocol):
    """The part of a stream that a note is made of."""

    line: Line

    @property
    def clock(self) -> Clock:
        """The clock of the stream."""


class ErrorRow(NamedTuple):
    """An error event, and the pause before it in seconds: some clients miss one that they read together with others."""

    row: Row
    pause_s: float


class Site:
    """One stream with faults, and its body. `started` is the monotonic time of its head; until
    then, of its request. `timeout_s` is how long a break waits for a client that does not read. `limited` are the terms
    to whose limits in events the faults see; None if the rows keep them. `error_row` makes the error event that the
    stream's provider would send, or None for the one of its termination. `passed` is the number of bytes of the body
    that were sent, as far as somebody counts them."""

    __slots__ = ("body", "error_row", "exchange", "fill", "framing", "limited", "passed", "rng", "started", "timeout_s")

    def __init__(
        self,
        exchange: Exchange,
        body: Body,
        fill: Fill,
        *,
        timeout_s: float,
        limited: Terms | None,
        error_row: Callable[[ErrorFault], ErrorRow | None],
    ) -> None:
        self.exchange = exchange
        self.body = body
        self.framing = body.framing
        self.fill = fill
        self.rng = fill.rng
        self.timeout_s = timeout_s
        self.limited = limited
        self.error_row = error_row
        self.passed = 0
        self.started = exchange.arrived

    def note(self, armed: Armed, stream: Notable, events: int, fidelity: str, as_: str | None = None) -> None:
        """Note that a fault has struck, after so many events."""
        exchange, line = self.exchange, stream.line
        unacknowledged = line.unacknowledged()
        acknowledged = None if unacknowledged is None else max(0, exchange.bytes_sent - unacknowledged)
        record: dict[str, Any] = {
            "name": armed.fault.name,
            "action": armed.fault.action,
            "request": armed.request,
            "events": events,
            "bytes": exchange.bytes_sent,
            "wireBytes": line.wire_bytes,
            "bytesAcked": acknowledged,
            "atMs": round((stream.clock.monotonic() - self.started) * 1000, 1),
            "fidelity": fidelity,
            "as": as_,
        }
        known = {key: value for key, value in record.items() if value is not None}
        exchange.struck(known)
