"""Frames: the bytes of an event, with holes for what is known only when they are sent. A row is a frame with what a
stream must know of it.

A frame is encoded once, with marks in the place of its holes, and cut at the marks, so that filling it in is one
`join`.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from typing import Any

from msgspec import Struct

from mockd.events import Fill, Hole, Slot, Text
from mockd.expressions.expression import Expression
from mockd.jsontext import encode_json
from mockd.placeholders import expressions_in

Filler = Callable[[Fill], bytes]
Clean = Callable[[str], str]
Envelope = Callable[[bytes], bytes]

_NOT_IN_LINES = r"\r\n|[\r\n\0]"


def one_line(text: str) -> str:
    """Text with spaces instead of line breaks and NULs, so that it cannot end a line or a field."""
    return re.sub(_NOT_IN_LINES, " ", text)


class FrameTemplate:
    """A frame with holes, which `render` fills in for one event. `holes` has the hole of each part, or None if the part
    is bytes."""

    __slots__ = ("holes", "parts")

    def __init__(self, parts: list[bytes | Filler], holes: list[Hole | None]) -> None:
        self.parts = parts
        self.holes = holes

    def render(self, fill: Fill) -> bytes:
        return b"".join([part if type(part) is bytes else part(fill) for part in self.parts])  # type: ignore[operator]


class EnvelopedTemplate(FrameTemplate):
    """A frame with holes that gets its envelope when it is filled in, as lengths and checksums depend on all bytes."""

    __slots__ = ("_envelope",)

    def __init__(self, parts: list[bytes | Filler], holes: list[Hole | None], envelope: Envelope) -> None:
        super().__init__(parts, holes)
        self._envelope = envelope

    def render(self, fill: Fill) -> bytes:
        return self._envelope(super().render(fill))


Frame = bytes | FrameTemplate


class Row(Struct, frozen=True):
    """One event, ready to be sent.

    `id` is what a client may reconnect with, or None if the framing sends no ids. `counted` and `takes_retry` are those
    of the event.
    """

    frame: Frame
    id: str | Text | None = None
    counted: int = 0
    takes_retry: bool = False

    @property
    def expressions(self) -> list[Expression]:
        """The expressions that must be rendered before `filled` is called."""
        return expressions_of(self.frame) + (expressions_in(self.id) if isinstance(self.id, Text) else [])

    def filled(self, fill: Fill) -> tuple[bytes, str | None]:
        """The bytes and the id of the event, filled in."""
        id_ = filled_id(self.id, fill) if isinstance(self.id, Text) else self.id
        fill.event_id = id_ or ""
        return (self.frame if isinstance(self.frame, bytes) else self.frame.render(fill)), id_


def filled_id(id_: Text, fill: Fill) -> str:
    """An id with holes, filled in."""
    return one_line("".join(part if isinstance(part, str) else part.text(fill) for part in id_))


def expressions_of(frame: Frame | None) -> list[Expression]:
    """The expressions that must be rendered before a frame is filled in."""
    return expressions_in(frame.holes) if isinstance(frame, FrameTemplate) else []


class Marks:
    """Marks that stand for the holes of an event while it is encoded. The result is cut at them."""

    # A word that no user's text contains, different in every process.
    _WORD = secrets.token_hex(8)
    _TEXT = f"\ue000{_WORD}t%d\ue001"
    _JSON = f"\ue000{_WORD}j%d\ue001"
    _ANY = f'"?{_JSON}"?|{_TEXT}'.replace("%d", "([0-9]+)").encode()
    TEXT = _TEXT.replace("%d", "([0-9]+)").encode()
    """Pattern of the mark of a hole in a text, with its number."""

    def __init__(self) -> None:
        self.fillers: list[Filler] = []
        self.holes: list[Hole] = []

    def _mark(self, template: str, hole: Hole, filler: Filler) -> str:
        self.fillers.append(filler)
        self.holes.append(hole)
        return template % (len(self.fillers) - 1)

    def text(self, text: str | Text, clean: Clean | None = None) -> str:
        """Text that is sent as it is. `clean` makes the values of its holes, which may have line breaks, fit the
        frame."""
        if isinstance(text, str):
            return text
        return "".join(p if isinstance(p, str) else self._mark(self._TEXT, p, _plain(p, clean)) for p in text)

    def json(self, value: Any) -> Any:
        """A JSON value with marks for its holes. A hole for a number that is the whole value becomes a number."""
        if isinstance(value, Text):
            if len(value) == 1 and isinstance(value[0], Hole) and value[0].is_number:
                return self._mark(self._JSON, value[0], _plain(value[0]))
            return "".join(p if isinstance(p, str) else self._mark(self._TEXT, p, _escaped(p)) for p in value)
        if isinstance(value, Hole):
            return self._mark(self._JSON, value, _plain(value))
        if isinstance(value, dict):
            return {key: self.json(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.json(item) for item in value]
        return value

    def data(self, data: Any, clean: Clean | None = None) -> bytes:
        """Data as it is sent outside Server-Sent Events: nothing for None, bytes and text as they are, and any other
        value as JSON."""
        if data is None:
            return b""
        if isinstance(data, bytes):
            return data
        if isinstance(data, str | Text):
            return self.text(data, clean).encode()
        return encode_json(self.json(data))

    @classmethod
    def taken_out(cls, frame: bytes) -> bytes:
        """The encoded frame without its marks, which differ from process to process."""
        return re.sub(cls._ANY, b"", frame)

    def cut(self, frame: bytes, envelope: Envelope | None = None) -> Frame:
        """The encoded frame with holes in the place of its marks, in its envelope if there is one."""
        if not self.fillers:
            return frame if envelope is None else envelope(frame)
        parts: list[bytes | Filler] = []
        holes: list[Hole | None] = []
        position = 0
        for mark in re.finditer(self._ANY, frame):
            number = int(mark[1] or mark[2])
            parts += [frame[position : mark.start()], self.fillers[number]]
            holes += [None, self.holes[number]]
            position = mark.end()
        parts, holes = [*parts, frame[position:]], [*holes, None]
        return FrameTemplate(parts, holes) if envelope is None else EnvelopedTemplate(parts, holes, envelope)


def _plain(hole: Hole, clean: Clean | None = None) -> Filler:
    if isinstance(hole, Slot):
        name = hole.name
        return lambda fill: fill.slots[name]
    if clean is not None and hole.has_any_text:
        return lambda fill: clean(hole.text(fill)).encode()
    return lambda fill: hole.text(fill).encode()


def _escaped(hole: Hole) -> Filler:
    return lambda fill: encode_json(hole.text(fill))[1:-1]
