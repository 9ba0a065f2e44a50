"""Content codings, which are taken off bodies to look into them."""

from __future__ import annotations

import importlib
import zlib
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from mockd.recordings.lines import Headers

MOST_DECODED = 256 * 1024 * 1024
"""Most bytes that a body may decode to. A small one can decode to any size."""
_MOST_AT_ONCE = 1024 * 1024
"""Most bytes that are decoded at once; with Brotli and Zstandard, about so many."""
_SLICE = 128
"""Bytes that Zstandard is given at once. Four of them may decode to 128 KiB."""


class UndecodableError(ValueError):
    """A body is not in the coding that it should be in, or decodes to too much."""


Decode = Callable[[bytes], Iterator[bytes]]


class Decoder(Protocol):
    def feed(self, data: bytes) -> Iterator[bytes]:
        """What the next bytes decode to, in parts of a bounded size. Raises `UndecodableError`."""


def coding_of(headers: Headers) -> str:
    """The content coding of a body, or the empty text if it has none."""
    names = [
        name.strip().lower() for key, value in headers if key.lower() == "content-encoding" for name in value.split(",")
    ]
    return ", ".join(name for name in names if name and name != "identity")


def decoder_of(coding: str) -> Decoder:
    """What decodes a coding. Raises `UndecodableError` if it is not known here, or needs a package that is not
    installed."""
    make = _MAKERS.get(coding)
    if make is None:
        raise UndecodableError("mockd does not know this coding")
    try:
        return _Bounded(make())
    except ImportError:
        raise UndecodableError("install `mockd[encodings]`") from None


class _Bounded:
    def __init__(self, decode: Decode) -> None:
        self._decode = decode
        self._left = MOST_DECODED

    def feed(self, data: bytes) -> Iterator[bytes]:
        parts = self._decode(data)
        while (plain := _next(parts)) is not None:
            self._left -= len(plain)
            if self._left < 0:
                raise UndecodableError(f"it decodes to more than {MOST_DECODED:,} bytes")
            yield plain


def _next(parts: Iterator[bytes]) -> bytes | None:
    try:
        return next(parts, None)
    except Exception as error:  # each module has errors of its own
        raise UndecodableError(str(error)) from None


def _gzip() -> Decode:
    return _zlib(zlib.MAX_WBITS | 16)


def _deflate() -> Decode:
    """Deflate with the frame of zlib, as it should be, or without, as some send it."""
    decode: Decode | None = None

    def feed(data: bytes) -> Iterator[bytes]:
        nonlocal decode
        if decode is None:
            if not data:
                return
            decode = _zlib(zlib.MAX_WBITS if data[0] & 0x0F == 8 else -zlib.MAX_WBITS)
        yield from decode(data)

    return feed


def _zlib(window_bits: int) -> Decode:
    """A decoder for any number of members, one after the other."""
    inner = zlib.decompressobj(window_bits)

    def feed(data: bytes) -> Iterator[bytes]:
        nonlocal inner
        is_full = False  # of what was decoded, so that more may wait
        while data or is_full:
            if inner.eof:
                inner = zlib.decompressobj(window_bits)
            plain = inner.decompress(data, _MOST_AT_ONCE)
            yield plain
            is_full = len(plain) == _MOST_AT_ONCE and not inner.eof
            data = inner.unused_data if inner.eof else inner.unconsumed_tail

    return feed


def _brotli() -> Decode:
    inner: Any = importlib.import_module("brotli").Decompressor()

    def feed(data: bytes) -> Iterator[bytes]:
        plain: bytes = inner.process(data, output_buffer_limit=_MOST_AT_ONCE)
        while plain or not inner.can_accept_more_data():
            yield plain
            plain = inner.process(b"", output_buffer_limit=_MOST_AT_ONCE)

    return feed


def _zstd() -> Decode:
    module: Any = importlib.import_module("zstandard")
    inner = module.ZstdDecompressor().decompressobj(read_across_frames=True)

    def feed(data: bytes) -> Iterator[bytes]:
        for place in range(0, len(data), _SLICE):
            yield inner.decompress(data[place : place + _SLICE])

    return feed


_MAKERS: dict[str, Callable[[], Decode]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _deflate,
    "br": _brotli,
    "zstd": _zstd,
}
