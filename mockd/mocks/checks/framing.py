"""Fields of `framing` that have no effect on the stream that they are for."""

from __future__ import annotations

from collections.abc import Iterator

from mockd.config.framing import FramingConfig
from mockd.errors import Problem
from mockd.mocks.checks.answer import CheckedAnswer

_OF_LINES = ("lineEnding", "spaceAfterColon", "fieldOrder")


def framing(answer: CheckedAnswer) -> Iterator[Problem]:
    """What raw events, other fields or the end of the stream leave nothing to change."""
    variation = answer.plan.variation
    if variation is not None and answer.given((answer.kind, "framing")) is not None:
        for check in (_lines, _charset, _flush, _line_breaks, _end):
            for problem in check(answer, variation):
                yield problem.under((answer.kind, "framing"))


def _lines(answer: CheckedAnswer, variation: FramingConfig) -> Iterator[Problem]:
    if _is_all_raw(answer):
        for field in _OF_LINES:
            if answer.given((answer.kind, "framing", field)) is not None:
                yield Problem("raw events are sent as they stand", (field,), "write it into their bytes")


def _charset(answer: CheckedAnswer, variation: FramingConfig) -> Iterator[Problem]:
    if variation.charset is not None and b"content-type" in answer.plan.header_rules.names:
        yield Problem("the mock's own Content-Type decides", ("charset",), "write it there, or leave that out")


def _flush(answer: CheckedAnswer, variation: FramingConfig) -> Iterator[Problem]:
    field = "split" if variation.split is not None else "coalesce"
    if getattr(variation, field) is not None and answer.given((answer.kind, "flush")) == "event":
        yield Problem(f"`{field}` decides instead of `flush`", (field,), "leave `flush` out")


def _line_breaks(answer: CheckedAnswer, variation: FramingConfig) -> Iterator[Problem]:
    """A split between CR and LF, if there is none."""
    script = answer.script
    if variation.split != "crlf" or script is None or any(event.raw is not None for event in script.events):
        return
    if script.framing.line_end != "\r\n" and variation.line_ending != "mixed":
        yield Problem("no line ends with CR LF here", ("split",), "add `lineEnding: crlf`")


def _end(answer: CheckedAnswer, variation: FramingConfig) -> Iterator[Problem]:
    """The blank line of an event behind which there is no clean end."""
    script = answer.script
    if variation.final_blank_line or script is None:
        return
    ending, outcome = answer.plan.ending, script.stop[1]
    if outcome == "aborted" or ending.type == "abrupt" or (outcome == "completed" and answer.plan.lifetime.keep_open):
        yield Problem("the stream has no clean end of its own", ("finalBlankLine",), "leave it out")


def _is_all_raw(answer: CheckedAnswer) -> bool:
    script = answer.script
    return script is not None and bool(script.events) and all(event.raw is not None for event in script.events)
