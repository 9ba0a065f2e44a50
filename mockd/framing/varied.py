"""Framings whose lines have another form, as the `framing` of a mock says."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from zlib import crc32

from mockd.config.framing import FramingConfig
from mockd.events import Event, Fill
from mockd.framing.frames import Filler, Marks
from mockd.framing.framings import LINE_BREAK, Framing, NdjsonFraming, SseFraming

_ENDS = {"lf": "\n", "crlf": "\r\n", "cr": "\r"}
_IN_TURN = (b"\n", b"\r\n", b"\r")
_BLANK = {b"\n": b"\r\n", b"\r\n": b"\n", b"\r": b"\r\n"}
"""The end of a blank line, by the end of the line before: another one, but no LF behind a CR, which would be one."""
_AT_START = rb"(?:\A|[\r\n])[a-z]+:" + Marks.TEXT
"""The mark of a hole at the beginning of a field's value, behind no space."""
_NAMES = ("comment", "id", "event", "data", "retry")
_LAST = len(_NAMES)
"""The fields of an event in their usual order."""


def varied(framing: Framing, config: FramingConfig | None) -> Framing:
    """The framing with lines of the form that `config` says, as far as it has lines."""
    if config is None:
        return framing
    if isinstance(framing, SseFraming):
        has_other_fields = config.field_order is not None or not config.space_after_colon
        return VariedSse(framing, config) if has_other_fields or config.line_ending is not None else framing
    if isinstance(framing, NdjsonFraming) and config.line_ending is not None:
        return NdjsonFraming(_ENDS.get(config.line_ending, framing.line_end))
    return framing


class VariedSse(SseFraming):
    """Server-Sent Events with other line ends, in another order of fields, or without spaces behind colons."""

    def __init__(self, usual: SseFraming, config: FramingConfig) -> None:
        self._is_mixed = config.line_ending == "mixed"
        super().__init__(usual.name, _ENDS.get(config.line_ending or "", usual.line_end))
        self._has_space = config.space_after_colon
        first = config.field_order
        order = [] if first is None else [*first, *(name for name in _NAMES if name not in first)]
        self._places = {b"" if name == "comment" else name.encode(): place for place, name in enumerate(order)}

    def body(self, event: Event, marks: Marks) -> bytes:
        frame = super().body(event, marks)
        for mark in () if self._has_space else re.finditer(_AT_START, frame):
            number = int(mark[1])
            marks.fillers[number] = _kept(marks.fillers[number])
        return frame

    def more_lines(self, text: str) -> str:
        first, *others = re.split(LINE_BREAK, text)
        lines = [f"data: {line}".encode() for line in others]
        return "".join([first, *(f"{self.line_end}{self._spaced(line).decode()}" for line in lines)])

    def joined(self, lines: Sequence[bytes], *, is_block: bool = True) -> bytes:
        if places := self._places:
            lines = sorted(lines, key=lambda line: places.get(line.partition(b":")[0], _LAST))
        lines = [self._spaced(line) for line in lines]
        if not self._is_mixed:
            return super().joined(lines, is_block=is_block)
        ends = [end for _, end in zip(lines, _in_turn(b"".join(lines)), strict=False)]
        blank = _BLANK[ends[-1]] if is_block else b""
        return b"".join([part for pair in zip(lines, ends, strict=True) for part in pair]) + blank

    def _spaced(self, line: bytes) -> bytes:
        """A line without the space behind its colon, if no space is wanted, and none is part of the value."""
        name, colon, value = line.partition(b": ")
        if self._has_space or not colon or not name or b":" in name or value.startswith(b" "):
            return line
        return name + b":" + value


def _kept(filler: Filler) -> Filler:
    """A filler at the beginning of a value. If its text begins with a space, one more stands before it."""

    def fill_in(fill: Fill) -> bytes:
        text = filler(fill)
        return b" " + text if text.startswith(b" ") else text

    return fill_in


def _in_turn(text: bytes) -> Iterator[bytes]:
    """Line ends, one kind after the other. The text decides which comes first, so that short events differ in it."""
    place = crc32(Marks.taken_out(text))
    while True:
        place += 1
        yield _IN_TURN[place % len(_IN_TURN)]
