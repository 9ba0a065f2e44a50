"""Bodies on their way into a recording, piece by piece."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Protocol

from mockd.recordings.codings import Decoder, UndecodableError, decoder_of
from mockd.recordings.lines import Line, Output, Piece

Write = Callable[[int, Line], None]

MOST_HELD = 1024 * 1024
"""Most bytes of a body in a content coding that are held back until it is known whether there is a secret in it. Of a
longer one, what was decoded is written."""


class Stream(Protocol):
    """What redacts a body. It holds back what may be the beginning of a secret."""

    has_found: bool

    def feed(self, data: bytes) -> bytes:
        """The next bytes that may be written, which need not be of these data."""

    def finish(self) -> bytes:
        """The last bytes."""


class Body:
    """A body whose pieces are written as soon as no byte of them is held back. They keep their borders and times."""

    decoded: str | None = None

    def __init__(self, kind: type[Piece], stream: Stream, write: Write) -> None:
        self.kind = kind
        self.stream = stream
        self.write = write
        self._waiting: deque[tuple[int, int]] = deque()
        self._ready = bytearray()

    def add(self, at_us: int, data: bytes) -> None:
        self._waiting.append((at_us, len(data)))
        self._release(self.stream.feed(data))

    def finish(self) -> list[str]:
        """Write what was held back. What there is to say about it at the end."""
        self._release(self.stream.finish())
        return []

    def _release(self, data: bytes) -> None:
        self._ready += data
        while self._waiting and self._waiting[0][1] <= len(self._ready):
            at_us, size = self._waiting.popleft()
            piece = bytes(self._ready[:size])
            del self._ready[:size]
            self.write(at_us, self.kind(data=piece))


class CodedBody:
    """A body in a content coding. It is searched decoded. It is written as it came if there is no secret in it;
    otherwise, or if it is long, decoded. From where it cannot be decoded, it is not written.

    `raw` searches it as it came too: what is not in the coding that its head names may decode to nothing for long."""

    def __init__(self, body: Body, coding: str, raw: Stream) -> None:
        self.decoded: str | None = None
        self._body = body
        self._write, body.write = body.write, self._keep
        self._coding = coding
        self._raw = raw
        self._decoder: Decoder | None = None
        self._wrong: str | None = None
        self._kept: list[tuple[int, Line]] = []
        self._came: list[tuple[int, bytes]] = []
        self._held = 0

    def add(self, at_us: int, data: bytes) -> None:
        if self._wrong is not None:
            return
        try:
            if self._decoder is None:
                self._decoder = decoder_of(self._coding)
            for plain in self._decoder.feed(data):
                self._add_decoded(at_us, plain)
        except UndecodableError as error:
            self._wrong = str(error)
            return
        if self.decoded is None:
            self._raw.feed(data)
            self._came.append((at_us, data))
            self._hold(len(data))

    def _add_decoded(self, at_us: int, plain: bytes) -> None:
        if plain:
            self._body.add(at_us, plain)
            if self.decoded is None:
                self._hold(len(plain))

    def _hold(self, size: int) -> None:
        self._held += size
        if self._held > MOST_HELD:
            self._write_decoded()

    def finish(self) -> list[str]:
        what = "answer" if self._body.kind is Output else "request"
        said = []
        self._body.finish()
        self._raw.finish()
        if self._wrong is None and self._raw.has_found and not self._body.stream.has_found:
            self._wrong = "there is a secret in it as it came"
        if self._wrong is not None:
            said.append(
                f"the body of the {what} could not be decoded from {self._coding!r} ({self._wrong}), "
                "and was not recorded from there"
            )
        if self.decoded is None and (self._body.stream.has_found or (self._wrong is not None and self._kept)):
            self._write_decoded()
        if self.decoded is None and self._wrong is None:
            for at_us, data in self._came:
                self._write(at_us, self._body.kind(data=data))
        if self.decoded is not None and what == "request":
            said.append(f"the body of the request was decoded from {self._coding!r}")
        return said

    def _keep(self, at_us: int, line: Line) -> None:
        self._kept.append((at_us, line))

    def _write_decoded(self) -> None:
        self.decoded = self._coding
        self._body.write = self._write
        for at_us, line in self._kept:
            self._write(at_us, line)
        self._kept, self._came = [], []
