"""Faults as they are configured: one struct for each action, from which validation, the reference and the JSON Schema
follow. `fault_lines` reads the same from one line of text.

A new action is one struct here, and one entry in a table of `mockd.faults.apply`.
"""

# This module does not postpone its annotations: msgspec would have to compile each of them at every start.

import re
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal, Union

from msgspec import Meta, field

from mockd.config.base import Config, Count, Milliseconds, Mistake, doc, read_milliseconds
from mockd.config.events import EventConfig
from mockd.config.models import Matcher
from mockd.config.timing import Delay

_RANGES = "[0-9]{1,9}(-[0-9]{0,9})?(,[0-9]{1,9}(-[0-9]{0,9})?)*"
_RETRY_AFTER = "[0-9]{1,9}ms|date:[0-9]{1,9}"
_ANY = frozenset({"head", "events", "bytes", "wireBytes", "ms"})
_LATER = _ANY - {"head"}
Positive = Annotated[int, Meta(ge=1)]


def _like(pattern: str) -> Meta:
    """The pattern of a text, for the JSON Schema. The struct itself refuses another one, in words."""
    return Meta(extra_json_schema={"pattern": f"^({pattern})$"})


class After(Config, frozen=True, kw_only=True):
    """A place behind the head of an answer, by what the connection itself has sent."""

    events: Annotated[Count | None, doc("Number of events with data.")] = None
    bytes: Annotated[Count | None, doc("Number of bytes of the body, before chunking.")] = None
    wire_bytes: Annotated[
        Count | None, doc("Number of bytes of the response, with head and chunk sizes, before TLS.")
    ] = None
    ms: Annotated[Milliseconds | None, doc("Time since the head, in milliseconds.")] = None

    def __post_init__(self) -> None:
        read_milliseconds(self, "ms")
        if len(list(self._given())) != 1:
            raise ValueError("a place has one of `events`, `bytes`, `wireBytes` and `ms`")

    def _given(self) -> Iterator[str]:
        for name, attribute in zip(self.__struct_encode_fields__, self.__struct_fields__, strict=True):
            if getattr(self, attribute) is not None:
                yield name

    @property
    def unit(self) -> str:
        """What is counted: `events`, `bytes`, `wireBytes` or `ms`."""
        return next(self._given())

    @property
    def count(self) -> float:
        """The number of them."""
        number: float = getattr(self, {"wireBytes": "wire_bytes"}.get(self.unit, self.unit))
        return number


class Fault(Config, frozen=True, kw_only=True, tag_field="action"):
    """What all faults have: their place in an answer, and the requests that they strike."""

    places: ClassVar[frozenset[str]] = _ANY
    """The places at which the action is possible: `head` is before the head, the others are units of `After`."""
    place: ClassVar[Literal["head", "start"]] = "start"
    """The place if none is given: before the head, or right behind it."""
    connection: ClassVar[str] = "as it was"
    """What becomes of the connection afterwards, for the reference."""
    makes_up: ClassVar[str | None] = None
    """The setting that says how many bytes the action makes up, if it makes up any; `--max-fault-bytes` bounds it."""
    example: ClassVar[str]
    """A line of text with the action, for the reference."""

    name: Annotated[str | None, doc("Name of the fault, for records.")] = None
    before: Annotated[Literal["head"] | None, doc("`head`: before anything is sent.")] = None
    after: Annotated[After | None, doc("Place behind the head.")] = None
    requests: Annotated[
        Annotated[str, _like(_RANGES)] | None,
        doc("Numbers of the requests that it strikes, such as `1-2,5-`; of each key, counted from 1."),
    ] = None
    every: Annotated[Positive | None, doc("It strikes each request whose number this divides.")] = None
    probability: Annotated[
        Annotated[float, Meta(ge=0, le=1)] | None,
        doc("Probability with which it strikes a request; drawn with the seed of the mock, if it has one."),
    ] = None
    match: Annotated[Matcher | None, doc("It strikes only requests that match this too; others are not counted.")] = (
        None
    )

    def __post_init__(self) -> None:
        if self.before is not None and self.after is not None:
            raise ValueError("give one of `before` and `after`")
        given = "head" if self.before else self.after.unit if self.after else None
        if given is not None and given not in self.places:
            known = ", ".join(self.places_in_words()) or "behind the last event, which is not said"
            where = ("before",) if self.before else ("after",)
            raise Mistake(f"`{self.action}` is not possible there", where, f"it goes {known}")
        if self.requests is not None and not re.fullmatch(_RANGES, self.requests):
            message = f"{self.requests[:40]!r} is no list of request numbers"
            raise Mistake(message, ("requests",), "write it as in `1-2,5-`, without blanks")
        for low, high in self.ranges:
            if not low or low > high:
                raise Mistake(f"there are no requests {self.requests!r}", ("requests",), "they count from 1")

    @property
    def action(self) -> str:
        """The name of the action."""
        return str(self.__struct_config__.tag)

    @classmethod
    def places_in_words(cls) -> list[str]:
        """The places at which the action is possible, as they are written in a line."""
        return [words for place, words in _PLACE_WORDS.items() if place in cls.places]

    @property
    def is_before_head(self) -> bool:
        return self.before is not None or (self.after is None and self.place == "head")

    @property
    def ranges(self) -> list[tuple[int, float]]:
        """The numbers of the requests that it strikes, as pairs of the first and the last; empty for all."""
        found: list[tuple[int, float]] = []
        for part in self.requests.split(",") if self.requests else ():
            first, dash, last = part.partition("-")
            found.append((int(first), (int(last) if last else float("inf")) if dash else int(first)))
        return found


