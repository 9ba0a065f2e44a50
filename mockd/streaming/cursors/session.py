"""The cursor over a session, for everything that needs code for each event. It reads at its own place."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

from mockd.errors import MockdError, RateLimitedError
from mockd.events import Event, Fill
from mockd.journal.exchange import Outcome
from mockd.program.plan import StreamPlan
from mockd.program.ratelimit import MOST_DROPPED
from mockd.program.script import CompiledScript, Events
from mockd.program.terms import Lifetime
from mockd.program.timetable import BATCH, BATCH_BYTES
from mockd.source import CutOffError
from mockd.streaming.cursors.cursor import AT_ONCE, NEVER, Batch, op_after
from mockd.streaming.ops import CUTS, Op
from mockd.streaming.sessions.buffer import Buffer, OfKey, Place
from mockd.streaming.sessions.resume import Sessions
from mockd.streaming.sessions.session import Entry, RunningSession, Session, running_steps

MOST_LOOKED_AT = max(BATCH, MOST_DROPPED)
"""Most entries that one `take` looks at, as a limiter may drop most of them."""


def first_place(plan: StreamPlan, events: Events, fill: Fill, now: float, of_key: OfKey | None) -> Place:
    """The start of a new session, to which clients may come back if it is held among those `of_key`."""
    session = _new_session(plan, events, fill, now)
    return Place.at_start(session, None if of_key is None else Buffer(session, of_key))


def _new_session(plan: StreamPlan, events: Events, fill: Fill, now: float) -> Session:
    if isinstance(events, CompiledScript):
        return Session.of_script(plan, events, fill, now)
    if isinstance(events, AsyncIterator):
        return RunningSession(plan, events, fill, now)
    return Session(plan, running_steps(plan, events), fill, now)


class SessionCursor:
    """The rows of a session from a place on, within the limits of a `lifetime`, by default its own. `wake` is called
    when the session's source has more. `sessions` are those to which clients can come back."""

    def __init__(
        self,
        place: Place,
        connection_id: str,
        now: float,
        wake: Callable[[], None],
        sessions: Sessions | None = None,
        lifetime: Lifetime | None = None,
    ) -> None:
        self._session = place.session
        self._sessions = sessions
        self._buffer = place.buffer
        self._entry = place.entry
        self._made_again = place.made_again
        self._anew: Entry | None = None
        self._count = place.count
        self._connection_id = connection_id
        self._plan = place.session.plan
        self._lifetime = lifetime or self._plan.lifetime
        self.retry = self._plan.retry
        self._wake = wake
        place.session.readers.append(self._look_again)
        if sessions is not None and place.buffer is not None:
            sessions.join(place.buffer)
        self.events_sent = 0
        self.last_event_id: str | None = None
        self.next_due = now
        self.failure: MockdError | None = None
        self.op: Op | None = None
        self.outcome: Outcome | None = None
        self._check_limits()

    def _look_again(self) -> None:
        """Look for an entry again, as the source has more or has ended, or an event was pushed behind the last."""
        if self.outcome == "completed":
            self.outcome = self.op = None
        if self.outcome is None:
            self.next_due = AT_ONCE
        self._wake()

    batch = Batch(BATCH, BATCH_BYTES)

    @property
    def has_pushed(self) -> bool:
        """Whether the next event was pushed."""
        following = None if self._made_again is not None else self._entry.next
        return following is not None and following.is_pushed

    def push(self, event: Event) -> None:
        """Put an event into the session, behind what was sent."""
        if self._sessions is None or self._buffer is None:
            self._session.push(event, self._entry)
        else:
            self._sessions.push(self._buffer, event)

    @property
    def session(self) -> Session:
        """The session that it reads."""
        return self._session

    def take(self, now: float, most: int = 0) -> list[bytes]:
        rows: list[bytes] = []
        size = 0
        most = most or BATCH
        for _ in range(MOST_LOOKED_AT):
            if self.outcome or len(rows) == most or size >= BATCH_BYTES:
                break
            entry = self._upcoming()
            if entry is None:
                self._note_end()
                break
            self.next_due = self._session.started + entry.due_s
            if self.next_due > now:
                break
            if entry.verdict == "sent":
                rows.append(self._issue(entry))
                size += len(rows[-1])
            elif entry.verdict == "dropped":
                self._pass(entry)
            else:
                self._refuse()
        return rows

    def _upcoming(self) -> Entry | None:
        """The next entry, which stays the next until `_pass`. None if there are no more, or none yet."""
        if self._made_again is not None:
            self._anew = self._anew or next(self._made_again, None)
            if self._anew is not None:
                return self._anew
            assert self._buffer is not None
            self._made_again, self._entry = None, self._buffer.before_oldest()
        entry = self._session.after(self._entry)
        if self._buffer is not None and self._session.is_cut_off(self._entry):
            # This stream lags so far behind that its next entry is no longer held.
            self._made_again = self._buffer.made_again(self._entry.number + 1)
            return self._upcoming()
        return entry

    def _pass(self, entry: Entry) -> None:
        if entry is self._anew:
            self._anew = None
        else:
            self._entry = entry

    def _note_end(self) -> None:
        self.next_due = NEVER
        if self._session.ended:
            self.failure = self._session.failure
            if self.failure is not None and isinstance(cut := self.failure.__cause__, CutOffError):
                self.failure, self.outcome = None, "aborted"
                self.op, self.next_due = CUTS[cut.how], AT_ONCE
            else:
                self._end("failed" if self.failure else "completed")

    def _end(self, outcome: Outcome) -> None:
        self.outcome = outcome
        self.op = op_after(self._plan, outcome)
        self.next_due = NEVER if self.op is None else AT_ONCE

    def _refuse(self) -> None:
        limit = self._session.plan.rate_limit
        assert limit is not None
        self.failure = RateLimitedError(f"more than {limit.events_per_second:g} events a second")
        self._end("failed")

    def _issue(self, entry: Entry) -> bytes:
        payload = self._session.payload(entry)
        self._pass(entry)
        if counted := entry.counted:
            self.events_sent += counted
            self._count = entry.count
        if entry.id is not None:
            self.last_event_id = entry.id
        if self._sessions is not None and self._buffer is not None:
            self._sessions.sent(self._buffer, entry, self._connection_id)
        self._check_limits()
        if self.retry is not None and entry.step is not None and entry.step.event.is_block:
            if entry.step.event.takes_retry:
                payload = self._plan.framing.with_retry(payload, self.retry)
            self.retry = None
        return payload

    def _check_limits(self) -> None:
        life = self._lifetime
        if life.disconnect_after is not None and self.events_sent >= life.disconnect_after:
            self._end("aborted")
        elif life.max_events and self._count >= life.max_events:
            self._end("max_events")

    def hurry(self) -> None:
        """There is no pause before the end of its rows."""

    def note_last_id(self, id_: str) -> None:
        self.last_event_id = id_
        if self._sessions is not None and self._buffer is not None and self._made_again is None:
            self._sessions.sent_last(self._buffer, self._entry, id_)

    def close(self) -> None:
        self._session.readers.remove(self._look_again)
        if self._sessions is None or self._buffer is None:
            self._session.close()
        else:
            self._sessions.leave(self._buffer)
