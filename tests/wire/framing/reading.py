"""What independent readers make of a body: a parser written from the standard (WHATWG HTML, section 9.2.6), lines of
JSON, decoders of encodings, and borders of chunks counted byte by byte."""

from __future__ import annotations

import json
import random
import re
import zlib
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any, NamedTuple

LINE_END = re.compile("\r\n|\n|\r")


class Message(NamedTuple):
    """An event as an EventSource dispatches it."""

    type: str
    data: str
    last_event_id: str


class EventStream(NamedTuple):
    """All that a stream tells its reader."""

    messages: list[Message]
    last_event_id: str
    retry: int | None


def event_stream(body: bytes) -> EventStream:
    """A body as it is interpreted by the standard. What is not ended by a blank line is discarded."""
    text = body.decode("utf-8", "replace").removeprefix("\ufeff")
    *lines, _ = LINE_END.split(text)
    messages: list[Message] = []
    data, type_, id_, last_id, retry = "", "", "", "", None
    for line in lines:
        if not line:
            last_id = id_
            if data:
                messages.append(Message(type_ or "message", data.removesuffix("\n"), last_id))
            data, type_ = "", ""
            continue
        name, colon, value = line.partition(":")
        value = value.removeprefix(" ") if colon else ""
        if name == "event":
            type_ = value
        elif name == "data":
            data += value + "\n"
        elif name == "id" and "\0" not in value:
            id_ = value
        elif name == "retry" and re.fullmatch("[0-9]+", value):
            retry = int(value)
    return EventStream(messages, last_id, retry)


def ndjson(body: bytes) -> list[Any]:
    """A body of lines of JSON. A byte order mark and an empty line are faults."""
    lines = body.decode().split("\n")
    assert lines.pop() == "", "the last line has no end"
    return [json.loads(line) for line in lines]


READERS: dict[str, Callable[[bytes], Any]] = {"sse": event_stream, "ndjson": ndjson, "raw": bytes}
"""The reader of each kind of body."""


# -- encodings ---------------------------------------------------------------------------------------------------------


def decoder(encoding: str | None) -> Callable[[bytes], bytes]:
    """A decoder that gives what can be decoded so far."""
    if encoding in ("gzip", "deflate"):
        return zlib.decompressobj(31 if encoding == "gzip" else 15).decompress
    if encoding == "br":
        import brotli

        decode: Callable[[bytes], bytes] = brotli.Decompressor().process
        return decode
    if encoding == "zstd":
        import zstandard

        return zstandard.ZstdDecompressor().decompressobj().decompress
    return bytes


def decoded(encoding: str | None, body: bytes) -> bytes:
    """A whole body, fed to the decoder byte by byte."""
    decode = decoder(encoding)
    return b"".join(decode(body[place : place + 1]) for place in range(len(body)))


# -- borders of chunks -------------------------------------------------------------------------------------------------


def pieces(body: bytes, split: Any) -> list[bytes]:
    """The body in the pieces that a `split` of a mock asks for, when all of it is due at once."""
    borders = [0, *(place for place in _borders(body, split) if 0 < place < len(body)), len(body)]
    return [body[begin:end] for begin, end in pairwise(borders) if begin < end]


def _borders(body: bytes, split: Any) -> Iterator[int]:
    if isinstance(split, list):
        yield from split
    elif split == "characters":
        yield from (place for place in range(len(body)) if body[place] & 0xC0 != 0x80)
    elif split == "utf8":
        yield from (place for place in range(len(body)) if body[place] & 0xC0 == 0x80)
    elif split == "lines":
        yield from (found.end() for found in re.finditer(b"\r\n|\n|\r", body))
    elif split == "crlf":
        yield from (found.start() + 1 for found in re.finditer(b"\r\n", body))
    elif "bytes" in split:
        yield from range(split["bytes"], len(body), split["bytes"])
    else:
        rng, place = random.Random(split["random"]), 0
        while (place := place + 1 + int(rng.random() * 64)) < len(body):
            yield place