_PLACE_WORDS = {
    "head": "`before head`",
    "events": "`after N events`",
    "bytes": "`after N bytes`",
    "wireBytes": "`after N wire bytes`",
    "ms": "`after T ms`",
}

Linger = Annotated[
    Milliseconds, doc("Pause, in milliseconds, between the last byte and the break: some clients drop what is unread.")
]


class End(Fault, frozen=True, kw_only=True, tag="end"):
    """The body ends cleanly, early."""

    places = frozenset({"events", "bytes", "ms"})
    example = "end after 2 events"


class Close(Fault, frozen=True, kw_only=True, tag="close"):
    """The connection is closed (TCP FIN) without the end of the body. Over HTTP/1.0, where that would be a clean end,
    it is reset."""

    connection = "closed"
    example = "close after 3 events"

    linger: Linger = 0.0
    tls: Annotated[
        Literal["truncate", "notify"] | None,
        doc(
            "Whether TLS is cut off (`truncate`) or says before that it ends (`notify`, which is the default). Without "
            "TLS it has no effect."
        ),
    ] = None

    def __post_init__(self) -> None:
        super().__post_init__()
        read_milliseconds(self, "linger")


class Reset(Fault, frozen=True, kw_only=True, tag="reset"):
    """The connection is reset (TCP RST), once the client's machine has acknowledged all that was sent."""

    connection = "closed"
    example = "reset after 100 bytes"

    linger: Linger = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        read_milliseconds(self, "linger")


class Stall(Fault, frozen=True, kw_only=True, tag="stall"):
    """Nothing is sent for a while; then what was due meanwhile is sent at once."""

    example = "stall ms=2000 after 100 bytes for requests 1-2"

    ms: Annotated[Milliseconds | None, doc("Length of the silence, in milliseconds; without it, for ever.")] = None
    keepalives: Annotated[bool, doc("Whether heartbeats and keepalives go on.")] = False
    shift: Annotated[bool, doc("Whether all that follows is moved by the length of the silence.")] = False

    def __post_init__(self) -> None:
        super().__post_init__()
        read_milliseconds(self, "ms")


class DelayFault(Fault, frozen=True, kw_only=True, tag="delay"):
    """All that follows comes so much later."""

    place = "head"
    example = "delay 500"

    ms: Annotated[Delay, doc("Length of the delay, in milliseconds.")]


class Throttle(Fault, frozen=True, kw_only=True, tag="throttle"):
    """From there on, so many bytes a second are sent at most."""

    places = _LATER - {"wireBytes"}
    example = "throttle bytesPerSecond=200 after 2 events"

    bytes_per_second: Annotated[Annotated[float, Meta(ge=1, le=1e12)], doc("Bytes of the body a second.")]


