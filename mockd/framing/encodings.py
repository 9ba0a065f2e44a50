"""Content encodings (RFC 9110, section 8.4.1): coders that take a body piece by piece."""

from __future__ import annotations

import zlib
from importlib import import_module
from typing import Any, Protocol

from mockd.framing.variants import PACKAGES

_WBITS = {"gzip": 31, "deflate": 15}
"""The window of zlib, which also says what it puts around the compressed bytes."""


class Coder(Protocol):
    """Codes one body. What it has not given back yet, it gives back at the end."""

    def add(self, data: bytes) -> bytes:
        """The coded form of the next bytes, as far as it is ready."""

    def flushed(self) -> bytes:
        """What was kept back, so that all that was added can be decoded."""

    def end(self) -> bytes:
        """The last bytes."""


class _Zlib:
    def __init__(self, encoding: str) -> None:
        self._coder = zlib.compressobj(wbits=_WBITS[encoding])

    def add(self, data: bytes) -> bytes:
        return self._coder.compress(data)

    def flushed(self) -> bytes:
        return self._coder.flush(zlib.Z_SYNC_FLUSH)

    def end(self) -> bytes:
        return self._coder.flush()


def _package(encoding: str) -> Any:
    """The package for an encoding, which is there, or the mock was refused."""
    return import_module(PACKAGES[encoding])


class _Brotli:
    def __init__(self) -> None:
        self._coder = _package("br").Compressor(quality=5)

    def add(self, data: bytes) -> bytes:
        return bytes(self._coder.process(data))

    def flushed(self) -> bytes:
        return bytes(self._coder.flush())

    def end(self) -> bytes:
        return bytes(self._coder.finish())


class _Zstandard:
    def __init__(self) -> None:
        zstandard = _package("zstd")
        self._block: int = zstandard.COMPRESSOBJ_FLUSH_BLOCK
        self._coder = zstandard.ZstdCompressor().compressobj()

    def add(self, data: bytes) -> bytes:
        return bytes(self._coder.compress(data))

    def flushed(self) -> bytes:
        return bytes(self._coder.flush(self._block))

    def end(self) -> bytes:
        return bytes(self._coder.flush())


def coder_of(encoding: str) -> Coder:
    """A coder for one body."""
    if encoding in _WBITS:
        return _Zlib(encoding)
    return _Brotli() if encoding == "br" else _Zstandard()


def encoded(encoding: str, body: bytes) -> bytes:
    """A whole body in its coded form."""
    coder = coder_of(encoding)
    return coder.add(body) + coder.end()


def decoded(encoding: str, data: bytes) -> bytes:
    """A whole body without its encoding."""
    if encoding in _WBITS:
        return zlib.decompress(data, _WBITS[encoding])
    if encoding == "br":
        return bytes(_package(encoding).decompress(data))
    return bytes(_package(encoding).ZstdDecompressor().decompressobj().decompress(data))
