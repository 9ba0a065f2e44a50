"""The configuration format, as structs: from these come validation, the reference pages and the JSON Schema.

Units are the ones users write: milliseconds in `timing`, `chunked` and `delay` fields, seconds in `lifecycle`
and `resume`. They become seconds where a mock is compiled, nowhere else (`timing.in_seconds`).
"""

# Annotations are not texts here, as they are elsewhere: msgspec would have to compile each of them at every start.

import re
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta

from mockd.config.base import MAX_MS, Count, Seconds, doc
from mockd.config.base import Config as Config
from mockd.config.headers import Headers, check_headers
from mockd.config.headers import OmittedHeader as OmittedHeader
from mockd.config.timing import Burst as Burst
from mockd.config.timing import Delay as Delay
from mockd.config.timing import Distribution as Distribution
from mockd.config.timing import RandomDelay as RandomDelay
from mockd.config.timing import Timing as Timing

Status = Annotated[int, Meta(ge=200, le=599)]

METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "QUERY")
_LINE_BREAK = r"[\r\n\0]"


def _check_line(value: str | None, field: str) -> None:
    if value is not None and re.search(_LINE_BREAK, value):
        raise ValueError(f"{field}: a line break or NUL cannot be sent in an event's {field}")


def _check_pattern(pattern: str | None, field: str) -> None:
    if pattern is not None:
        try:
            re.compile(pattern)
        except (re.error, OverflowError, RecursionError) as error:
            raise ValueError(f"{field}: not a regular expression: {error}") from None


class EventConfig(Config, frozen=True, kw_only=True):
    """One event of a stream."""

    type: Annotated[str | None, doc("Event type (the `event:` line), for client filtering.")] = None
    data: Annotated[Any, doc("Payload: text is sent as written, any other JSON value as compact JSON.")] = UNSET
    id: Annotated[str | None, doc("Event id, for `Last-Event-ID`. Empty text resets the client's id.")] = None
    retry: Annotated[Count | None, doc("Reconnection interval for the client, in milliseconds.")] = None
    comment: Annotated[str | None, doc("A comment, which clients do not deliver as an event.")] = None
    delay: Annotated[Delay | None, doc("Pause before this event in milliseconds; wins over `timing`.")] = None

    def __post_init__(self) -> None:
        _check_line(self.type, "type")
        _check_line(self.id, "id")
        if self.comment is not None and "\0" in self.comment:
            raise ValueError("comment: NUL cannot be sent in a comment")
        if self.data is UNSET and self.id is None and self.retry is None and self.comment is None:
            raise ValueError("an event needs `data` (or `comment`, `id` or `retry`): without it clients see nothing")


class Termination(Config, frozen=True, kw_only=True):
    """How a stream ends when mockd decides to end it."""

    type: Annotated[
        Literal["graceful", "abrupt", "error"],
        doc(
            "`graceful`: final event, close delay, clean end. `abrupt`: the connection is closed in the middle of "
            "the body. `error`: error event, clean end."
        ),
    ] = "graceful"
    final_event: Annotated[EventConfig | None, doc("Sent last on a graceful end.")] = None
    error_event: Annotated[
        EventConfig | None, doc("Sent last on an `error` end; by default `event: error` with a JSON error.")
    ] = None
    close_delay: Annotated[
        Delay,
        doc(
            "Pause in milliseconds between the final event and the close, or before an abrupt end; an `error` end has "
            "none."
        ),
    ] = 0.0


class ChunkedLifecycle(Config, frozen=True, kw_only=True):
    """How long a chunked or NDJSON response lives. Its events are chunks or items."""

    timeout: Annotated[Seconds, doc("End after so many seconds without an event; 0 is off.")] = 0.0
    connection_timeout: Annotated[Seconds, doc("End after so many seconds in all; 0 is off.")] = 0.0
    keep_open: Annotated[bool, doc("Stay open when there is nothing more to send.")] = False
    max_events: Annotated[Count, doc("End after so many events with data; 0 is no limit.")] = 0
    simulate_disconnect: Annotated[
        Count | None,
        doc("Break the connection off after so many events, as a network failure would; 0 is right after the head."),
    ] = None
    termination: Annotated[Termination, doc("How the stream ends.")] = Termination()


class Lifecycle(ChunkedLifecycle, frozen=True, kw_only=True):
    """How long an event stream lives."""

    keepalive_interval: Annotated[
        Seconds, doc("Send a comment after so many seconds of silence; 0 is off, otherwise at least 5.")
    ] = 0.0

    def __post_init__(self) -> None:
        if 0 < self.keepalive_interval < 5:
            raise ValueError("`keepaliveInterval` must be 0 (off) or at least 5 seconds")


