"""What a mock's stream is made of, worked out once when the mock is registered.

A `StreamPlan` holds everything about a stream but the connection. Scripts (events known in advance) are framed and
timed once for each key (`CompiledScript`); after that nothing runs per event but the calendar and one send.
"""

from __future__ import annotations

import random
from collections import OrderedDict
from collections.abc import Callable
from itertools import count
from typing import Literal

from msgspec import Struct, field, structs

from mockd.config.models import (
    ChunkedConfig,
    ChunkedLifecycle,
    Lifecycle,
    RateLimit,
    ResponseConfig,
    Resume,
    SseConfig,
)
from mockd.config.timing import Timing, in_seconds
from mockd.errors import ConfigError, Path
from mockd.events import Draw, Fill, Pause
from mockd.expressions import Expression
from mockd.placeholders import parse_event
from mockd.source import Script, Source
from mockd.streaming.connections import Kind
from mockd.streaming.framing import Frame, Framing, NdjsonFraming, RawFraming, SseFraming, expressions_of
from mockd.streaming.headers import NO_RULES, FixedHeaders, HeaderRules, first_of_each
from mockd.streaming.pacing import Pacing
from mockd.streaming.script import CompiledScript

MOST_SCRIPTS = 64
"""Compiled scripts kept for each mock: one for each key that its source makes out of requests."""
UNSEEDED = random.Random()
"""Shared by all streams without a seed: a generator of their own would cost each 2.5 KiB."""


class Seeding(Struct, frozen=True):
    """The seed of the process, and what numbers a mock's streams so that each draws values of its own."""

    seed: int | None = None
    number: Callable[[], int] = field(default_factory=lambda: count().__next__)


class Lifetime(Struct, frozen=True):
    """How long a stream lives; seconds, 0 is off."""

    keepalive_s: float = 0.0
    timeout_s: float = 0.0
    connection_timeout_s: float = 0.0
    keep_open: bool = False
    max_events: int = 0
    disconnect_after: int | None = None


class Ending(Struct, frozen=True):
    """How a stream ends when mockd ends it."""

    type: Literal["graceful", "abrupt", "error"] = "graceful"
    final: Frame | None = None
    error: Frame | None = None
    close_delay_s: float = 0.0
    close_draw: Draw | None = None
    """What `close_delay_s` is drawn from, once for each stream."""

    @property
    def is_plain(self) -> bool:
        """Whether the last event can go out together with the end of the response."""
        return self.type == "graceful" and self.final is None and not (self.close_delay_s or self.close_draw)


class StreamPlan(Struct, frozen=True):
    """Everything about a mock's streams but the connection."""

    mock_id: str
    kind: Kind
    status: int
    headers: FixedHeaders
    lasting_headers: FixedHeaders
    """The same for a connection that lasts (HTTP/1.1, and the client has not asked for its end)."""
    framing: Framing
    pacing: Pacing
    source: Source
    lifetime: Lifetime
    ending: Ending
    head_delay_s: Pause = 0.0
    rate_limit: RateLimit | None = None
    resume: Resume | None = None
    retry: int | None = None
    flush_each: bool = False
    seed: int | None = None
    seeding: Seeding = field(default_factory=Seeding)
    header_rules: HeaderRules = NO_RULES
    """What its `headers` decide, on whole answers too."""
    scripts: OrderedDict[object, CompiledScript] = field(default_factory=OrderedDict)

    @property
    def expressions(self) -> list[Expression]:
        """The expressions in the headers and the end of its streams."""
        ending = expressions_of(self.ending.final) + expressions_of(self.ending.error)
        return [*self.header_rules.expressions, *ending]

    def random(self) -> random.Random:
        """The random generator of a new stream: the same for each with a seed of the mock; with one of the process
        a different one for each, but the same from run to run."""
        if self.seed is not None:
            return random.Random(self.seed)
        if self.seeding.seed is not None:
            return random.Random(f"{self.seeding.seed}:{self.mock_id}:{self.seeding.number()}")
        return UNSEEDED

    def ending_of(self, fill: Fill) -> Ending:
        """How a new stream ends, its pause drawn. A seed of the mock gives that a generator of its own: the stream's
        must draw for its events what it draws when they are made again."""
        if (draw := self.ending.close_draw) is None:
            return self.ending
        rng = fill.rng if self.seed is None else self.random()
        return structs.replace(self.ending, close_draw=None, close_delay_s=draw(rng))

    def compiled(self, script: Script) -> CompiledScript:
        """The script's frames and times: framed on first use, then kept."""
        compiled = self.scripts.get(script.key)
        if compiled is None:
            compiled = self.scripts[script.key] = CompiledScript(script, self)
            if len(self.scripts) > MOST_SCRIPTS:
                self.scripts.popitem(last=False)
        return compiled


