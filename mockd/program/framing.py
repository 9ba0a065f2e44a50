"""One event's bytes: how SSE, NDJSON and raw chunks are framed.

`ServerSentEvent.encode` of sse-starlette, with LF, is the reference for SSE. Frames are encoded once, with marks
where holes are, and cut at the marks: filling a frame in is one `join`.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from typing import Any, Protocol

from sse_starlette.event import ServerSentEvent

from mockd.events import Event, Fill, Hole, Slot, Text, Unframed
from mockd.expressions import Expression
from mockd.jsontext import encode_json, escape_line_breaks
from mockd.placeholders import expressions_in

Filler = Callable[[Fill], bytes]
Clean = Callable[[str], str]

_LINE_BREAK = r"\r\n|[\r\n]"
_NOT_IN_LINES = r"\r\n|[\r\n\0]"


def one_line(text: str) -> str:
    """Text with blanks in the place of line breaks and NUL, so that it ends no line and no field."""
    return re.sub(_NOT_IN_LINES, " ", text)


class FrameTemplate:
    """A frame with holes. `render` fills it in for one event. `holes` has the hole of each part, None for bytes."""

    __slots__ = ("holes", "parts")

    def __init__(self, parts: list[bytes | Filler], holes: list[Hole | None]) -> None:
        self.parts = parts
        self.holes = holes

    def render(self, fill: Fill) -> bytes:
        return b"".join([part if type(part) is bytes else part(fill) for part in self.parts])  # type: ignore[operator]


Frame = bytes | FrameTemplate


class _Marks:
    """Stands marks in for the holes of an event while it is encoded, and cuts the result at them."""

    # A word that no user's text contains, different in every process.
    _WORD = secrets.token_hex(8)
    _TEXT = f"\ue000{_WORD}t%d\ue001"
    _JSON = f"\ue000{_WORD}j%d\ue001"
    _ANY = f'"?{_JSON}"?|{_TEXT}'.replace("%d", "([0-9]+)").encode()

    def __init__(self) -> None:
        self.fillers: list[Filler] = []
        self.holes: list[Hole] = []

    def _mark(self, template: str, hole: Hole, filler: Filler) -> str:
        self.fillers.append(filler)
        self.holes.append(hole)
        return template % (len(self.fillers) - 1)

    def text(self, text: str | Text, clean: Clean | None = None) -> str:
        """Text that is sent as it is, but for line breaks in its holes: `clean` makes those fit the frame."""
        if isinstance(text, str):
            return text
        return "".join(p if isinstance(p, str) else self._mark(self._TEXT, p, _plain(p, clean)) for p in text)

    def json(self, value: Any) -> Any:
        """A JSON value; a number hole that is a whole value becomes a number."""
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

    def cut(self, frame: bytes) -> Frame:
        if not self.fillers:
            return frame
        parts: list[bytes | Filler] = []
        holes: list[Hole | None] = []
        position = 0
        for mark in re.finditer(self._ANY, frame):
            number = int(mark[1] or mark[2])
            parts += [frame[position : mark.start()], self.fillers[number]]
            holes += [None, self.holes[number]]
            position = mark.end()
        return FrameTemplate([*parts, frame[position:]], [*holes, None])


def _plain(hole: Hole, clean: Clean | None = None) -> Filler:
    if isinstance(hole, Slot):
        name = hole.name
        return lambda fill: fill.slots[name]
    if clean is not None and hole.has_any_text:
        return lambda fill: clean(hole.text(fill)).encode()
    return lambda fill: hole.text(fill).encode()


def _escaped(hole: Hole) -> Filler:
    return lambda fill: encode_json(hole.text(fill))[1:-1]


def expressions_of(frame: Frame | None) -> list[Expression]:
    """The expressions that a frame waits for."""
    return expressions_in(frame.holes) if isinstance(frame, FrameTemplate) else []


class Framing(Protocol):
    """How a stream's events become bytes."""

    content_type: str
    keepalive: bytes

    def encode(self, event: Event) -> Frame:
        """The bytes of one event, as a template where it has holes."""

    def with_retry(self, frame: bytes, retry: int) -> bytes:
        """The bytes of an event that tells its client how many milliseconds to wait before it comes back."""


def _data_bytes(data: Any, marks: _Marks, clean: Clean | None = None) -> bytes:
    """Data outside SSE: nothing, bytes and text as they are, other values as JSON."""
    if data is None:
        return b""
    if isinstance(data, bytes):
        return data
    if isinstance(data, str | Text):
        return marks.text(data, clean).encode()
    return encode_json(marks.json(data))


class SseFraming:
    """Server-Sent Events (WHATWG HTML, section 9.2). `separator` ends lines."""

    content_type = "text/event-stream"

    def __init__(self, separator: str = "\n") -> None:
        self.separator = separator
        # One line end: a blank line after an id makes several parsers dispatch an empty event.
        self.keepalive = f": keepalive{separator}".encode()

    def encode(self, event: Event) -> Frame:
        marks = _Marks()
        if isinstance(event.data, Unframed):
            data, before, after = event.data
            return marks.cut(before + _data_bytes(data, marks) + after)
        frame = ServerSentEvent(
            self._data(event.data, marks),
            event=None if event.type is None else marks.text(event.type, one_line),
            id=None if event.id is None else marks.text(event.id, one_line),
            comment=None if event.comment is None else marks.text(event.comment, one_line),
            retry=event.retry,
            sep=self.separator,
        ).encode()
        if not event.is_block:
            frame = frame[: -len(self.separator)]  # a lone comment, as for keepalive
        return marks.cut(frame)

    def with_retry(self, frame: bytes, retry: int) -> bytes:
        """The bytes of an event with a `retry` line before the blank line that ends it."""
        end = self.separator.encode()
        return b"%bretry: %d%b" % (frame.removesuffix(end), retry, end * 2)

    def _data(self, data: Any, marks: _Marks) -> str | None:
        if data is None:
            return None
        if isinstance(data, str | Text):
            return marks.text(data, self._more_lines)
        if isinstance(data, bytes):
            return data.decode()
        return encode_json(marks.json(data)).decode()

    def _more_lines(self, text: str) -> str:
        """Text with each of its lines on a line of the event."""
        return f"{self.separator}data: ".join(re.split(_LINE_BREAK, text))


class _NoRetry:
    """Only Server-Sent Events can say `retry`."""

    def with_retry(self, frame: bytes, retry: int) -> bytes:
        """The bytes as they are."""
        return frame


class NdjsonFraming(_NoRetry):
    """One JSON value a line. Text and bytes are taken as lines ready to send."""

    content_type = "application/x-ndjson"
    keepalive = b""

    def encode(self, event: Event) -> Frame:
        marks = _Marks()
        line = escape_line_breaks(_data_bytes(event.data, marks, self._one_line))
        return marks.cut(line + b"\n" if line else line)

    def _one_line(self, text: str) -> str:
        return escape_line_breaks(one_line(text).encode()).decode()


class RawFraming(_NoRetry):
    """Bytes as they are; JSON values as compact JSON."""

    content_type = "application/octet-stream"
    keepalive = b""

    def encode(self, event: Event) -> Frame:
        marks = _Marks()
        return marks.cut(_data_bytes(event.data, marks))


def id_in(frame: bytes) -> str | None:
    """The id in an SSE frame."""
    found = re.search(rb"^id: ([^\r\n]*)", frame, re.MULTILINE)
    return None if found is None else found[1].decode()
