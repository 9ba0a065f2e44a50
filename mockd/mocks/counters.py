"""What a mock counts, and by which its answers differ: the requests of a template's `error.times`."""

from __future__ import annotations

from collections import OrderedDict

from mockd.store import ScopedStore

MOST_COUNTERS = 10_000
"""Most counters of one mock. Names come from the configuration, but any client can invent a key. Beyond this number,
the counter that was used longest ago starts again."""


class Counters:
    """The counters of one mock. They are in the engine's store, each under a key (whose requests are counted) and a
    name (what is counted). They belong to the thread of the event loop."""

    def __init__(self, mock_id: str, state: ScopedStore) -> None:
        self._place = ("counters", mock_id)
        self._state = state
        self._used: OrderedDict[tuple[str, str], None] = OrderedDict()
        """The existing counters; the one used longest ago comes first."""

    def count(self, key: str, name: str) -> int:
        """Add one to a counter, which starts at 0, and return its new value."""
        counter = (key, name)
        self._used[counter] = None
        self._used.move_to_end(counter)
        if len(self._used) > MOST_COUNTERS:
            oldest, _ = self._used.popitem(last=False)
            self._state.drop(*self._place, *oldest)
        return self._state.add(*self._place, key, name)

    def peek(self, key: str, name: str) -> int:
        """What `count` would return, without counting: for a HEAD, which asks only what a GET would get."""
        return (self._state.get(*self._place, key, name) or 0) + 1

    def reset(self) -> None:
        """Set all counters back to 0."""
        self._used.clear()
        self._state.drop(*self._place)
