"""A source that is told in which framing its answers go, and in what way it makes their events."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Literal

from msgspec import Struct

from mockd.events import Event, Slot
from mockd.framing import FRAMINGS, Framing
from mockd.framing.frames import Marks
from mockd.framing.framings import SseFraming
from mockd.placeholders import parse_value
from mockd.source import Answer, BaseSource, Opened, Script, SourceContext
from mockd.sources import SourceKind

Way = Literal["script", "known", "answer", "awaited"]
"""Of these, `known` is a script that is the same for every request."""


class Framed(Struct, rename="camel", forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Events as a mapping of fields each, and how they are opened."""

    framing: str | None = None
    way: Way = "script"
    events: tuple[dict[str, Any], ...] = ({"data": {"n": 1}}, {"data": {"n": 2}}, {"data": {"n": 3}})
    headers: dict[str, str] = {}
    has_slots: bool = False
    fails: bool = False


class FramedSource(BaseSource):
    """What it is told."""

    def __init__(self, params: Framed) -> None:
        self._params = params
        if params.way == "known":
            self.script = Script(self._events, framing=params.framing)

    def _events(self) -> list[Event]:
        events = [Event(**{name: parse_value(value) for name, value in one.items()}) for one in self._params.events]
        if self._params.has_slots:
            events = [event._replace(data={"id": Slot("id"), "data": event.data}) for event in events]
        return events

    def open(self, context: SourceContext) -> Opened:
        params = self._params
        if self.script is not None:
            return self.script
        # A request may ask for a framing, as Gemini's do.
        framing = context.request.query.get("framing", [params.framing])[0]
        slots = {"id": b'"x"'}
        if params.way == "script":
            headers = [(name.lower().encode(), value.encode()) for name, value in params.headers.items()]
            return Script(self._events, slots=slots, framing=framing, headers=headers)
        events = self._events()
        made = _failing(events) if params.fails else _awaited(events) if params.way == "awaited" else iter(events)
        return Answer(events=made, framing=framing, headers=tuple(params.headers.items()), slots=slots)


async def _awaited(events: list[Event]) -> AsyncIterator[Event]:
    for event in events:
        yield event


async def _failing(events: list[Event]) -> AsyncIterator[Event]:
    for event in events:
        yield event
    raise ValueError("out of stock")


FRAMED = SourceKind("framed", Framed, FramedSource, "For tests.")


class Boxes(Framing):
    """A framing with all that one can have: a beginning, a separator, an end, an envelope with the length, and bytes
    that keep a connection alive."""

    name = "boxes"
    content_type = "application/x-boxes"
    kind = "chunked"
    keepalive = b"~"
    separator = b";"
    end = b"."

    def body(self, event: Event, marks: Marks) -> bytes:
        return marks.data(event.data)

    @staticmethod
    def envelope(payload: bytes) -> bytes:
        return b"%d%b" % (len(payload) - 1, payload)

    def opening(self, payload: bytes) -> bytes:
        return b"^" + payload


MORE = (SseFraming("sse-cr", "\r"), Boxes())
"""Framings that are in no table yet."""
EVERY = (*FRAMINGS, *(framing.name for framing in MORE))
