"""The configuration format as structs. Validation, the reference pages and the JSON Schema are made from them.

Units are those that users write: milliseconds in `timing`, `chunked` and `delay` fields, seconds in `lifecycle`
and `resume`. `timing.in_seconds` converts milliseconds to seconds, only when a mock is compiled.
"""

# This module does not postpone its annotations: msgspec would have to compile each of them at every start.

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta

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
from mockd.config.framing import Comments as Comments
from mockd.config.framing import FramingConfig as FramingConfig
from mockd.config.framing import SplitEvery as SplitEvery
from mockd.config.framing import Together as Together
from mockd.config.generator import EventCycle as EventCycle
from mockd.config.generator import Generator as Generator
from mockd.config.generator import RandomSchema as RandomSchema
from mockd.config.generator import Sequence as Sequence
from mockd.config.headers import Headers, check_headers
from mockd.config.headers import OmittedHeader as OmittedHeader
from mockd.config.lifecycle import ChunkedLifecycle as ChunkedLifecycle
from mockd.config.lifecycle import Heartbeat as Heartbeat
from mockd.config.lifecycle import Lifecycle as Lifecycle
from mockd.config.lifecycle import Termination as Termination
from mockd.config.matcher import METHODS as METHODS
from mockd.config.matcher import Matcher as Matcher
from mockd.config.matcher import Recorded as Recorded
from mockd.config.matcher import ValueTest as ValueTest
from mockd.config.proxy import ProxyConfig as ProxyConfig
from mockd.config.replay import IN_CHUNKS, IN_REPLAY, ONCE, RECORDING, REPLAY, check_replay
from mockd.config.replay import Replay as Replay
from mockd.config.scenario import START as START
from mockd.config.scenario import Scenario as Scenario
from mockd.config.timing import Burst as Burst
from mockd.config.timing import Delay as Delay
from mockd.config.timing import Distribution as Distribution
from mockd.config.timing import RandomDelay as RandomDelay
from mockd.config.timing import Timing as Timing

Status = Annotated[int, Meta(ge=200, le=599)]

ADMIN_PREFIX = "/__mockd"
"""The path under which the admin API is, or at least its probes, on the port of the mocks."""


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
    recording: Annotated[str | None, RECORDING] = None
    replay: Annotated[Replay, REPLAY] = Replay()
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
    framing: Annotated[FramingConfig | None, doc("Form of the bytes, and the pieces in which they are sent.")] = None
    seed: Annotated[
        int | None,
        doc("Seed that makes placeholders, random delays and generators the same in every stream."),
    ] = None

    def __post_init__(self) -> None:
        read_whole_milliseconds(self, "retry")
        one_of(self, "`sse`", ("events", "eventsFile", "generator", "template", "recording", "manual"))
        check_replay(
            self,
            ("timing", self.timing != Timing(), IN_REPLAY),
            ("repeat", self.repeat is not None, ONCE),
            ("flush", self.flush != "auto", IN_CHUNKS),
            ("retry", self.retry is not None, "a recording is sent as it was"),
        )
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


