"""Ops: what a stream does that is not data. One stands behind the rows of a cursor, and is due when it says.

The task of a stream performs them; `FINISH` goes out together with the rows before it if both are due. An op is one
object with `perform`; nothing else is needed for a new one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from mockd.clock import Clock
from mockd.journal.exchange import Exchange, Outcome
from mockd.lines import Line

POLL_S = 0.005
"""Seconds between two looks at how much the client has yet to read: no event tells."""
STUCK_GRACE_S = 0.5
"""Grace, in seconds, for a stream that is to end while its client is not reading."""


class Stage(Protocol):
    """What an op may do with its stream."""

    line: Line
    exchange: Exchange
    outcome: Outcome | None
    """How the stream has ended; None while it goes on. An op that ends the stream sets it."""

    @property
    def clock(self) -> Clock:
        """The clock that its times are on."""

    @property
    def rows_time(self) -> float:
        """The time of its rows, in monotonic seconds: it stands still while the stream is held."""

    @property
    def is_told_to_end(self) -> bool:
        """Whether there is an order to stop, for which no op should wait."""

    async def sleep_until(self, when: float) -> None:
        """Rest until the monotonic time `when`, or until something else wants the stream's attention."""

    async def drain(self) -> None:
        """Wait until the server has taken what was written, no longer than a slow client is waited for."""

    def finish(self) -> None:
        """Send the clean end of the body."""

    def turn_to_end(self, outcome: Outcome) -> None:
        """Go on with the end that the termination says."""


class Op(Protocol):
    """Something to do that is not data."""

    async def perform(self, stage: Stage, outcome: Outcome) -> None:
        """Do it. `outcome` is how the rows before it came to their end."""


class Finish:
    """The clean end of the body."""

    async def perform(self, stage: Stage, outcome: Outcome) -> None:
        stage.finish()


class FinishWithTrailers:
    """The clean end of the body, with trailers behind it."""

    def __init__(self, trailers: Callable[[], Sequence[tuple[str, str]]]) -> None:
        self._trailers = trailers

    async def perform(self, stage: Stage, outcome: Outcome) -> None:
        trailers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in self._trailers()]
        if trailers:
            stage.line.trail(trailers)
        stage.finish()


class TurnToEnd:
    """The end that the termination says."""

    async def perform(self, stage: Stage, outcome: Outcome) -> None:
        stage.turn_to_end(outcome)


class Close:
    """A connection that is closed without the end of the body. Under HTTP/1.0 that would look like a clean end, so
    there it is reset."""

    async def perform(self, stage: Stage, outcome: Outcome) -> None:
        line = stage.line
        line.flush()
        await stage.drain()
        if line.ends_with_connection:
            await acknowledged(stage)
            line.abort(reset=True)
        else:
            await shut(stage)
        stage.outcome = outcome


class Reset:
    """A connection that is reset (TCP RST), once the client has acknowledged all that was sent."""

    async def perform(self, stage: Stage, outcome: Outcome) -> None:
        stage.line.flush()
        await stage.drain()
        await acknowledged(stage)
        stage.line.abort(reset=True)
        stage.outcome = outcome


class Abort:
    """A connection that is given up at once, for a client that reads nothing."""

    async def perform(self, stage: Stage, outcome: Outcome) -> None:
        stage.line.abort()
        stage.outcome = outcome


FINISH = Finish()
TURN_TO_END = TurnToEnd()
CLOSE = Close()
RESET = Reset()
ABORT = Abort()

CUTS: Mapping[str, Op] = {"closed": CLOSE, "reset": RESET, "timeout": CLOSE}
"""How a connection ends if an answer was cut off, by `CutOffError.how`."""


async def acknowledged(stage: Stage) -> None:
    """Wait until the client's machine has acknowledged all that was sent, if that can be known; a reset throws away
    what is still on its way."""
    await _read_on(stage, lambda: stage.line.unacknowledged() or 0)


async def shut(stage: Stage) -> None:
    """Close the connection behind all that is on its way. Under TLS it ends also if the client keeps its side open."""
    stage.line.close()
    await gone(stage)
    stage.line.abort()


async def gone(stage: Stage) -> None:
    """Wait until the connection is closed, behind all that is on its way."""
    # The last of it is with the kernel a moment before the connection is lost.
    await _read_on(stage, lambda: stage.line.unsent() + 1 if stage.line.breaks_off else 0)


async def _read_on(stage: Stage, left: Callable[[], int]) -> None:
    """Wait until nothing is left for the client to read, or it reads nothing for a while."""
    least, until = math.inf, 0.0
    while not stage.line.is_lost and (size := left()):
        now = stage.clock.monotonic()
        if size < least:
            least, until = size, now + STUCK_GRACE_S
        elif now >= until:
            return
        await stage.sleep_until(now + POLL_S)
