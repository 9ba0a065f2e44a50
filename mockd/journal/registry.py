"""Every live stream, whatever its format, and how the last ones ended."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections import Counter, deque
from collections.abc import Callable, Iterator
from itertools import count, islice
from typing import Any, Literal

from mockd.clock import Clock
from mockd.errors import ConflictError, NotFoundError
from mockd.journal.exchange import Exchange, Outcome, Stoppable
from mockd.request import RequestView
from mockd.store import ScopedStore
from mockd.turns import go_through

Status = Literal["active", "ended", "all"]
"""The exchanges to list; active ones include those that are closing."""

STOPPED_AT_ONCE = 50
"""Number of streams that are told to stop in one turn of the event loop."""
_HEX = "[0-9a-f]{6,16}"


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
        # Counts since the totals were last asked for.
        self._ended_since = self._events_since = self._bytes_since = self._errors_since = 0
        self._drained: asyncio.Event | None = None
        self.observers: list[Callable[[Exchange], None]] = []

    # -- exchanges come and go -------------------------------------------------------------------------------------

    def exchange(self, request: RequestView) -> Exchange:
        """The record of a request that has come in."""
        return Exchange(
            self._prefix,
            next(self._numbers),
            request.method,
            request.path,
            request.client_ip,
            request.raw_headers.get(b"user-agent"),
            self._clock.wall(),
            self._clock.monotonic(),
        )

    def opened(self, exchange: Exchange, stream: Stoppable) -> None:
        """List an exchange among the live ones, now that a mock answers it."""
        exchange.stream = stream
        self._live[exchange.number] = exchange

    def ended(self, exchange: Exchange, outcome: Outcome) -> None:
        """Take note that an exchange has ended, whether or not it was listed."""
        exchange.status, exchange.outcome, exchange.stream = "closed", outcome, None
        if self._live.pop(exchange.number, None) is not None:
            self._closed(exchange)
        if not exchange.is_preflight:
            for observer in self.observers:
                observer(exchange)

    def _closed(self, exchange: Exchange) -> None:
        self._ended_since += 1
        self._events_since += exchange.events_sent
        self._bytes_since += exchange.bytes_sent
        if exchange.outcome in ("failed", "slow_client"):
            self._errors_since += 1
        if self._drained is not None and not self._live:
            self._drained.set()
        self._ended.append(exchange)

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

    def exchanges(self, mock_id: str | None = None) -> list[Exchange]:
        """The live exchanges, oldest first: all, or those of one mock."""
        live = list(self._live.values())
        return live if mock_id is None else [exchange for exchange in live if exchange.mock_id == mock_id]

    def listed(self, status: Status = "active", mock_id: str | None = None, limit: int | None = None) -> list[Exchange]:
        """The newest `limit` exchanges that are live, ended, or either, oldest first. May only be called in the event
        loop that answers requests."""
        listed: list[Exchange] = []
        if status != "active":
            listed += self._ended
        if status != "ended":
            listed += self._live.values()
        if mock_id is not None:
            listed = [exchange for exchange in listed if exchange.mock_id == mock_id]
        if limit is not None:
            listed = list(islice(listed, max(0, len(listed) - limit), None))
        for exchange in listed:
            exchange.look()
        return listed

    def live(self, mock_id: str | None = None) -> list[dict[str, Any]]:
        """The live exchanges as JSON objects, oldest first."""
        return [exchange.to_json() for exchange in self.exchanges(mock_id)]

    def get(self, connection_id: str) -> dict[str, Any]:
        """One exchange, live or ended, as a JSON object. Raises `NotFoundError`."""
        exchange = self._find(connection_id)
        if exchange is None:
            exchange = next((ended for ended in self._ended if ended.id == connection_id), None)
        if exchange is None:
            raise NotFoundError(f"Connection not found: {connection_id}")
        exchange.look()
        return exchange.to_json()

    def _find(self, connection_id: str) -> Exchange | None:
        """A live exchange, or None."""
        number = connection_id.partition(self._prefix)[2]
        exchange = self._live.get(int(number, 16)) if re.fullmatch(_HEX, number) else None
        return exchange if exchange is not None and exchange.id == connection_id else None

    # -- ending them -----------------------------------------------------------------------------------------------

    def close(self, connection_id: str) -> None:
        """End a stream through its termination. Raises `NotFoundError`, or `ConflictError` if it has ended."""
        exchange = self._find(connection_id)
        if exchange is None:
            raise ConflictError(f"Connection has already ended: {self.get(connection_id)['outcome']}")
        self.stop([exchange], "closed_by_admin")

    def stop(self, exchanges: list[Exchange], outcome: Outcome) -> int:
        """End streams through their termination. Returns the number of those that had not been told before."""
        active = [exchange for exchange in exchanges if exchange.status == "active"]
        for exchange in active:
            exchange.status = "closing"
        # Each stream sends its end in the turn of the event loop after it is told.
        go_through(_told_to_stop(active, outcome), STOPPED_AT_ONCE)
        return len(active)

    def stats(self) -> dict[str, Any]:
        """Totals since the start, ended and live connections together."""
        live = self._live.values()

        def total(name: str) -> int:
            since: int = getattr(self, f"_{name}_since")
            setattr(self, f"_{name}_since", 0)
            return self._state.add("total", name, amount=since)

        return {
            "activeConnections": len(live),
            "totalConnections": total("ended") + len(live),
            "totalEventsSent": total("events") + sum(exchange.events_sent for exchange in live),
            "totalBytesSent": total("bytes") + sum(exchange.bytes_sent for exchange in live),
            "connectionErrors": total("errors"),
            "connectionsByMock": dict(Counter(exchange.mock_id for exchange in live)),
        }
