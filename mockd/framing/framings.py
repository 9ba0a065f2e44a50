"""Framings, by which the events of a body become bytes: one class for each kind, and the table of them by name.

`ServerSentEvent.encode` of sse-starlette is the reference for Server-Sent Events.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, ClassVar, Literal

from sse_starlette.event import ServerSentEvent

from mockd.events import Event, Text
from mockd.framing.frames import Envelope, Frame, Marks, Row, one_line
from mockd.jsontext import encode_json, escape_line_breaks

LINE_BREAK = r"\r\n|[\r\n]"
_DATA = b"data"


class Framing:
    """The way in which events become bytes. Subclasses encode one event, and say what else a body contains."""

    name: str
    """The name in `FRAMINGS`."""
    content_type: ClassVar[str]
    """The Content-Type of its bodies, unless the source or the mock says another."""
    kind: ClassVar[Literal["sse", "chunked", "ndjson"]]
    """The kind that the list of connections shows."""
    keepalive: bytes = b""
    """Bytes that are sent after a long silence; empty if there are none that clients would ignore."""
    separator: bytes = b""
    """Bytes that begin each event. `opening` may replace them in the first one."""
    end: bytes = b""
    """The last bytes of a body that ends cleanly."""
    sends_ids: ClassVar[bool] = False
    """Whether its clients learn the ids of events."""
    has_comments: ClassVar[bool] = False
    """Whether a body may have comments."""
    line_end: str = ""
    """The end of each line; empty if a body has no lines."""
    has_opening: ClassVar[bool] = False
    """Whether `opening` changes anything; it follows from the class."""
    envelope: Envelope | None = None
    """The function that wraps the bytes of each event once their holes are filled in. Frames call it themselves."""

    def __init_subclass__(cls) -> None:
        cls.has_opening = cls.opening is not Framing.opening

    def encode(self, event: Event) -> Frame:
        """The bytes of one event, as a template if it has holes."""
        marks = Marks()
        if event.raw is not None:
            return marks.cut(marks.data(event.raw))
        body = self.body(event, marks)
        return marks.cut(self.separator + body if body else body, self.envelope)

    def body(self, event: Event, marks: Marks) -> bytes:
        """The bytes of one event without separator and envelope, with marks for holes; empty for an event that has no
        place in this framing."""
        raise NotImplementedError

    def row(self, event: Event) -> Row:
        """One event, ready to be sent."""
        has_open_id = isinstance(event.id, Text)
        frame = self.encode(event.with_open_id() if has_open_id else event)
        return Row(frame, event.id if self.sends_ids else None, event.counted, event.takes_retry)

    def opening(self, payload: bytes) -> bytes:
        """The first bytes of a body, changed so that they begin it. `payload` is not empty."""
        return payload

    def with_retry(self, payload: bytes, retry: int) -> bytes:
        """The bytes of an event that `takes_retry`, with a `retry` added: milliseconds until its client reconnects."""
        return payload

    def read(self, payload: bytes) -> tuple[str | None, str | None]:
        """The type and data that a client finds in the bytes of an event that is not raw."""
        return None, payload.decode("utf-8", "replace")

    def id_of(self, payload: bytes) -> str | None:
        """The ID that a client finds in the bytes of an event that is not raw."""
        return None

    def data_of(self, payload: bytes) -> bytes:
        """The data in the bytes of an event that is not raw."""
        return payload

    def with_data(self, payload: bytes, data: bytes) -> bytes:
        """The bytes of an event that is not raw, with other data, which may be no valid text."""
        return data


class SseFraming(Framing):
    """Server-Sent Events (WHATWG HTML, section 9.2). `line_end` ends their lines."""

    content_type = "text/event-stream"
    kind = "sse"
    sends_ids = True
    has_comments = True

    def __init__(self, name: str = "sse", line_end: str = "\n") -> None:
        self.name = name
        self.line_end = line_end
        # One line end: a blank line after an id makes several parsers dispatch an empty event.
        self.keepalive = f": keepalive{line_end}".encode()

    def body(self, event: Event, marks: Marks) -> bytes:
        encoded = ServerSentEvent(
            self._data(event.data, marks),
            event=None if event.type is None else marks.text(event.type, one_line),
            id=None if event.id is None else marks.text(event.id, one_line),
            comment=None if event.comment is None else marks.text(event.comment, one_line),
            retry=event.retry,
            sep="\n",
        ).encode()
        lines = encoded.split(b"\n")[:-2]
        return self.joined(lines, is_block=event.is_block) if lines else b""

    def _data(self, data: Any, marks: Marks) -> str | None:
        if data is None:
            return None
        if isinstance(data, str | Text):
            return marks.text(data, self.more_lines)
        if isinstance(data, bytes):
            return data.decode()
        return encode_json(marks.json(data)).decode()

    def more_lines(self, text: str) -> str:
        """Text with each of its lines in a `data` line of its own."""
        return f"{self.line_end}data: ".join(re.split(LINE_BREAK, text))

    def joined(self, lines: Sequence[bytes], *, is_block: bool = True) -> bytes:
        """The bytes of an event with these lines. What is no block, such as a lone comment, has no blank line."""
        end = self.line_end.encode()
        return end.join(lines) + (end * 2 if is_block else end)

    def with_retry(self, payload: bytes, retry: int) -> bytes:
        return self.joined([*_lines_of(payload), b"retry: %d" % retry])

    def read(self, payload: bytes) -> tuple[str | None, str | None]:
        fields = [_field_of(line) for line in _lines_of(payload)]
        data = [value.decode() for name, value in fields if name == _DATA]
        type_ = next((value.decode() for name, value in fields if name == b"event"), None)
        return type_, "\n".join(data) if data else None

    def id_of(self, payload: bytes) -> str | None:
        return next((value.decode() for name, value in map(_field_of, _lines_of(payload)) if name == b"id"), None)

    def data_of(self, payload: bytes) -> bytes:
        return b"\n".join([value for name, value in map(_field_of, _lines_of(payload)) if name == _DATA])

    def with_data(self, payload: bytes, data: bytes) -> bytes:
        lines = _lines_of(payload)
        place = next((place for place, line in enumerate(lines) if _field_of(line)[0] == _DATA), len(lines))
        others = [line for line in lines if _field_of(line)[0] != _DATA]
        return self.joined([*others[:place], *[b"data: " + line for line in data.split(b"\n")], *others[place:]])


def _lines_of(payload: bytes) -> list[bytes]:
    """The lines of an event, without its blank line."""
    lines = re.split(LINE_BREAK.encode(), payload)
    while lines and not lines[-1]:
        lines.pop()
    return lines


def _field_of(line: bytes) -> tuple[bytes, bytes]:
    """The name and the value of a field. A comment has no name."""
    name, _, value = line.partition(b":")
    return name, value.removeprefix(b" ")


class NdjsonFraming(Framing):
    """One JSON value a line. Text and bytes are taken as lines ready to send."""

    name = "ndjson"
    content_type = "application/x-ndjson"
    kind = "ndjson"

    def __init__(self, line_end: str = "\n") -> None:
        self.line_end = line_end

    def body(self, event: Event, marks: Marks) -> bytes:
        line = escape_line_breaks(marks.data(event.data, self._one_line))
        return line + self.line_end.encode() if line else line

    def _one_line(self, text: str) -> str:
        return escape_line_breaks(one_line(text).encode()).decode()

    def data_of(self, payload: bytes) -> bytes:
        return payload.removesuffix(self.line_end.encode())

    def with_data(self, payload: bytes, data: bytes) -> bytes:
        return data + self.line_end.encode()


class RawFraming(Framing):
    """Bytes as they are; JSON values as compact JSON."""

    name = "raw"
    content_type = "application/octet-stream"
    kind = "chunked"

    def body(self, event: Event, marks: Marks) -> bytes:
        return marks.data(event.data)


class JsonArrayFraming(Framing):
    """One JSON array with a value for each event, as Google sends it to clients that do not ask for SSE."""

    name = "json-array"
    content_type = "application/json; charset=UTF-8"
    kind = "chunked"
    separator = b",\r\n"
    end = b"]\n"

    def body(self, event: Event, marks: Marks) -> bytes:
        if event.data is None:
            return b""
        item = event.data if isinstance(event.data, bytes) else encode_json(marks.json(event.data))
        return item + b"\n"

    def opening(self, payload: bytes) -> bytes:
        return b"[" + payload.removeprefix(self.separator)

    def read(self, payload: bytes) -> tuple[str | None, str | None]:
        return None, self.data_of(payload).decode("utf-8", "replace")

    def data_of(self, payload: bytes) -> bytes:
        return payload.removeprefix(self.separator).removesuffix(b"\n")

    def with_data(self, payload: bytes, data: bytes) -> bytes:
        return self.separator + data + b"\n"


FRAMINGS: dict[str, Framing] = {
    framing.name: framing
    for framing in (
        SseFraming(),
        SseFraming("sse-crlf", "\r\n"),
        NdjsonFraming(),
        RawFraming(),
        JsonArrayFraming(),
    )
}
"""Every framing that an answer can name."""


def framing_named(name: str) -> Framing:
    """The framing of that name. Raises `ValueError` with the known names."""
    try:
        return FRAMINGS[name]
    except KeyError:
        raise ValueError(f"there is no framing `{name}`; known: {', '.join(FRAMINGS)}") from None
