"""Watches on streams: somebody looks on while a stream sends its events. A watch that is behind misses some, and holds
nobody up."""

from __future__ import annotations

import asyncio
import codecs
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from mockd.clock import Clock
from mockd.framing import Framing
from mockd.journal.exchange import Exchange
from mockd.streaming.cursors.around import Around
from mockd.streaming.cursors.body import Bare
from mockd.streaming.cursors.cursor import Cursor

MOST_KEPT = 100
"""Most events that are kept for a watch that is behind: the newest."""
MOST_SHOWN = 512
"""Bytes of an event that are shown: its beginning."""
GAP_S = 0.05
"""Shortest time, in seconds, between two looks at a stream, however fast it is."""
LOOK_S = 1.0
"""Longest time, in seconds, between two looks, for what nobody tells: keepalives, and what was acknowledged."""


class Sent(NamedTuple):
    """One row that went out at a monotonic time, in `size` bytes. `number` is its number among the events, None for one
    that is not counted; `beginning` has its first bytes before any encoding."""

    at: float
    number: int | None
    beginning: bytes
    is_cut: bool
    size: int
    framing: Framing


class Watch:
    """Somebody who watches a stream; `exchange` is None while it is yet to begin. It belongs to the thread of the event
    loop."""

    def __init__(self, clock: Clock, key: str | None, exchange: Exchange | None = None) -> None:
        self.key = key
        self.exchange = exchange
        self._clock = clock
        self._sent: deque[Sent] = deque(maxlen=MOST_KEPT)
        self._missed = 0
        self._count = 0 if exchange is None else exchange.events_sent
        self._news = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._is_given_up = False
        self._ended_at: float | None = None

    # -- what happens ----------------------------------------------------------------------------------------------

    def sent(self, rows: Sequence[bytes], count: int, framing: Framing) -> None:
        """Take note of rows that go out now. With them, the stream has sent `count` events."""
        now, more, self._count = self._clock.monotonic(), count - self._count, count
        for place, row in enumerate(rows, start=1 - len(rows)):
            is_event = more == len(rows) or (place == 0 and more > 0)
            self._missed += len(self._sent) == MOST_KEPT
            number = count + place if is_event else None
            plain = framing.sent.plain_of(row) if isinstance(framing, Bare) else row
            self._sent.append(Sent(now, number, plain[:MOST_SHOWN], len(plain) > MOST_SHOWN, len(row), framing))
        self.wake()

    def wake(self) -> None:
        """Look at the stream again."""
        self._news.set()

    def end(self) -> None:
        """Take note that the stream has ended now."""
        self._ended_at = self._clock.monotonic()
        self.wake()

    def give_up(self) -> None:
        """End the watch, unless it has its stream, as none will come; from any thread."""
        self._is_given_up = True
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.wake)

    # -- what its reader gets --------------------------------------------------------------------------------------

    async def read(self) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        """What happens until the stream has ended, as types and data: `waiting` if it is yet to begin, its `state`
        at first and whenever it has changed, each event that was `sent`, and how many were `missed`."""
        told: dict[str, Any] = {}
        if self.exchange is None:
            yield "waiting", {}
        while True:
            exchange = self.exchange
            if exchange is not None:
                has_ended = exchange.status == "closed"
                if not told:
                    told = self._state(exchange)
                    yield "state", told
                if self._missed:
                    missed, self._missed = self._missed, 0
                    yield "missed", {"missed": missed}
                sent, self._sent = self._sent, deque(maxlen=MOST_KEPT)
                for one in sent:
                    yield "sent", _described(one, exchange)
                state = self._state(exchange)
                if has_ended or state | {"durationMs": 0} != told | {"durationMs": 0}:
                    told = state
                    yield "state", told
                if has_ended:
                    return
            elif self._is_given_up:
                return
            await self._next()

    async def _next(self) -> None:
        await asyncio.sleep(GAP_S)
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOK_S):
                await self._news.wait()
        self._news.clear()

    def _state(self, exchange: Exchange) -> dict[str, Any]:
        exchange.look()
        until = self._clock.monotonic() if self._ended_at is None else self._ended_at
        return {
            **exchange.to_json(),
            "httpStatus": exchange.http_status or None,
            "durationMs": round((until - exchange.arrived) * 1000, 1),
            "lateness": None if exchange.lateness is None else exchange.lateness.to_json(),
        }


def _described(sent: Sent, exchange: Exchange) -> dict[str, Any]:
    """A row for people: the type, the id and the data that a client finds in it, or the text as it stands."""
    # What was cut may end inside a character.
    text = codecs.getincrementaldecoder("utf-8")("replace").decode(sent.beginning, final=not sent.is_cut)
    framing = sent.framing.sent.framing if isinstance(sent.framing, Bare) else sent.framing
    type, data = framing.read(text.encode())
    id_ = framing.id_of(text.encode())
    if data is not None and not framing.sends_ids:
        data = framing.data_of(text.encode()).decode()
    found = {"number": sent.number, "type": type, "id": id_, "data": data}
    if type is data is id_ is None:
        found["raw"] = text
    return {
        "atMs": round((sent.at - (exchange.first_byte or exchange.arrived)) * 1000, 1),
        "bytes": sent.size,
        **{name: value for name, value in found.items() if value is not None},
        **({"cut": True} if sent.is_cut else {}),
    }


class Watched(Around):
    """The end of a stream that is being watched."""

    def __init__(self, inner: Cursor, watches: Sequence[Watch], framing: Framing) -> None:
        super().__init__(inner)
        self._watches = watches
        self._framing = framing

    def take(self, now: float, most: int = 0) -> list[bytes]:
        rows = self.inner.take(now, most)
        for watch in self._watches:
            watch.sent(rows, self.events_sent, self._framing)
        return rows
