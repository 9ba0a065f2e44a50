"""How long a stream lives, what breaks its silence, and how it ends."""

# This module does not postpone its annotations: msgspec would have to compile each of them at every start.

from typing import Annotated, Literal

from mockd.config.base import (
    Config,
    Count,
    Milliseconds,
    Mistake,
    Seconds,
    doc,
    one_of,
    read_milliseconds,
    read_seconds,
)
from mockd.config.events import EventConfig
from mockd.config.timing import Delay


class Termination(Config, frozen=True, kw_only=True):
    """How a stream ends when mockd decides to end it."""

    type: Annotated[
        Literal["graceful", "abrupt", "error"],
        doc(
            "`graceful`: the final event, the close delay, then a clean end. `abrupt`: the close delay, then the "
            "connection is closed in the middle of the body. `error`: the error event, then a clean end."
        ),
    ] = "graceful"
    final_event: Annotated[EventConfig | None, doc("Last event of a `graceful` end.")] = None
    error_event: Annotated[
        EventConfig | None, doc("Last event of an `error` end; by default `event: error` with a JSON error.")
    ] = None
    close_delay: Annotated[
        Delay,
        doc(
            "Pause, in milliseconds, after the final event of a `graceful` end or before an `abrupt` end. An `error` "
            "end has none."
        ),
    ] = 0.0

    def __post_init__(self) -> None:
        for name, event in (("finalEvent", self.final_event), ("errorEvent", self.error_event)):
            if event is not None and event.count is not None:
                raise Mistake("the last event is never counted", (name, "count"), "leave `count` out")


class Heartbeat(Config, frozen=True, kw_only=True):
    """What breaks a silence. It is not counted and moves no event."""

    every: Annotated[Milliseconds, doc("Silence, in milliseconds, after which it is sent.")]
    text: Annotated[
        str | None,
        doc("A comment in an event stream, a line in NDJSON, and the text itself in any other body."),
    ] = None
    event: Annotated[EventConfig | None, doc("An event.")] = None
    raw: Annotated[str | None, doc("Text that is sent as it stands, with nothing filled in.")] = None

    def __post_init__(self) -> None:
        read_milliseconds(self, "every")
        if not self.every:
            raise Mistake("`every` must be more than 0", ("every",), "it is the silence before a heartbeat")
        one_of(self, "`heartbeat`", ("text", "event", "raw"))
        if self.raw == "":
            raise Mistake("`raw` is empty", ("raw",), "give the bytes that are sent")
        if self.text is not None and "\0" in self.text:
            raise Mistake("NUL cannot be sent in a comment", ("text",), "say it as `raw`")
        for name in ("delay", "count"):
            if self.event is not None and getattr(self.event, name) is not None:
                hint = "`every` is the time between heartbeats, and they are not counted"
                raise Mistake(f"`{name}` does not go with a heartbeat", ("event", name), hint)


class ChunkedLifecycle(Config, frozen=True, kw_only=True):
    """How long a chunked or NDJSON response lives. Its events are chunks or items."""

    timeout: Annotated[
        Seconds, doc("Longest time without an event, in seconds; then the stream ends. 0: no limit.")
    ] = 0.0
    connection_timeout: Annotated[
        Seconds, doc("Longest life of the stream, in seconds; then it ends. 0: no limit.")
    ] = 0.0
    keep_open: Annotated[bool, doc("Whether the stream stays open after its last event.")] = False
    max_events: Annotated[Count, doc("Number of events with data after which the stream ends; 0: no limit.")] = 0
    simulate_disconnect: Annotated[
        Count | None,
        doc("Number of events after which the connection breaks, as in a network failure; 0: right after the head."),
    ] = None
    heartbeat: Annotated[Heartbeat | None, doc("What is sent after a silence.")] = None
    termination: Annotated[Termination, doc("How the stream ends.")] = Termination()

    def __post_init__(self) -> None:
        read_seconds(self, "timeout", "connection_timeout")


class Lifecycle(ChunkedLifecycle, frozen=True, kw_only=True):
    """How long an event stream lives."""

    keepalive_interval: Annotated[
        Seconds, doc("Silence, in seconds, after which a comment is sent; 0 (off) or at least 5.")
    ] = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        read_seconds(self, "keepalive_interval")
        if 0 < self.keepalive_interval < 5:
            raise ValueError("`keepaliveInterval` must be 0 (off) or at least 5 seconds")
