"""What flows through mockd: events, as sources yield them, the pauses between them, and the holes in them, filled in
when they are sent."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from msgspec import Struct

from mockd.clock import Clock

Draw = Callable[[random.Random], float]
Pause = float | Draw
"""Seconds, or a function that draws them with a stream's random generator, each time anew."""


def drawn(pause: Pause, rng: random.Random) -> float:
    """How long a pause is this time."""
    return pause(rng) if callable(pause) else pause


_NOTHING: Mapping[str, str] = {}


class Fill:
    """What holes are filled from, for one stream: its random generator, the clock, its slots, the event's number, and
    what its expressions came to, by their source."""

    __slots__ = ("clock", "event_id", "number", "rendered", "rng", "slots")

    def __init__(self, rng: random.Random, clock: Clock, slots: Mapping[str, bytes] | None = None) -> None:
        self.rng = rng
        self.clock = clock
        self.slots = slots or {}
        self.rendered = _NOTHING
        self.number = 0
        self.event_id = ""


class Hole:
    """A place that is filled in for every event. `is_number` holes are JSON numbers where they are a whole value;
    those with `has_any_text` may have line breaks in what they are filled with."""

    __slots__ = ()
    is_number = False
    has_any_text = False

    def text(self, fill: Fill) -> str:
        raise NotImplementedError


class EventId(Hole, Struct, frozen=True):
    """The id that this event was given in its session."""

    def text(self, fill: Fill) -> str:
        return fill.event_id


class Slot(Hole, Struct, frozen=True):
    """A value that is the same throughout a stream and differs between streams; given as ready JSON."""

    name: str

    def text(self, fill: Fill) -> str:
        return fill.slots[self.name].decode()


class Text(tuple[str | Hole, ...]):
    """Text with holes in it, as its parts."""

    __slots__ = ()


class Event(NamedTuple):
    """One event, before it is framed.

    `data` is text as written, `bytes` as they are, `None` for an event without data, or any other JSON value
    (sent as compact JSON). To send the JSON value `null`, use `JSON_NULL`.
    `raw` is sent as it stands in the place of all that, with nothing of the framing around it: text, `bytes`, or a
    JSON value.
    `delay_s` is the pause before this event, None where the mock's timing decides: such events are the content of
    their stream. `opens`: the first event of what a template says, before which its stream only has what belongs to
    the format.
    """

    data: Any = None
    type: str | Text | None = None
    id: str | Text | None = None
    retry: int | None = None
    comment: str | Text | None = None
    delay_s: Pause | None = None
    opens: bool = False
    raw: Any = None

    @property
    def counted(self) -> bool:
        """Whether this is one of the events that are counted: a comment or a lone `retry` is not."""
        return self.data is not None or self.raw is not None

    @property
    def is_block(self) -> bool:
        """Whether it is a block of its own among Server-Sent Events: a lone comment and what is raw are not."""
        fields = (self.data, self.type, self.id, self.retry)
        return self.raw is None and any(field is not None for field in fields)

    @property
    def takes_retry(self) -> bool:
        """Whether the `retry` of a connection may be added to it: to a block that has none of its own."""
        return self.is_block and self.retry is None

    def with_open_id(self) -> Event:
        """The same with a hole for its id, which is decided when it is sent."""
        return self._replace(id=Text((EventId(),)))


class _JsonNull:
    """Stands for the JSON value `null`, where `None` means that there is no data at all."""

    def __repr__(self) -> str:
        return "JSON_NULL"


JSON_NULL = _JsonNull()
