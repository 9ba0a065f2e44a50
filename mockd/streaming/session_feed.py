"""The feed of everything that needs code for each event: a reader of a session, at its own place."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

from mockd.errors import MockdError, RateLimitedError
from mockd.events import Fill
from mockd.streaming.compile import StreamPlan
from mockd.streaming.connections import Outcome
from mockd.streaming.feeds import NEVER, with_retry
from mockd.streaming.ratelimit import MOST_DROPPED
from mockd.streaming.resume import Buffer, Place, Sessions
from mockd.streaming.script import CompiledScript, Events
from mockd.streaming.session import Entry, RunningSession, Session, running_steps
from mockd.streaming.timetable import BATCH, BATCH_BYTES

MOST_LOOKED_AT = max(BATCH, MOST_DROPPED)
"""Events looked at in one take: with a limiter that drops, few of them may be sent."""


def first_place(plan: StreamPlan, events: Events, fill: Fill, now: float, *, is_held: bool) -> Place:
    """The start of a new session. `is_held`: clients may come back to it."""
    session = _new_session(plan, events, fill, now)
    return Place.at_start(session, Buffer(session) if is_held else None)


def _new_session(plan: StreamPlan, events: Events, fill: Fill, now: float) -> Session:
    if isinstance(events, CompiledScript):
        return Session.of_script(plan, events, fill, now)
    if isinstance(events, AsyncIterator):
        return RunningSession(plan, events, fill, now)
    return Session(plan, running_steps(plan, events), fill, now)


class SessionFeed:
    """Frames of a session from a place on. `wake` is called when the session's source has more; `sessions` are those
    that a client can come back to."""

    def __init__(
        self, place: Place, connection_id: str, now: float, wake: Callable[[], None], sessions: Sessions | None = None
    ) -> None:
        self._session = place.session
        self._sessions = sessions
        self._buffer = place.buffer
        self._entry = place.entry
        self._made_again = place.made_again
        self._anew: Entry | None = None
        self._count = place.count
        self._connection_id = connection_id
        self._life = place.session.plan.lifetime
        self._wake = wake
        place.session.readers.append(wake)
        if sessions is not None and place.buffer is not None:
            sessions.join(place.buffer)
        self.retry = place.session.plan.retry
        self.events_sent = 0
        self.last_event_id: str | None = None
        self.next_due = now
        self.failure: MockdError | None = None
        self.ended: Outcome | None = None
        self._check_limits()

    def take(self, now: float, most: int = 0) -> list[bytes]:
        frames: list[bytes] = []
        size = 0
        most = most or BATCH
        for _ in range(MOST_LOOKED_AT):
            if self.ended or len(frames) == most or size >= BATCH_BYTES:
                break
            entry = self._upcoming()
            if entry is None:
                self._note_end()
                break
            self.next_due = self._session.started + entry.due_s
            if self.next_due > now:
                break
            if entry.verdict == "sent":
                frames.append(self._issue(entry, now))
                size += len(frames[-1])
            elif entry.verdict == "dropped":
                self._pass(entry)
            else:
                self._refuse()
        return frames

    def _upcoming(self) -> Entry | None:
        """The next entry, which stays the next until `_pass`; None where there is no more, or none yet."""
        if self._made_again is not None:
            self._anew = self._anew or next(self._made_again, None)
            if self._anew is not None:
                return self._anew
            assert self._buffer is not None
            self._made_again, self._entry = None, self._buffer.before_oldest()
        entry = self._session.after(self._entry)
        if self._buffer is not None and self._session.is_cut_off(self._entry):
            # This connection lags so far that what it was to read next is no longer held.
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
            self.ended = "failed" if self.failure else "completed"

    def _refuse(self) -> None:
        limit = self._session.plan.rate_limit
        assert limit is not None
        self.failure = RateLimitedError(f"more than {limit.events_per_second:g} events a second")
        self.ended = "failed"

    def _issue(self, entry: Entry, now: float) -> bytes:
        payload = self._session.payload(entry)
        self._pass(entry)
        if self.retry is not None and entry.step is not None and entry.step.event.is_block:
            payload = with_retry(self._session.plan.framing, entry.step.event, payload, self.retry)
            self.retry = None
        if entry.counted:
            self.events_sent += 1
            self._count = entry.count
        if entry.id is not None:
            self.last_event_id = entry.id
        if self._sessions is not None and self._buffer is not None:
            self._sessions.sent(self._buffer, entry, self._connection_id, now)
        self._check_limits()
        return payload

    def _check_limits(self) -> None:
        life = self._life
        if life.disconnect_after is not None and self.events_sent >= life.disconnect_after:
            self.ended = "aborted"
        elif life.max_events and self._count >= life.max_events:
            self.ended = "max_events"

    def note_last_id(self, id_: str) -> None:
        self.last_event_id = id_
        if self._sessions is not None and self._buffer is not None and self._made_again is None:
            self._sessions.sent_last(self._buffer, self._entry, id_)

    def close(self) -> None:
        self._session.readers.remove(self._wake)
        if self._sessions is None or self._buffer is None:
            self._session.close()
        else:
            self._sessions.leave(self._buffer)