class RateLimit(Config, frozen=True, kw_only=True):
    """A token bucket for each stream, full at the start."""

    events_per_second: Annotated[float, Meta(gt=0, le=1e6, description="Tokens per second.")]
    burst_size: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        doc("What the bucket holds; by default `eventsPerSecond`, at least 1."),
    ] = None
    strategy: Annotated[
        Literal["wait", "drop", "error"],
        doc("What happens to an event without a token: it waits, is left out, or ends the stream with an error."),
    ] = "wait"
    headers: Annotated[bool, doc("Send `X-RateLimit-Limit`, `-Remaining` and `-Reset`.")] = False


class Resume(Config, frozen=True, kw_only=True):
    """Reconnection with `Last-Event-ID`."""

    enabled: Annotated[bool, doc("Give every event an id, and continue where a client left off.")] = False
    buffer_size: Annotated[int, Meta(ge=1, le=1_000_000, description="Events held for each session.")] = 100
    max_age: Annotated[float, Meta(gt=0, le=MAX_MS / 1000, description="Seconds an event is held.")] = 300.0


class Sequence(Config, frozen=True, kw_only=True):
    """Numbers, one an event."""

    start: Annotated[int, doc("First number.")] = 0
    increment: Annotated[int, doc("Added for each next event.")] = 1
    format: Annotated[str, doc("Text of the data; `%d` is the number, `%05d` the same with leading zeros.")] = "%d"

    def __post_init__(self) -> None:
        if not re.search(r"%0?\d{0,2}d", self.format):
            raise ValueError("`format` has no `%d` for the number, nor one of up to 99 places such as `%05d`")


class RandomSchema(Config, frozen=True, kw_only=True):
    """The same JSON value with fresh placeholders, one an event."""

    schema: Annotated[Any, doc("A JSON value with placeholders (`$uuid`, `$random:1:100`, …).")]


class EventCycle(Config, frozen=True, kw_only=True):
    """A list of events, over and over."""

    events: Annotated[list[EventConfig], Meta(min_length=1, description="The list.")]
    repeat: Annotated[Count | None, doc("Passes over the list; absent or 0: until `count`.")] = None


class Generator(Config, frozen=True, kw_only=True):
    """Events made as they are needed."""

    type: Annotated[
        Literal["sequence", "random", "template"],
        doc("Which kind; its settings are in the key of that name."),
    ]
    count: Annotated[Count, doc("Events in all; 0 is for ever.")] = 0
    sequence: Annotated[Sequence | None, doc("Settings of `sequence`.")] = None
    random: Annotated[RandomSchema | None, doc("Settings of `random`.")] = None
    template: Annotated[EventCycle | None, doc("Settings of `template`.")] = None

    def __post_init__(self) -> None:
        for kind in ("sequence", "random", "template"):
            if kind != self.type and getattr(self, kind) is not None:
                raise ValueError(f"`{kind}` does not go with type `{self.type}`")
        if self.type != "sequence" and getattr(self, self.type) is None:
            raise ValueError(f"type `{self.type}` needs its settings in `{self.type}`")


def _one_of(config: Config, where: str, names: tuple[str, ...]) -> None:
    given = [name for name in names if getattr(config, _snake(name)) not in (None, UNSET)]
    if len(given) != 1:
        wanted = ", ".join(f"`{name}`" for name in names)
        found = " and ".join(f"`{name}`" for name in given) if given else "none"
        raise ValueError(f"{where} needs exactly one of {wanted}; found {found}")


def _snake(name: str) -> str:
    return re.sub(r"[A-Z]", lambda letter: "_" + letter[0].lower(), name)


