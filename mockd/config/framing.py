"""The framing of a stream: in which form its bytes are sent, and in which pieces.

What is possible on which kind of body, and what a parser that follows the standard makes of it, is in
`mockd.framing.variants`.
"""

# This module does not postpone its annotations: msgspec would have to compile each of them at every start.

import re
from itertools import pairwise
from typing import Annotated, Literal

from msgspec import Meta

from mockd.config.base import Config, Count, Milliseconds, Mistake, doc, one_of, read_milliseconds
from mockd.config.events import check_line

MOST_PADDING = 1 << 20
"""Most bytes of padding before an event."""
MOST_EMPTY_LINES = 1000
"""Most empty lines between two events."""
MOST_TOGETHER = 1 << 20
"""Most bytes of events that are sent together."""
MOST_SPLITS = 100_000
"""Most offsets of a `split`."""

_CHARSET = "[A-Za-z0-9][A-Za-z0-9.:_+-]{0,63}"
ONLY_UNCODED = ("characters", "utf8", "lines", "crlf")
"""Ways to split that go by the text of a body."""

Field = Literal["comment", "id", "event", "data", "retry"]


class Comments(Config, frozen=True, kw_only=True, omit_defaults=True):
    """Comments between the events."""

    every: Annotated[int, Meta(ge=1, description="Number of events between two comments.")] = 1
    text: Annotated[str, doc("Text of the comment, with nothing filled in.")]
    blank_line: Annotated[bool, doc("Whether a blank line follows the comment, as some services send it.")] = False

    def __post_init__(self) -> None:
        check_line(self.text, "text")


class SplitEvery(Config, frozen=True, kw_only=True, omit_defaults=True):
    """Pieces of so many bytes, or of random sizes."""

    bytes: Annotated[Annotated[int, Meta(ge=1)] | None, doc("Number of bytes of each piece.")] = None
    random: Annotated[
        int | None, doc("Seed from which sizes of 1 to 64 bytes are drawn: the same in every stream.")
    ] = None

    def __post_init__(self) -> None:
        one_of(self, "`split`", ("bytes", "random"))


class Together(Config, frozen=True, kw_only=True, omit_defaults=True):
    """Events that are sent together, by size and time."""

    bytes: Annotated[
        Annotated[int, Meta(ge=1, le=MOST_TOGETHER)] | None, doc("Number of bytes with which a chunk goes out.")
    ] = None
    ms: Annotated[
        Milliseconds, doc("Time, in milliseconds, after which a chunk goes out, from its first event; 0: no limit.")
    ] = 0.0

    def __post_init__(self) -> None:
        read_milliseconds(self, "ms")
        if self.bytes is None and not self.ms:
            raise Mistake("`coalesce` needs `bytes`, `ms` or both", (), "they say when a chunk goes out")


class FramingConfig(Config, frozen=True, kw_only=True, omit_defaults=True):
    """The form of a stream's bytes, and the pieces in which they are sent. Events with `raw` keep their bytes."""

    line_ending: Annotated[
        Literal["lf", "crlf", "cr", "mixed"] | None,
        doc("End of each line; `mixed`: all three in turn. By default the format's, mostly `lf`."),
    ] = None
    bom: Annotated[bool, doc("Whether the body begins with a byte order mark.")] = False
    space_after_colon: Annotated[
        bool, doc("Whether a space follows the colon of a field; it does if the value begins with a space.")
    ] = True
    field_order: Annotated[
        Annotated[list[Field], Meta(min_length=1, max_length=5)] | None,
        doc("Order of an event's fields; those that are left out follow in the usual order."),
    ] = None
    comments: Annotated[Comments | None, doc("Comments between the events.")] = None
    empty_lines: Annotated[
        int, Meta(ge=0, le=MOST_EMPTY_LINES, description="Number of empty lines more between two events.")
    ] = 0
    padding: Annotated[
        Annotated[int, Meta(ge=3, le=MOST_PADDING)] | None,
        doc("Size, in bytes with its line end, of a comment before each event."),
    ] = None
    final_blank_line: Annotated[
        bool, doc("Whether the last event of a clean end has its blank line; in NDJSON the last line its end.")
    ] = True
    split: Annotated[
        Literal["characters", "utf8", "lines", "crlf"]
        | SplitEvery
        | Annotated[list[Count], Meta(min_length=1, max_length=MOST_SPLITS)]
        | None,
        doc(
            "Pieces in which the body is sent, each an HTTP chunk of its own. `characters`: behind each character. "
            "`utf8`: inside each character of more than a byte. `lines`: behind each line. `crlf`: between CR and LF. "
            "A list: at these offsets of the body."
        ),
    ] = None
    pause: Annotated[Milliseconds, doc("Pause, in milliseconds, between two pieces of a `split`.")] = 0.0
    coalesce: Annotated[
        Annotated[int, Meta(ge=2)] | Together | None,
        doc("Number of events that are sent together in one HTTP chunk, or the size and time with which it goes out."),
    ] = None
    encoding: Annotated[
        Literal["gzip", "deflate", "br", "zstd"] | None,
        doc("Content-Encoding of the body, whether or not the client asks for it; `br` and `zstd` need a package."),
    ] = None
    flush: Annotated[
        Literal["event", "end"] | None,
        doc("`event` (the default): with `encoding`, a client can read each event at once. `end`: when all is sent."),
    ] = None
    charset: Annotated[
        Annotated[str, Meta(extra_json_schema={"pattern": f"^({_CHARSET})$"})] | None,
        doc("Charset that the Content-Type names; the body is UTF-8 all the same."),
    ] = None

    def __post_init__(self) -> None:
        read_milliseconds(self, "pause")
        if self.field_order is not None and len(set(self.field_order)) < len(self.field_order):
            raise Mistake("a field is named twice", ("fieldOrder",), "an event has each of its fields in one place")
        if isinstance(self.split, list) and any(one >= two for one, two in pairwise([0, *self.split])):
            raise Mistake("offsets must rise, from 1 on", ("split",), "each is the number of bytes before a border")
        if self.pause and self.split is None:
            raise Mistake("`pause` goes with `split`", ("pause",), "it is the time between two pieces")
        if self.split is not None and self.coalesce is not None:
            raise Mistake("`coalesce` does not go with `split`", ("coalesce",), "give one of them")
        if self.flush is not None and self.encoding is None:
            raise Mistake("`flush` goes with `encoding`", ("flush",), "it says when a client can decode what was sent")
        if self.encoding is not None and self.split in ONLY_UNCODED:
            message = f"`{self.split}` goes by the text of a body, which `encoding` hides"
            raise Mistake(message, ("split",), 'say `{"bytes": n}`, `{"random": seed}` or offsets of the coded body')
        if self.charset is not None and not re.fullmatch(_CHARSET, self.charset):
            raise Mistake("that is no name of a charset", ("charset",), "such as `utf-8`")
