"""The keys that are remembered: those for which anything is kept."""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from typing import Any

from msgspec import Struct

from mockd.clock import Clock, rfc3339
from mockd.errors import TooManyKeysError
from mockd.journal.exchange import Exchange
from mockd.kept import ACCOUNTS, Kept
from mockd.mocks.mock_set import MockSet

MOST_ACCOUNTS = 10_000
"""Most clients whose use of rate limits is remembered; the one that came longest ago is forgotten first."""
_ACCOUNTS_BYTES = 16 * 1024 * 1024


class Key:
    """A key that is remembered. `used` is when it was last used, in monotonic time, and `kept` when it was last used or
    found to be held. `mocks` are its own, and `has_state` is true if anything else is kept for it."""

    __slots__ = ("has_state", "kept", "mocks", "name", "used")

    def __init__(self, name: str, used: float) -> None:
        self.name = name
        self.used = self.kept = used
        self.mocks: MockSet | None = None
        self.has_state = False

    @property
    def has_mocks(self) -> bool:
        return self.mocks is not None and not self.mocks.is_empty


class KnownKey(Struct, frozen=True):
    """A key as people see it: its last use, in Unix time, and the numbers of its own mocks and its live streams."""

    name: str
    used: float
    mocks: int
    connections: int

    def to_json(self) -> dict[str, Any]:
        return {
            "key": self.name,
            "mocks": self.mocks,
            "connections": self.connections,
            "lastUsed": rfc3339(self.used),
        }


class KnownKeys(Struct, frozen=True):
    """The keys that are remembered, and the live streams, at one moment. `since` is the Unix time at which monotonic
    time was 0. What is told of thousands of keys takes time, so that may be worked out in any thread."""

    keys: list[Key]
    live: list[Exchange]
    since: float

    def listed(self) -> list[KnownKey]:
        """The keys, the one that was used longest ago first."""
        used: dict[str, float] = {}
        streams: Counter[str] = Counter()
        for stream in self.live:
            if stream.key:
                used[stream.key] = max(used.get(stream.key, 0.0), stream.connected_at)
                streams[stream.key] += 1
        mocks: dict[str, int] = {}
        for key in self.keys:
            used[key.name] = self.since + key.used
            mocks[key.name] = 0 if key.mocks is None else len(key.mocks.served.rules)
        found = [KnownKey(name, at, mocks.get(name, 0), streams[name]) for name, at in used.items()]
        return sorted(found, key=lambda key: key.used)


class Keys:
    """The keys of an engine for which anything is kept, at most `most` of them. They may be used from any thread, as
    mocks may be changed from any. The key of requests without one is not among them, as it is never forgotten.

    `kept` is what answers keep for later requests, with a key or without.

    A key that nothing has used for `max_age_s` seconds is given to `forget`. It is looked for when another key needs a
    place, and when keys are listed, so no key has a timer.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        most: int,
        max_age_s: float,
        forget: Callable[[Key], object],
        most_kept: int = 1,
        most_kept_bytes: int = 0,
    ) -> None:
        self._clock = clock
        self._most = most
        self._max_age_s = max_age_s
        self._forget = forget
        self.kept = Kept(most_kept, most_kept_bytes, self.need, {ACCOUNTS: (MOST_ACCOUNTS, _ACCOUNTS_BYTES)})
        self._lock = threading.RLock()
        self._keys: OrderedDict[str, Key] = OrderedDict()
        """The keys, the one that was kept longest ago first."""
        self._busy: Counter[str] = Counter()
        """Number of requests of each key that are being answered, whether it is remembered or not."""

    def names(self) -> list[str]:
        """The keys that are remembered."""
        return list(self._keys)

    def all(self) -> list[Key]:
        """The keys that are remembered."""
        return list(self._keys.values())

    def get(self, name: str) -> Key | None:
        """A key, or None if nothing is kept for it."""
        return self._keys.get(name)

    # -- keys are used ---------------------------------------------------------------------------------------------

    def began(self, name: str) -> None:
        """Take note that a request of a key has come."""
        with self._lock:
            self._busy[name] += 1
            self._use(name)

    def ended(self, name: str) -> None:
        """Take note that a request of a key has been answered."""
        with self._lock:
            self._busy[name] -= 1
            if not self._busy[name]:
                del self._busy[name]
            self._use(name)
            self.drop_if_bare(name)

    def need(self, name: str) -> None:
        """Remember a key, as something is kept for it. Raises `TooManyKeysError`."""
        self.place(name).has_state = True

    def place(self, name: str) -> Key:
        """The place of a key among those that are remembered, which is made if it has none. Raises
        `TooManyKeysError`."""
        with self._lock:
            key = self._keys.get(name)
            if key is None:
                self._make_room()
                key = self._keys[name] = Key(name, self._clock.monotonic())
            return key

    def drop_if_bare(self, name: str) -> None:
        """Take a key's place away if nothing is kept for it, and nothing is done for it."""
        with self._lock:
            key = self._keys.get(name)
            if key is not None and not (key.has_state or key.has_mocks or name in self._busy):
                del self._keys[name]

    def pop(self, name: str) -> Key | None:
        """Take a key's place away, whatever is kept for it."""
        with self._lock:
            return self._keys.pop(name, None)

    def is_known(self, name: str) -> bool:
        """Whether a key is remembered, or a request of it is being answered."""
        return name in self._keys or name in self._busy

    def _use(self, name: str) -> None:
        key = self._keys.get(name)
        if key is not None:
            self._keep(key)
            key.used = key.kept

    def _keep(self, key: Key) -> None:
        key.kept = self._clock.monotonic()
        self._keys.move_to_end(key.name)

    # -- keys are forgotten ----------------------------------------------------------------------------------------

    def ageing(self) -> Iterator[None]:
        """Forget the keys that nothing has used for so long, one in each step."""
        for _ in range(len(self._keys)):
            if not self._age():
                return
            yield

    def _make_room(self) -> None:
        # Two are looked at for each that comes, so that old ones go faster than new ones come.
        for looked_at, _ in enumerate(self.ageing(), 1):
            if looked_at >= 2 and len(self._keys) < self._most:
                return
        if len(self._keys) >= self._most:
            raise TooManyKeysError(f"as many keys are in use as --max-keys allows ({self._most:,})")

    def _age(self) -> bool:
        """Look at the key that was kept longest ago, and forget it if that is long enough and nothing holds it. Returns
        False if it is too early for that, and so for all others."""
        with self._lock:
            key = next(iter(self._keys.values()), None)
            if key is None or self._clock.monotonic() - key.kept < self._max_age_s:
                return False
            if key.name in self._busy or key.has_mocks:
                self._keep(key)
            else:
                del self._keys[key.name]
                self._forget(key)
            return True
