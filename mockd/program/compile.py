"""From a mock's configuration to its plan, worked out once when the mock is registered."""

from __future__ import annotations

from functools import partial

from msgspec import structs

from mockd.config.models import ChunkedConfig, ChunkedLifecycle, Lifecycle, ResponseConfig, SseConfig
from mockd.config.timing import Timing, in_seconds
from mockd.errors import ConfigError, Path
from mockd.framing import FRAMINGS, Framing, Row
from mockd.headers import FixedHeaders, HeaderRules, Headers, first_of_each
from mockd.placeholders import parse_event
from mockd.program.pacing import Pacing
from mockd.program.plan import Framed, StreamPlan
from mockd.program.terms import Ending, Lifetime, Seeding
from mockd.source import Source


def compile_sse(mock_id: str, config: SseConfig, source: Source, seeding: Seeding) -> StreamPlan:
    """The plan of an `sse` mock. Raises `ConfigError` with a path that begins at the mock."""
    framing = FRAMINGS["sse"]
    rules = HeaderRules(config.headers, ("sse", "headers"))
    in_framing = partial(_framed, source, rules, config.lifecycle, "sse", [(b"connection", b"keep-alive")])
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
        in_framing=in_framing,
        rate_limit=config.rate_limit,
        resume=config.resume if config.resume.enabled else None,
        retry=config.retry,
        flush_each=config.flush == "event",
        seed=config.seed,
        seeding=seeding,
        header_rules=rules,
        answer_status=_unusual(config.status),
    )
    if source.script is not None:
        # Faults of the script are reported now, not when the first client comes.
        try:
            plan.framed(source.script.framing).compiled(source.script)
        except ConfigError as error:
            raise error.under(list_path(config)) from None
    return plan


def list_path(config: SseConfig) -> Path:
    """The path of a mock's events, or of what they are made from."""
    """The path of the events of a mock, or of what they are made from."""
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
    rules = HeaderRules(config.headers, ("chunked", "headers"))
    in_framing = partial(_framed, source, rules, config.lifecycle, "chunked", [])
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
        in_framing=in_framing,
        flush_each=config.flush == "event" or (timing.fixed_delay is not None and in_seconds(timing.fixed_delay) != 0),
        seed=config.seed,
        seeding=seeding,
        header_rules=rules,
        answer_status=_unusual(config.status),
    )


def compile_response(mock_id: str, config: ResponseConfig, source: Source, seeding: Seeding) -> StreamPlan:
    """The plan of a `response` mock."""
    status = config.status or config.status_code
    rules = HeaderRules(config.headers, ("response", "headers"))
    return StreamPlan(
        mock_id=mock_id,
        kind="response",
        status=status or 200,
        headers=(headers := FixedHeaders([(b"content-type", b"application/octet-stream")], rules)),
        lasting_headers=headers,
        framing=FRAMINGS["raw"],
        pacing=Pacing(Timing()),
        source=source,
        lifetime=Lifetime(),
        ending=Ending(),
        in_framing=partial(_framed, source, rules, ChunkedLifecycle(), "response", []),
        head_delay_s=in_seconds(config.delay),
        seeding=seeding,
        header_rules=rules,
        answer_status=status,
    )


def _framed(
    source: Source, rules: HeaderRules, life: ChunkedLifecycle, kind: str, lasting: Headers, framing: Framing
) -> Framed:
    """The parts of a mock's plan that depend on its framing. `lasting` are headers for connections that last."""
    usual = [
        (b"content-type", framing.content_type.encode()),
        (b"cache-control", b"no-cache"),
        (b"x-accel-buffering", b"no"),
    ]
    headers = first_of_each(list(source.headers), usual)
    fixed = FixedHeaders(headers, rules)
    return fixed, FixedHeaders(headers + lasting, rules) if lasting else fixed, _ending(life, framing, kind)


def _unusual(status: int) -> int | None:
    """A stream's status, or None if it is the usual one."""
    return None if status == 200 else status


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

    def row(field: str) -> Row | None:
        config = getattr(termination, field)
        name = {"final_event": "finalEvent", "error_event": "errorEvent"}[field]
        return None if config is None else framing.row(parse_event(config, (*path, name)))

    pause = in_seconds(termination.close_delay)
    close_delay_s, draw = (0.0, pause) if callable(pause) else (pause, None)
    return Ending(termination.type, row("final_event"), row("error_event"), close_delay_s, draw)
