"""Events as sources yield them, the pauses between events, and the holes in events, which are filled in when they are
sent."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from msgspec import Struct

from mockd.clock import Clock

Draw = Callable[[random.Random], float]
Pause = float | Draw
"""A pause in seconds, or a function that draws a new one each time with the stream's random generator."""


def drawn(pause: Pause, rng: random.Random) -> float:
    """The length of a pause, in seconds; a random one is drawn anew."""
    return pause(rng) if callable(pause) else pause


_NOTHING: Mapping[str, str] = {}


class Fill:
    """The values with which the holes of one stream are filled: its random generator, the clock, its slots, the number
    and the ID of the event, and the texts that its expressions became, by the source of each expression.

    `seq` is the number of the event, from 1, among those with data. `sent_before` is the number of events with data
    that earlier connections to the stream were sent."""

    __slots__ = ("clock", "event_id", "number", "rendered", "rng", "sent_before", "seq", "slots")

    def __init__(self, rng: random.Random, clock: Clock, slots: Mapping[str, bytes] | None = None) -> None:
        self.rng = rng
        self.clock = clock
        self.slots = slots or {}
        self.rendered = _NOTHING
        self.number = self.sent_before = 0
        self.seq = 1
        self.event_id = ""


class Hole:
    """A place in a text that is filled in for every event. If `is_number` is true and the hole is a whole JSON value,
    it becomes a number. If `is_unique` is true, its text is different in every event. If `has_any_text` is true, its
    text may have line breaks."""

    __slots__ = ()
    is_number = False
    is_unique = False
    has_any_text = False

    def text(self, fill: Fill) -> str:
        raise NotImplementedError


class EventId(Hole, Struct, frozen=True):
    """The ID that the event got in its session."""

    def text(self, fill: Fill) -> str:
        return fill.event_id


class Slot(Hole, Struct, frozen=True):
    """A value that is the same throughout a stream and differs between streams. It is given as encoded JSON."""

    name: str

    def text(self, fill: Fill) -> str:
        return fill.slots[self.name].decode()


class Text(tuple[str | Hole, ...]):
    """Text with holes in it, as a tuple of its parts."""

    __slots__ = ()


class Event(NamedTuple):
    """One event, before it is framed.

    `data` is text or `bytes`, which are sent as they are, any other JSON value, which is sent as compact JSON, or
    `None` for an event without data. For the JSON value `null`, use `JSON_NULL`.
    `raw` is sent instead of the other fields, without framing. It is text, `bytes` or a JSON value. `id` is then the ID
    that clients find in it, and `counts` the number of events that it counts as, by default one.
    `delay_s` is the pause before this event, or None if the mock's timing decides. Events without a delay of their own
    are the content of their stream.
    `opens` is true for the first event with content in a template's stream. The events before it belong to the format.
    """

    data: Any = None
    type: str | Text | None = None
    id: str | Text | None = None
    retry: int | None = None
    comment: str | Text | None = None
    delay_s: Pause | None = None
    opens: bool = False
    raw: Any = None
    counts: int = 1

    @property
    def counted(self) -> int:
        """The number of events that it counts as. A comment alone or a `retry` alone is not counted."""
        return self.counts if self.raw is not None else int(self.data is not None)

    @property
    def takes_id(self) -> bool:
        """Whether an ID may be assigned to the event. The bytes of a raw event stay as they are."""
        return self.id is None and self.raw is None and self.data is not None

    @property
    def is_block(self) -> bool:
        """Whether the event is a block of its own in an SSE stream. A comment alone and a raw event are not."""
        fields = (self.data, self.type, self.id, self.retry)
        return self.raw is None and any(field is not None for field in fields)

    @property
    def takes_retry(self) -> bool:
        """Whether the `retry` of a connection may be added to the event, which must be a block without its own."""
        return self.is_block and self.retry is None

    def with_open_id(self) -> Event:
        """The same event with a hole for its ID, which is decided when the event is sent."""
        return self._replace(id=Text((EventId(),)))


class _JsonNull:
    """The JSON value `null` as the data of an event; `None` is no data."""

    def __repr__(self) -> str:
        return "JSON_NULL"


JSON_NULL = _JsonNull()
