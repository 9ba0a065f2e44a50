"""One request and what became of it: the record that lists, counters and the journal are made from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Protocol

from msgspec import Struct

from mockd.clock import rfc3339
from mockd.journal.lateness import Lateness
from mockd.request import header_text

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
EndedBy = Literal["client-fin", "client-rst", "client-timeout", "mockd"]


class Stoppable(Protocol):
    """The part of a stream that the record of its exchange uses."""

    def request_stop(self, outcome: Outcome) -> None:
        """End through the termination; may be called from any thread."""

    def cut(self) -> None:
        """End at once."""

    @property
    def request_head(self) -> bytes | None:
        """The head of the request as it came, and perhaps bytes behind it; None if it is not known."""

    def inform(self, status: int, reason: bytes, headers: Sequence[tuple[bytes, bytes]]) -> None:
        """Send an informational answer (1xx) before the head, if the server can."""


class Delivered(Protocol):
    """The part of a connection's delivery that the record of an exchange uses."""

    departure: Literal["client-fin", "client-rst", "client-timeout"] | None
    """How the client has left, if it has."""

    def missing(self, end: int | None) -> int | None:
        """Number of bytes before `end`, which may be unknown, that are not acknowledged; None if that cannot be
        known."""


class Holding(Protocol):
    """The part of a hand on a stream that the record of its exchange uses."""

    @property
    def is_held(self) -> bool:
        """Whether the stream is at its place, though events before it may still be on their way to the server."""

    @property
    def stands_still(self) -> bool:
        """Whether the stream is held now."""

    @property
    def held_at(self) -> int | Literal["head"] | None:
        """The place of the hold that stands: a number of events, or before the head."""

    def rows_time(self, now: float) -> float:
        """The time of the rows inside, which stands still while the stream is held."""

    def over(self, program: Any) -> Any:
        """The program of the stream with the hand on it. Its class is in a layer above."""

    def sent(self) -> None:
        """Take note that more events were sent."""


class Watcher(Protocol):
    """Who is told of an exchange while it goes on."""

    def struck(self, exchange: Exchange, fault: dict[str, Any]) -> None:
        """A fault has struck."""


class Exchange(Struct):
    """One request and its answer: who, since when, how much, and how it ended.

    `mock_id` is None until a mock is found; `entry` is the index in its `responses` of the one that answers.
    `events_sent` and `bytes_sent` count what was handed to the transport. When the answer is over, `delivery` knows
    what became of it, of which `look` takes note; `wire_end` is the position in the connection at which it ended, None
    if only the server knows.
    `connected_at` is Unix time in seconds, and `arrived` the same moment in monotonic time. `key` tells parallel users
    of one server apart, and `owner` is the same if the mock is the key's own, otherwise empty. `near_misses` are those
    of a request that no mock matches. `faults` are the faults that have struck, each as a JSON object. A preflight is a
    browser's own request, which observers are not told of. An answer of a mock is listed. `client` is its address and
    port, as ASGI has them. `first_byte`, `first_event` and `last_byte` are the monotonic times at which the head, an
    event and the last byte of the body were sent, 0 before that. `lateness` is known of a stream that takes time. Its
    `watcher` is told of faults. `hand` is the hand on the stream, if somebody has laid one on it.
    """

    prefix: str
    number: int
    method: str
    path: str
    client: Sequence[Any] | None
    user_agent: bytes | None
    connected_at: float
    arrived: float
    key: str = ""
    owner: str = ""
    mock_id: str | None = None
    kind: Kind = "response"
    stream: Stoppable | None = None
    http_status: int = 0
    events_sent: int = 0
    bytes_sent: int = 0
    bytes_acknowledged: int | None = None
    delivery: Delivered | None = None
    wire_end: int | None = None
    last_event_id: str | None = None
    resumed_from: str | None = None
    status: Literal["active", "closing", "closed"] = "active"
    outcome: Outcome | None = None
    ended_by: EndedBy | None = None
    near_misses: list[dict[str, Any]] | None = None
    faults: list[dict[str, Any]] | None = None
    is_preflight: bool = False
    is_listed: bool = False
    first_byte: float = 0.0
    first_event: float = 0.0
    last_byte: float = 0.0
    lateness: Lateness | None = None
    watcher: Watcher | None = None
    entry: int | None = None
    hand: Holding | None = None

    @property
    def client_ip(self) -> str | None:
        """The client's address without its port, or None if the server does not know it."""
        return self.client[0] if self.client else None

    @property
    def id(self) -> str:
        """The ID, which is unique across processes and restarts."""
        return f"{self.kind}-{self.prefix}{self.number:06x}"

    @property
    def request_id(self) -> str:
        """The ID of the request in the journal."""
        return f"req-{self.prefix}{self.number:06x}"

    def struck(self, fault: dict[str, Any]) -> None:
        """Take note of a fault that has struck."""
        self.faults = [*(self.faults or ()), fault]
        if self.watcher is not None:
            self.watcher.struck(self, fault)

    def look(self) -> None:
        """Take note of what the client's machine has acknowledged by now, and of how the client has left. Missing bytes
        may belong to the head or to chunk sizes, so more may be acknowledged than is noted."""
        if self.delivery is None:
            return
        if self.bytes_acknowledged != self.bytes_sent:
            missing = self.delivery.missing(self.wire_end)
            self.bytes_acknowledged = None if missing is None else max(0, self.bytes_sent - missing)
        if self.outcome == "client_disconnected":
            self.ended_by = self.delivery.departure

    def to_json(self) -> dict[str, Any]:
        hand = self.hand  # which the loop may take away while another thread is here
        optional = {
            "entry": self.entry,
            "userAgent": None if self.user_agent is None else header_text(self.user_agent),
            "lastEventId": self.last_event_id,
            "resumedFrom": self.resumed_from,
            "outcome": self.outcome,
            "endedBy": self.ended_by,
            "bytesAcked": self.bytes_acknowledged,
            "heldAt": None if hand is None else hand.held_at,
        }
        return {
            "id": self.id,
            "mockId": self.mock_id,
            "key": self.key,
            "kind": self.kind,
            "path": self.path,
            "clientIp": self.client_ip,
            "connectedAt": rfc3339(self.connected_at),
            "eventsSent": self.events_sent,
            "bytesSent": self.bytes_sent,
            "status": self.status,
            "held": hand is not None and hand.stands_still,
            "faults": self.faults or [],
            **{key: value for key, value in optional.items() if value is not None},
        }
