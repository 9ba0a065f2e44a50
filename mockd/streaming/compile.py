"""What a mock's stream is made of, worked out once when the mock is registered.

A `StreamPlan` holds everything about a stream but the connection. Scripts (events known in advance) are framed and
timed once for each key (`CompiledScript`); after that nothing runs per event but the calendar and one send.
"""

from __future__ import annotations

import random
from collections import OrderedDict
from collections.abc import Callable, Mapping
from functools import partial
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
from mockd.framing import FRAMINGS, Framing, Row, framing_named
from mockd.placeholders import parse_event
from mockd.source import Counters, Script, Source
from mockd.streaming.connections import Kind
from mockd.streaming.headers import FixedHeaders, Headers, first_of_each, following, override
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
    final: Row | None = None
    error: Row | None = None
    close_delay_s: float = 0.0
    close_draw: Draw | None = None
    """What `close_delay_s` is drawn from, once for each stream."""

    @property
    def is_plain(self) -> bool:
        """Whether the last event can go out together with the end of the response."""
        return self.type == "graceful" and self.final is None and not (self.close_delay_s or self.close_draw)


Framed = tuple[FixedHeaders, FixedHeaders, Ending]
"""What of a plan follows from its framing: the headers, those of a connection that lasts, and the end."""


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
    in_framing: Callable[[Framing], Framed]
    head_delay_s: Pause = 0.0
    rate_limit: RateLimit | None = None
    resume: Resume | None = None
    retry: int | None = None
    flush_each: bool = False
    seed: int | None = None
    seeding: Seeding = field(default_factory=Seeding)
    following: Mapping[bytes, Expression] = {}
    """Headers that follow the request, by name."""
    answer_status: int | None = None
    """The status that the mock gives to answers whose source says one, if they are no errors."""
    given: frozenset[bytes] = frozenset()
    """Names of the headers that the mock says."""
    scripts: OrderedDict[object, CompiledScript] = field(default_factory=OrderedDict)
    counters: Counters = field(default_factory=Counters)
    """Those of its source."""
    variants: dict[str, StreamPlan] = field(default_factory=dict)
    """The same plan in other framings, by their names."""

    @property
    def expressions(self) -> list[Expression]:
        """The expressions in the headers and the end of its streams."""
        rows = [row for row in (self.ending.final, self.ending.error) if row is not None]
        return [*self.following.values(), *(expression for row in rows for expression in row.expressions)]

    def framed(self, name: str | None) -> StreamPlan:
        """This plan for a stream in the framing of that name; None is the usual one. Raises `ValueError`."""
        if name is None or name == self.framing.name:
            return self
        if name not in self.variants:
            framing = framing_named(name)
            headers, lasting_headers, ending = self.in_framing(framing)
            self.variants[name] = structs.replace(
                self,
                kind=framing.kind,
                headers=headers,
                lasting_headers=lasting_headers,
                framing=framing,
                ending=ending,
                scripts=OrderedDict(),
                variants={},
            )
        return self.variants[name]

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
    framing = FRAMINGS["sse"]
    in_framing = partial(_framed, source, config.headers, config.lifecycle, "sse", [(b"connection", b"keep-alive")])
    headers, lasting_headers, ending = in_framing(framing)
    plan = StreamPlan(
        mock_id=mock_id,
        kind="sse",
        status=config.status,
        headers=headers,
        lasting_headers=lasting_headers,
        framing=framing,
        pacing=Pacing(config.timing, source.default_delay_s, source.token_delay),
        source=source,
        lifetime=_lifetime(config.lifecycle),
        ending=ending,
        rate_limit=config.rate_limit,
        resume=config.resume if config.resume.enabled else None,
        retry=config.retry,
        flush_each=config.flush == "event",
        seed=config.seed,
        seeding=seeding,
        following=following(config.headers, ("sse", "headers")),
        answer_status=_unusual(config.status),
        given=_names(config.headers),
        in_framing=in_framing,
    )
    if source.script is not None:
        # What is wrong with it is said now, not when the first client comes.
        try:
            plan.framed(source.script.framing).compiled(source.script)
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
    framing = FRAMINGS["ndjson" if ndjson else "raw"]
    in_framing = partial(_framed, source, config.headers, config.lifecycle, "chunked", [])
    headers, lasting_headers, ending = in_framing(framing)
    return StreamPlan(
        mock_id=mock_id,
        kind=framing.kind,
        status=config.status,
        headers=headers,
        lasting_headers=lasting_headers,
        framing=framing,
        pacing=Pacing(timing, source.default_delay_s, source.token_delay),
        source=source,
        lifetime=_lifetime(config.lifecycle),
        ending=ending,
        flush_each=config.flush == "event" or bool(timing.fixed_delay),
        seed=config.seed,
        seeding=seeding,
        following=following(config.headers, ("chunked", "headers")),
        answer_status=_unusual(config.status),
        given=_names(config.headers),
        in_framing=in_framing,
    )