class SseConfig(Config, frozen=True, kw_only=True):
    """A Server-Sent Events stream."""

    events: Annotated[list[EventConfig] | None, doc("Source: a list of events.")] = None
    events_file: Annotated[
        str | None,
        doc("Source: a file of events beside the config (a JSON list, NDJSON, or `text/event-stream`)."),
    ] = None
    generator: Annotated[Generator | None, doc("Source: events made as they are needed.")] = None
    template: Annotated[str | None, doc("Source: a named template, such as `openai-chat`.")] = None
    template_params: Annotated[dict[str, Any] | None, doc("Parameters of the template.")] = None
    status: Annotated[Status, doc("HTTP status.")] = 200
    headers: Headers = {}
    retry: Annotated[Count | None, doc("`retry:` of the first event of each connection, in milliseconds.")] = None
    repeat: Annotated[Count | None, doc("Passes over the list; 0 is for ever.")] = None
    timing: Annotated[Timing, doc("When events are sent.")] = Timing()
    lifecycle: Annotated[Lifecycle, doc("How long the stream lives and how it ends.")] = Lifecycle()
    rate_limit: Annotated[RateLimit | None, doc("How many events a second.")] = None
    resume: Annotated[Resume, doc("Reconnection with `Last-Event-ID`.")] = Resume()
    flush: Annotated[
        Literal["auto", "event"],
        doc("`event`: one HTTP chunk an event. `auto`: events due at the same moment may share one."),
    ] = "auto"
    seed: Annotated[int | None, doc("Makes placeholders, random delays and generators repeat in every stream.")] = None

    def __post_init__(self) -> None:
        _one_of(self, "`sse`", ("events", "eventsFile", "generator", "template"))
        check_headers(self.headers)
        if self.events == [] and not self.lifecycle.keep_open:
            raise ValueError("`events` is empty: that is useful only with `lifecycle.keepOpen`")
        if self.template_params is not None and self.template is None:
            raise ValueError("`templateParams` goes with `template`")
        if self.repeat is not None and self.template is not None:
            raise ValueError("`repeat` does not go with `template`: a template is one reply")
        if self.repeat is not None and self.generator is not None:
            raise ValueError("`repeat` does not go with `generator`: say `generator.count`")


class ChunkedConfig(Config, frozen=True, kw_only=True):
    """A chunked response: text or a file in pieces, or NDJSON."""

    data: Annotated[str | None, doc("Source: text.")] = None
    data_file: Annotated[str | None, doc("Source: a file beside the config.")] = None
    ndjson_items: Annotated[list[Any] | None, doc("Source: JSON values, one a line.")] = None
    template: Annotated[str | None, doc("Source: a named template that sends NDJSON, such as `ollama-chat`.")] = None
    template_params: Annotated[dict[str, Any] | None, doc("Parameters of the template.")] = None
    format: Annotated[
        Literal["raw", "ndjson"] | None, doc("`ndjson`: whole lines, sent as `application/x-ndjson`.")
    ] = None
    chunk_size: Annotated[int, Meta(ge=1, le=1 << 30, description="Bytes a chunk.")] = 1024
    chunk_delay: Annotated[
        Delay | None, doc("Pause between chunks, in milliseconds; the same as `timing.fixedDelay`.")
    ] = None
    status: Annotated[Status, doc("HTTP status.")] = 200
    headers: Headers = {}
    timing: Annotated[Timing, doc("When chunks or lines are sent.")] = Timing()
    lifecycle: Annotated[ChunkedLifecycle, doc("How long the response lives and how it ends.")] = ChunkedLifecycle()
    flush: Annotated[
        Literal["auto", "event"],
        doc("`event`: one HTTP chunk a piece. `auto`: pieces due at the same moment may share one."),
    ] = "auto"
    repeat: Annotated[Count | None, doc("Passes over `ndjsonItems`; 0 is for ever.")] = None
    seed: Annotated[int | None, doc("Makes placeholders and random delays repeat in every response.")] = None

    def __post_init__(self) -> None:
        _one_of(self, "`chunked`", ("data", "dataFile", "ndjsonItems", "template"))
        check_headers(self.headers)
        if self.format == "raw" and (self.ndjson_items is not None or self.template is not None):
            raise ValueError("`ndjsonItems` and templates are sent as NDJSON; format `raw` does not go with them")
        if self.chunk_delay is not None and self.timing.fixed_delay is not None:
            raise ValueError("`chunkDelay` is the same as `timing.fixedDelay`: give one")
        if self.repeat is not None and self.ndjson_items is None:
            raise ValueError("`repeat` goes with `ndjsonItems`: it is the number of passes over them")
        if self.template_params is not None and self.template is None:
            raise ValueError("`templateParams` goes with `template`")