class Empty(Fault, frozen=True, kw_only=True, tag="empty"):
    """The connection is closed (TCP FIN) without a byte."""

    places = frozenset({"head"})
    place = "head"
    connection = "closed"
    example = "empty"


class Garbage(Fault, frozen=True, kw_only=True, tag="garbage"):
    """Before the head: bytes that are no HTTP, then the end of the connection. Later: bytes inside the body."""

    places = _ANY - {"wireBytes"}
    place = "head"
    connection = "closed before the head, else as it was"
    makes_up = "bytes"
    example = "garbage bytes=64"

    bytes: Annotated[Positive, doc("Number of bytes.")] = 64


class StatusFault(Fault, frozen=True, kw_only=True, tag="status"):
    """Another answer: that status, with the body and the headers of the provider if the mock is a template."""

    places = frozenset({"head"})
    place = "head"
    example = "status 429 retryAfter=2 for requests 1-2"

    status: Annotated[Annotated[int, Meta(ge=200, le=599)], doc("HTTP status.")]
    retry_after: Annotated[
        Annotated[float, Meta(ge=0, le=1e9)] | Annotated[str, _like(_RETRY_AFTER)] | None,
        doc('`Retry-After` in seconds; `"250ms"` also sends `retry-after-ms`; `"date:5"` is the date 5 s from now.'),
    ] = None
    body: Annotated[Any, doc("Body in place of the usual one: text as written, any other value as JSON.")] = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.retry_after, str) and not re.fullmatch(_RETRY_AFTER, self.retry_after):
            message = f"{self.retry_after[:40]!r} is no time"
            raise Mistake(message, ("retryAfter",), "write seconds, or text such as `250ms` or `date:5`")


class Idle(Fault, frozen=True, kw_only=True, tag="idle"):
    """Behind the last event the connection stays open, silent and without the end of the body; then the clean end."""

    places = frozenset()
    example = "idle ms=5000"

    ms: Annotated[Milliseconds | None, doc("Length of the silence, in milliseconds; without it, for ever.")] = None

    def __post_init__(self) -> None:
        super().__post_init__()
        read_milliseconds(self, "ms")


class Malformed(Fault, frozen=True, kw_only=True, tag="malformed"):
    """The JSON of the next event, or of a whole answer, is cut off between characters; it ends as usual."""

    places = _LATER - {"wireBytes"}
    example = "malformed at=0.5 after 1 event"

    at: Annotated[Annotated[float, Meta(ge=0, lt=1)], doc("Share of the data that is left, in whole characters.")] = 0.5


class Corrupt(Fault, frozen=True, kw_only=True, tag="corrupt"):
    """So many bytes of the next event's data, or of a whole answer, are replaced by ones that are no UTF-8."""

    places = _LATER - {"wireBytes"}
    example = "corrupt bytes=2 after 1 event"

    bytes: Annotated[Positive, doc("Number of bytes.")] = 1


class Drop(Fault, frozen=True, kw_only=True, tag="drop"):
    """The next events are left out."""

    places = _LATER - {"wireBytes"}
    example = "drop count=2 after 1 event"

    count: Annotated[Positive, doc("Number of events.")] = 1


class Duplicate(Fault, frozen=True, kw_only=True, tag="duplicate"):
    """The next events are sent twice."""

    places = _LATER - {"wireBytes"}
    example = "duplicate after 1 event"

    count: Annotated[Positive, doc("Number of events.")] = 1


class Reorder(Fault, frozen=True, kw_only=True, tag="reorder"):
    """The next events are each sent behind the one that follows; if none does, before the silence or the end."""

    places = _LATER - {"wireBytes"}
    example = "reorder after 1 event"

    count: Annotated[Positive, doc("Number of events.")] = 1


class Insert(Fault, frozen=True, kw_only=True, tag="insert"):
    """Whatever one likes is sent there. It is not counted."""

    places = _LATER - {"wireBytes"}
    example = 'insert raw=": hello\\n" after 2 events'

    event: Annotated[EventConfig | None, doc("An event.")] = None
    raw: Annotated[str | None, doc("Text that is sent as it stands.")] = None
    raw_base64: Annotated[bytes | None, doc("Bytes in base64.")] = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if sum(value is not None for value in (self.event, self.raw, self.raw_base64)) != 1:
            raise ValueError("`insert` needs one of `event`, `raw` and `rawBase64`")


