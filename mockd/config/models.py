"""The configuration format as structs. Validation, the reference pages and the JSON Schema are made from them.

Units are those that users write: milliseconds in `timing`, `chunked` and `delay` fields, seconds in `lifecycle`
and `resume`. `timing.in_seconds` converts milliseconds to seconds, only when a mock is compiled.
"""

# This module does not postpone its annotations: msgspec would have to compile each of them at every start.

import re
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, field

from mockd.config.base import Config as Config
from mockd.config.base import (
    Count,
    Mistake,
    Seconds,
    WholeMilliseconds,
    doc,
    one_of,
    read_seconds,
    read_whole_milliseconds,
)
from mockd.config.events import EventConfig as EventConfig
from mockd.config.events import check_line
from mockd.config.headers import Headers, check_headers
from mockd.config.headers import OmittedHeader as OmittedHeader
from mockd.config.lifecycle import ChunkedLifecycle as ChunkedLifecycle
from mockd.config.lifecycle import Heartbeat as Heartbeat
from mockd.config.lifecycle import Lifecycle as Lifecycle
from mockd.config.lifecycle import Termination as Termination
from mockd.config.timing import Burst as Burst
from mockd.config.timing import Delay as Delay
from mockd.config.timing import Distribution as Distribution
from mockd.config.timing import RandomDelay as RandomDelay
from mockd.config.timing import Timing as Timing
from mockd.patterns import check_pattern

Status = Annotated[int, Meta(ge=200, le=599)]

ADMIN_PREFIX = "/__mockd"
"""The path under which the admin API is, or at least its probes, on the port of the mocks."""

METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "QUERY")


class RateLimit(Config, frozen=True, kw_only=True):
    """A token bucket for each stream, full at the start."""

    events_per_second: Annotated[float, Meta(gt=0, le=1e6, description="Tokens per second.")]
    burst_size: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        doc("Number of tokens that the bucket holds; by default `eventsPerSecond`, but at least 1."),
    ] = None
    strategy: Annotated[
        Literal["wait", "drop", "error"],
        doc(
            "What happens to an event for which there is no token. `wait`: it waits for one. `drop`: it is left out. "
            "`error`: the stream ends with an error."
        ),
    ] = "wait"
    headers: Annotated[bool, doc("Send `X-RateLimit-Limit`, `-Remaining` and `-Reset`.")] = False


class Resume(Config, frozen=True, kw_only=True):
    """Reconnection with `Last-Event-ID`."""

    enabled: Annotated[bool, doc("Whether events have IDs and a stream continues where its client left off.")] = False
    buffer_size: Annotated[int, Meta(ge=1, le=1_000_000, description="Number of events kept for each session.")] = 100
    max_age: Annotated[Seconds, doc("Time for which an event is kept, in seconds; above 0.")] = 300.0

    def __post_init__(self) -> None:
        read_seconds(self, "max_age")
        if not self.max_age:
            raise ValueError("`maxAge` must be above 0")


class Sequence(Config, frozen=True, kw_only=True):
    """A sequence of numbers, one for each event."""

    start: Annotated[int, doc("First number.")] = 0
    increment: Annotated[int, doc("Difference between a number and the next.")] = 1
    format: Annotated[str, doc("Text of the data; `%d` is the number, `%05d` the same with leading zeros.")] = "%d"

    def __post_init__(self) -> None:
        if not re.search(r"%0?\d{0,2}d", self.format):
            raise ValueError("`format` has no `%d` for the number, nor one of up to 99 places such as `%05d`")


class RandomSchema(Config, frozen=True, kw_only=True):
    """One event whose placeholders are filled in anew each time."""

    schema: Annotated[Any, doc("A JSON value with placeholders (`$uuid`, `$random:1:100`, …): the event's data.")]
    type: Annotated[str | None, doc("Event type, which may have placeholders.")] = None
    id: Annotated[str | None, doc("Event ID, which may have placeholders, such as `reading-$seq`.")] = None

    def __post_init__(self) -> None:
        check_line(self.type, "type")
        check_line(self.id, "id")


