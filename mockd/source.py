"""The contract between sources, which say *what* is sent, and streaming, which says when and how.

Sources never sleep, never see bytes of a frame and never see the socket. One that must wait yields an event with a
delay. So every source gets every pacing mode, fault and limit for nothing.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable, Hashable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from msgspec import Struct

from mockd.clock import Clock
from mockd.events import Event, Pause
from mockd.request import RequestView

Headers = Sequence[tuple[bytes, bytes]]


class SourceContext(Struct, frozen=True):
    """What a source may know when a stream opens."""

    request: RequestView
    captures: Mapping[str, str]
    clock: Clock
    rng: random.Random
    """Seeded per stream where the mock or the server has a seed."""


class Script(Struct, frozen=True):
    """Events that are known in advance, so that they can be framed once and sent without running any code.

    Scripts of one source with the same `key` have the same events: `build` runs once for each key. What differs
    from stream to stream is a `Slot` in the events, its value (ready JSON) in `slots`. The events are gone through
    `passes` times (None: for ever), and end after `limit` events (None: no limit). Delays by position go by the place
    in the list; where `is_list` is false, as for numbers made one by one, by the place in the stream.
    """

    build: Callable[[], Sequence[Event]]
    key: Hashable = None
    slots: Mapping[str, bytes] = {}
    passes: int | None = 1
    limit: int | None = None
    is_list: bool = True
    headers: Headers = ()
    """What the response has besides the headers of its kind, for this stream alone: names in lower case."""


class Reply(Struct, frozen=True):
    """One whole answer instead of a stream. `body` may have placeholders, and slots as a script has them; bytes are
    sent as they are."""

    body: Any = b""
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    delay_s: Pause = 0.0
    slots: Mapping[str, bytes] = {}


Opened = Script | Iterator[Event] | AsyncIterator[Event] | Reply


class Source(Protocol):
    """Where a mock's events come from. Built once when the mock is registered, opened for every stream."""

    def open(self, context: SourceContext) -> Opened:
        """The events of one stream: a `Script` where they are known in advance, else an iterator; or a `Reply`
        where this request wants one answer instead of a stream."""

    @property
    def default_delay_s(self) -> Pause:
        """Pause between events where neither they nor the mock's timing say one."""

    @property
    def token_delay(self) -> Pause | None:
        """Pause before each content event, wherever the mock's timing has no `itl` and no `tokensPerSecond`."""

    @property
    def line_end(self) -> str:
        """What ends the lines of Server-Sent Events."""

    @property
    def headers(self) -> Headers:
        """What the responses of its streams have besides, or other than, the headers of their kind."""

    @property
    def varying(self) -> frozenset[bytes]:
        """Names of headers that are left to each of its scripts, where the mock does not say them."""

    @property
    def script(self) -> Script | None:
        """What `open` returns for every request, where that is one script: it is framed when the mock is registered."""


class BaseSource:
    """A start for sources: no default delay, lines as usual, and nothing that is the same for every request."""

    default_delay_s: Pause = 0.0
    token_delay: Pause | None = None
    line_end: str = "\n"
    headers: Headers = ()
    varying: frozenset[bytes] = frozenset()
    script: Script | None = None
