"""A stream that may be held: at which place, since when, and what stands still meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Literal

from msgspec import structs

from mockd.config.hand import Hold
from mockd.hand.rows_time import RowsTime
from mockd.journal.exchange import Exchange
from mockd.streaming.cursors.around import Around, Beats, layers
from mockd.streaming.cursors.whole import NO_ROWS
from mockd.streaming.stream import Stream

AT_ONCE_HOLD = Hold()
"""The hold that begins where the stream is."""


class Held(Around):
    """A stream that may be held. `on_change` is called when that changes, and when events were sent. A subclass says
    what goes out meanwhile.

    `standing` is the hold that stands. `_time` is the time of the cursor inside. `_steps` is the number of events that
    may go out although the stream is held.
    """

    def __init__(self, exchange: Exchange, on_change: Callable[[Any], None]) -> None:
        super().__init__(NO_ROWS)
        self.exchange = exchange
        self.standing: Hold | None = None
        self._on_change = on_change
        self._loop = asyncio.get_running_loop()
        self._has_begun = False
        self._steps = 0
        self._time = RowsTime()

    @property
    def stream(self) -> Stream:
        """The stream, which is live."""
        stream: Any = self.exchange.stream
        assert isinstance(stream, Stream)
        return stream

    @property
    def is_held(self) -> bool:
        """Whether the stream is at its place, though events before it may still be on their way to the server."""
        return self._time.is_still

    @property
    def waits_before_head(self) -> bool:
        return self.is_held and not self._has_begun

    @property
    def held_at(self) -> int | Literal["head"] | None:
        """The place of the hold that stands: a number of events, or before the head."""
        if self.standing is None:
            return None
        if self.is_held:
            return self.events_sent if self._has_begun else "head"
        return self.standing.at

    @property
    def stands_still(self) -> bool:
        """Whether the stream is held, and all before the place was handed to the server."""
        return self.is_held and not self._steps and self.exchange.events_sent >= self.events_sent

    def rows_time(self, now: float) -> float:
        """The time of the cursor inside."""
        return self._time.now(now)

    # -- what people do with it ------------------------------------------------------------------------------------

    def hold(self, hold: Hold) -> None:
        """Hold the stream at a place, which replaces the place of an earlier hold."""
        now = self.stream.clock.monotonic()
        self._end(now)
        self.standing = hold
        if self._is_reached:
            self._begin(now)
        self.stream.wake()

    def release(self) -> None:
        """Let the stream go on."""
        if self.standing is not None and self.exchange.stream is not None:
            self._end(self.stream.clock.monotonic())
            self.stream.wake()
        self.standing = None

    def step(self, count: int) -> None:
        """Let so many events out now, and hold the stream behind them."""
        now = self.stream.clock.monotonic()
        if not self._has_begun:
            before = self.standing or AT_ONCE_HOLD
            self._end(now)
            self.standing = structs.replace(before, at=count)
        else:
            if not self.is_held:
                self.standing = self.standing or AT_ONCE_HOLD
                self._begin(now)
            self._steps += count
        self.stream.wake()

    # -- how it is held -------------------------------------------------------------------------------------------

    @property
    def _is_reached(self) -> bool:
        """Whether the stream is at the place of the hold that stands, or past it."""
        assert self.standing is not None
        at = self.standing.at
        if at is None or at == "head":
            return True
        return self._has_begun and self.events_sent >= at

    def reach_head(self) -> None:
        """The stream is ready to send its head."""
        if self.standing is not None and not self.is_held and self._is_reached:
            self._begin(self.stream.clock.monotonic())

    def _begin(self, now: float) -> None:
        hold, stream = self.standing, self.stream
        assert hold is not None
        self._time.stand_still(now)
        if self._has_begun:
            self._keep_silent(is_so=True)
        if hold.freeze_timeouts:
            life = stream.program.lifetime
            stream.live(structs.replace(life, timeout_s=0.0, connection_timeout_s=0.0))
            self._lifetime = life
        self._tell()

    def _end(self, now: float) -> None:
        """End the hold that stands, if the stream is held."""
        if not self.is_held:
            return
        hold, stream, held_s = self.standing, self.stream, now - self._time.held_since
        assert hold is not None
        self._steps = 0
        if self._has_begun:
            self._time.go_on(now)
            self._move_beats(self._time.since - now)
            self._keep_silent(is_so=False)
        else:
            self._time.is_still = False
        if hold.freeze_timeouts:
            life = self._lifetime
            longer_s = life.connection_timeout_s and life.connection_timeout_s + held_s
            stream.last_event += held_s
            stream.live(structs.replace(life, connection_timeout_s=longer_s))
        self._tell()

    def _keep_silent(self, *, is_so: bool) -> None:
        """Keep the cursor inside from sending heartbeats; the stream too, if the hold says so."""
        assert self.standing is not None
        if (beats := self._beats) is not None:
            beats.is_quiet = is_so
        if not self.standing.keepalives:
            self.stream.keep_silent(is_so=is_so)

    @property
    def _beats(self) -> Beats | None:
        """The heartbeats, if they are rows of the cursor inside."""
        return next((cursor for cursor in layers(self.inner) if isinstance(cursor, Beats)), None)

    def _move_beats(self, seconds: float) -> None:
        if (beats := self._beats) is not None:
            beats.move(seconds)

    def sent(self) -> None:
        """Take note that the server has events that were taken."""
        self._on_change(self)

    def _tell(self) -> None:
        """Tell that something has changed, once the rows that were taken are with the server."""
        self._loop.call_soon(self._on_change, self)
