"""Compiled scripts: events that are known in advance, with their frames, ids and times."""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections.abc import AsyncIterator, Iterator, Sequence
from itertools import accumulate

from mockd.errors import ConfigError
from mockd.events import Event, EventId, Hole, Slot, Text
from mockd.framing import Frame, FrameTemplate
from mockd.journal.exchange import Outcome
from mockd.placeholders import EventNumber, FromRequest, Seq, Timestamp, expressions_in
from mockd.program.prepared import Pieces, prepared
from mockd.program.terms import Lifetime, Terms
from mockd.program.timetable import lay_out
from mockd.source import Script

Id = str | Text | int | None
"""An event's id: the given one, perhaps with placeholders; the number from which one is assigned; or none."""

NUMBER = r"[1-9][0-9]{0,17}"
"""Pattern of a number in an id."""
_BLANKS = " \t"


def key_of(id_: str) -> str:
    """The id as a client sends it back: HTTP strips blanks from both ends of a header."""
    return id_.strip(_BLANKS)


class CompiledScript:
    """A script's events with their frames, and all that is known of them in advance.

    `ids` are the given ids; with resume, each other event with data has its number from 1. `is_same` is true if every
    client gets the same bytes, and `stands_alone` if also each event can be made without those before it. `is_random`
    is true if some delays are drawn. `follows_request` is true if some of the bytes follow the request, and `is_drawn`
    if some are drawn. `timetable` has the due times if they are the same for all streams: not with drawn delays, resume
    or a rate limit. `stop` is the number of events after which streams stop, and the reason.
    `ends_plainly` is true if the body ends with the last event. `prepared` is the stream, if all of it is due at its
    head. `pieces` are those of the stream, if its mock has a `framing` and they are the same for every client.
    """

    def __init__(self, script: Script, terms: Terms) -> None:
        self.events = tuple(script.build())
        self.length = len(self.events)
        self.total = _total(self.length, script)
        self._is_list = script.is_list
        self._counted = list(accumulate((event.counted for event in self.events), initial=0))
        self.data_events = self._counted[-1]
        self.is_resumable = terms.resume is not None
        self.ids = tuple(_ids(self.events, assigned=self.is_resumable))
        framed = map(self._with_hole, self.events, self.ids)
        self.framing = terms.framing
        self.frames: list[Frame] = [self.framing.encode(event) for event in framed]
        self.is_random = terms.pacing.is_random or any(callable(event.delay_s) for event in self.events)
        own = expressions_in(self._holes())
        self.follows_request = bool(own)
        self.expressions = (*terms.expressions, *own)
        self.is_same, self.stands_alone = self._sameness(script, terms)
        self.is_drawn = self._is_drawn(terms)
        self.stop = _stop_of(terms.lifetime, self)
        is_kept_open = terms.lifetime.keep_open and self.stop[1] == "completed"
        self.ends_plainly = terms.ending.is_plain and not is_kept_open and self.stop[1] in ("completed", "max_events")
        self._given = {key_of(id_): place for place, id_ in enumerate(self.ids) if isinstance(id_, str)}
        drops = terms.rate_limit is not None and terms.rate_limit.strategy == "drop"
        self._sequels = {} if drops or not self.data_events else dict(_sequels(self.ids))
        if self.is_resumable:
            self._refuse_equal_ids()
        is_timed = not (self.is_random or self.is_resumable or terms.rate_limit)
        self.timetable = (
            lay_out(self.events, self.frames, self.total, self.position_of, terms.pacing) if is_timed else None
        )
        self.prepared = prepared(terms, self.timetable, *self.stop) if self.ends_plainly else None
        self.pieces: Pieces | None = None

    def _with_hole(self, event: Event, id_: Id) -> Event:
        is_open = isinstance(id_, Text) or (self.is_resumable and id_ is not None)
        return event.with_open_id() if is_open else event

    def _holes(self) -> list[Hole]:
        holes = [hole for frame in self.frames if isinstance(frame, FrameTemplate) for hole in frame.holes if hole]
        return holes + [part for id_ in self.ids if isinstance(id_, Text) for part in id_ if isinstance(part, Hole)]

    def _sameness(self, script: Script, terms: Terms) -> tuple[bool, bool]:
        holes = self._holes()
        is_constant = all(isinstance(hole, EventNumber | EventId | Seq) for hole in holes)
        is_seeded = terms.seed is not None
        repeats = is_seeded and not any(isinstance(hole, Timestamp | Slot | FromRequest) for hole in holes)
        drops = terms.rate_limit is not None and terms.rate_limit.strategy == "drop"
        is_for_all = script is terms.source.script and (not drops or is_seeded or not self.is_random)
        is_same = is_for_all and (is_constant or repeats)
        return is_same, is_same and is_constant and not drops

    def _is_drawn(self, terms: Terms) -> bool:
        holes = self._holes()
        holes += [inner for hole in holes if isinstance(hole, FromRequest) for inner in hole.holes]
        if terms.seed is not None:
            return any(isinstance(hole, Timestamp) for hole in holes)
        drops = terms.rate_limit is not None and terms.rate_limit.strategy == "drop"
        settled = (EventNumber, EventId, Slot, FromRequest)
        return (drops and self.is_random) or not all(isinstance(hole, settled) for hole in holes)

    def position_of(self, number: int) -> int:
        """Position of event `number` of the stream in the list that users see."""
        return number % self.length if self._is_list else number

    def after_counted(self, count: int) -> float:
        """Number of events of the stream that are sent by the time `count` events with data are."""
        if count == 0:
            return 0
        if not self.data_events:
            return math.inf
        passes, rest = divmod(count - 1, self.data_events)
        return passes * self.length + self._place_of(rest) + 1

    def _place_of(self, count: int) -> int:
        """Place of the event that counts after `count` others of its pass."""
        return bisect_right(self._counted, count) - 1

    def counted_before(self, number: int) -> int:
        """Number of events with data before event `number` of the stream."""
        if not self.length:
            return 0
        passes, rest = divmod(number, self.length)
        return passes * self.data_events + self._counted[rest]

    def id_of(self, number: int) -> Id:
        """The id of event `number` of the stream. In later passes, a given id ends with the number of the pass, unless
        a placeholder makes it different anyway, or it stands in raw bytes."""
        passes, place = divmod(number, self.length)
        id_ = self.ids[place]
        if not passes or not id_ or not self.is_resumable or self.events[place].raw is not None:
            return id_
        if isinstance(id_, int):
            return id_ + passes * self.data_events
        if isinstance(id_, str):
            return f"{id_}#{passes + 1}"
        is_unique = any(isinstance(part, Hole) and part.is_unique for part in id_)
        return id_ if is_unique else Text((*id_, f"#{passes + 1}"))

    def number_of(self, key: str) -> int | None:
        """The number in the stream of the event with this id, if the script alone can tell."""
        return min(self._numbers_of(key), default=None)

    def _numbers_of(self, key: str) -> set[int]:
        """The numbers of every event with this id: more than one only until `_refuse_equal_ids` has looked at it."""
        found = {self._given[key]} if key in self._given else set()
        base, _, passes = key.rpartition("#")
        if base in self._given and passes != "1" and re.fullmatch(NUMBER, passes):
            place = self._given[base]
            if self.events[place].raw is None:
                found.add((int(passes) - 1) * self.length + place)
        if self.is_same and self.data_events and re.fullmatch(NUMBER, key):
            before, rest = divmod(int(key) - 1, self.data_events)
            place = self._place_of(rest)
            if isinstance(self.ids[place], int):
                found.add(before * self.length + place)
        for place, pattern in self._sequels.items():
            if sequel := pattern.fullmatch(key):
                before, rest = divmod(int(sequel["seq"]) - 1 - self.counted_before(place), self.data_events)
                if before >= 0 and not rest:
                    found.add(before * self.length + place)
        return {number for number in found if number < self.total}

    def _refuse_equal_ids(self) -> None:
        """Raise `ConfigError`, with the place in the list, if two events have the same id, in whatever pass."""
        for place, id_ in enumerate(self.ids):
            for number in self._numbers_of(key_of(id_)) - {place} if isinstance(id_, str) and id_ else ():
                passes, other = divmod(number, self.length)
                if not passes and isinstance(self.ids[other], str):
                    place, other = max(place, other), min(place, other)
                where = f"events[{other}]" + (f" in pass {passes + 1}" if passes else "")
                raise ConfigError(
                    f"id {self.ids[place]!r} is also the id of {where}",
                    path=(place, "id"),
                    hint="with `resume` every id must be different; events without one get their number as id",
                )