class EventCycle(Config, frozen=True, kw_only=True):
    """A list of events that is sent over and over."""

    events: Annotated[list[EventConfig], Meta(min_length=1, description="The list of events.")]
    repeat: Annotated[Count | None, doc("Number of passes over the list; absent or 0: until `count`.")] = None


class Generator(Config, frozen=True, kw_only=True):
    """A generator of events, which makes them as they are needed."""

    type: Annotated[
        Literal["sequence", "random", "template"],
        doc("Kind of the generator; its settings are in the key of the same name."),
    ]
    count: Annotated[Count, doc("Number of events in all; 0: no limit.")] = 0
    sequence: Annotated[Sequence | None, doc("Settings of `sequence`.")] = None
    random: Annotated[RandomSchema | None, doc("Settings of `random`.")] = None
    template: Annotated[EventCycle | None, doc("Settings of `template`.")] = None

    def __post_init__(self) -> None:
        for kind in ("sequence", "random", "template"):
            if kind != self.type and getattr(self, kind) is not None:
                raise ValueError(f"`{kind}` does not go with type `{self.type}`")
        if self.type != "sequence" and getattr(self, self.type) is None:
            raise ValueError(f"type `{self.type}` needs its settings in `{self.type}`")


class SseConfig(Config, frozen=True, kw_only=True):
    """A Server-Sent Events stream."""

    events: Annotated[list[EventConfig] | None, doc("Source: a list of events.")] = None
    events_file: Annotated[
        str | None,
        doc("Source: a file of events beside the configuration file (a JSON list, NDJSON, or `text/event-stream`)."),
    ] = None
    raw: Annotated[
        bool,
        doc(
            "Whether the bytes of `eventsFile` are sent as they stand, with nothing filled in: block by block, up to "
            "and with its blank line; in a file without blank lines, line by line."
        ),
    ] = False
    generator: Annotated[Generator | None, doc("Source: a generator of events.")] = None
    template: Annotated[str | None, doc("Source: a named template, such as `openai-chat`.")] = None
    template_params: Annotated[dict[str, Any] | None, doc("Parameters of the template.")] = None
    manual: Annotated[
        bool | None,
        doc("Source: `true` sends only what is pushed into the stream, until it is closed or reaches a limit."),
    ] = None
    status: Annotated[Status, doc("HTTP status.")] = 200
    headers: Headers = {}
    retry: Annotated[WholeMilliseconds | None, doc("`retry:` of each connection's first event, in milliseconds.")] = (
        None
    )
    repeat: Annotated[Count | None, doc("Number of passes over the list; 0: no limit.")] = None
    timing: Annotated[Timing, doc("When events are sent.")] = Timing()
    lifecycle: Annotated[Lifecycle, doc("How long the stream lives and how it ends.")] = Lifecycle()
    rate_limit: Annotated[RateLimit | None, doc("Limit on the events per second.")] = None
    resume: Annotated[Resume, doc("Reconnection with `Last-Event-ID`.")] = Resume()
    flush: Annotated[
        Literal["auto", "event"],
        doc("`event`: one HTTP chunk for each event. `auto`: events due at the same moment may share a chunk."),
    ] = "auto"
    seed: Annotated[
        int | None,
        doc("Seed that makes placeholders, random delays and generators the same in every stream."),
    ] = None

    def __post_init__(self) -> None:
        read_whole_milliseconds(self, "retry")
        one_of(self, "`sse`", ("events", "eventsFile", "generator", "template", "manual"))
        check_headers(self.headers)
        if self.raw and self.events_file is None:
            raise Mistake("`raw` goes with `eventsFile`", ("raw",), "an event of a list has a `raw` of its own")
        cycle = self.generator and self.generator.template
        listed = cycle.events if cycle else self.events
        is_all_raw = self.raw or (listed and all(event.as_it_stands is not None for event in listed))
        if self.retry is not None and is_all_raw:
            raise Mistake("`retry` cannot be added to raw events", ("retry",), "write it into the bytes")
        if self.events == [] and not self.lifecycle.keep_open:
            raise ValueError("`events` is empty: that is useful only with `lifecycle.keepOpen`")
        if self.template_params is not None and self.template is None:
            raise ValueError("`templateParams` goes with `template`")
        if self.repeat is not None and self.template is not None:
            raise ValueError("`repeat` does not go with `template`: a template is one reply")
        if self.repeat is not None and self.generator is not None:
            raise ValueError("`repeat` does not go with `generator`: say `generator.count`")
        if self.manual is not None:
            self._check_manual()

    def _check_manual(self) -> None:
        if not self.manual:
            raise Mistake("`manual` is `true`, or it is left out", ("manual",))
        for name, attribute, absent in (
            ("repeat", "repeat", None),
            ("timing", "timing", Timing()),
            ("rateLimit", "rate_limit", None),
        ):
            if getattr(self, attribute) != absent:
                raise Mistake(f"`{name}` does not go with `manual`", (name,), "what is pushed is sent at once")