def compile_sse(mock_id: str, config: SseConfig, source: Source, seeding: Seeding) -> StreamPlan:
    """The plan of an `sse` mock. Raises `ConfigError` with the path from the mock."""
    life = config.lifecycle
    framing = SseFraming(source.line_end)
    usual = [
        (b"content-type", b"text/event-stream"),
        (b"cache-control", b"no-cache"),
        (b"x-accel-buffering", b"no"),
    ]
    headers = first_of_each(list(source.headers), [header for header in usual if header[0] not in source.varying])
    keep_alive = [(b"connection", b"keep-alive")]
    rules = HeaderRules(config.headers, ("sse", "headers"))
    plan = StreamPlan(
        mock_id=mock_id,
        kind="sse",
        status=config.status,
        headers=FixedHeaders(headers, rules),
        lasting_headers=FixedHeaders(headers + keep_alive, rules),
        framing=framing,
        pacing=Pacing(config.timing, source.default_delay_s, source.token_delay),
        source=source,
        lifetime=_lifetime(life),
        ending=_ending(life, framing, "sse"),
        rate_limit=config.rate_limit,
        resume=config.resume if config.resume.enabled else None,
        retry=config.retry,
        flush_each=config.flush == "event",
        seed=config.seed,
        seeding=seeding,
        header_rules=rules,
    )
    if source.script is not None:
        # What is wrong with it is said now, not when the first client comes.
        try:
            plan.compiled(source.script)
        except ConfigError as error:
            raise error.under(_list_path(config)) from None
    return plan


def _list_path(config: SseConfig) -> Path:
    if config.events is not None:
        return ("sse", "events")
    if config.generator is not None:
        return ("sse", "generator", config.generator.type, "events")
    return ("sse", "eventsFile" if config.events_file is not None else "template")


def compile_chunked(mock_id: str, config: ChunkedConfig, source: Source, seeding: Seeding) -> StreamPlan:
    """The plan of a `chunked` mock."""
    ndjson = config.ndjson_items is not None or config.template is not None or config.format == "ndjson"
    timing = config.timing
    if config.chunk_delay is not None:
        timing = structs.replace(timing, fixed_delay=config.chunk_delay)
    framing: Framing = NdjsonFraming() if ndjson else RawFraming()
    headers = first_of_each(
        list(source.headers),
        [
            (b"content-type", framing.content_type.encode()),
            (b"cache-control", b"no-cache"),
            (b"x-accel-buffering", b"no"),
        ],
    )
    rules = HeaderRules(config.headers, ("chunked", "headers"))
    return StreamPlan(
        mock_id=mock_id,
        kind="ndjson" if ndjson else "chunked",
        status=config.status,
        headers=(heads := FixedHeaders(headers, rules)),
        lasting_headers=heads,
        framing=framing,
        pacing=Pacing(timing, source.default_delay_s, source.token_delay),
        source=source,
        lifetime=_lifetime(config.lifecycle),
        ending=_ending(config.lifecycle, framing, "chunked"),
        flush_each=config.flush == "event" or bool(timing.fixed_delay),
        seed=config.seed,
        seeding=seeding,
        header_rules=rules,
    )


def compile_response(mock_id: str, config: ResponseConfig, source: Source, seeding: Seeding) -> StreamPlan:
    """The plan of a `response` mock."""
    rules = HeaderRules(config.headers, ("response", "headers"))
    return StreamPlan(
        mock_id=mock_id,
        kind="response",
        status=config.status or config.status_code or 200,
        headers=(headers := FixedHeaders([(b"content-type", b"application/octet-stream")], rules)),
        lasting_headers=headers,
        framing=RawFraming(),
        pacing=Pacing(Timing()),
        source=source,
        lifetime=Lifetime(),
        ending=Ending(),
        head_delay_s=in_seconds(config.delay),
        seeding=seeding,
        header_rules=rules,
    )


def _lifetime(life: ChunkedLifecycle) -> Lifetime:
    return Lifetime(
        life.keepalive_interval if isinstance(life, Lifecycle) else 0.0,
        life.timeout,
        life.connection_timeout,
        life.keep_open,
        life.max_events,
        life.simulate_disconnect,
    )


def _ending(life: ChunkedLifecycle, framing: Framing, kind: str) -> Ending:
    termination = life.termination
    path = (kind, "lifecycle", "termination")

    def frame(field: str) -> Frame | None:
        config = getattr(termination, field)
        name = {"final_event": "finalEvent", "error_event": "errorEvent"}[field]
        return None if config is None else framing.encode(parse_event(config, (*path, name)))

    pause = in_seconds(termination.close_delay)
    close_delay_s, draw = (0.0, pause) if callable(pause) else (pause, None)
    return Ending(termination.type, frame("final_event"), frame("error_event"), close_delay_s, draw)
