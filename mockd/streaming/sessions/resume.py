"""Resume (WHATWG HTML, section 9.2): the sessions of a mock, and the place in one of them at which a client that sends
`Last-Event-ID` goes on."""

from __future__ import annotations

import math
import re
from base64 import b64encode
from collections import OrderedDict
from collections.abc import Iterator
from itertools import chain, count
from typing import Any

from mockd.clock import Clock, rfc3339
from mockd.events import Event, Fill
from mockd.framing import Framing
from mockd.program.plan import StreamPlan
from mockd.program.script import NUMBER, key_of
from mockd.streaming.sessions.buffer import Buffer, OfKey, Place, can_make_again
from mockd.streaming.sessions.session import Entry, Session

MOST_REMEMBERED = 10_000
"""Most given ids that each mock remembers after their events are no longer held."""
MOST_SAID = 64 * 1024 * 1024
"""Most characters of events that follow requests in the sessions of a mock."""


class Sessions:
    """The sessions of one mock, and the index of the ids that were sent to clients. All bounds hold over all keys
    together, but a client goes on only in a session of its own key.

    `came_before` is true if an earlier process may have served this mock, so that its clients may come back to this
    one: those without a key, as keys are forgotten with their process.
    """

    def __init__(self, plan: StreamPlan, *, max_sessions: int, clock: Clock, came_before: bool = False) -> None:
        assert plan.resume is not None
        self._plan = plan
        self._buffer_size = plan.resume.buffer_size
        self._max_age_s = plan.resume.max_age
        self._max_sessions = max_sessions
        self._said = 0
        """The number of characters of requests that all sessions hold."""
        self._clock = clock
        self._buffers: OrderedDict[str, Buffer] = OrderedDict()
        """All buffers, by session id, oldest first."""
        self._idle: OrderedDict[str, Buffer] = OrderedDict()
        """The buffers that no stream reads; the one that was left longest ago comes first."""
        self._empty: OrderedDict[str, Buffer] = OrderedDict()
        """The buffers that no stream reads and whose events have all become too old."""
        self._index: dict[str, Entry] = {}
        self._last_ids: dict[str, tuple[Buffer, Entry]] = {}
        """Ids of final and error events, each with the buffer and entry after which it was sent."""
        self._remembered: OrderedDict[str, str] = OrderedDict()
        """Given ids whose events are no longer held, each with the id of the session that sent it last."""
        self._clashing: OrderedDict[str, None] = OrderedDict()
        """Given ids that several sessions have sent whose bytes differ, so that they name none of them."""
        self._of_keys = {"": OfKey("", came_before)}
        self._has_pushed = False
        """Whether an event was ever pushed into a session, so that those of one script may differ."""
        self._lives = count(1)
        """Numbers of what was kept for a key until it was forgotten: ids of one life mean nothing in the next."""

    def of_key(self, key: str) -> OfKey:
        """The sessions of a key, to which one is about to be added."""
        found = self._of_keys.get(key)
        if found is None:
            found = self._of_keys[key] = OfKey(f"{key}\n{next(self._lives)}\n")
        return found

    # -- connections come and go -----------------------------------------------------------------------------------

    def join(self, buffer: Buffer) -> None:
        """Take note that a stream begins to read."""
        buffer.readers += 1
        id_ = buffer.session.id
        if id_ not in self._buffers:
            self._make_room(buffer.said)
            self._buffers[id_] = buffer.of_key.buffers[id_] = buffer
            self._said += buffer.said
        self._idle.pop(id_, None)
        self._empty.pop(id_, None)

    def leave(self, buffer: Buffer) -> None:
        """Take note that a stream has ended."""
        buffer.readers -= 1
        if buffer.readers:
            return
        if buffer.session.id not in self._buffers:
            buffer.session.close()
            return
        buffer.left_at = self._clock.monotonic()
        self._idle[buffer.session.id] = buffer

    def sent(self, buffer: Buffer, entry: Entry, connection_id: str) -> None:
        """Take note that an event is being sent."""
        entry.sent_at = self._clock.monotonic()  # which is later than it was due if its stream was held
        if entry.number > buffer.last_sent.number:
            buffer.last_sent = entry
            buffer.of_key.reached = max(buffer.of_key.reached, entry.number + 1)
            if (entry.id is not None or entry.counted) and buffer.session.id in self._buffers:
                self._hold(buffer, entry, connection_id)
        if entry.id and (entry.buffer is not None or buffer.session.id not in self._buffers):
            key = buffer.of_key.scope + key_of(entry.id)
            self._note_clash(key, buffer)
            if entry.buffer is None:  # the session was dropped, but its client may come back
                self._remember(entry, buffer)
                return
            self._index[key] = entry
            if self._last_ids:
                self._last_ids.pop(key, None)

    def push(self, buffer: Buffer, event: Event) -> None:
        """Put an event into a session, behind what was sent to any of its clients. What it has sent before is no longer
        the same as in other sessions that got as far."""
        self._has_pushed = True
        buffer.session.push(event, buffer.last_sent)
        others = [other for other in buffer.of_key.buffers.values() if other is not buffer]
        furthest = max([other.last_sent.number for other in others], default=-1)
        for entry in buffer.held:
            if entry.id and entry.number <= furthest:
                self._clash(buffer.of_key.scope + key_of(entry.id))

    def of(self, key: str | None) -> list[Buffer]:
        """The sessions of one key, or of all if it is None."""
        self._age()
        return self._of(key)

    def sent_last(self, buffer: Buffer, entry: Entry, id_: str) -> None:
        """Take note that a stream ended after `entry`, with a final or error event that has an id."""
        if buffer.session.id in self._buffers:
            self._forget_last_id(buffer)
            buffer.last_id = buffer.of_key.scope + key_of(id_)
            self._note_clash(buffer.last_id, buffer)
            self._last_ids[buffer.last_id] = (buffer, entry)

    def _note_clash(self, key: str, buffer: Buffer) -> None:
        """Take note if another session has sent an id that a session is sending, and their bytes differ."""
        session, script = buffer.session, buffer.session.script
        if key in self._clashing or (script is not None and script.is_same and not self._has_pushed):
            return
        other_id = self._sender_of(key)
        if other_id in (None, session.id):
            return
        other = self._buffers.get(other_id)
        if other is None or not session.is_same_as(other.session):
            self._clash(key)

    def _clash(self, key: str) -> None:
        self._clashing[key] = None
        if len(self._clashing) > MOST_REMEMBERED:
            self._clashing.popitem(last=False)

    def _sender_of(self, key: str) -> str | None:
        """The id of the session that sent this given id last."""
        if key in self._last_ids:
            return self._last_ids[key][0].session.id
        held = self._index.get(key)
        return self._remembered.get(key) if held is None or held.buffer is None else held.buffer.session.id

    # -- clients come back -----------------------------------------------------------------------------------------

    def knows(self, key: str, last_event_id: str) -> bool:
        """Whether a client of a key that was last sent this id can go on."""
        return self.find(last_event_id, key) is not None

    def find(self, last_event_id: str, key: str) -> Place | None:
        """The place at which a client that was last sent this id goes on, in a session of its key. None if the id is
        not known, or if it cannot be known which session sent it and the client could get another's events."""
        of_key = self._of_keys.get(key)
        if of_key is None or "\n" in last_event_id:  # from a query, which may have anything
            return None
        self._age()
        id_ = key_of(last_event_id)
        scoped = of_key.scope + id_
        place = self._find(scoped, id_, of_key)
        return None if place is not None and scoped in self._clashing and not place.finished else place

    def _find(self, key: str, id_: str, of_key: OfKey) -> Place | None:
        if key in self._last_ids:
            buffer, entry = self._last_ids[key]
            is_cut_off = buffer.session.is_cut_off(entry)
            return self._place_again(buffer, entry.number) if is_cut_off else self._place(buffer, entry)
        held = self._index.get(key)
        if held is not None and held.buffer is not None:
            self._forget_old(held.buffer, self._clock.monotonic())
            if held.buffer is not None:
                return self._place(held.buffer, held)
        return self._find_forgotten(key, id_, of_key)

    def _find_forgotten(self, key: str, id_: str, of_key: OfKey) -> Place | None:
        """The place for an id whose event is no longer held: in the session that the id names or was remembered with,
        or by the event's number in the script."""
        source = self._plan.source.script
        plan = self._plan if source is None else self._plan.framed(source.framing)
        script = None if source is None else plan.compiled(source)
        number = None if script is None else script.number_of(id_)
        buffer = self._session_of(key, id_, number, of_key)
        if buffer is not None:
            return self._place(buffer, buffer.before_oldest()) if number is None else self._place_again(buffer, number)
        if script is None or number is None or not can_make_again(script, number):
            return None
        if not self._was_issued(number, of_key):
            return None
        fill = Fill(plan.random(), self._clock)
        session = Session.of_script(plan, script, fill, self._clock.monotonic(), number + 1)
        return self._place(Buffer(session, of_key), session.tail)

    def _session_of(self, key: str, id_: str, number: int | None, of_key: OfKey) -> Buffer | None:
        stream, _, assigned = id_.rpartition("-")
        named = of_key.buffers.get(stream)
        if named is not None and re.fullmatch(NUMBER, assigned) and int(assigned) <= named.last_sent.count:
            return named
        remembered = of_key.buffers.get(self._remembered.get(key, ""))
        if remembered is not None or number is None:
            return remembered
        found = (buffer for buffer in reversed(of_key.buffers.values()) if number <= buffer.last_sent.number)
        return next(found, None)

    def _was_issued(self, number: int, of_key: OfKey) -> bool:
        """Whether any session of the key got that far. Until this process sends it anything, an earlier one may
        have."""
        if of_key.came_before and not of_key.reached:
            of_key.reached = math.inf
        return number < of_key.reached

    def _place_again(self, buffer: Buffer, number: int) -> Place:
        entries = buffer.made_again(number + 1)
        first: list[Entry] = []
        for entry in entries:
            first.append(entry)
            if entry.id is not None or entry.counted:
                break
        else:
            return self._place(buffer, buffer.before_oldest())
        count = first[0].count - first[0].counted
        finished = self._is_over(count) and not self._plan.lifetime.keep_open
        return Place(buffer.session, buffer.last_sent, count, buffer, chain(first, entries), finished)

    def _place(self, buffer: Buffer, entry: Entry) -> Place:
        session, now = buffer.session, self._clock.monotonic()
        following = session.after(entry)
        # Skip comments that were sent, and what was dropped: the client's id cannot tell that they came before.
        while following is not None and (
            (following.id is None and not following.counted and following.number <= buffer.last_sent.number)
            or (following.verdict == "dropped" and session.started + following.due_s <= now)
        ):
            following = session.after(following)
        if following is not None:
            session.readmit(following, now)
        at_end = following is None and session.ended and session.failure is None
        finished = (at_end or self._is_over(entry.count)) and not self._plan.lifetime.keep_open
        return Place(session, entry, entry.count, buffer, finished=finished)

    def _is_over(self, count: int) -> bool:
        most = self._plan.lifetime.max_events
        return bool(most) and count >= most

    # -- the buffers -----------------------------------------------------------------------------------------------

    def held(self, key: str | None = None) -> list[tuple[Entry, Framing]]:
        """The events held, those of all keys or of one, session by session, each with its framing."""
        self._age()
        oldest = self._clock.monotonic() - self._max_age_s
        held = ((entry, buffer.session.plan.framing) for buffer in self._of(key) for entry in buffer.held)
        return [(entry, framing) for entry, framing in held if entry.sent_at >= oldest]

    def _of(self, key: str | None) -> list[Buffer]:
        """The sessions of one key, or of all if it is None."""
        if key is None:
            return list(self._buffers.values())
        return list(self._of_keys[key].buffers.values()) if key in self._of_keys else []

    def clearing(self, key: str | None = None) -> Iterator[None]:
        """Forget the events held, those of all keys or of one, one in each step."""
        for buffer in self._of(key):
            yield from self._forgetting(buffer)

    def forgetting(self, key: str | None = None) -> Iterator[None]:
        """Forget the sessions of a key, or of all keys, and all that is known of their ids. That is done at once, and
        one event is freed in each step."""
        buffers = self._of(key)
        for name in [*self._of_keys] if key is None else [key]:
            if name in self._of_keys:
                self._of_keys[name].is_forgotten = True
        if key is None:
            for known in (self._of_keys, self._remembered, self._clashing):
                known.clear()
        else:
            self._of_keys.pop(key, None)
        return self._dropping(buffers)

    def _dropping(self, buffers: list[Buffer]) -> Iterator[None]:
        for buffer in buffers:
            yield from self._forgetting(buffer)
            if buffer.session.id in self._buffers:
                self._drop(buffer)

    def _forgetting(self, buffer: Buffer) -> Iterator[None]:
        for _ in range(len(buffer.held)):
            if buffer.held:
                self._forget_oldest(buffer)
                yield

    def _hold(self, buffer: Buffer, entry: Entry, connection_id: str) -> None:
        entry.buffer, entry.connection_id, entry.sent_wall = buffer, connection_id, self._clock.wall()
        buffer.held.append(entry)
        if len(buffer.held) > self._buffer_size:
            # The entry is cut off from the next, so that a stream that lags does not keep all later events in memory.
            self._forget_oldest(buffer).next = None
        self._forget_old(buffer, entry.sent_at)

    def _forget_old(self, buffer: Buffer, now: float) -> None:
        oldest = now - self._max_age_s
        while buffer.held and buffer.held[0].sent_at < oldest:
            self._forget_oldest(buffer)

    def _forget_oldest(self, buffer: Buffer) -> Entry:
        entry = buffer.held.popleft()
        entry.buffer = None
        if entry.id and self._index.get(key := buffer.of_key.scope + key_of(entry.id)) is entry:
            del self._index[key]
            self._remember(entry, buffer)
        return entry

    def _remember(self, entry: Entry, buffer: Buffer) -> None:
        """Take note of the session that sent an event with a given id."""
        if buffer.of_key.is_forgotten:
            return
        if entry.id and entry.step is not None and not isinstance(entry.step.id, int):
            self._remembered[buffer.of_key.scope + key_of(entry.id)] = buffer.session.id
            if len(self._remembered) > MOST_REMEMBERED:
                self._remembered.popitem(last=False)

    def _forget_all(self, buffer: Buffer) -> None:
        while buffer.held:
            self._forget_oldest(buffer)

    def _forget_last_id(self, buffer: Buffer) -> None:
        if buffer.last_id is not None and self._last_ids.get(buffer.last_id, (None,))[0] is buffer:
            del self._last_ids[buffer.last_id]

    def _age(self) -> None:
        for _ in self.ageing():
            pass

    def ageing(self) -> Iterator[None]:
        """Empty the buffers of sessions that were left longer ago than `maxAge`, one event in each step. The session of
        a script can still go on. The session of a running source is dropped, so that the source is let go."""
        oldest = self._clock.monotonic() - self._max_age_s
        while self._idle:
            id_, buffer = next(iter(self._idle.items()))
            if buffer.left_at >= oldest:
                return
            yield from self._forgetting(buffer)
            if self._idle.get(id_) is not buffer:
                continue  # a client came back to it between two steps
            if buffer.session.script is None:
                self._drop(buffer)
            else:
                self._empty[id_] = self._idle.pop(id_)

    def _make_room(self, said: int) -> None:
        self._age()
        while self._buffers and (len(self._buffers) >= self._max_sessions or self._said + said > MOST_SAID):
            candidates = self._empty or self._idle or self._buffers
            self._drop(next(iter(candidates.values())))

    def _drop(self, buffer: Buffer) -> None:
        """Forget a session. Its streams read on, but nobody can come back to it."""
        self._forget_all(buffer)
        self._forget_last_id(buffer)
        if buffer.session.id in self._buffers:
            self._said -= buffer.said
        for group in (self._buffers, self._idle, self._empty, buffer.of_key.buffers):
            group.pop(buffer.session.id, None)
        if not buffer.readers:
            buffer.session.close()


def described(held: list[tuple[Entry, Framing]]) -> list[dict[str, Any]]:
    """The events held, as JSON objects, in the order in which they were sent."""
    return [
        ({} if entry.id is None else {"id": entry.id})
        | {
            "event": _sent_event(entry, framing),
            "timestamp": rfc3339(entry.sent_wall),
            "connection": entry.connection_id,
        }
        for entry, framing in sorted(held, key=lambda pair: pair[0].sent_wall)
    ]


def _sent_event(entry: Entry, framing: Framing) -> dict[str, Any]:
    """The sent form of an event: type and data; `raw` for a raw event, or `rawBase64` if it is no UTF-8."""
    if entry.step is not None and entry.step.event.raw is not None:
        try:
            return {"raw": entry.payload.decode()}
        except UnicodeDecodeError:
            return {"rawBase64": b64encode(entry.payload).decode()}
    type_, data = framing.read(entry.payload)
    return {name: value for name, value in (("type", type_), ("data", data)) if value is not None}
