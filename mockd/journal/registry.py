"""Every live stream, whatever its format, and how the last ones ended."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from itertools import count, islice
from typing import Any, Literal

from mockd.clock import Clock
from mockd.errors import ConflictError, NotFoundError
from mockd.journal.exchange import Exchange, Outcome
from mockd.journal.feed import Feed
from mockd.journal.metrics import Tallies
from mockd.request import RequestView
from mockd.store import ScopedStore
from mockd.turns import go_through

Status = Literal["active", "ended", "all"]
"""The exchanges to list; active ones include those that are closing."""

MOST_RECENT = 256
"""Number of ended exchanges that are added to the totals at once."""
STOPPED_AT_ONCE = 50
"""Number of streams that are told to stop in one turn of the event loop."""
_ERRORS: tuple[Outcome, ...] = ("failed", "slow_client")
_HEX = "[0-9a-f]{6,16}"


def _selected(exchanges: Iterable[Exchange], mock_id: str | None, key: str | None) -> list[Exchange]:
    """The exchanges of one mock, one key or both."""
    return [exchange for exchange in exchanges if mock_id in (None, exchange.mock_id) and key in (None, exchange.key)]


def _told_to_stop(exchanges: list[Exchange], outcome: Outcome) -> Iterator[None]:
    for exchange in exchanges:
        if exchange.stream is not None:
            exchange.stream.request_stop(outcome)
        yield


class Registry:
    """The exchanges of an engine. The last `max_ended` that have ended are remembered. Totals are kept in `state`.

    Each of `observers` is called with every exchange that has ended, whether or not a mock answered it, in the event
    loop that answers requests. It must be quick, and must raise nothing.
    """

    def __init__(self, clock: Clock, state: ScopedStore, *, max_ended: int = 1000) -> None:
        self._clock = clock
        self._live: dict[int, Exchange] = {}
        self._ended: deque[Exchange] = deque(maxlen=max_ended)
        self._prefix = secrets.token_hex(6)
        self._numbers = count(1)
        self._state = state
        self._recent: list[Exchange] = []
        """Exchanges that have ended and are not in `_ended` and the totals yet. They are added many at once, as this
        takes less time."""
        self._unlisted: list[Exchange] = []
        """Those that were never listed, which only the tallies count."""
        self._errors_since = 0
        """Connections that were turned away, since the totals were last brought up to date."""
        self._drained: asyncio.Event | None = None
        self._since: dict[str | None, float] = {}
        """The monotonic time at which a key was put back to the start, or all of them under None."""
        self.observers: list[Callable[[Exchange], None]] = []
        self.feed = Feed(clock, self._live)
        self.tallies: Tallies | None = None
        """Tallies for those who scrape them, since they were first asked for."""
        self.left: Callable[[str], object] = lambda key: None
        """Called with the key of each exchange that has one, when it has ended."""

    # -- exchanges come and go -------------------------------------------------------------------------------------

    def exchange(self, request: RequestView) -> Exchange:
        """The record of a request that has come in."""
        return Exchange(
            self._prefix,
            next(self._numbers),
            request.method,
            request.path,
            request.scope.get("client"),
            request.raw_headers.get(b"user-agent"),
            self._clock.wall(),
            self._clock.monotonic(),
            request.key,
        )

    def number_of(self, request_id: str) -> int:
        """The number of a request by its ID in the journal, whether or not it is still there. Raises
        `NotFoundError`."""
        prefix, _, digits = request_id.partition(self._prefix)
        if prefix != "req-" or not re.fullmatch(_HEX, digits):
            raise NotFoundError(f"Request not found: {request_id}")
        return int(digits, 16)

    def opened(self, exchange: Exchange) -> None:
        """List an exchange among the live ones, now that a mock answers it."""
        exchange.is_listed = True
        self._live[exchange.number] = exchange
        if self.feed.is_on:
            self.feed.opened(exchange)

    def ended(self, exchange: Exchange, outcome: Outcome) -> None:
        """Take note that an exchange has ended, whether or not it was listed."""
        exchange.status, exchange.outcome, exchange.stream = "closed", outcome, None
        if self._live.pop(exchange.number, None) is not None:
            self._recent.append(exchange)
            if len(self._recent) == MOST_RECENT:
                self._add_up()
            if self._drained is not None and not self._live:
                self._drained.set()
        elif self.tallies is not None and not exchange.is_preflight:
            self._unlisted.append(exchange)
            if len(self._unlisted) == MOST_RECENT:
                self._add_up()
        if exchange.key:
            self.left(exchange.key)
        if not exchange.is_preflight:
            if self.feed.is_on:
                self.feed.ended(exchange)
            for observer in self.observers:
                observer(exchange)

    def _add_up(self) -> None:
        """Bring the ended exchanges and the totals up to date."""
        recent, self._recent = self._recent, []
        self._ended += recent
        if self.tallies is not None:
            unlisted, self._unlisted = self._unlisted, []
            self.tallies.add(recent + unlisted)
        errors, self._errors_since = self._errors_since, 0
        self._add("ended", len(recent))
        self._add("events", sum([exchange.events_sent for exchange in recent]))
        self._add("bytes", sum([exchange.bytes_sent for exchange in recent]))
        self._add("errors", errors + sum([exchange.outcome in _ERRORS for exchange in recent]))

    def _add(self, name: str, amount: int = 0) -> int:
        """Add to a total, and return it."""
        return self._state.add("total", name, amount=amount)

    def refused(self) -> None:
        """Take note of a connection that was turned away."""
        self._errors_since += 1

    def __len__(self) -> int:
        return len(self._live)

    async def drained(self) -> None:
        """Wait until no stream is live."""
        while self._live:
            self._drained = asyncio.Event()
            await self._drained.wait()

    # -- what is known of them -------------------------------------------------------------------------------------

    def exchanges(self, mock_id: str | None = None, key: str | None = None) -> list[Exchange]:
        """The live exchanges, oldest first: all, or those of one mock, one key or both."""
        return _selected(self._live.values(), mock_id, key)

    def listed(
        self,
        status: Status = "active",
        mock_id: str | None = None,
        limit: int | None = None,
        key: str | None = None,
    ) -> list[Exchange]:
        """The newest `limit` exchanges that are live, ended, or either, oldest first: all, or those of one mock, one
        key or both. May only be called in the event loop that answers requests."""
        self._add_up()
        listed: list[Exchange] = []
        if status != "active":
            listed += self._ended
        if status != "ended":
            listed += self._live.values()
        listed = _selected(listed, mock_id, key)
        if limit is not None:
            listed = list(islice(listed, max(0, len(listed) - limit), None))
        for exchange in listed:
            exchange.look()
        return listed

    def restart(self, key: str | None) -> None:
        """Let earlier exchanges of a key, or all of them, count no more for those who wait for streams."""
        if key is None:
            self._since.clear()
        self._since.pop(key, None)
        self._since[key] = self._clock.monotonic()
        if len(self._since) > (self._ended.maxlen or 0) + 1:  # of older ones, hardly any exchange is remembered
            del self._since[next(name for name in self._since if name is not None)]

    def is_current(self, exchange: Exchange) -> bool:
        """Whether an exchange has come since its key was put back to the start."""
        since = max(self._since.get(None, 0.0), self._since.get(exchange.key, 0.0))
        return exchange.arrived > since

    def live(self, mock_id: str | None = None) -> list[dict[str, Any]]:
        """The live exchanges as JSON objects, oldest first."""
        return [exchange.to_json() for exchange in self.exchanges(mock_id)]

    def find(self, connection_id: str, key: str | None = None) -> Exchange:
        """One exchange, live or ended. Raises `NotFoundError`, also if it is not of that key."""
        exchange = self._find(connection_id)
        if exchange is None:
            self._add_up()
            exchange = next((ended for ended in self._ended if ended.id == connection_id), None)
        if exchange is None or key not in (None, exchange.key):
            raise NotFoundError(f"Connection not found: {connection_id}")
        exchange.look()
        return exchange

    def get(self, connection_id: str, key: str | None = None) -> dict[str, Any]:
        """One exchange, live or ended, as a JSON object. Raises as `find` does."""
        return self.find(connection_id, key).to_json()

    def _find(self, connection_id: str) -> Exchange | None:
        """A live exchange, or None."""
        number = connection_id.partition(self._prefix)[2]
        exchange = self._live.get(int(number, 16)) if re.fullmatch(_HEX, number) else None
        return exchange if exchange is not None and exchange.id == connection_id else None

    # -- ending them -----------------------------------------------------------------------------------------------

    def close(self, connection_id: str, key: str | None = None) -> None:
        """End a stream through its termination. Raises `NotFoundError`, or `ConflictError` if it has ended."""
        known = self.get(connection_id, key)
        exchange = self._find(connection_id)
        if exchange is None:
            raise ConflictError(f"Connection has already ended: {known['outcome']}")
        self.stop([exchange], "closed_by_admin")

    def stop(self, exchanges: list[Exchange], outcome: Outcome) -> int:
        """End streams through their termination. Returns the number of those that had not been told before."""
        active = [exchange for exchange in exchanges if exchange.status == "active"]
        for exchange in active:
            exchange.status = "closing"
        # Each stream sends its end in the turn of the event loop after it is told.
        go_through(_told_to_stop(active, outcome), STOPPED_AT_ONCE)
        return len(active)

    def tallied(self, known: Callable[[], Iterable[Exchange]] = lambda: ()) -> Tallies:
        """The tallies, up to date. They begin when they are first asked for, with the exchanges that are `known` of the
        time before."""
        self._add_up()
        if self.tallies is None:
            self.tallies = Tallies()
            self.tallies.add([exchange for exchange in known() if exchange.outcome is not None])
        return self.tallies

    def stats(self) -> dict[str, Any]:
        """Totals since the start, ended and live connections together."""
        self._add_up()
        live = self._live.values()
        return {
            "activeConnections": len(live),
            "totalConnections": self._add("ended") + len(live),
            "totalEventsSent": self._add("events") + sum(exchange.events_sent for exchange in live),
            "totalBytesSent": self._add("bytes") + sum(exchange.bytes_sent for exchange in live),
            "connectionErrors": self._add("errors"),
            "connectionsByMock": dict(Counter(exchange.mock_id for exchange in live)),
        }

    def stats_of(self, key: str) -> dict[str, Any]:
        """Totals of one key, over its live connections and those of the ended ones that are remembered."""
        known = self.listed("all", key=key)
        live = [exchange for exchange in known if exchange.status != "closed"]
        return {
            "activeConnections": len(live),
            "totalConnections": len(known),
            "totalEventsSent": sum(exchange.events_sent for exchange in known),
            "totalBytesSent": sum(exchange.bytes_sent for exchange in known),
            "connectionErrors": sum(exchange.outcome in _ERRORS for exchange in known),
            "connectionsByMock": dict(Counter(exchange.mock_id for exchange in live)),
        }