def compile_response(mock_id: str, config: ResponseConfig, source: Source, seeding: Seeding) -> StreamPlan:
    """The plan of a `response` mock."""
    status = config.status or config.status_code
    return StreamPlan(
        mock_id=mock_id,
        kind="response",
        status=status or 200,
        headers=(headers := FixedHeaders(override([(b"content-type", b"application/octet-stream")], config.headers))),
        lasting_headers=headers,
        framing=FRAMINGS["raw"],
        pacing=Pacing(Timing()),
        source=source,
        lifetime=Lifetime(),
        ending=Ending(),
        in_framing=partial(_framed, source, config.headers, ChunkedLifecycle(), "response", []),
        head_delay_s=in_seconds(config.delay),
        seeding=seeding,
        following=following(config.headers, ("response", "headers")),
        answer_status=status,
        given=_names(config.headers),
    )


def _framed(
    source: Source, given: dict[str, str], life: ChunkedLifecycle, kind: str, lasting: Headers, framing: Framing
) -> Framed:
    """What of a mock's plan follows from that framing; `lasting` are headers for connections that last."""
    usual = [
        (b"content-type", framing.content_type.encode()),
        (b"cache-control", b"no-cache"),
        (b"x-accel-buffering", b"no"),
    ]
    headers = first_of_each(list(source.headers), usual)
    fixed = FixedHeaders(override(headers, given))
    lasting_fixed = FixedHeaders(override(headers + lasting, given)) if lasting else fixed
    return fixed, lasting_fixed, _ending(life, framing, kind)


def _unusual(status: int) -> int | None:
    """A stream's status, if it is another than the usual one."""
    return None if status == 200 else status


def _names(headers: Mapping[str, str]) -> frozenset[bytes]:
    return frozenset(name.lower().encode() for name in headers)


def _lifetime(life: ChunkedLifecycle) -> Lifetime:
    if not isinstance(life, Lifecycle):
        return Lifetime(0.0, life.timeout, life.connection_timeout, life.keep_open)
    return Lifetime(
        life.keepalive_interval,
        life.timeout,
        life.connection_timeout,
        life.keep_open,
        life.max_events,
        life.simulate_disconnect,
    )


def _ending(life: ChunkedLifecycle, framing: Framing, kind: str) -> Ending:
    termination = life.termination
    path = (kind, "lifecycle", "termination")

    def row(field: str) -> Row | None:
        config = getattr(termination, field)
        name = {"final_event": "finalEvent", "error_event": "errorEvent"}[field]
        return None if config is None else framing.row(parse_event(config, (*path, name)))

    pause = in_seconds(termination.close_delay)
    close_delay_s, draw = (0.0, pause) if callable(pause) else (pause, None)
    return Ending(termination.type, row("final_event"), row("error_event"), close_delay_s, draw)