Events = CompiledScript | Iterator[Event] | AsyncIterator[Event]
"""The events of one stream: known in advance, or made while it runs."""


def _ids(events: Sequence[Event], *, assigned: bool) -> Iterator[Id]:
    """An id for each event: the given one or, if ids are `assigned`, its number among the events that are counted."""
    number = 0
    for event in events:
        number += event.counted
        yield number if assigned and event.takes_id else event.id


def _sequels(ids: Sequence[Id]) -> Iterator[tuple[int, re.Pattern[str]]]:
    """The places of ids that follow from the event's number alone, each with the pattern that its keys match."""
    for place, id_ in enumerate(ids):
        if isinstance(id_, Text) and all(isinstance(part, str | Seq) for part in id_):
            texts = key_of("".join(part if isinstance(part, str) else "\0" for part in id_)).split("\0")
            before, *after = map(re.escape, texts)
            yield place, re.compile(f"{before}(?P<seq>{NUMBER}){'(?P=seq)'.join(after)}")


def _total(length: int, script: Script) -> float:
    """Number of events over all passes; infinite if the script goes on for ever."""
    if not length:
        return 0
    total = math.inf if script.passes is None else script.passes * length
    return total if script.limit is None else min(total, script.limit)


def _stop_of(life: Lifetime, script: CompiledScript) -> tuple[float, Outcome]:
    """The number of events after which a script's stream stops, and the reason: the weightier one if two apply."""
    stops: list[tuple[float, Outcome]] = [(script.total, "completed")]
    if life.max_events:
        stops.append((script.after_counted(life.max_events), "max_events"))
    if life.disconnect_after is not None:
        stops.append((script.after_counted(life.disconnect_after), "aborted"))
    least = min(stop for stop, _ in stops)
    return least, [why for stop, why in stops if stop == least][-1]