class ResponseConfig(Config, frozen=True, kw_only=True):
    """A plain response."""

    status: Annotated[Status | None, doc("HTTP status; 200 by default.")] = None
    status_code: Annotated[Status | None, doc("The same as `status`.")] = None
    headers: Headers = {}
    body: Annotated[Any, doc("Text, sent as written, or another JSON value, sent as JSON.")] = UNSET
    body_file: Annotated[str | None, doc("A file beside the config to send instead of `body`.")] = None
    template: Annotated[
        str | None, doc("A named template to answer instead of `body`, such as `openai-embeddings`.")
    ] = None
    template_params: Annotated[dict[str, Any] | None, doc("Parameters of the template.")] = None
    delay: Annotated[Delay, doc("Pause before the response, in milliseconds.")] = 0.0

    def __post_init__(self) -> None:
        check_headers(self.headers)
        if self.status is not None and self.status_code is not None:
            raise ValueError("`status` and `statusCode` are the same: give one")
        if (self.body is not UNSET) + (self.body_file is not None) + (self.template is not None) > 1:
            raise ValueError("give one of `body`, `bodyFile` and `template`")
        if self.template_params is not None and self.template is None:
            raise ValueError("`templateParams` goes with `template`")


class Matcher(Config, frozen=True, kw_only=True):
    """Which requests a mock answers: all that is given must hold."""

    method: Annotated[str | None, doc("HTTP method, in any case. Absent: every method.")] = None
    path: Annotated[
        str | None,
        doc("Path. `{name}` stands for one segment, `*` for any characters, `/` included; a trailing slash counts."),
    ] = None
    path_pattern: Annotated[str | None, doc("Regular expression, searched in the path.")] = None
    headers: Annotated[dict[str, str], doc("Header values; `*` stands for any characters.")] = {}
    query_params: Annotated[dict[str, str], doc("Query parameters, exactly. Empty text: present and empty.")] = {}
    body_contains: Annotated[str | None, doc("Text that the body has in it.")] = None
    body_equals: Annotated[str | None, doc("The body, exactly.")] = None
    body_pattern: Annotated[str | None, doc("Regular expression, searched in the body.")] = None
    body_json_path: Annotated[
        dict[str, Any],
        doc('JSONPath (RFC 9535) to the value it must have in the JSON body, or to `{"exists": true}`.'),
    ] = {}

    def __post_init__(self) -> None:
        if self.method is not None and self.method.upper() not in METHODS:
            raise ValueError(f"method: {self.method!r} is not one of {', '.join(METHODS)}")
        if self.path is not None and self.path_pattern is not None:
            raise ValueError("give either `path` or `pathPattern`")
        if self.path is not None and not self.path.startswith(("/", "*")):
            raise ValueError(f"path: {self.path!r} does not start with `/`")
        _check_pattern(self.path_pattern, "pathPattern")
        _check_pattern(self.body_pattern, "bodyPattern")
        if all(not getattr(self, field) and getattr(self, field) != "" for field in self.__struct_fields__):
            raise ValueError('a matcher needs at least one criterion; `path: "/*"` matches every request')


class Mock(Config, frozen=True, kw_only=True):
    """One mock: which requests it answers, and with what."""

    id: Annotated[Annotated[str, Meta(min_length=1, max_length=200)] | None, doc("Id; made up where absent.")] = None
    name: Annotated[str | None, doc("A name for people.")] = None
    description: Annotated[str | None, doc("What it is for.")] = None
    enabled: Annotated[bool, doc("A mock that is not enabled answers nothing.")] = True
    priority: Annotated[int, Meta(ge=-(1 << 53), le=1 << 53, description="Higher wins, before anything else.")] = 0
    matcher: Annotated[Matcher, doc("Which requests it answers.")]
    cors: Annotated[bool, doc("Let pages of other origins read the answers, and answer their preflights.")] = True
    sse: Annotated[SseConfig | None, doc("Answer with Server-Sent Events.")] = None
    chunked: Annotated[ChunkedConfig | None, doc("Answer with a chunked or NDJSON response.")] = None
    response: Annotated[ResponseConfig | None, doc("Answer with a plain response.")] = None

    def __post_init__(self) -> None:
        _one_of(self, "a mock", ("sse", "chunked", "response"))
        if self.id is not None and (not self.id.isprintable() or "/" in self.id):
            raise ValueError("id: only printable characters other than `/`")


FILE_VERSION = "1.0"
"""The version of the configuration format; it rises when an old file would change its meaning."""


class MockFile(Config, frozen=True, kw_only=True):
    """A configuration file with several mocks."""

    version: Annotated[str | float, doc(f"Version of the format: `{FILE_VERSION}`.")] = FILE_VERSION
    name: Annotated[str | None, doc("A name for people.")] = None
    mocks: Annotated[list[Mock], doc("The mocks.")]
