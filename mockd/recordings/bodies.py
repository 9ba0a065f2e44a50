"""Bodies on their way into a recording, piece by piece."""

from __future__ import annotations

import math
from collections import deque
from typing import Protocol

from mockd.recordings.codings import Decoder, UndecodableError, decoder_of
from mockd.recordings.lines import Line, Output, Piece
from mockd.recordings.ordering import Place, Write

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
        self._waiting: deque[tuple[Place, int]] = deque()
        self._ready = bytearray()

    @property
    def held_from(self) -> float:
        """The number of the first place whose piece is held back; infinite if there is none."""
        return self._waiting[0][0].number if self._waiting else math.inf

    def add(self, place: Place, data: bytes) -> None:
        self._waiting.append((place, len(data)))
        self._release(self.stream.feed(data))

    def finish(self) -> list[str]:
        """Write what was held back. What there is to say about it at the end."""
        self._release(self.stream.finish())
        return []

    def _release(self, data: bytes) -> None:
        self._ready += data
        while self._waiting and self._waiting[0][1] <= len(self._ready):
            place, size = self._waiting.popleft()
            piece = bytes(self._ready[:size])
            del self._ready[:size]
            self.write(place, self.kind(data=piece))


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
        self._kept: deque[tuple[Place, Line]] = deque()
        self._came: list[tuple[Place, bytes]] = []
        self._held = 0
        self._first = math.inf

    @property
    def held_from(self) -> float:
        """The number of the first place whose piece is held back; infinite if there is none."""
        if self.decoded is None:
            return self._first
        return self._kept[0][0].number if self._kept else self._body.held_from

    def add(self, place: Place, data: bytes) -> None:
        self._first = min(self._first, place.number)
        if self._wrong is not None:
            return
        try:
            if self._decoder is None:
                self._decoder = decoder_of(self._coding)
            for plain in self._decoder.feed(data):
                self._add_decoded(place, plain)
        except UndecodableError as error:
            self._wrong = str(error)
            return
        if self.decoded is None:
            self._raw.feed(data)
            self._came.append((place, data))
            self._hold(len(data))

    def _add_decoded(self, place: Place, plain: bytes) -> None:
        if plain:
            self._body.add(place, plain)
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
            for place, data in self._came:
                self._write(place, self._body.kind(data=data))
        return said

    def _keep(self, place: Place, line: Line) -> None:
        self._kept.append((place, line))

    def _write_decoded(self) -> None:
        self.decoded = self._coding
        self._body.write = self._write
        self._came = []
        while self._kept:
            self._write(*self._kept.popleft())
