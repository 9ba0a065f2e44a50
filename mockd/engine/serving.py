"""Changes to mocks that were accepted, as they come to be served, and the thread for work that takes long."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property
from itertools import chain
from typing import TypeVar

from mockd.engine.streams import Streams
from mockd.journal.registry import Registry
from mockd.keys.mocks import MocksByKey
from mockd.keys.registry import Key
from mockd.turns import go_through

T = TypeVar("T")

EVENTS_AT_ONCE = 1000
"""Number of buffered events that are forgotten in one turn of the event loop."""
KEYS_AT_ONCE = 50
"""Number of keys that lose scenarios in one turn of the event loop."""


class Serving:
    """Serves changes in the event loop, and does long work in a thread."""

    def __init__(self, by_key: MocksByKey, connections: Registry, streams: Streams) -> None:
        self._by_key = by_key
        self._connections = connections
        self._streams = streams

    def swap(self, place: Key) -> None:
        """Serve the changes to a key's mocks that were accepted, and end the streams of those whose content has
        changed."""
        assert place.mocks is not None
        before, connections, hands = place.mocks.served, self._connections, self._streams.hands
        swap = place.mocks.swap()
        if place.mocks.served is not before and connections.feed.is_on:
            connections.feed.changed(place.name, len(place.mocks.served.rules))
        if swap.ended:
            live = connections.exchanges(key=place.name or None)
            streams = [stream for stream in live if stream.mock_id in swap.ended and stream.owner == place.name]
            connections.stop(streams, "closed_by_admin")
            if hands is not None:
                for mock_id in swap.ended - place.mocks.served.rules.keys():
                    hands.forget_mock((place.name, mock_id))
        if swap.scenarios:
            go_through(self._by_key.forgetting_scenarios(place.name, swap.scenarios), KEYS_AT_ONCE)
        go_through(chain.from_iterable([sessions.forgetting() for sessions in swap.closed]), EVENTS_AT_ONCE)

    async def apart(self, work: Callable[[], T], place: Key | None = None) -> T:
        """Do long work in another thread, so that streams go on. Pieces of work are done one at a time, in the order in
        which they came. Changes that the work makes to the mocks of a place are served before this method returns; the
        default is the place of the mocks for all keys."""
        changed = place or self._by_key.for_all
        loop = asyncio.get_running_loop()
        served = loop.create_future()

        def swapped() -> None:
            assert changed.mocks is not None
            self.swap(changed)
            self._worker.submit(changed.mocks.let_go)
            if not served.done():  # nobody waits any more if it was cancelled
                served.set_result(None)

        def serve(done: Future[T]) -> None:
            # The loop is closed if the server was stopped in the meantime.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(swapped)

        future = self._worker.submit(work)
        # Not after the `await`, as the waiting task may be cancelled although the change is made.
        future.add_done_callback(serve)
        try:
            await served
        except asyncio.CancelledError:
            future.cancel()  # unless it has begun
            raise
        return future.result()

    @cached_property
    def _worker(self) -> ThreadPoolExecutor:
        # One thread, as each busy thread makes the event loop wait longer for its turn.
        return ThreadPoolExecutor(1, thread_name_prefix="mockd-admin")
