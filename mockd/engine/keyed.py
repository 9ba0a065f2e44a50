"""What is kept by key: for which keys, and how it is forgotten or put back to the start."""

from __future__ import annotations

from collections import Counter

from mockd.clock import Clock
from mockd.engine.serving import EVENTS_AT_ONCE, Serving
from mockd.engine.streams import Streams
from mockd.errors import NotFoundError
from mockd.journal.journal import Journal
from mockd.journal.registry import Registry
from mockd.keys.mocks import MocksByKey
from mockd.keys.registry import Key, Keys, KnownKeys
from mockd.mocks.mock_set import MockSet
from mockd.turns import go_through, gone_through


class Keyed:
    """All that an engine keeps by key."""

    def __init__(
        self,
        clock: Clock,
        keys: Keys,
        by_key: MocksByKey,
        mock_set: MockSet,
        connections: Registry,
        streams: Streams,
        serving: Serving,
        journal: Journal | None,
    ) -> None:
        self._clock = clock
        self._keys = keys
        self._by_key = by_key
        self._mock_set = mock_set
        self._connections = connections
        self._streams = streams
        self._serving = serving
        self._journal = journal

    def known(self) -> KnownKeys:
        """The keys for which anything is kept or open, as they are now."""
        since = self._clock.wall() - self._clock.monotonic()
        return KnownKeys(self._keys.all(), self._connections.exchanges(), since)

    def delete(self, name: str) -> int:
        """End the streams of a key through their termination, and forget all that is known of it. Returns the number of
        streams. Raises `NotFoundError`."""
        forgotten = self._journal.forget_key(name) if self._journal is not None else 0
        if not (forgotten or self._keys.is_known(name)):
            raise NotFoundError(f"Key not found: {name}")
        ended = self._connections.stop(self._connections.exchanges(key=name), "closed_by_admin")
        if self._journal is not None:
            self._journal.end_waits(name)
        self.forget(self._keys.pop(name) or Key(name, 0.0))
        return ended

    def forget(self, key: Key) -> None:
        """Forget all that is kept for a key which has lost its place."""
        self._connections.restart(key.name)
        self._keys.kept.forget(key.name)
        if self._streams.hands is not None:
            self._streams.hands.forget(key.name)
        go_through(self._by_key.forget(key), EVENTS_AT_ONCE)

    async def reset(self, key: str | None = None, *, mocks: bool = False, streams: bool = False) -> dict[str, int]:
        """Put back to the start what is counted, held and in the journal, for one key or for all of them. With `mocks`,
        the mocks are those of the configuration files again, and no key has its own. With `streams`, live streams end
        through their termination; otherwise they go on. Returns how much of each there was."""
        names = ("keys", "counters", "scenarios", "events", "mocks", "streams", "requests", "holds", "stored")
        done: Counter[str] = Counter(dict.fromkeys(names, 0))
        done["stored"] += self._keys.kept.forget(key)
        if self._journal is not None:
            done["requests"] += self._journal.forget_key(key)
        self._connections.restart(key)
        if self._streams.hands is not None:
            done["holds"] += self._streams.hands.release_key(key)
        if mocks and not key:
            done["mocks"] += await self._serving.apart(self._mock_set.restore)
        if streams:
            done["streams"] += self._connections.stop(self._connections.exchanges(key=key), "closed_by_admin")
        swap = self._serving.swap if mocks else None
        await gone_through(self._by_key.resetting(key, done, swap), EVENTS_AT_ONCE)
        return dict(done)
