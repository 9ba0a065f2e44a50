"""What is held of one session for clients that come back, and the place in it at which one goes on."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator

from msgspec import Struct

from mockd.events import Fill
from mockd.program.script import CompiledScript
from mockd.streaming.sessions.session import Entry, Session

MOST_MADE_AGAIN = 10_000
"""Most events that are made again only to reach later ones, if each event depends on those before it."""


def can_make_again(script: CompiledScript, number: int) -> bool:
    """Whether event `number` of a script can be made again, the same as the first time."""
    return script.stands_alone or (script.is_same and number <= MOST_MADE_AGAIN)


class OfKey:
    """The sessions of one key, oldest first. `scope` stands before their ids where those of all keys are. No id has a
    line break, so none of another key is like them. `came_before` is true if clients of an earlier process may come
    back to them."""

    __slots__ = ("buffers", "came_before", "is_forgotten", "reached", "scope")

    def __init__(self, scope: str, came_before: bool = False) -> None:
        self.scope = scope
        self.came_before = came_before
        self.is_forgotten = False
        self.buffers: dict[str, Buffer] = {}
        self.reached: float = 0
        """The number after the last event of the session that got furthest, forgotten sessions included."""


class Buffer:
    """The events of one session that are held for clients that come back: the last ones sent, of those with an id."""

    __slots__ = ("held", "last_id", "last_sent", "left_at", "of_key", "readers", "said", "session")

    def __init__(self, session: Session, of_key: OfKey) -> None:
        self.session = session
        self.of_key = of_key
        self.held: deque[Entry] = deque()
        self.last_sent = session.tail
        """The furthest event that was sent to any client."""
        self.last_id: str | None = None
        """The id of a final or error event."""
        self.readers = 0
        self.left_at = 0.0
        self.said = _said(session)
        """The number of characters in its events that follow the request."""

    def before_oldest(self) -> Entry:
        """An entry before the oldest event held, or the furthest event sent if none is held."""
        if not self.held:
            return self.last_sent
        oldest = self.held[0]
        before = Entry(None, oldest.number - 1, 0.0, oldest.count - oldest.counted)
        before.next = oldest
        return before

    def made_again(self, start: int) -> Iterator[Entry]:
        """The events from `start` up to those held, made again; none if they would not be the same."""
        session, script = self.session, self.session.script
        if script is None or not can_make_again(script, start):
            return
        fill = Fill(session.plan.random(), session.fill.clock)
        twin = Session.of_script(session.plan, script, fill, 0.0, start)
        while (entry := twin.after(twin.tail)) is not None:
            if entry.number >= (self.held[0].number if self.held else self.last_sent.number + 1):
                return
            if entry.verdict != "dropped":
                twin.payload(entry)
                entry.verdict, entry.due_s = "sent", -math.inf
                yield entry


def _said(session: Session) -> int:
    rendered = session.fill.rendered
    if not rendered:
        return 0
    expressions = session.plan.expressions if session.script is None else session.script.expressions
    return sum(len(rendered.get(expression.source, "")) for expression in expressions)


class Place(Struct, frozen=True):
    """The place in a session at which a stream goes on: after `entry` or, if there are events `made_again`, with them
    and then with those held. `count` is the number of events with data before it. `finished` is true if nothing more
    will come."""

    session: Session
    entry: Entry
    count: int
    buffer: Buffer | None = None
    made_again: Iterator[Entry] | None = None
    finished: bool = False

    @classmethod
    def at_start(cls, session: Session, buffer: Buffer | None = None) -> Place:
        """The place at which a session's first stream begins."""
        return cls(session, session.tail, session.tail.count, buffer)
