"""The bytes of a body as they go out: with its opening and end, its heartbeats, and what the `framing` of a mock puts
between the events and around them."""

from __future__ import annotations

import re
from collections import deque
from math import inf

from mockd.config.framing import FramingConfig
from mockd.framing import Framing
from mockd.framing.encodings import Coder, coder_of
from mockd.program.terms import Ending, Heartbeat
from mockd.program.timetable import BATCH, BATCH_BYTES
from mockd.streaming.cursors.around import Around, Beats, Begun, Whole
from mockd.streaming.cursors.cursor import AT_ONCE, Cursor, joined
from mockd.streaming.ops import FINISH, TURN_TO_END, Op

BOM = b"\xef\xbb\xbf"
_RECENT = 4
"""Most rows of which is known what they were before they were encoded: whoever watches takes them one by one."""
_LAST_END = rb"((?>\r\n|\n|\r))(?>\r\n|\n|\r)\Z"
"""A blank line at the end of a row, with the end of the line before it."""
_END = rb"(?>\r\n|\n|\r)\Z"
_BLANK = rb"(?:\A|(?>\r\n|\n|\r))(?>\r\n|\n|\r)"


class Punctuation:
    """What stands between the events of one body: comments, empty lines, a byte order mark; and what is known of the
    bytes before, as a comment must not come in the middle of an event that is sent in parts."""

    def __init__(self, config: FramingConfig, framing: Framing) -> None:
        self._kind = framing.kind
        end = framing.line_end.encode()
        comments = config.comments if framing.has_comments else None
        padding = config.padding if framing.has_comments else None
        blank = end if comments is not None and comments.blank_line else b""
        self._every = 0 if comments is None else comments.every
        self._comment = b"" if comments is None else f": {comments.text}".encode() + end + blank
        self._padding = b"" if padding is None else b":" + b" " * (padding - 1 - len(end)) + end
        self._empty = end * config.empty_lines
        self._bom = BOM if config.bom and end else b""
        self._has_blank_lines = bool(blank or self._empty)
        self._events = 0
        """Number of events since the last comment."""
        self._is_first = self._is_at_line = self._is_at_block = True
        self.leaves_last_end = bool(end) and not config.final_blank_line

    def before(self, row: bytes, counted: int) -> bytes:
        """A row of so many events with what comes before it."""
        if not row:
            return row
        prefix = b""
        if counted and (self._is_at_block or (self._is_at_line and not self._has_blank_lines)):
            if not self._is_first:
                prefix = self._empty
            if self._every and self._events >= self._every:
                prefix, self._events = prefix + self._comment, 0
            prefix += self._padding
        if counted:
            self._events += counted
            self._is_first = False
        self._look_at(row)
        prefix, self._bom = self._bom + prefix, b""
        return prefix + row

    def _look_at(self, row: bytes) -> None:
        """Take note of where the body is behind this row."""
        *_, rest = re.split(_BLANK, row if self._is_at_line else b"x" + row)
        self._is_at_line = row.endswith((b"\n", b"\r"))
        if self._kind != "sse":
            self._is_at_block = self._is_at_line
            return
        has_blank = len(rest) < len(row)
        is_open = any(line and not line.startswith(b":") for line in re.split(rb"\r\n|\n|\r", rest))
        self._is_at_block = not is_open and (has_blank or self._is_at_block)

    def without_last_end(self, row: bytes) -> bytes:
        """The last row of a body without its blank line, or in NDJSON without its line end."""
        if self._kind == "sse" and not (self._is_at_line and re.match(_END, row)):
            return re.sub(_LAST_END, rb"\1", row)
        return re.sub(_END, b"", row)


def is_punctuated(config: FramingConfig) -> bool:
    """Whether anything stands between the events, or is left out behind the last."""
    added = (config.bom, config.comments, config.empty_lines, config.padding)
    return any(added) or not config.final_blank_line


class Punctuated(Around):
    """The rows with what stands between the events. `ending` is the stream's."""

    def __init__(self, inner: Cursor, punctuation: Punctuation, ending: Ending) -> None:
        super().__init__(inner)
        self._punctuation = punctuation
        self._ending = ending

    def take(self, now: float, most: int = 0) -> list[bytes]:
        inner, punctuation = self.inner, self._punctuation
        rows: list[bytes] = []
        size = 0
        # One by one, so that it is known which of them are events.
        while len(rows) < (most or BATCH) and size < BATCH_BYTES and inner.op is None and inner.next_due <= now:
            before = inner.events_sent
            row = joined(inner.take(now, 1))
            counted = inner.events_sent - before
            more = self._ahead() if punctuation.leaves_last_end else []
            if punctuation.leaves_last_end and not more and self._is_last:
                row = punctuation.without_last_end(row)
            if not (row or more):
                break
            rows += [punctuation.before(row, counted), *(punctuation.before(other, 0) for other in more)]
            size += len(rows[-1])
        return rows

    def _ahead(self) -> list[bytes]:
        """Let the cursor inside find out whether there is more. Returns rows that are not to be waited for."""
        inner = self.inner
        return inner.take(-inf, 1) if inner.op is None and inner.next_due != AT_ONCE else []

    @property
    def _is_last(self) -> bool:
        """Whether nothing follows but the clean end of the body."""
        op = self.inner.op
        is_plain = self._ending.type == "graceful" and self._ending.final is None
        return op is FINISH or (op is TURN_TO_END and is_plain and self.inner.outcome in ("completed", "max_events"))


