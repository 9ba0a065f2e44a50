"""The events of a recorded answer: blocks of an event stream, lines of NDJSON, or the pieces as they came."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple

from mockd.recordings.lines import Headers
from mockd.recordings.reading import Exchange

SSE, NDJSON, PIECES = "sse", "ndjson", "pieces"

_MEDIA_TYPES = {
    "text/event-stream": SSE,
    "application/x-ndjson": NDJSON,
    "application/ndjson": NDJSON,
    "application/jsonl": NDJSON,
    "application/x-jsonlines": NDJSON,
    "application/stream+json": NDJSON,
}
BLOCK_END = re.compile(rb"(?>\r\n|\r|\n)(?>\r\n|\r|\n)+")
"""The end of a block of an event stream, with all blank lines behind it."""
_ENDS = {SSE: BLOCK_END, NDJSON: re.compile(rb"\n")}
_LINE = re.compile(r"\r\n|\r|\n")


class Seen(NamedTuple):
    """An event of an answer: when its last byte came, the number of pieces that it ends, and its bytes."""

    at_us: int
    pieces: int
    raw: bytes


class Fields(NamedTuple):
    """The fields of a block, as a client reads them; None for those that are not there."""

    type: str | None = None
    id: str | None = None
    retry: str | None = None
    comment: str | None = None
    data: str | None = None


def kind_of(exchange: Exchange) -> str:
    """What the events of an answer are: `SSE`, `NDJSON` or `PIECES`."""
    if exchange.head is None or (exchange.end is None and header(exchange.head.headers, "content-encoding")):
        return PIECES
    if exchange.end is not None and exchange.end.decoded is None and header(exchange.head.headers, "content-encoding"):
        return PIECES
    return kind_of_type(header(exchange.head.headers, "content-type"))


def kind_of_type(content_type: str) -> str:
    """The kind of a body of that type."""
    return _MEDIA_TYPES.get(content_type.partition(";")[0].strip().lower(), PIECES)


def header(headers: Headers, name: str) -> str:
    """The first value of a header, or the empty text."""
    return next((value for key, value in headers if key.lower() == name), "")


def events_of(exchange: Exchange) -> Iterator[Seen]:
    """The events of an answer, in order, read from the file one by one. The last one may be cut off."""
    return events_in(exchange.output(), kind_of(exchange))


def events_in(output: Iterable[tuple[int, bytes]], kind: str) -> Iterator[Seen]:
    """The events of a body of that kind, in order."""
    end = _ENDS.get(kind)
    held, at_us, pieces = b"", 0, 0
    for at_us, data in output:
        pieces += 1
        if end is None:
            yield Seen(at_us, 1, data)
            continue
        start = max(0, len(held) - 3)  # where an end may have begun
        held += data
        done = 0
        for match in end.finditer(held, start):
            yield Seen(at_us, pieces, held[done : match.end()])
            done, pieces = match.end(), 0
        held = held[done:]
    if held:
        yield Seen(at_us, pieces, held)


def blocks_of(content: bytes) -> list[bytes]:
    """The blocks of an event stream that is there as a whole."""
    ends = [match.end() for match in _ENDS[SSE].finditer(content)]
    places = [0, *ends, len(content)]
    return [block for start, stop in pairwise(places) if (block := content[start:stop])]


def fields_of(block: bytes) -> Fields:
    """Read a block of an event stream."""
    found: dict[str, str] = {}
    for line in _LINE.split(block.decode("utf-8", "replace").removeprefix("\ufeff")):
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        key = {"": "comment", "event": "type"}.get(name, name)
        if line and key in Fields._fields:
            found[key] = f"{found[key]}\n{value}" if key in found and key in ("data", "comment") else value
    return Fields(**found)
