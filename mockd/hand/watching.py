"""The watches of an engine: on streams that are live, and on those that begin next."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from mockd.clock import Clock
from mockd.errors import TooManyReadersError
from mockd.hand.hand import Hand
from mockd.hand.upcoming import Mock
from mockd.hand.watches import Watch
from mockd.journal.exchange import Exchange
from mockd.settings import Settings


class Watches:
    """All who watch streams now. `lay_on` lays a hand on a live stream: by that, a watch sees what is sent."""

    def __init__(self, settings: Settings, clock: Clock, lay_on: Callable[[Exchange], Hand]) -> None:
        self._settings = settings
        self._clock = clock
        self._lay_on = lay_on
        self._all: set[Watch] = set()
        self._waiting: dict[Watch, Mock] = {}
        """The watches whose stream is yet to begin."""

    def __iter__(self) -> Iterator[Watch]:
        return iter(self._all)

    def on(self, exchange: Exchange) -> AbstractContextManager[Watch]:
        """A watch on a live stream. Raises `ConflictError` if it has ended, and `TooManyReadersError`."""
        self._check_room()
        self._lay_on(exchange)
        return self._on(exchange)

    @contextmanager
    def _on(self, exchange: Exchange) -> Iterator[Watch]:
        hand = self._lay_on(exchange)
        watch = Watch(self._clock, exchange.key, exchange)
        hand.watches.append(watch)
        with self._kept(watch):
            yield watch

    def on_next(self, mock: Mock, key: str | None) -> AbstractContextManager[Watch]:
        """A watch on the next stream of a mock, of one key or of any. Raises `TooManyReadersError`."""
        self._check_room()
        return self._on_next(mock, key)

    @contextmanager
    def _on_next(self, mock: Mock, key: str | None) -> Iterator[Watch]:
        watch = Watch(self._clock, key)
        self._waiting[watch] = mock
        with self._kept(watch):
            yield watch

    def _check_room(self) -> None:
        most = self._settings.max_subscribers
        if len(self._all) >= most:
            raise TooManyReadersError(f"as many watch streams as --max-subscribers allows ({most:,})")

    @contextmanager
    def _kept(self, watch: Watch) -> Iterator[None]:
        self._all.add(watch)
        try:
            yield
        finally:
            self._all.discard(watch)
            self._waiting.pop(watch, None)
            if watch.exchange is not None and isinstance(hand := watch.exchange.hand, Hand):
                hand.watches.remove(watch)

    def waiting_for(self, exchange: Exchange) -> list[Watch]:
        """The watches that wait for a stream such as this one."""
        mock = (exchange.owner, exchange.mock_id)
        return [one for one, expected in self._waiting.items() if expected == mock and one.key in (None, exchange.key)]

    def begin(self, watches: list[Watch], hand: Hand) -> None:
        """Let watches see a stream that begins now."""
        for watch in watches:
            del self._waiting[watch]
            watch.exchange = hand.exchange
            hand.watches.append(watch)
            watch.wake()

    def give_up(self, concerns: Callable[[Mock, str | None], bool]) -> None:
        """End the watches that wait for the next stream of certain mocks and keys; from any thread."""
        for watch, mock in list(self._waiting.items()):
            if concerns(mock, watch.key):
                watch.give_up()
