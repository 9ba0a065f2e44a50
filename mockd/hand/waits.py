"""Waits for streams: what somebody waits for, and the one who waits. Waits are woken; nothing looks again and again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from msgspec import Struct

from mockd.journal.exchange import Exchange


class Conditions(Struct, frozen=True):
    """What must be so of one stream: it has sent so many events, it is held, it has ended."""

    reached: int | None = None
    held: bool = False
    ended: bool = False

    @property
    def is_empty(self) -> bool:
        return self == NOTHING

    def hold_of(self, exchange: Exchange) -> bool:
        """Whether all of it is so."""
        if self.reached is not None and exchange.events_sent < self.reached:
            return False
        if self.held and not (exchange.hand is not None and exchange.hand.stands_still):
            return False
        return not self.ended or exchange.status == "closed"


NOTHING = Conditions()


class Wait:
    """Somebody who waits for `most` streams of which the conditions hold. `found` are those that are looked at, by
    their numbers. A wait on them is over when they have ended; one that `is_open` waits for others yet to come."""

    def __init__(
        self, key: str | None, conditions: Conditions, exchanges: Iterable[Exchange], most: int = 1, *, is_open: bool
    ) -> None:
        self.key = key
        self.conditions = conditions
        self.found = {exchange.number: exchange for exchange in exchanges}
        self.is_open = is_open
        self._most = most
        self._future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._holding: dict[int, Exchange] = {}
        for exchange in list(self.found.values()):
            self.look(exchange)

    @property
    def is_over(self) -> bool:
        return self._future.done()

    @property
    def fulfilled(self) -> list[Exchange]:
        """The streams of which the conditions hold, as far as they were looked at."""
        return list(self._holding.values())

    def look(self, exchange: Exchange) -> None:
        """Look whether the conditions hold of a stream now."""
        self.found[exchange.number] = exchange
        if self.conditions.hold_of(exchange):
            self._holding[exchange.number] = exchange
        else:
            self._holding.pop(exchange.number, None)
            if exchange.status == "closed":
                del self.found[exchange.number]
        if len(self._holding) >= self._most:
            self.end(is_so=True)
        else:
            self._look_ahead()

    def _look_ahead(self) -> None:
        """End the wait if no stream can fulfil it any more."""
        if not self.is_open and all(one.status == "closed" for one in self.found.values()):
            self.end(is_so=False)

    def end(self, *, is_so: bool) -> None:
        """End the wait, in its event loop."""
        if not self._future.done():
            self._future.set_result(is_so)

    def give_up(self) -> None:
        """End the wait, as it can never come to be so; from any thread."""
        loop = self._future.get_loop()
        if not loop.is_closed():
            loop.call_soon_threadsafe(lambda: self.end(is_so=False))

    def expect_no_more(self) -> None:
        """Wait for no other streams than those that are live; from any thread."""

        def close() -> None:
            self.is_open = False
            self._look_ahead()

        loop = self._future.get_loop()
        if not loop.is_closed():
            loop.call_soon_threadsafe(close)

    async def done(self, timeout_s: float) -> bool:
        """Whether it came to be so within that time."""
        try:
            async with asyncio.timeout(timeout_s):
                return await self._future
        except TimeoutError:
            return False