class ChunkedConfig(Config, frozen=True, kw_only=True):
    """A chunked response: text or a file in pieces, or NDJSON."""

    data: Annotated[str | None, doc("Source: text.")] = None
    data_file: Annotated[str | None, doc("Source: a file beside the configuration file.")] = None
    ndjson_items: Annotated[list[Any] | None, doc("Source: JSON values, one for each line.")] = None
    events_file: Annotated[
        str | None, doc("Source: a file beside the configuration file, sent event by event; goes with `raw`.")
    ] = None
    raw: Annotated[
        bool,
        doc(
            "Whether the bytes of `eventsFile` are sent as they stand, with nothing filled in: block by block, up to "
            "and with its blank line; in a file without blank lines, line by line."
        ),
    ] = False
    template: Annotated[str | None, doc("Source: a named template that sends NDJSON, such as `ollama-chat`.")] = None
    template_params: Annotated[dict[str, Any] | None, doc("Parameters of the template.")] = None
    format: Annotated[
        Literal["raw", "ndjson"] | None, doc("`ndjson`: whole lines, sent as `application/x-ndjson`.")
    ] = None
    chunk_size: Annotated[int, Meta(ge=1, le=1 << 30, description="Size of a chunk, in bytes.")] = 1024
    chunk_delay: Annotated[
        Delay | None, doc("Pause between chunks, in milliseconds; the same as `timing.fixedDelay`.")
    ] = None
    status: Annotated[Status, doc("HTTP status.")] = 200
    headers: Headers = {}
    timing: Annotated[Timing, doc("When chunks or lines are sent.")] = Timing()
    lifecycle: Annotated[ChunkedLifecycle, doc("How long the response lives and how it ends.")] = ChunkedLifecycle()
    flush: Annotated[
        Literal["auto", "event"],
        doc("`event`: one HTTP chunk for each piece. `auto`: pieces due at the same moment may share a chunk."),
    ] = "auto"
    repeat: Annotated[Count | None, doc("Number of passes over `ndjsonItems` or `eventsFile`; 0: no limit.")] = None
    seed: Annotated[int | None, doc("Seed that makes placeholders and random delays the same in every answer.")] = None

    def __post_init__(self) -> None:
        one_of(self, "`chunked`", ("data", "dataFile", "ndjsonItems", "eventsFile", "template"))
        if self.raw is not (self.events_file is not None):
            hint = "say both; `dataFile` is sent in pieces of `chunkSize` or, with format `ndjson`, as lines"
            raise Mistake("`eventsFile` and `raw: true` go together", ("raw",), hint)
        check_headers(self.headers)
        if self.format == "raw" and (self.ndjson_items is not None or self.template is not None):
            raise ValueError("`ndjsonItems` and templates are sent as NDJSON; format `raw` does not go with them")
        if self.chunk_delay is not None and self.timing.fixed_delay is not None:
            raise ValueError("`chunkDelay` is the same as `timing.fixedDelay`: give one")
        if self.repeat is not None and self.ndjson_items is None and self.events_file is None:
            raise ValueError("`repeat` goes with `ndjsonItems` or `eventsFile`: it is the number of passes over them")
        if self.template_params is not None and self.template is None:
            raise ValueError("`templateParams` goes with `template`")