_CHUNK_SIZE = 1024


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
    recording: Annotated[str | None, RECORDING] = None
    replay: Annotated[Replay, REPLAY] = Replay()
    format: Annotated[
        Literal["raw", "ndjson"] | None, doc("`ndjson`: whole lines, sent as `application/x-ndjson`.")
    ] = None
    chunk_size: Annotated[int, Meta(ge=1, le=1 << 30, description="Size of a chunk, in bytes.")] = _CHUNK_SIZE
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
    framing: Annotated[FramingConfig | None, doc("Form of the bytes, and the pieces in which they are sent.")] = None
    repeat: Annotated[Count | None, doc("Number of passes over the text, file or items; 0: no limit.")] = None
    seed: Annotated[int | None, doc("Seed that makes placeholders and random delays the same in every answer.")] = None

    def __post_init__(self) -> None:
        one_of(self, "`chunked`", ("data", "dataFile", "ndjsonItems", "eventsFile", "template", "recording"))
        check_replay(
            self,
            ("timing", self.timing != Timing(), IN_REPLAY),
            ("chunkDelay", self.chunk_delay is not None, IN_REPLAY),
            ("chunkSize", self.chunk_size != _CHUNK_SIZE, IN_CHUNKS),
            ("format", self.format is not None, "a recording is sent as it was"),
            ("flush", self.flush != "auto", IN_CHUNKS),
            ("repeat", self.repeat is not None, ONCE),
        )
        if self.raw is not (self.events_file is not None):
            hint = "say both; `dataFile` is sent in pieces of `chunkSize` or, with format `ndjson`, as lines"
            raise Mistake("`eventsFile` and `raw: true` go together", ("raw",), hint)
        check_headers(self.headers)
        if self.format == "raw" and (self.ndjson_items is not None or self.template is not None):
            raise ValueError("`ndjsonItems` and templates are sent as NDJSON; format `raw` does not go with them")
        if self.chunk_delay is not None and self.timing.fixed_delay is not None:
            raise ValueError("`chunkDelay` is the same as `timing.fixedDelay`: give one")
        if self.repeat is not None and self.template is not None:
            raise ValueError("`repeat` does not go with `template`: a template is one reply")
        if self.template_params is not None and self.template is None:
            raise ValueError("`templateParams` goes with `template`")

    @property
    def is_ndjson(self) -> bool:
        """Whether its body is lines of JSON."""
        return self.ndjson_items is not None or self.template is not None or self.format == "ndjson"


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
    recording: Annotated[str | None, RECORDING] = None
    replay: Annotated[Replay, REPLAY] = Replay()
    delay: Annotated[Delay, doc("Pause before the response, in milliseconds.")] = 0.0

    def __post_init__(self) -> None:
        check_headers(self.headers)
        check_replay(self)
        if self.status is not None and self.status_code is not None:
            raise ValueError("`status` and `statusCode` are the same: give one")
        given = (self.body is not UNSET, *(one is not None for one in (self.body_file, self.template, self.recording)))
        if sum(given) > 1:
            raise ValueError("give one of `body`, `bodyFile`, `template` and `recording`")
        if self.template_params is not None and self.template is None:
            raise ValueError("`templateParams` goes with `template`")


KINDS = ("sse", "chunked", "response", "proxy")
"""The kinds of answers, each with its own key in a mock or in an entry of `responses`."""


class SequenceEntry(Config, frozen=True, kw_only=True):
    """One of the answers that a mock gives in sequence."""

    sse: Annotated[SseConfig | None, doc("Answer with Server-Sent Events.")] = None
    chunked: Annotated[ChunkedConfig | None, doc("Answer with a chunked or NDJSON response.")] = None
    response: Annotated[ResponseConfig | None, doc("Answer with a plain response.")] = None
    proxy: Annotated[ProxyConfig | None, doc("Answer with what another server answers.")] = None
    times: Annotated[int, Meta(ge=1, le=1_000_000_000, description="Number of requests that get this answer.")] = 1
    faults: Annotated[
        list[Any],
        doc("Faults of this answer, which come before those of the mock. The requests that get it are counted."),
    ] = []

    def __post_init__(self) -> None:
        one_of(self, "an entry of `responses`", KINDS)


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
    proxy: Annotated[ProxyConfig | None, doc("Answer with what another server answers.")] = None
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
        str | None,
        doc("Name of a list of faults and framings, such as `flaky-mobile`; they come after the mock's own."),
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

    @property
    def lets_pages_read(self) -> bool:
        """Whether its answers get headers by which pages of other origins may read them. What another server answers
        has only that server's own."""
        return self.cors and all(part.proxy is None for part in (self, *(self.responses or ())))


FILE_VERSION = "1.0"
"""Version of the configuration format. It is raised when the meaning of an old file would change."""


class MockFile(Config, frozen=True, kw_only=True):
    """A configuration file with several mocks."""

    version: Annotated[str | float, doc(f"Version of the format: `{FILE_VERSION}`.")] = FILE_VERSION
    name: Annotated[str | None, doc("A name for people.")] = None
    mocks: Annotated[list[Mock], doc("The mocks.")]
