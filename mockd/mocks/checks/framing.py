"""Fields of `framing` that have no effect on the stream that they are for."""

from __future__ import annotations

import math
from collections.abc import Iterator

from msgspec import structs

from mockd.config.framing import FramingConfig
from mockd.errors import Problem
from mockd.framing import FRAMINGS, Frame
from mockd.framing.varied import varied
from mockd.mocks.checks.answer import CheckedAnswer
from mockd.program.script import CompiledScript
from mockd.streaming.cursors.body import Punctuation
from mockd.streaming.varying import pieces_of

_OF_LINES = ("lineEnding", "spaceAfterColon", "fieldOrder")


def framing(answer: CheckedAnswer) -> Iterator[Problem]:
    """What raw events, other fields or the end of the stream leave nothing to change."""
    variation = answer.plan.variation
    if variation is not None and answer.given((answer.kind, "framing")) is not None:
        for check in (_lines, _charset, _flush, _line_breaks, _end, _fields, _between, _borders):
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
    if script is not None and _lacks_line_breaks(script, variation):
        yield Problem("no line ends with CR LF here", ("split",), "add `lineEnding: crlf`")


def _lacks_line_breaks(script: CompiledScript, variation: FramingConfig) -> bool:
    end = script.framing.line_end
    if variation.split != "crlf" or any(event.raw is not None for event in script.events):
        return False
    return end not in ("", "\r\n") and variation.line_ending != "mixed"


def _end(answer: CheckedAnswer, variation: FramingConfig) -> Iterator[Problem]:
    """The blank line of an event behind which there is no clean end, or that has none."""
    script = answer.script
    if variation.final_blank_line or script is None:
        return
    ending, outcome = answer.plan.ending, script.stop[1]
    if outcome == "aborted" or ending.type == "abrupt" or (outcome == "completed" and answer.plan.lifetime.keep_open):
        yield Problem("the stream has no clean end of its own", ("finalBlankLine",), "leave it out")
    elif script.ends_plainly and 0 < script.stop[0] < math.inf:
        last = script.frames[script.position_of(int(script.stop[0]) - 1) % script.length]
        if isinstance(last, bytes) and Punctuation(variation, script.framing).without_last_end(last) == last:
            yield Problem("the last that is sent has no such line end", ("finalBlankLine",), "leave it out")


def _fields(answer: CheckedAnswer, variation: FramingConfig) -> Iterator[Problem]:
    """Another form of the fields of events that have none to change."""
    script = _ending(answer)
    if script is None or _is_all_raw(answer) or not _sends_events_alone(answer):
        return
    usual = FRAMINGS[script.framing.name]
    for name, field, message in (
        ("space_after_colon", "spaceAfterColon", "no field here has a space to leave out"),
        ("field_order", "fieldOrder", "the fields of each event are in that order anyway"),
    ):
        if getattr(variation, name) != getattr(FramingConfig(), name):
            without = varied(usual, structs.replace(variation, **{name: getattr(FramingConfig(), name)}))
            if all(
                _bytes_of(without.encode(event)) == _bytes_of(script.framing.encode(event)) for event in script.events
            ):
                yield Problem(message, (field,), "leave it out")


def _between(answer: CheckedAnswer, variation: FramingConfig) -> Iterator[Problem]:
    """What stands before events or between them, if there are too few."""
    script = _ending(answer)
    if script is None:
        return
    events, stop = script.counted_before(int(script.stop[0])), script.stop[0]
    said = f"there {'is' if events == 1 else 'are'} {events or 'none'}"
    if variation.comments is not None and events <= (every := variation.comments.every):
        message = f"the first comment would come before event {every + 1}, and {said}"
        yield Problem(message, ("comments", "every"), "make it smaller, or leave the comments out")
    too_few = {
        "emptyLines": variation.empty_lines > 0 and events <= 1,
        "padding": variation.padding is not None and not events,
        "coalesce": variation.coalesce is not None and stop <= 1 and _sends_events_alone(answer),
    }
    for field in (field for field, is_so in too_few.items() if is_so):
        message = "it stands before events" if field == "padding" else "it is for two events and more"
        yield Problem(f"{message}, and {said}", (field,), "leave it out")


def _borders(answer: CheckedAnswer, variation: FramingConfig) -> Iterator[Problem]:
    """Borders of a split that the body does not have."""
    script, split = _ending(answer), variation.split
    if script is None or split is None or not _sends_events_alone(answer):
        return
    plan = answer.plan.framed(script.framing.name)
    pieces = pieces_of(structs.replace(plan, variation=structs.replace(variation, pause=0.0)), script)
    if pieces is None:
        return
    size = sum(map(len, pieces.rows))
    if isinstance(split, list):
        for place, offset in enumerate(split):
            if offset >= size:
                yield Problem(f"the body ends before, after {size} bytes", ("split", place), "choose an earlier offset")
    elif not _lacks_line_breaks(script, variation) and sum(map(bool, pieces.rows)) <= len(set(pieces.due)):
        message = f"there is no such border in the {size} bytes that are sent"
        yield Problem(message, ("split",), "choose another `split`, or leave it out")


def _ending(answer: CheckedAnswer) -> CompiledScript | None:
    """The script, if it is known how many of its events a stream sends."""
    script = answer.script
    if script is None or not script.events or script.stop[0] == math.inf:
        return None
    is_kept_open = script.stop[1] == "completed" and answer.plan.lifetime.keep_open
    comes_back = script.stop[1] == "aborted" and answer.plan.resume is not None
    return None if is_kept_open or comes_back else script


def _sends_events_alone(answer: CheckedAnswer) -> bool:
    """Whether a stream sends nothing but the events of its script."""
    return answer.script is not None and answer.script.ends_plainly and answer.plan.heartbeat is None


def _bytes_of(frame: Frame) -> list[bytes]:
    """The bytes of a frame without its holes."""
    return [frame] if isinstance(frame, bytes) else [part for part in frame.parts if isinstance(part, bytes)]


def _is_all_raw(answer: CheckedAnswer) -> bool:
    script = answer.script
    return script is not None and bool(script.events) and all(event.raw is not None for event in script.events)
