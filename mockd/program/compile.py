"""From a mock's configuration to its plan, worked out once when the mock is registered."""

from __future__ import annotations

from functools import partial

from msgspec import structs

from mockd.config import models
from mockd.config.framing import FramingConfig
from mockd.config.models import ChunkedConfig, ChunkedLifecycle, Lifecycle, ProxyConfig, ResponseConfig, SseConfig
from mockd.config.timing import Timing, in_seconds
from mockd.errors import ConfigError, Path
from mockd.events import Event
from mockd.framing import FRAMINGS, Framing, Row
from mockd.headers import FixedHeaders, HeaderRules, Headers, first_of_each
from mockd.placeholders import parse_event, parse_text
from mockd.program.pacing import Pacing
from mockd.program.plan import Framed, StreamPlan
from mockd.program.terms import Ending, Heartbeat, Lifetime
from mockd.source import Source

_LEAST_MS = 1.0
"""Least time between two heartbeats, in milliseconds. Due times are no finer."""


def compile_sse(mock_id: str, config: SseConfig, source: Source, process_seed: int | None) -> StreamPlan:
    """The plan of an `sse` mock. Raises `ConfigError` with a path that begins at the mock."""
    rules = HeaderRules(config.headers, ("sse", "headers"))
    variation = _variation(config, ("sse", "framing"))
    in_framing = partial(_framed, source, rules, config.lifecycle, "sse", [(b"connection", b"keep-alive")], variation)
    plan = StreamPlan(
        mock_id=mock_id,
        kind="sse",
        status=config.status,
        **structs.asdict(in_framing(FRAMINGS["sse"])),
        pacing=Pacing(config.timing, source.default_delay_s, source.token_delay),
        source=source,
        lifetime=structs.replace(
            _lifetime(config.lifecycle), keep_open=config.lifecycle.keep_open or bool(config.manual)
        ),
        in_framing=in_framing,
        variation=variation,
        rate_limit=config.rate_limit,
        resume=config.resume if config.resume.enabled else None,
        retry=config.retry,
        flush_each=config.flush == "event",
        seed=config.seed,
        process_seed=process_seed,
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
    """The path of the events of a mock, or of what they are made from."""
    if config.events is not None:
        return ("sse", "events")
    if config.generator is not None:
        return ("sse", "generator", config.generator.type, "events")
    return ("sse", "eventsFile" if config.events_file is not None else "template")


def compile_chunked(mock_id: str, config: ChunkedConfig, source: Source, process_seed: int | None) -> StreamPlan:
    """The plan of a `chunked` mock."""
    timing = config.timing
    if config.chunk_delay is not None:
        timing = structs.replace(timing, fixed_delay=config.chunk_delay)
    rules = HeaderRules(config.headers, ("chunked", "headers"))
    variation = _variation(config, ("chunked", "framing"))
    in_framing = partial(_framed, source, rules, config.lifecycle, "chunked", [], variation)
    framed = in_framing(FRAMINGS["ndjson" if config.is_ndjson else "raw"])
    if config.lifecycle.heartbeat is not None and framed.heartbeat is None:
        path = ("chunked", "lifecycle", "heartbeat")
        raise ConfigError("it comes to no bytes here", path=path, hint="give its event `data`, or say `raw`")
    return StreamPlan(
        mock_id=mock_id,
        kind=framed.framing.kind,
        status=config.status,
        **structs.asdict(framed),
        pacing=Pacing(timing, source.default_delay_s, source.token_delay),
        source=source,
        lifetime=_lifetime(config.lifecycle),
        in_framing=in_framing,
        variation=variation,
        flush_each=config.flush == "event" or (timing.fixed_delay is not None and in_seconds(timing.fixed_delay) != 0),
        seed=config.seed,
        process_seed=process_seed,
        header_rules=rules,
        answer_status=_unusual(config.status),
    )


def compile_response(mock_id: str, config: ResponseConfig, source: Source, process_seed: int | None) -> StreamPlan:
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
        in_framing=partial(_framed, source, rules, ChunkedLifecycle(), "response", [], None),
        head_delay_s=in_seconds(config.delay),
        process_seed=process_seed,
        header_rules=rules,
        answer_status=status,
    )


def compile_proxy(mock_id: str, config: ProxyConfig, source: Source, process_seed: int | None) -> StreamPlan:
    """The plan of a `proxy` mock. Its answers are another server's: each has its own head, and each piece of a body is
    a chunk as it was there."""
    framing, headers = FRAMINGS["raw"], FixedHeaders([])
    framed = Framed(framing, headers, headers, Ending(breaks_off=True), None)
    return StreamPlan(
        mock_id=mock_id,
        kind=framing.kind,
        status=200,
        **structs.asdict(framed),
        pacing=Pacing(Timing()),
        source=source,
        lifetime=Lifetime(),
        in_framing=lambda _: framed,
        flush_each=True,
        process_seed=process_seed,
        opens_unread=True,
    )


def _variation(config: SseConfig | ChunkedConfig, path: Path) -> FramingConfig | None:
    if config.framing is None:
        return None
    from mockd.program.varying import checked

    return checked(config, path)


def _framed(
    source: Source,
    rules: HeaderRules,
    life: ChunkedLifecycle,
    kind: str,
    lasting: Headers,
    variation: FramingConfig | None,
    framing: Framing,
) -> Framed:
    """The parts of a mock's plan that depend on its framing. `lasting` are headers for connections that last."""
    if variation is not None:
        from mockd.framing.varied import varied

        framing = varied(framing, variation)
    usual = [
        (b"content-type", framing.content_type.encode()),
        (b"cache-control", b"no-cache"),
        (b"x-accel-buffering", b"no"),
    ]
    headers = first_of_each(list(source.headers), usual)
    if variation is not None:
        from mockd.program.varying import with_head

        headers = with_head(headers, variation.charset, variation.encoding)
    fixed = FixedHeaders(headers, rules)
    lasting_headers = FixedHeaders(headers + lasting, rules) if lasting else fixed
    return Framed(framing, fixed, lasting_headers, _ending(life, framing, kind), _heartbeat(life, framing, kind))


def _unusual(status: int) -> int | None:
    """A stream's status, or None if it is the usual one."""
    return None if status == 200 else status


def _lifetime(life: ChunkedLifecycle) -> Lifetime:
    return Lifetime(
        life.timeout,
        life.connection_timeout,
        life.keep_open,
        life.max_events,
        life.simulate_disconnect,
    )


def _heartbeat(life: ChunkedLifecycle, framing: Framing, kind: str) -> Heartbeat | None:
    """What breaks a silence: of a heartbeat and a keepalive the one with the shorter interval, as both count from what
    was sent last."""
    found = []
    if isinstance(life, Lifecycle) and life.keepalive_interval and framing.keepalive:
        found.append(Heartbeat(life.keepalive_interval, Row(framing.keepalive)))
    if life.heartbeat is not None:
        event = _beat(life.heartbeat, framing, (kind, "lifecycle", "heartbeat"))
        row = framing.row(event)
        if row.frame:
            found.append(Heartbeat(max(_LEAST_MS, life.heartbeat.every) / 1000, row, event.raw is not None))
    return min(found, key=lambda heartbeat: heartbeat.every_s, default=None)


def _beat(config: models.Heartbeat, framing: Framing, path: Path) -> Event:
    if config.event is not None:
        return parse_event(config.event, (*path, "event"))
    if config.text is None:
        return Event(raw=config.raw)
    if framing.has_comments:
        return Event(comment=parse_text(config.text, (*path, "text")))
    return Event(raw=parse_text(config.text + framing.line_end, (*path, "text")))


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
