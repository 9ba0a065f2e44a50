"""A mock's plan: what its streams go by and send, worked out once when the mock is registered.

Scripts (events known in advance) are framed and timed once for each key (`CompiledScript`); after that nothing runs
for each event but the calendar and one send.
"""

from __future__ import annotations

from collections import OrderedDict

from msgspec import field, structs

from mockd.config.models import ChunkedConfig, ChunkedLifecycle, Lifecycle, ResponseConfig, SseConfig
from mockd.config.timing import Timing, in_seconds
from mockd.errors import ConfigError, Path
from mockd.headers import FixedHeaders, HeaderRules, first_of_each
from mockd.placeholders import parse_event
from mockd.program.framing import Frame, Framing, NdjsonFraming, RawFraming, SseFraming
from mockd.program.pacing import Pacing
from mockd.program.script import CompiledScript
from mockd.program.terms import Ending, Lifetime, Seeding, Terms
from mockd.source import Script, Source

MOST_SCRIPTS = 64
"""Compiled scripts kept for each mock: one for each key that its source makes out of requests."""


class StreamPlan(Terms, frozen=True):
    """What all streams of a mock go by, and the scripts that they send."""

    scripts: OrderedDict[object, CompiledScript] = field(default_factory=OrderedDict)

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