class Coded(Around):
    """The rows in a content encoding, and its end as a row of its own."""

    def __init__(self, inner: Cursor, coding: Coding) -> None:
        super().__init__(inner)
        self._coding = coding

    @property
    def op(self) -> Op | None:
        return self.inner.op if self._coding.has_ended or self.inner.op is not FINISH else None

    def take(self, now: float, most: int = 0) -> list[bytes]:
        inner = self.inner
        rows = [] if inner.op is not None else [self._coding.of(row) for row in inner.take(now, most) if row]
        if not any(rows) and inner.op is FINISH and not self._coding.has_ended and inner.next_due <= now:
            rows = [self._coding.end()]
        return [row for row in rows if row]

    def unsent(self) -> list[bytes]:
        return []  # what is inside is not encoded yet


class Coding:
    """The content encoding of one body."""

    def __init__(self, encoding: str, *, is_flushed: bool) -> None:
        self._coder: Coder = coder_of(encoding)
        self._is_flushed = is_flushed
        self.has_ended = False
        self.recent: deque[tuple[bytes, bytes]] = deque(maxlen=_RECENT)
        """The rows that were encoded last, each with what it was before."""

    def of(self, row: bytes) -> bytes:
        """A row in the encoding; nothing behind its end, where nothing can follow."""
        if self.has_ended:
            return b""
        data = self._coder.add(row)
        if self._is_flushed:
            data += self._coder.flushed()
        return self._noted(data, row)

    def end(self) -> bytes:
        self.has_ended = True
        return self._noted(self._coder.end(), b"")

    def _noted(self, data: bytes, row: bytes) -> bytes:
        self.recent.append((data, row))
        return data


class Body:
    """The body of one stream: the cursors around the one of its rows, and then around the one of its end."""

    def __init__(
        self, framing: Framing, heartbeat: Heartbeat | None, ending: Ending, config: FramingConfig | None = None
    ) -> None:
        self.framing = framing
        self.begun = Begun(framing)
        self.beats: Beats | None = None
        """The heartbeats, which are rows."""
        self._heartbeat = heartbeat
        self._ending = ending
        self._punctuation = Punctuation(config, framing) if config is not None and is_punctuated(config) else None
        encoding = None if config is None else config.encoding
        is_flushed = config is not None and config.flush != "end"
        self._coding = None if encoding is None else Coding(encoding, is_flushed=is_flushed)

    def __call__(self, cursor: Cursor, opening: object, now: float) -> Cursor:
        """The cursor of the body around the one of its rows, or of its end."""
        heartbeat, self._heartbeat = self._heartbeat, None
        if heartbeat is not None and not heartbeat.is_apart:
            cursor = self.beats = Beats(cursor, heartbeat, now, self.form_of)
        cursor = Whole(cursor, self.framing, self.begun)
        if heartbeat is not None and heartbeat.is_apart:
            cursor = self.beats = Beats(cursor, heartbeat, now, self._form_behind_opening)
        if self._punctuation is not None:
            cursor = Punctuated(cursor, self._punctuation, self._ending)
        return cursor if self._coding is None else Coded(cursor, self._coding)

    @property
    def is_encoded(self) -> bool:
        """Whether the body is in an encoding, so that its bytes keep the order in which they were encoded."""
        return self._coding is not None

    @property
    def has_ended(self) -> bool:
        """Whether the end of the encoding was made, behind which nothing can follow."""
        return self._coding is not None and self._coding.has_ended

    def form_of(self, row: bytes, counted: int = 0) -> bytes:
        """The form in which a row goes out that comes from outside, and is so many events."""
        return self._form_behind_opening(self.begun_with(row), counted)

    def plain_of(self, row: bytes) -> bytes:
        """What a row that goes out now was before it was encoded, as far as that is known, without byte order mark."""
        if self._coding is not None:
            row = next((plain for data, plain in self._coding.recent if data is row), row)
        return row.removeprefix(BOM)

    def begun_with(self, row: bytes) -> bytes:
        """A row from outside, which begins the body if it is the first."""
        if not row or self.begun.is_so:
            return row
        self.begun.is_so = True
        return self.framing.opening(row)

    def _form_behind_opening(self, row: bytes, counted: int = 0) -> bytes:
        if self._punctuation is not None:
            row = self._punctuation.before(row, counted)
        return row if self._coding is None else self._coding.of(row)


class Bare(Framing):
    """The framing of a body whose opening and end are rows already."""

    has_opening = False

    def __init__(self, sent: Body) -> None:
        framing = sent.framing
        self.name = framing.name
        self.sent = sent
        self.with_retry = framing.with_retry  # type: ignore[method-assign]
        self.row = framing.row  # type: ignore[method-assign]
