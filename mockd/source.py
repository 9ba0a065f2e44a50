"""The contract between sources, which say *what* is sent, and streaming, which says when and how.

Sources never sleep, never see bytes of a frame and never see the socket. One that must wait yields an event with a
delay. So every source gets every pacing mode, fault and limit for nothing.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from msgspec import Struct, field

from mockd.clock import Clock
from mockd.events import Event, Pause
from mockd.request import RequestView

Headers = Sequence[tuple[bytes, bytes]]


class Counters:
    """Counters by name, each from 0."""

    __slots__ = ("_counts",)

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def count(self, name: str) -> int:
        """Add one to the counter of that name. Returns the new value."""
        self._counts[name] += 1
        return self._counts[name]


class SourceContext(Struct, frozen=True):
    """What a source may know when a stream opens."""

    request: RequestView
    captures: Mapping[str, str]
    clock: Clock
    rng: random.Random
    """Seeded per stream where the mock or the server has a seed."""
    count: Callable[[str], int] = field(default_factory=lambda: Counters().count)
    """Adds one to a counter of this mock by its name, and returns the new value. Counters begin at 0, and again when
    the mock is changed."""


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
    """What the response has besides the headers of its kind, for this stream alone: names in lower case. A header that
    the mock does not say replaces the usual one of that name."""
    framing: str | None = None
    """A name in `mockd.framing.FRAMINGS`; None: the mock's usual framing."""


class Answer(Struct, frozen=True, kw_only=True):
    """An answer whose status and headers its source decides: with `events` a stream, else one whole `body`.

    `body` may have placeholders, and slots as a script has them; bytes are sent as they are. `framing` is of a stream,
    as a script has it. `delay_s` is the pause before the head. `tokens` is how many events with content a model's
    reply would have as a stream, so that it takes as long in one piece; None for everything else, errors too.
    """

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    framing: str | None = None
    body: Any = b""
    events: Iterator[Event] | AsyncIterator[Event] | None = None
    delay_s: Pause = 0.0
    slots: Mapping[str, bytes] = {}
    tokens: int | None = None


Opened = Script | Iterator[Event] | AsyncIterator[Event] | Answer
"""What a request is answered with: events that are known in advance, events that are made as the stream goes, or an
answer whose head the source decides too."""


class Source(Protocol):
    """Where a mock's events come from. Built once when the mock is registered, opened for every stream."""

    def open(self, context: SourceContext) -> Opened | Awaitable[Opened]:
        """What one request is answered with. It may be a coroutine function if something is to be awaited before the
        head is known: that is cancelled when the client leaves or the stream is told to end."""

    @property
    def default_delay_s(self) -> Pause:
        """Pause between events where neither they nor the mock's timing say one."""

    @property
    def token_delay(self) -> Pause | None:
        """Pause before each content event, wherever the mock's timing has no `itl` and no `tokensPerSecond`."""

    @property
    def headers(self) -> Headers:
        """What the responses of its streams have besides, or other than, the headers of their kind."""

    @property
    def script(self) -> Script | None:
        """What `open` returns for every request, if that is one script: it is framed when the mock is registered."""

    @property
    def answer(self) -> Answer | None:
        """What `open` returns for every request, if that is one whole answer: it is made ready once."""


class BaseSource:
    """A start for sources: no default delay, and nothing that is the same for every request."""

    default_delay_s: Pause = 0.0
    token_delay: Pause | None = None
    headers: Headers = ()
    script: Script | None = None
    answer: Answer | None = None
