"""Every live stream, whatever its format, and how the last ones ended."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections import Counter, deque
from collections.abc import Iterator
from itertools import count
from typing import Any, Literal, Protocol

from msgspec import Struct

from mockd.clock import Clock, rfc3339
from mockd.errors import ConflictError, NotFoundError
from mockd.request import RequestView
from mockd.store import ScopedStore
from mockd.streaming.turns import go_through

Kind = Literal["sse", "chunked", "ndjson", "response"]
Outcome = Literal[
    "completed",
    "max_events",
    "timed_out",
    "client_disconnected",
    "closed_by_admin",
    "shutdown",
    "aborted",
    "slow_client",
    "failed",
]

STOPPED_AT_ONCE = 50
"""Streams that are told to stop in one turn of the event loop."""

_HEX = "[0-9a-f]{6,16}"


class Stoppable(Protocol):
    """What the registry needs of a stream."""

    def request_stop(self, outcome: Outcome) -> None:
        """End through the termination; may be called from any thread."""

    def cut(self) -> None:
        """End at once."""


class Connection(Struct):
    """One stream's record: who, since when, how much. Counters are what was handed to the transport."""

    prefix: str
    number: int
    mock_id: str
    kind: Kind
    path: str
    client_ip: str | None
    user_agent: bytes | None
    connected_at: float
    stream: Stoppable | None
    events_sent: int = 0
    bytes_sent: int = 0
    last_event_id: str | None = None
    resumed_from: str | None = None
    status: Literal["active", "closing", "closed"] = "active"
    outcome: Outcome | None = None

    @property
    def id(self) -> str:
        """Its name: unique across processes and restarts."""
        return f"{self.kind}-{self.prefix}{self.number:06x}"

    def to_json(self) -> dict[str, Any]:
        optional = {
            "userAgent": None if self.user_agent is None else self.user_agent.decode("latin-1"),
            "lastEventId": self.last_event_id,
            "resumedFrom": self.resumed_from,
            "outcome": self.outcome,
        }
        return {
            "id": self.id,
            "mockId": self.mock_id,
            "kind": self.kind,
            "path": self.path,
            "clientIp": self.client_ip,
            "connectedAt": rfc3339(self.connected_at),
            "eventsSent": self.events_sent,
            "bytesSent": self.bytes_sent,
            "status": self.status,
            **{key: value for key, value in optional.items() if value is not None},
        }


def _told_to_stop(connections: list[Connection], outcome: Outcome) -> Iterator[None]:
    for connection in connections:
        if connection.stream is not None:
            connection.stream.request_stop(outcome)
        yield


class Registry:
    """All connections of an engine. `max_ended` closed ones are remembered; totals are counted in `state`."""

    def __init__(self, clock: Clock, state: ScopedStore, *, max_ended: int = 1000) -> None:
        self._clock = clock
        self._live: dict[int, Connection] = {}
        self._ended: deque[Connection] = deque(maxlen=max_ended)
        self._prefix = secrets.token_hex(6)
        self._numbers = count(1)
        self._state = state
        self._tally: Counter[str] = Counter()
        """What has come together since the totals were last asked for."""
        self._drained: asyncio.Event | None = None

    def open(self, stream: Stoppable, mock_id: str, kind: Kind, request: RequestView) -> Connection:
        number = next(self._numbers)
        user_agent = request.raw_headers.get(b"user-agent")
        connection = self._live[number] = Connection(
            self._prefix,
            number,
            mock_id,
            kind,
            request.path,
            request.client_ip,
            user_agent,
            self._clock.wall(),
            stream,
        )
        return connection

    def closed(self, connection: Connection, outcome: Outcome) -> None:
        """Take note that a stream has ended."""
        del self._live[connection.number]
        tally = self._tally
        tally["ended"] += 1
        tally["events"] += connection.events_sent
        tally["bytes"] += connection.bytes_sent
        if outcome in ("failed", "slow_client"):
            tally["errors"] += 1
        connection.status, connection.outcome, connection.stream = "closed", outcome, None
        if self._drained is not None and not self._live:
            self._drained.set()
        self._ended.append(connection)

    def refused(self) -> None:
        """Take note of a connection that was turned away."""
        self._tally["errors"] += 1

    def __len__(self) -> int:
        return len(self._live)

    async def drained(self) -> None:
        """Wait until no stream is live."""
        while self._live:
            self._drained = asyncio.Event()
            await self._drained.wait()

    def connections(self, mock_id: str | None = None) -> list[Connection]:
        """The live ones, oldest first; of one mock if `mock_id` is given."""
        live = list(self._live.values())
        return live if mock_id is None else [connection for connection in live if connection.mock_id == mock_id]

    def live(self, mock_id: str | None = None) -> list[dict[str, Any]]:
        """The live ones as JSON objects, oldest first."""
        return [connection.to_json() for connection in self.connections(mock_id)]

    def get(self, connection_id: str) -> dict[str, Any]:
        """One connection, live or ended, as a JSON object. Raises `NotFoundError`."""
        connection = self._find(connection_id)
        if connection is None:
            connection = next((ended for ended in self._ended if ended.id == connection_id), None)
        if connection is None:
            raise NotFoundError(f"Connection not found: {connection_id}")
        return connection.to_json()

    def _find(self, connection_id: str) -> Connection | None:
        """A live connection."""
        number = connection_id.partition(self._prefix)[2]
        connection = self._live.get(int(number, 16)) if re.fullmatch(_HEX, number) else None
        return connection if connection is not None and connection.id == connection_id else None

    def close(self, connection_id: str) -> None:
        """End a stream through its termination. Raises `NotFoundError`, or `ConflictError` if it has ended."""
        connection = self._find(connection_id)
        if connection is None:
            raise ConflictError(f"Connection has already ended: {self.get(connection_id)['outcome']}")
        self.stop([connection], "closed_by_admin")

    def stop(self, connections: list[Connection], outcome: Outcome) -> int:
        """End streams through their termination; how many had not been told before."""
        active = [connection for connection in connections if connection.status == "active"]
        for connection in active:
            connection.status = "closing"
        # Each of them is going to send its end in the turn of the loop after this.
        go_through(_told_to_stop(active, outcome), STOPPED_AT_ONCE)
        return len(active)

    def stats(self) -> dict[str, Any]:
        """Totals since the start, ended and live connections together."""
        live = self._live.values()

        def total(name: str) -> int:
            return self._state.add("total", name, amount=self._tally.pop(name, 0))

        return {
            "activeConnections": len(live),
            "totalConnections": total("ended") + len(live),
            "totalEventsSent": total("events") + sum(connection.events_sent for connection in live),
            "totalBytesSent": total("bytes") + sum(connection.bytes_sent for connection in live),
            "connectionErrors": total("errors"),
            "connectionsByMock": dict(Counter(connection.mock_id for connection in live)),
        }
