"""The live streams of mocks, what mocks keep for clients that come back, and the hands on both."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mockd.journal.exchange import Exchange
from mockd.journal.registry import Registry
from mockd.keys.mocks import MocksByKey
from mockd.program.plan import StreamPlan

if TYPE_CHECKING:
    from mockd.hand import Hands
    from mockd.streaming.sessions.resume import Sessions


class Streams:
    """The streams of an engine, by mock. Where a method takes a key, None is all keys.

    `are_watched` is whether each stream that begins must be looked at. `make_hands` makes the hands on them.
    """

    def __init__(
        self, by_key: MocksByKey, connections: Registry, make_hands: Callable[[], Hands], *, are_watched: bool
    ) -> None:
        self._by_key = by_key
        self._connections = connections
        self._make_hands = make_hands
        self.are_watched = are_watched
        self.hands: Hands | None = None
        """The hands on them; None until somebody first holds a stream, or waits for one."""

    def take_in_hand(self) -> Hands:
        """The hands on the streams. From the first call on, each stream that begins is looked at."""
        if self.hands is None:
            self.hands = self._make_hands()
            self.are_watched = True
        return self.hands

    def of(self, mock_id: str, key: str | None = None) -> list[Exchange]:
        """The live streams of a mock, oldest first. Raises `NotFoundError`."""
        _, owner = self._by_key.mock_for(key, mock_id)
        return [stream for stream in self._connections.exchanges(mock_id, key) if stream.owner == owner]

    def place_of(self, mock_id: str, key: str | None = None) -> tuple[str, str]:
        """The mock of that ID for a key, as the key whose own it is, otherwise empty, and its ID. Raises
        `NotFoundError`."""
        return self._by_key.mock_for(key, mock_id)[1], mock_id

    def plan_of(self, exchange: Exchange) -> StreamPlan | None:
        """The plan by which a mock answers a request, if the mock is still there."""
        mocks = self._by_key.of(exchange.owner)
        mock = None if mocks is None else mocks.served.get(exchange.mock_id or "")
        return None if mock is None else mock.parts[exchange.entry or 0].plan

    def sessions_of(self, mock_id: str, key: str | None = None) -> list[Sessions]:
        """The sessions of the mock of that ID for a key, if it has any. Raises `NotFoundError`."""
        return list(self._by_key.mock_for(key, mock_id)[0].sessions)

    def close_all(self, mock_id: str, key: str | None = None) -> int:
        """End a mock's live streams through their termination. Returns their number. Raises `NotFoundError`."""
        return self._connections.stop(self.of(mock_id, key), "closed_by_admin")

    def buffer(self, mock_id: str, key: str | None = None) -> list[dict[str, Any]]:
        """The events that a mock keeps for clients that reconnect. Raises `NotFoundError`."""
        from mockd.streaming.sessions.resume import described  # loaded only with the first mock that resumes

        sessions = self.sessions_of(mock_id, key)
        return described([held for mine in sessions for held in mine.held(key)])

    def clear_buffer(self, mock_id: str, key: str | None = None) -> int:
        """Forget the events that a mock keeps. Returns their number. Raises `NotFoundError`."""
        return sum(1 for sessions in self.sessions_of(mock_id, key) for _ in sessions.clearing(key))
