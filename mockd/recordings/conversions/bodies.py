"""Bodies as other tools keep them: decoded, under headers that are about the body as it was sent."""

from __future__ import annotations

import codecs
from collections.abc import Callable

from msgspec import structs

from mockd.recordings.codings import UndecodableError, coding_of, decoder_of
from mockd.recordings.lines import Head
from mockd.recordings.reading import Exchange

Say = Callable[[str], None]
"""Called with what cannot be carried over."""
_BEGINNINGS = {"gzip": b"\x1f\x8b", "x-gzip": b"\x1f\x8b", "zstd": b"\x28\xb5\x2f\xfd"}
"""The first bytes of bodies in a coding, if they have the same."""


def plain_pieces(exchange: Exchange) -> tuple[list[tuple[int, bytes]], str | None]:
    """The pieces of an answer's body without its content coding, and the coding, if it has one that can be taken off
    here. Each piece is what its bytes decode to, which may be nothing."""
    pieces = list(exchange.output())
    is_stored_so = exchange.head is not None and (exchange.end is None or exchange.end.decoded is None)
    coding = coding_of(exchange.head.headers) if exchange.head is not None and is_stored_so else ""
    if not coding or not any(data for _, data in pieces):
        return pieces, None
    try:
        decoder = decoder_of(coding)
        return [(at_us, b"".join(decoder.feed(data))) for at_us, data in pieces], coding
    except UndecodableError:
        return pieces, None


def plain(data: bytes, coding: str) -> bytes | None:
    """What a body decodes to; None if it is not in that coding."""
    try:
        return b"".join(decoder_of(coding).feed(data))
    except UndecodableError:
        return None


def mended(head: Head, body: bytes) -> tuple[Head, str | None]:
    """A head that fits a body which may have been decoded, and the coding that was taken off, if one was."""
    coding = coding_of(head.headers)
    if not coding or _is_coded(body, coding):
        return head, None
    headers = [
        (name, str(len(body)) if name.lower() == "content-length" else value)
        for name, value in head.headers
        if name.lower() != "content-encoding"
    ]
    return structs.replace(head, headers=headers), coding


def _is_coded(body: bytes, coding: str) -> bool:
    """Whether a body is in its coding still. One that is broken further on is, or no secret would be found in it."""
    if not body:
        return True
    if (beginning := _BEGINNINGS.get(coding)) is not None:
        return body.startswith(beginning)
    return plain(body, coding) is not None or not _is_text(body)


def _is_text(body: bytes) -> bool:
    """Whether this is UTF-8, or the beginning of it."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(body)
    except UnicodeDecodeError:
        return False
    return True


def mistake(error: Exception) -> str:
    """What is wrong with a file of another format, in words."""
    if isinstance(error, KeyError):
        return f"{error} is missing in it"
    if isinstance(error, TypeError | AttributeError):
        return "a part of it is of another type than it should be"
    return str(error)
