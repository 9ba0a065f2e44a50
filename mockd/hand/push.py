"""Events that are pushed into streams while they run."""

from __future__ import annotations

from mockd.config.events import EventConfig
from mockd.errors import ConfigError, ConflictError
from mockd.events import Event
from mockd.faults.fitting import is_compressed, promises_length
from mockd.framing import Framing
from mockd.hand.hand import Hand
from mockd.placeholders import parse_event
from mockd.streaming.cursors.around import layers
from mockd.streaming.cursors.body import Bare
from mockd.streaming.cursors.session import SessionCursor
from mockd.streaming.cursors.whole import NO_ROWS
from mockd.streaming.sessions.session import Session


def event_of(config: EventConfig) -> Event:
    """The event that somebody pushes. Raises `ConfigError` with the place in it."""
    if config.delay is not None:
        raise ConfigError("what is pushed is sent now", path=("delay",), hint="leave it out, and push it later")
    return parse_event(config)


def check(event: Event, framing: Framing) -> None:
    """Raise `ConfigError` for an event that cannot be sent in a framing."""
    row = framing.row(event)
    if row.expressions:
        raise ConfigError("a pushed event cannot follow the request", hint="write its values into it")
    if not row.frame:
        raise ConfigError(f"the event comes to no bytes in the framing {framing.name}", hint="give it `data`, or `raw`")


def why_not(hand: Hand) -> str | None:
    """The reason for which nothing can be pushed into a stream; None if it can."""
    stream = hand.stream
    program = stream.program
    if stream.cursor is NO_ROWS:
        return "has not begun: its head is not sent yet"
    if program.is_whole or promises_length(program.headers, program.own):
        return "says how long its body is, so that nothing can be added to it"
    if is_compressed(program):
        return "has a body that is compressed already, and other bytes would spoil it"
    body = program.framing.sent if isinstance(program.framing, Bare) else None
    if stream.is_ending or (body is not None and body.has_ended):
        return "has sent its last event"
    if body is not None and body.is_encoded and session_of(hand) is None and hand.unsent():
        return "is in the middle of an event that is encoded, and nothing can be encoded before the rest of it"
    is_full = layers(stream.cursor)[-1].outcome not in (None, "completed") or hand.is_spent is not None
    return "has sent as many events as it may" if is_full else None


def session_of(hand: Hand) -> Session | None:
    """The session that a stream reads, if it reads one."""
    rows = layers(hand.stream.cursor)[-1]  # also if the hand is not laid on it
    return rows.session if isinstance(rows, SessionCursor) else None


def push(hand: Hand, event: Event) -> None:
    """Push an event into a stream: into its session, if it has one, and otherwise beside its rows. Raises
    `ConflictError`, `ConfigError`."""
    if (why := why_not(hand)) is not None:
        raise ConflictError(f"Connection {why}")
    program = hand.stream.program
    check(event, program.framing)
    rows = layers(hand.stream.cursor)[-1]
    if isinstance(rows, SessionCursor):
        rows.push(event)
        return
    fill = program.fill
    assert fill is not None
    fill.seq = fill.sent_before + hand.events_sent + 1
    row, id_ = program.framing.row(event).filled(fill)
    if isinstance(program.framing, Bare):
        row = program.framing.sent.form_of(row, event.counted)
    hand.push(row, event.counted, id_)
