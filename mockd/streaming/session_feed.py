"""The feed of everything that needs code for each event: a reader of a session, at its own place."""

from __future__ import annotations

import math
from collections.abc import Callable

from mockd.errors import MockdError, RateLimitedError
from mockd.streaming.compile import BATCH, BATCH_BYTES
from mockd.streaming.connections import Outcome
from mockd.streaming.feeds import NEVER
from mockd.streaming.ratelimit import TokenBucket
from mockd.streaming.resume import Entry, Place, Sessions

MOST_LOOKED_AT = 8 * BATCH
"""Events looked at in one take: with a limiter that drops, few of them may be sent."""


LONGEST_DROPPED = 100_000
"""A script without delay of more events than this is not gone through to drop them all at once."""


class SessionFeed:
    """Frames of a session from a place on. `wake` is called when the session's source has more."""

    def __init__(
        self, place: Place, connection_id: str, now: float, wake: Callable[[], None], sessions: Sessions | None = None
    ) -> None:
        self._session = session = place.session
        self._sessions = sessions
        self._entry = place.entry
        self._again = None if place.again_from is None else session.again(place.again_from)
        self._anew: Entry | None = None
        self._counted = place.counted
        self._connection_id = connection_id
        self._life = session.plan.lifetime
        self._limit = session.plan.rate_limit
        self._bucket = TokenBucket(self._limit, now) if self._limit else None
        self._opened = now
        self._not_before = -math.inf
        self._wake = wake
        session.live += 1
        session.wake_readers.add(wake)
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
                return frames
            entry = self._upcoming()
            if entry is None:
                self._note_end()
                return frames
            self.next_due = max(self._session.started + entry.due_s, self._not_before)
            if self.next_due > now:
                return frames
            if self._admits(entry):
                frames.append(self._issue(entry))
                size += len(frames[-1])
        if not frames and self._is_as_good_as_endless:
            # All were dropped. Without a pause an endless source without delay would never come to rest.
            self.next_due = self._not_before = self._token_at
        return frames

    @property
    def _is_as_good_as_endless(self) -> bool:
        script = self._session.script
        return script is None or script.total > LONGEST_DROPPED

    def _upcoming(self) -> Entry | None:
        """The next entry, which stays the next until `_pass`; None where there is no more, or none yet."""
        if self._again is not None:
            self._anew = self._anew or next(self._again, None)
            if self._anew is not None:
                return self._anew
            self._again = None
            self._entry = self._session.before_oldest()
        return self._session.after(self._entry)

    def _pass(self, entry: Entry) -> None:
        if entry is self._anew:
            self._anew = None
        else:
            self._entry = entry
        if self._sessions is None:
            self._session.last_sent = entry  # nobody comes back for what was before

    def _note_end(self) -> None:
        self.next_due = NEVER
        if self._session.ended:
            self.failure = self._session.failure
            self.ended = "failed" if self.failure else "completed"

    def _admits(self, entry: Entry) -> bool:
        """Whether the limiter lets an entry through now; an entry it drops is passed by."""
        if self._bucket is None or self._limit is None or not entry.counted:
            return True
        when = max(self.next_due, self._opened)
        self._token_at = self._bucket.take(when)
        if self._token_at == when:
            return True
        if self._limit.strategy == "wait":
            self._not_before = self._token_at
        elif self._limit.strategy == "drop":
            self._pass(entry)
        else:
            self.failure = RateLimitedError(f"more than {self._limit.events_per_second:g} events a second")
            self.ended = "failed"
        return False

    def _issue(self, entry: Entry) -> bytes:
        payload = self._session.payload(entry)
        self._pass(entry)
        if entry.counted:
            self.events_sent += 1
            self._counted += 1
        entry.count = self._counted
        if entry.id is not None:
            self.last_event_id = entry.id
        if self._sessions is not None:
            self._sessions.issued(self._session, entry, self._connection_id)
        self._check_limits()
        return payload

    def _check_limits(self) -> None:
        life = self._life
        if life.disconnect_after is not None and self.events_sent >= life.disconnect_after:
            self.ended = "aborted"
        elif life.max_events and self._counted >= life.max_events:
            self.ended = "max_events"

    def close(self) -> None:
        session = self._session
        session.wake_readers.discard(self._wake)
        session.live -= 1
        if self._sessions is None and not session.live:
            session.close()
