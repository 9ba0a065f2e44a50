"""Generators of events, as users write them."""

# This module does not postpone its annotations: msgspec would have to compile each of them at every start.

import re
from typing import Annotated, Any, Literal

from msgspec import Meta

from mockd.config.base import Config, Count, doc
from mockd.config.events import EventConfig, check_line


class Sequence(Config, frozen=True, kw_only=True):
    """A sequence of numbers, one for each event."""

    start: Annotated[int, doc("First number.")] = 0
    increment: Annotated[int, doc("Difference between a number and the next.")] = 1
    format: Annotated[str, doc("Text of the data; `%d` is the number, `%05d` the same with leading zeros.")] = "%d"

    def __post_init__(self) -> None:
        if not re.search(r"%0?\d{0,2}d", self.format):
            raise ValueError("`format` has no `%d` for the number, nor one of up to 99 places such as `%05d`")


class RandomSchema(Config, frozen=True, kw_only=True):
    """One event whose placeholders are filled in anew each time."""

    schema: Annotated[Any, doc("A JSON value with placeholders (`$uuid`, `$random:1:100`, …): the event's data.")]
    type: Annotated[str | None, doc("Event type, which may have placeholders.")] = None
    id: Annotated[str | None, doc("Event ID, which may have placeholders, such as `reading-$seq`.")] = None

    def __post_init__(self) -> None:
        check_line(self.type, "type")
        check_line(self.id, "id")


class EventCycle(Config, frozen=True, kw_only=True):
    """A list of events that is sent over and over."""

    events: Annotated[list[EventConfig], Meta(min_length=1, description="The list of events.")]
    repeat: Annotated[Count | None, doc("Number of passes over the list; absent or 0: until `count`.")] = None


class Generator(Config, frozen=True, kw_only=True):
    """A generator of events, which makes them as they are needed."""

    type: Annotated[
        Literal["sequence", "random", "template"],
        doc("Kind of the generator; its settings are in the key of the same name."),
    ]
    count: Annotated[Count, doc("Number of events in all; 0: no limit.")] = 0
    sequence: Annotated[Sequence | None, doc("Settings of `sequence`.")] = None
    random: Annotated[RandomSchema | None, doc("Settings of `random`.")] = None
    template: Annotated[EventCycle | None, doc("Settings of `template`.")] = None

    def __post_init__(self) -> None:
        for kind in ("sequence", "random", "template"):
            if kind != self.type and getattr(self, kind) is not None:
                raise ValueError(f"`{kind}` does not go with type `{self.type}`")
        if self.type != "sequence" and getattr(self, self.type) is None:
            raise ValueError(f"type `{self.type}` needs its settings in `{self.type}`")
