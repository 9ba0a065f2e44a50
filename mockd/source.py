"""The contract between sources, which decide *what* is sent, and streaming, which decides when and how.

Sources never sleep, and never see the bytes of a frame or the socket. A source that must wait yields an event with a
delay. So every pacing mode, fault and limit works with every source.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Iterator, Mapping, Sequence
from typing import Any, Literal, Protocol

from msgspec import Struct, field

from mockd.clock import Clock
from mockd.events import Event, Pause
from mockd.kept import Kept
from mockd.request import RequestView

Headers = Sequence[tuple[bytes, bytes]]


class Counters:
    """Counters by name. Each starts at 0."""

    __slots__ = ("_counts",)

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def count(self, name: str) -> int:
        """Add one to the counter of a name. Returns the new value."""
        self._counts[name] += 1
        return self._counts[name]


class Client(Protocol):
    """The part of a client's connection that a source may use while its `open` is awaited."""

    @property
    def request_head(self) -> bytes | None:
        """The head of the request as it came, and perhaps bytes behind it; None if the server does not tell."""

    def inform(self, status: int, reason: str, headers: Sequence[tuple[str, str]]) -> None:
        """Send an informational answer (1xx) now, if the server can."""


class SourceContext(Struct, frozen=True):
    """The context of one request, which a source gets when a stream opens."""

    request: RequestView
    captures: Mapping[str, str]
    clock: Clock
    rng: random.Random
    """Random generator of the stream, seeded if the mock or the server has a seed."""
    count: Callable[[str], int] = field(default_factory=lambda: Counters().count)
    """Adds one to a named counter of the mock, and returns the new value. Counters start at 0, and start again when the
    mock is changed."""
    client: Client | None = None
    """The client's connection; None if there is none."""
    kept: Kept | None = None
    """What answers keep for later requests; None if nothing can be kept."""
    meter: Callable[[int], object] | None = None
    """Takes note of the number of tokens of a model's reply; None if nobody counts them."""


class CutOffError(Exception):
    """The answer that a source relays or plays ended without its end, and its client is to see the same. A source
    raises it from `open` if there was no head either, or else in place of its next event.

    `how` is how the connection ended: it was closed, it was reset, or nothing came any more for too long.
    """

    def __init__(self, how: Literal["closed", "reset", "timeout"]) -> None:
        super().__init__(how)
        self.how = how


class Script(Struct, frozen=True):
    """Events that are known in advance, so that they can be framed once and sent without running the source's code.

    Scripts of one source with the same `key` have the same events: `build` runs once for each key. A value that differs
    between streams is a `Slot` in the events, and `slots` has its value as encoded JSON. The events are sent `passes`
    times (None: no limit), until `limit` events have been sent (None: no limit). Delays by position depend on the
    position in the list or, if `is_list` is false, in the stream.
    """

    build: Callable[[], Sequence[Event]]
    key: Hashable = None
    slots: Mapping[str, bytes] = {}
    passes: int | None = 1
    limit: int | None = None
    is_list: bool = True
    headers: Headers = ()
    """Headers for this stream alone, with names in lower case. Each replaces the usual header of the same name, unless
    the mock has its own."""
    framing: str | None = None
    """A name in `mockd.framing.FRAMINGS`, or None for the mock's usual framing."""


class Answer(Struct, frozen=True, kw_only=True):
    """An answer whose status and headers are decided by its source. With `events` it is a stream, otherwise a whole
    `body`.

    `body` may have placeholders, and slots as in a script; bytes are sent as they are. `framing` is the framing of the
    stream, as in a script. `delay_s` is the pause before the head, in seconds. `tokens` is the number of content events
    that a model's reply would have as a stream, so that the whole answer takes as long as the stream. It is None for
    all other answers, including errors.

    An answer with events that has a `reason`, its reason phrase, is sent as another server has sent it, so far as the
    server can: its `headers` are all that it has, in their order, and their names are spelled as they are here.
    `trailers` are asked for when the last event was sent.
    """

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    framing: str | None = None
    body: Any = b""
    events: Iterator[Event] | AsyncIterator[Event] | None = None
    delay_s: Pause = 0.0
    slots: Mapping[str, bytes] = {}
    tokens: int | None = None
    reason: str | None = None
    trailers: Callable[[], Sequence[tuple[str, str]]] | None = None

    def __post_init__(self) -> None:
        if not 200 <= self.status <= 599:  # below are no final answers (RFC 9110, section 15)
            raise ValueError(f"{self.status} is no status of an answer: expected 200 to 599")


Opened = Script | Iterator[Event] | AsyncIterator[Event] | Answer
"""The result of opening a source: events that are known in advance, events that are made while the stream runs, or an
answer whose head is also decided by the source."""


class Source(Protocol):
    """A source of a mock's events. It is built once when the mock is registered, and opened for every stream."""

    def open(self, context: SourceContext) -> Opened | Awaitable[Opened]:
        """The answer to one request. This may be a coroutine function if the source must await something before the
        head is known. It is cancelled if the client leaves or the stream must end."""

    @property
    def default_delay_s(self) -> Pause:
        """Pause between events, if neither the events nor the mock's timing have one."""

    @property
    def token_delay(self) -> Pause | None:
        """Pause before each content event, if the mock's timing has neither `itl` nor `tokensPerSecond`."""

    @property
    def headers(self) -> Headers:
        """Headers of the source's responses. Each is added to the usual headers, or replaces one."""

    @property
    def script(self) -> Script | None:
        """The script that `open` returns for every request, or None. It is framed when the mock is registered."""

    @property
    def answer(self) -> Answer | None:
        """The whole answer that `open` returns for every request, or None. It is prepared only once."""


class BaseSource:
    """A base class for sources, with no delays and no headers, and no script or answer for every request."""

    default_delay_s: Pause = 0.0
    token_delay: Pause | None = None
    headers: Headers = ()
    script: Script | None = None
    answer: Answer | None = None

    def refusal(self, context: SourceContext, status: int, retry_after_s: float | None) -> Answer | None:
        """The answer with which the service that this source stands for refuses a request with that status, or None if
        it stands for none."""
        return None

    def error_events(self, context: SourceContext, type: str | None, message: str | None, sent: int) -> Sequence[Event]:
        """The events with which that service ends a stream in an error, after so many events; empty if it has none."""
        return ()
