"""Faults as they are configured: one struct for each action, from which validation, the reference and the JSON Schema
follow. `fault.py` has what is the same in all of them, and `fault_lines` reads them from one line of text.

A new action is one struct here, and one entry in a table of `mockd.faults.apply`.
"""

# This module does not postpone its annotations: msgspec would have to compile each of them at every start.

import re
from typing import Annotated, Any, Literal, Union

from msgspec import Meta, field

from mockd.config.base import Milliseconds, Mistake, doc, read_milliseconds
from mockd.config.events import EventConfig
from mockd.config.fault import ANYWHERE, BEHIND_HEAD, Fault, Positive, like
from mockd.config.timing import Delay

_RETRY_AFTER = "[0-9]{1,9}ms|date:[0-9]{1,9}"

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

    places = BEHIND_HEAD - {"wireBytes"}
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

    places = ANYWHERE - {"wireBytes"}
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
        Annotated[float, Meta(ge=0, le=1e9)] | Annotated[str, like(_RETRY_AFTER)] | None,
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

    places = BEHIND_HEAD - {"wireBytes"}
    example = "malformed at=0.5 after 1 event"

    at: Annotated[Annotated[float, Meta(ge=0, lt=1)], doc("Share of the data that is left, in whole characters.")] = 0.5


class Corrupt(Fault, frozen=True, kw_only=True, tag="corrupt"):
    """So many bytes of the next event's data, or of a whole answer, are replaced by ones that are no UTF-8."""

    places = BEHIND_HEAD - {"wireBytes"}
    example = "corrupt bytes=2 after 1 event"

    bytes: Annotated[Positive, doc("Number of bytes.")] = 1


class Drop(Fault, frozen=True, kw_only=True, tag="drop"):
    """The next events are left out."""

    places = BEHIND_HEAD - {"wireBytes"}
    example = "drop count=2 after 1 event"

    count: Annotated[Positive, doc("Number of events.")] = 1


class Duplicate(Fault, frozen=True, kw_only=True, tag="duplicate"):
    """The next events are sent twice."""

    places = BEHIND_HEAD - {"wireBytes"}
    example = "duplicate after 1 event"

    count: Annotated[Positive, doc("Number of events.")] = 1


class Reorder(Fault, frozen=True, kw_only=True, tag="reorder"):
    """The next events are each sent behind the one that follows; if none does, before the silence or the end."""

    places = BEHIND_HEAD - {"wireBytes"}
    example = "reorder after 1 event"

    count: Annotated[Positive, doc("Number of events.")] = 1


class Insert(Fault, frozen=True, kw_only=True, tag="insert"):
    """Whatever one likes is sent there. It is not counted."""

    places = BEHIND_HEAD - {"wireBytes"}
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

    places = BEHIND_HEAD - {"wireBytes"}
    example = "unknownEvent after 1 event"


class HugeEvent(Fault, frozen=True, kw_only=True, tag="hugeEvent"):
    """One more event of so many bytes in all is sent there. It is not counted."""

    places = BEHIND_HEAD - {"wireBytes"}
    makes_up = "size"
    example = "hugeEvent size=1000000 after 1 event"

    size: Annotated[Positive, doc("Number of bytes.")]


class ErrorFault(Fault, frozen=True, kw_only=True, tag="error"):
    """The error event of the provider or, without a template, of the stream's termination; then the end."""

    places = BEHIND_HEAD - {"wireBytes"}
    example = "error after 3 events"

    type: Annotated[str | None, doc("Type of the error, by default the provider's own.")] = None
    message: Annotated[str | None, doc("Message of the error.")] = None


class BadChunk(Fault, frozen=True, kw_only=True, tag="badChunk"):
    """A chunk whose size line is illegal, then the end of the connection."""

    places = BEHIND_HEAD - {"wireBytes"}
    connection = "closed"
    example = "badChunk after 2 events"


class ShortChunk(Fault, frozen=True, kw_only=True, tag="shortChunk"):
    """A chunk that is shorter than its size line says, then the end of the connection."""

    places = BEHIND_HEAD - {"wireBytes"}
    connection = "closed"
    example = "shortChunk after 2 events"


class LongChunk(Fault, frozen=True, kw_only=True, tag="longChunk"):
    """A chunk that is longer than its size line says, then the end of the connection."""

    places = BEHIND_HEAD - {"wireBytes"}
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
