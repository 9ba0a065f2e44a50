"""The live feed: what happens to requests and mocks, for whoever looks on.

Events are noted only as long as somebody looks on, and for a while after. There is one list for all readers, each of
whom goes along it at a place of their own: a reader who is too slow finds that events are missing, and holds nobody up.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, Literal

from msgspec import Struct

from mockd.clock import Clock, rfc3339
from mockd.journal.exchange import Exchange

Type = Literal["request", "opened", "reached", "held", "released", "fault", "ended", "mocks"]

MOST_EVENTS = 10_000
"""Most events that are kept for readers who are behind."""
MOST_OF_A_PATH = 2000
"""Most characters of a path in an event; the journal has all of it."""
MOST_OF_A_REASON = 400
"""Most characters that say how a request differs from a mock."""
KEPT_S = 60.0
"""Time, in seconds, for which events are noted after the last reader has left, who may come back."""


def _brief(near: dict[str, Any]) -> dict[str, Any]:
    """A near miss without its criteria, which the journal has: thousands of events are kept."""
    brief = {name: value for name, value in near.items() if name in ("mockId", "mockName", "matchPercentage")}
    return {**brief, "reason": near["reason"][:MOST_OF_A_REASON]}


class Happening(Struct, frozen=True):
    """One event of the feed. `key` and `mock_id` are those of the request that it is about. An event about the mocks is
    for everybody: its `key` is None."""

    number: int
    type: Type
    key: str | None
    mock_id: str | None
    data: dict[str, Any]


class Missed(Struct, frozen=True):
    """A gap in the feed, up to the event with this number. `count` is None if nothing was noted meanwhile."""

    number: int
    count: int | None


class Feed:
    """The feed of one engine. It belongs to the thread of the event loop. Look whether `is_on` before noting an event:
    nothing is made of what nobody reads."""

    def __init__(self, clock: Clock, live: Mapping[int, Exchange]) -> None:
        self._clock = clock
        self._live = live
        self._events: deque[Happening] = deque(maxlen=MOST_EVENTS)
        self._number = 0
        self._prefix = secrets.token_hex(4)
        self._news: asyncio.Event | None = None
        self._turning_off: asyncio.TimerHandle | None = None
        self._is_closed = False
        self.is_on = False
        self.readers = 0

    # -- what happens ----------------------------------------------------------------------------------------------

    def opened(self, exchange: Exchange) -> None:
        """A mock begins to answer a request."""
        exchange.watcher = self
        self._came(exchange)
        self._note("opened", {"kind": exchange.kind}, exchange)

    def struck(self, exchange: Exchange, fault: dict[str, Any]) -> None:
        """A fault has struck."""
        if self.is_on:
            self._note("fault", {"fault": fault}, exchange)

    def reached(self, exchange: Exchange) -> None:
        """A stream has sent as many events as a hold or a wait is about."""
        self._note("reached", {"eventsSent": exchange.events_sent}, exchange)

    def held(self, exchange: Exchange) -> None:
        """A stream is held."""
        assert exchange.hand is not None
        self._note("held", {"eventsSent": exchange.events_sent, "heldAt": exchange.hand.held_at}, exchange)

    def released(self, exchange: Exchange) -> None:
        """A stream is held no longer."""
        self._note("released", {"eventsSent": exchange.events_sent}, exchange)

    def ended(self, exchange: Exchange) -> None:
        """The answer to a request is over."""
        if not exchange.is_listed:
            self._came(exchange)
        exchange.look()
        became = {
            "status": exchange.http_status or None,
            "eventsSent": exchange.events_sent,
            "bytesSent": exchange.bytes_sent,
            "durationMs": round((self._clock.monotonic() - exchange.arrived) * 1000, 1),
            "outcome": exchange.outcome,
            "endedBy": exchange.ended_by,
        }
        self._note("ended", became, exchange)

    def changed(self, key: str, mocks: int) -> None:
        """The mocks for all keys have changed, of which there are so many now, or those that are a key's own."""
        self._note("mocks", {"key": key, "mocks": mocks})

    def _came(self, exchange: Exchange) -> None:
        misses = exchange.near_misses
        self._note("request", {} if misses is None else {"nearMisses": list(map(_brief, misses))}, exchange)

    def _note(self, type: Type, data: dict[str, Any], exchange: Exchange | None = None) -> None:
        self._number += 1
        about: dict[str, Any] = {"time": rfc3339(self._clock.wall(), "milliseconds")}
        if exchange is not None:
            about |= {
                "requestId": exchange.request_id,
                "key": exchange.key,
                "method": exchange.method,
                "path": exchange.path[:MOST_OF_A_PATH],
                "mockId": exchange.mock_id,
                "connectionId": exchange.id if exchange.is_listed else None,
            }
        key, mock_id = (None, None) if exchange is None else (exchange.key, exchange.mock_id)
        self._events.append(Happening(self._number, type, key, mock_id, {**about, **data}))
        self._wake()

    def close(self) -> None:
        """Let all readers go, as the server stops."""
        self._is_closed = True
        self._wake()

    def _wake(self) -> None:
        if self._news is not None:
            self._news.set()
            self._news = None

    # -- its readers -----------------------------------------------------------------------------------------------

    def id_of(self, number: int) -> str:
        """The ID of an event, which is unique across processes and restarts."""
        return f"{self._prefix}-{number}"

    def _number_of(self, id_: str) -> int | None:
        """The number of an event that was noted since the feed was last turned on, by its ID."""
        prefix, _, digits = id_.rpartition("-")
        known = prefix == self._prefix and digits.isascii() and digits.isdigit() and len(digits) < 20
        return int(digits) if known and int(digits) <= self._number else None

    async def read(
        self, fits: Callable[[Happening], bool], after: str | None = None
    ) -> AsyncIterator[Happening | Missed]:
        """What happens from now on, or behind the event with the ID `after`, until the server stops."""
        place = self._number
        self._join()
        try:
            if after is not None:
                known = self._number_of(after)
                if known is None:
                    yield Missed(place, None)
                else:
                    place = known
            while not self._is_closed:
                first = self._events[0].number if self._events else self._number + 1
                if place < first - 1:
                    yield Missed(first - 1, first - 1 - place)
                    place = first - 1
                elif place < self._number:
                    event = self._events[place + 1 - first]
                    place = event.number
                    if fits(event):
                        yield event
                else:
                    await self._next()
        finally:
            self._leave()

    async def _next(self) -> None:
        if self._news is None:
            self._news = asyncio.Event()
        await self._news.wait()

    def _join(self) -> None:
        self.readers += 1
        if not self.is_on:
            self.is_on = True
            for exchange in self._live.values():
                exchange.watcher = self
        if self._turning_off is not None:
            self._turning_off.cancel()
            self._turning_off = None

    def _leave(self) -> None:
        self.readers -= 1
        if not self.readers:
            self._turning_off = asyncio.get_running_loop().call_later(KEPT_S, self._turn_off)

    def _turn_off(self) -> None:
        self.is_on = False
        self._events.clear()
        self._prefix = secrets.token_hex(4)  # what happens until the next reader comes has no number