class ResponseConfig(Config, frozen=True, kw_only=True):
    """A plain response."""

    status: Annotated[Status | None, doc("HTTP status; 200 by default.")] = None
    status_code: Annotated[Status | None, doc("The same as `status`.")] = None
    headers: Headers = {}
    body: Annotated[Any, doc("Body: text is sent as written, any other JSON value as JSON.")] = UNSET
    body_file: Annotated[str | None, doc("A file beside the configuration file, sent instead of `body`.")] = None
    template: Annotated[
        str | None, doc("A named template that answers instead of `body`, such as `openai-embeddings`.")
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


class ValueTest(Config, frozen=True, kw_only=True, omit_defaults=True):
    """A criterion for a header or query parameter in place of its value."""

    exists: Annotated[bool | None, doc("`true`: it is there, with any value. `false`: it is not there.")] = None
    pattern: Annotated[str | None, doc("Regular expression that is searched for in its value.")] = None

    def __post_init__(self) -> None:
        one_of(self, "a criterion", ("exists", "pattern"))
        if self.pattern is not None:
            check_pattern(self.pattern, "pattern")


class Matcher(Config, frozen=True, kw_only=True, omit_defaults=True):
    """The requests that a mock answers: every criterion that is given must match."""

    method: Annotated[str | None, doc("HTTP method, in any case. Absent: every method.")] = None
    path: Annotated[
        str | None,
        doc("Path. `{name}` stands for one segment, `*` for any characters, even `/`. A trailing slash matters."),
    ] = None
    path_pattern: Annotated[str | None, doc("Regular expression that is searched for in the path.")] = None
    headers: Annotated[
        dict[str, str | ValueTest],
        doc('Header values, in which `*` stands for any characters; or `{"exists": false}` and the like.'),
    ] = {}
    query_params: Annotated[
        dict[str, str | ValueTest],
        doc(
            "Exact values of query parameters; empty text: present, but without a value. "
            'Or `{"exists": false}` and the like.'
        ),
    ] = {}
    body_contains: Annotated[str | None, doc("Text that the body contains.")] = None
    body_equals: Annotated[str | None, doc("The exact body.")] = None
    body_pattern: Annotated[str | None, doc("Regular expression that is searched for in the body.")] = None
    body_json_path: Annotated[
        dict[str, Any],
        doc(
            'For each JSONPath (RFC 9535), the value that the JSON body must have there, or `{"exists": true}` if any '
            "value will do."
        ),
    ] = {}
    not_: Annotated["Matcher | None", doc("Another matcher, which must not match.")] = field(default=None, name="not")

    def __post_init__(self) -> None:
        if self.method is not None and self.method.upper() not in METHODS:
            raise ValueError(f"method: {self.method!r} is not one of {', '.join(METHODS)}")
        if self.path is not None and self.path_pattern is not None:
            raise ValueError("give either `path` or `pathPattern`")
        if self.path is not None and not self.path.startswith(("/", "*")):
            raise ValueError(f"path: {self.path!r} does not start with `/`")
        for name, pattern in (("pathPattern", self.path_pattern), ("bodyPattern", self.body_pattern)):
            if pattern is not None:
                check_pattern(pattern, name)
        if all(not getattr(self, field) and getattr(self, field) != "" for field in self.__struct_fields__):
            raise ValueError('a matcher needs at least one criterion; `path: "/*"` matches every request')


KINDS = ("sse", "chunked", "response")
"""The kinds of answers, each with its own key in a mock or in an entry of `responses`."""


class SequenceEntry(Config, frozen=True, kw_only=True):
    """One of the answers that a mock gives in sequence."""

    sse: Annotated[SseConfig | None, doc("Answer with Server-Sent Events.")] = None
    chunked: Annotated[ChunkedConfig | None, doc("Answer with a chunked or NDJSON response.")] = None
    response: Annotated[ResponseConfig | None, doc("Answer with a plain response.")] = None
    times: Annotated[int, Meta(ge=1, le=1_000_000_000, description="Number of requests that get this answer.")] = 1
    faults: Annotated[
        list[Any],
        doc("Faults of this answer, which come before those of the mock. The requests that get it are counted."),
    ] = []

    def __post_init__(self) -> None:
        one_of(self, "an entry of `responses`", KINDS)


State = Annotated[str, Meta(min_length=1, max_length=200)]

START = "start"
"""The state in which every scenario begins."""


class Scenario(Config, frozen=True, kw_only=True):
    """A mock's part in a scenario: a state that several mocks share. It is `start` until one of them sets another."""

    name: Annotated[State, doc("Name of the scenario.")]
    when: Annotated[
        State | Annotated[list[State], Meta(min_length=1, max_length=100)] | None,
        doc("State, or a list of states, in which the mock matches. Absent: every state."),
    ] = None
    set: Annotated[State | None, doc("State into which a request puts the scenario when the mock answers it.")] = None

    def __post_init__(self) -> None:
        if self.when is None and self.set is None:
            raise ValueError("`scenario` needs `when`, `set` or both")
        if not self.name.isprintable() or "/" in self.name:
            raise ValueError("name: only printable characters other than `/`")

    @property
    def states(self) -> tuple[str, ...]:
        """The states in which the mock matches; empty if it does in all of them."""
        if self.when is None:
            return ()
        return (self.when,) if isinstance(self.when, str) else tuple(self.when)


class Mock(Config, frozen=True, kw_only=True):
    """One mock: the requests that it answers, and the answer."""

    id: Annotated[Annotated[str, Meta(min_length=1, max_length=200)] | None, doc("ID; made by mockd if absent.")] = None
    name: Annotated[str | None, doc("A name for people.")] = None
    description: Annotated[str | None, doc("Purpose of the mock.")] = None
    enabled: Annotated[bool, doc("A mock that is not enabled answers nothing.")] = True
    priority: Annotated[
        int, Meta(ge=-(1 << 53), le=1 << 53, description="Of several mocks that match, the highest priority wins.")
    ] = 0
    matcher: Annotated[Matcher, doc("The requests that it answers.")]
    scenario: Annotated[
        Scenario | None, doc("The state in which a scenario must be, and the one into which a request puts it.")
    ] = None
    cors: Annotated[
        bool, doc("Whether pages of other origins may read the answers; their preflights are answered.")
    ] = True
    sse: Annotated[SseConfig | None, doc("Answer with Server-Sent Events.")] = None
    chunked: Annotated[ChunkedConfig | None, doc("Answer with a chunked or NDJSON response.")] = None
    response: Annotated[ResponseConfig | None, doc("Answer with a plain response.")] = None
    responses: Annotated[
        Annotated[list[SequenceEntry], Meta(min_length=1, max_length=1000)] | None,
        doc("Answers in sequence: the first request gets the first, and so on."),
    ] = None
    then: Annotated[
        Literal["last", "cycle", "miss"] | None,
        doc(
            "What follows the last of `responses`. `last` (the default): it is given again and again. `cycle`: the "
            "first again. `miss`: the mock matches no more."
        ),
    ] = None
    faults: Annotated[
        list[Any], doc("Faults of the answers, each as an object or as one line such as `reset after 3 events`.")
    ] = []
    profile: Annotated[
        str | None, doc("Name of a list of faults, such as `flaky-mobile`; they come after `faults`.")
    ] = None

    def __post_init__(self) -> None:
        one_of(self, "a mock", (*KINDS, "responses"))
        if self.then is not None and self.responses is None:
            raise Mistake("`then` goes with `responses`", ("then",), "it says what follows the last of them")
        path, pattern = self.matcher.path or "", self.matcher.path_pattern or ""
        if path.startswith(f"{ADMIN_PREFIX}/") or pattern.startswith(f"^{ADMIN_PREFIX}/"):
            name = "path" if path else "pathPattern"
            raise ValueError(f"matcher.{name}: no mock is reached below `{ADMIN_PREFIX}/`, where the admin API is")
        if self.id is not None and (not self.id.isprintable() or "/" in self.id):
            raise ValueError("id: only printable characters other than `/`")


FILE_VERSION = "1.0"
"""Version of the configuration format. It is raised when the meaning of an old file would change."""


class MockFile(Config, frozen=True, kw_only=True):
    """A configuration file with several mocks."""

    version: Annotated[str | float, doc(f"Version of the format: `{FILE_VERSION}`.")] = FILE_VERSION
    name: Annotated[str | None, doc("A name for people.")] = None
    mocks: Annotated[list[Mock], doc("The mocks.")]