class UnknownEvent(Fault, frozen=True, kw_only=True, tag="unknownEvent"):
    """An event that the format does not know is sent there. It is not counted."""

    places = _LATER - {"wireBytes"}
    example = "unknownEvent after 1 event"


class HugeEvent(Fault, frozen=True, kw_only=True, tag="hugeEvent"):
    """One more event of so many bytes in all is sent there. It is not counted."""

    places = _LATER - {"wireBytes"}
    makes_up = "size"
    example = "hugeEvent size=1000000 after 1 event"

    size: Annotated[Positive, doc("Number of bytes.")]


class ErrorFault(Fault, frozen=True, kw_only=True, tag="error"):
    """The error event of the provider or, without a template, of the stream's termination; then the end."""

    places = _LATER - {"wireBytes"}
    example = "error after 3 events"

    type: Annotated[str | None, doc("Type of the error, by default the provider's own.")] = None
    message: Annotated[str | None, doc("Message of the error.")] = None


class BadChunk(Fault, frozen=True, kw_only=True, tag="badChunk"):
    """A chunk whose size line is illegal, then the end of the connection."""

    places = _LATER - {"wireBytes"}
    connection = "closed"
    example = "badChunk after 2 events"


class ShortChunk(Fault, frozen=True, kw_only=True, tag="shortChunk"):
    """A chunk that is shorter than its size line says, then the end of the connection."""

    places = _LATER - {"wireBytes"}
    connection = "closed"
    example = "shortChunk after 2 events"


class LongChunk(Fault, frozen=True, kw_only=True, tag="longChunk"):
    """A chunk that is longer than its size line says, then the end of the connection."""

    places = _LATER - {"wireBytes"}
    connection = "closed"
    example = "longChunk after 2 events"


class ExtraBytes(Fault, frozen=True, kw_only=True, tag="extraBytes"):
    """Bytes behind the end of the response."""

    places = frozenset()
    connection = "closed"
    makes_up = "bytes"
    example = "extraBytes bytes=16"

    bytes: Annotated[Positive, doc("Number of bytes.")] = 16


class HeaderFault(Fault, frozen=True, kw_only=True, tag="header"):
    """Another head: headers that are set, or left out."""

    places = frozenset({"head"})
    place = "head"
    connection = "as it was, or closed if the length is untrue"
    example = 'header set={"content-type":"text/html"}'

    set: Annotated[dict[str, str], doc("Headers, each instead of those with the same name.")] = field(
        default_factory=dict
    )
    remove: Annotated[list[str], doc("Names of headers that are left out.")] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.set and not self.remove:
            raise ValueError("`header` needs `set` or `remove`")
        named = [("set", name) for name in self.set] + [("remove", place) for place in range(len(self.remove))]
        for path, name in zip(named, [*self.set, *self.remove], strict=True):
            if name.lower() == "transfer-encoding":
                raise Mistake("mockd itself says how the body is sent", path, "`badChunk` and the like break it")
        for name, value in self.set.items():
            if re.search(r"[\r\n\0]", name + value) or not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name):
                raise Mistake(f"{name!r} cannot be sent as a header", ("set", name))
            if any(ord(character) > 0xFF for character in value):
                raise Mistake(f"the value of {name!r} has a character outside latin-1", ("set", name))


ACTIONS: tuple[type[Fault], ...] = (
    End,
    Close,
    Reset,
    Stall,
    DelayFault,
    Throttle,
    Empty,
    Garbage,
    StatusFault,
    BadChunk,
    ShortChunk,
    LongChunk,
    ExtraBytes,
    Idle,
    Malformed,
    Corrupt,
    Drop,
    Duplicate,
    Reorder,
    Insert,
    UnknownEvent,
    HugeEvent,
    ErrorFault,
    HeaderFault,
)
"""Every action, in the order of the reference."""

AnyFault = Union[ACTIONS]  # type: ignore[valid-type]  # noqa: UP007  # made of a tuple
"""A fault of any action."""
