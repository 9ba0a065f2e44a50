"""The plan of a mock that plays a recording: with the head as it was, and the end."""

from __future__ import annotations

from msgspec import structs

from mockd.config.lifecycle import Termination
from mockd.config.models import ChunkedConfig, ResponseConfig, SseConfig
from mockd.events import Pause
from mockd.headers import FixedHeaders, HeaderRules, headers_as_sent
from mockd.program.pacing import Pacing
from mockd.program.plan import StreamPlan, no_scripts
from mockd.program.recorded import RecordedAnswer
from mockd.program.terms import Ending

_OF_LENGTH = "content-length"


def recorded_plan(
    plan: StreamPlan, answer: RecordedAnswer, config: SseConfig | ChunkedConfig | ResponseConfig
) -> StreamPlan:
    """The plan of a mock that plays a recording, with the head and the end of that. What the mock itself says wins.
    Raises `ConfigError` for what a compressed body cannot have."""
    if answer.is_coded and not isinstance(config, ResponseConfig):
        from mockd.program.varying import check_coded

        check_coded(config, ("sse" if isinstance(config, SseConfig) else "chunked",))
    headers = _headers(answer, plan.header_rules, config)
    ends_itself = not isinstance(config, ResponseConfig) and config.lifecycle.termination != Termination()
    ending = plan.ending if ends_itself else _ending(answer, headers)
    return structs.replace(
        plan,
        status=plan.answer_status or answer.status or plan.status,
        headers=headers,
        lasting_headers=headers,
        ending=ending,
        head_delay_s=_later(plan.head_delay_s, answer.head_s),
        flush_each=True,
        pacing=Pacing(config.replay.pacing),
        recorded=answer,
        scripts=no_scripts(),
        variants={},
    )


def _later(pause: Pause, more_s: float) -> Pause:
    return (lambda rng: pause(rng) + more_s) if callable(pause) else pause + more_s


def _ending(answer: RecordedAnswer, headers: FixedHeaders) -> Ending:
    trailers = answer.trailers
    return Ending(
        breaks_off=headers.has_length,
        trailers=(lambda: trailers) if trailers else None,
        cut=answer.cut,
    )


def _headers(
    answer: RecordedAnswer, rules: HeaderRules, config: SseConfig | ChunkedConfig | ResponseConfig
) -> FixedHeaders:
    given = list(answer.headers)
    variation = None if isinstance(config, ResponseConfig) else config.framing
    if variation is not None:  # the body has another length then
        given = [(name, value) for name, value in given if name.lower() != _OF_LENGTH]
        if variation.charset is not None or variation.encoding is not None:
            from mockd.program.varying import with_head

            encoded = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in given]
            varied = with_head(encoded, variation.charset, variation.encoding)
            given = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in varied]
    kept = [(name, value) for name, value in given if name.lower().encode("latin-1") not in rules.names]
    own = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in rules.fixed]
    headers = headers_as_sent([*kept, *own], answer.reason)
    if answer.has_date:  # the server's own, as each answer has another
        headers.settled -= {b"date"}
    headers.settled |= rules.names
    return headers
