"""The mocks for all keys and those that are a key's own, and what is kept for the requests of a key."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence, Set
from itertools import chain

from msgspec import structs

from mockd.clock import Clock
from mockd.config.models import ADMIN_PREFIX
from mockd.keys.registry import Key, Keys
from mockd.matching import Layered, Match, MatchTable, Miss, Table
from mockd.mocks.mock_set import MockSet
from mockd.mocks.registered import Registered
from mockd.mocks.scenarios import Scenarios
from mockd.request import RequestView
from mockd.settings import Settings
from mockd.store import MemoryStore, ScopedStore

NO_MOCKS: MatchTable[Registered] = MatchTable([])
"""The mocks for requests that must not have any."""


class MocksByKey:
    """The mocks of an engine, by whose they are. Those of a key are a set of their own, in memory alone, which is made
    when the key gets its first."""

    def __init__(self, settings: Settings, clock: Clock, for_all: MockSet, keys: Keys, scenarios: Scenarios) -> None:
        self._settings = structs.replace(settings, state=None)
        self._clock = clock
        self._keys = keys
        self._scenarios = scenarios
        self.for_all = Key("", 0.0)
        self.for_all.mocks = for_all

    # -- finding mocks ---------------------------------------------------------------------------------------------

    def of(self, key: str) -> MockSet | None:
        """The mocks that are a key's own, or those for all keys. None if the key has none."""
        place = self._keys.get(key) if key else self.for_all
        return None if place is None else place.mocks

    def table_of(self, request: RequestView) -> Table[Registered]:
        """The mocks for a request with a key: first the key's own."""
        if request.key_error is not None or f"{request.path}/".startswith(f"{ADMIN_PREFIX}/"):
            return NO_MOCKS
        for_all, own = self.of(""), self.of(request.key)
        assert for_all is not None
        return for_all.served.table if own is None else Layered(own.served.table, for_all.served.table)

    def owner_of(self, request: RequestView, match: Match[Registered] | Miss) -> str:
        """The key of a request if the mock that answers it is the key's own, otherwise empty."""
        own = self.of(request.key)
        is_own = own is not None and isinstance(match, Match) and own.served.get(match.target.spec.id) is match.target
        return request.key if is_own else ""

    def mock_for(self, key: str | None, mock_id: str) -> tuple[Registered, str]:
        """The mock of that ID that answers requests of a key, and its owner: the key if the mock is its own. Without a
        key, it is the mock for all keys. Raises `NotFoundError`."""
        own, for_all = self.of(key or ""), self.of("")
        assert for_all is not None
        if own is not None and (mock := own.served.get(mock_id)) is not None:
            return mock, key or ""
        return for_all.served.find(mock_id), ""

    def scenarios_of(self, key: str) -> dict[str, Sequence[str]]:
        """The scenarios that mocks for requests of a key name, each with its states."""
        sets = [mocks for mocks in (self.of(""), self.of(key) if key else None) if mocks is not None]
        known: dict[str, Sequence[str]] = {}
        for mocks in sets:
            for name, states in mocks.served.scenarios.items():
                known[name] = list(dict.fromkeys([*known.get(name, ()), *states]))
        return known

    def forgetting_scenarios(self, key: str, gone: Set[str]) -> Iterator[None]:
        """Forget scenarios that a key's own mocks, or those for all keys, do not name any more, unless others do. Those
        of one key are forgotten in each step."""
        for_all = self.of("")
        assert for_all is not None
        for one in [key] if key else ["", *self._keys.names()]:
            own = self.of(one)
            left = gone - for_all.served.scenarios.keys()
            self._scenarios.forget(one, left if own is None else left - own.served.scenarios.keys())
            yield

    # -- changing mocks --------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def place_of(self, key: str, *, is_new: bool = False) -> Iterator[Key]:
        """The place of a key, with its mocks, while they are looked at or changed. With `is_new` it is made if there is
        none; otherwise it is an empty one apart. Raises `TooManyKeysError`."""
        if not key:
            yield self.for_all
            return
        place = self._keys.place(key) if is_new else self._keys.get(key)
        if place is None or (place.mocks is None and not is_new):
            place = Key(key, 0.0)
        if place.mocks is None:
            state = ScopedStore(MemoryStore(), key)
            assert self.for_all.mocks is not None
            relays = self.for_all.mocks.relays
            place.mocks = MockSet(self._settings, self._clock, state, self._keys, self._scenarios, relays)
        self._keys.began(key)
        try:
            yield place
        finally:
            self._keys.ended(key)

    # -- back to the start -----------------------------------------------------------------------------------------

    def forget(self, key: Key) -> Iterator[None]:
        """Forget all that is kept for a key which has lost its place. That is done at once, and one event is freed in
        each step."""
        self._scenarios.reset(key.name)
        sets = [mocks for mocks in (self.of(""), key.mocks) if mocks is not None]
        return chain.from_iterable([mocks.forget(key.name)[1] for mocks in sets])

    def resetting(
        self, key: str | None, done: Counter[str], drop_mocks: Callable[[Key], None] | None
    ) -> Iterator[None]:
        """The steps in which what is counted and held is put back to the start, for one key or for all of them. `done`
        counts it. `drop_mocks` drops the mocks that are a key's own, if they go too."""
        places = self._keys.all() if key is None else [place for place in [self._keys.get(key)] if place is not None]
        done["scenarios"] += self._scenarios.reset(key)
        yield from self._resetting(self.for_all, key, done)
        for place in places:
            done["keys"] += 1
            place.has_state = False
            yield from self._resetting(place, place.name, done)
            if drop_mocks is not None and place.mocks is not None:
                done["mocks"] += place.mocks.restore()
                drop_mocks(place)
            self._keys.drop_if_bare(place.name)
            yield

    def _resetting(self, place: Key, key: str | None, done: Counter[str]) -> Iterator[None]:
        if place.mocks is None:
            return
        counters, freeing = place.mocks.forget(key)
        done["counters"] += counters
        for _ in freeing:
            done["events"] += 1
            yield
