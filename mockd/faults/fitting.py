"""Which faults can strike which answers: what is known of that before anything is sent."""

from __future__ import annotations

from collections.abc import Sequence

from mockd.config import faults as config
from mockd.config.fault import Fault
from mockd.headers import FixedHeaders
from mockd.lines.line import BODILESS
from mockd.streaming.cursors.body import Bare
from mockd.streaming.program import Program

_WITHOUT_BODY = (config.Close, config.Reset, config.ExtraBytes)
_OF_EVENTS = (config.Drop, config.Duplicate, config.Reorder)
_OF_DATA = (config.Malformed, config.Corrupt)
_OF_LENGTH = (
    config.End,
    config.Idle,
    config.Insert,
    config.Garbage,
    config.UnknownEvent,
    config.HugeEvent,
    config.ErrorFault,
    config.BadChunk,
    config.ShortChunk,
    config.LongChunk,
)

_OF_TEXT = (config.Insert, config.UnknownEvent, config.HugeEvent, config.ErrorFault)


def changes_whole(fault: Fault, program: Program) -> bool:
    """Whether a fault changes the body of a whole answer, before its length is said."""
    at_start = fault.after is None or not fault.after.count
    return isinstance(fault, _OF_DATA) and at_start and program.is_whole and program.status not in BODILESS


def why_not(fault: Fault, program: Program) -> str | None:
    """The reason for which a fault behind the head can do nothing to an answer; None if it can."""
    if program.status in BODILESS:
        return None if isinstance(fault, _WITHOUT_BODY) else "the answer has no body"
    if program.is_whole and isinstance(fault, _OF_EVENTS):
        return "a whole answer has no events"
    if program.is_whole and isinstance(fault, _OF_DATA):
        return "the data of a whole answer begins at its start"
    if isinstance(fault, _OF_LENGTH) and promises_length(program.headers, program.own):
        return "the length of the body is promised"
    if isinstance(fault, _OF_TEXT) and getattr(fault, "raw_base64", None) is None and is_compressed(program):
        return "the body is compressed already, and other bytes would spoil it"
    return None


def is_compressed(program: Program) -> bool:
    """Whether the body is in a content coding that is not mockd's, as one that was recorded may be."""
    if isinstance(program.framing, Bare) and program.framing.sent.is_encoded:
        return False
    return any(
        name.lower() == b"content-encoding" and value != b"identity" for name, value in (*program.headers, *program.own)
    )


def promises_length(headers: FixedHeaders, own: Sequence[tuple[bytes, bytes]]) -> bool:
    """Whether a head says how long the body is."""
    return headers.has_length or any(name == b"content-length" for name, _ in own)
