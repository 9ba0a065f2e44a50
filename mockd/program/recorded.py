"""Recordings, as streams that play them see them: rows that know their chunks, and all of an answer but its body."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from msgspec import Struct

HeaderPairs = Sequence[tuple[str, str]]


class RecordedRow(bytes):
    """Bytes of a recorded body that know where its chunks end.

    `cuts` are the positions of the ends of chunks in these bytes, each with the time in seconds, from when the first
    byte is due, at which what follows is due. `ends_chunk` is true if a chunk ends with the last byte.
    """

    cuts: Sequence[tuple[int, float]]
    ends_chunk: bool

    def __new__(cls, data: bytes, cuts: Sequence[tuple[int, float]] = (), *, ends_chunk: bool = True) -> RecordedRow:
        row = super().__new__(cls, data)
        row.cuts, row.ends_chunk = cuts, ends_chunk
        return row

    def __getitem__(self, place: Any) -> Any:
        """A part of the bytes, which knows its chunks too: faults strike inside of rows."""
        part = super().__getitem__(place)
        if not isinstance(place, slice) or place.step is not None:
            return part
        start, stop, _ = place.indices(len(self))
        begun_s = max((after_s for position, after_s in self.cuts if position <= start), default=0.0)
        cuts = [(position - start, after_s - begun_s) for position, after_s in self.cuts if start < position < stop]
        return RecordedRow(part, cuts, ends_chunk=self.ends_chunk or stop < len(self))


class Informed(Struct, frozen=True):
    """An informational answer (1xx), `at_s` seconds after the request."""

    at_s: float
    status: int
    reason: str
    headers: HeaderPairs


class RecordedAnswer(Struct, frozen=True, kw_only=True):
    """An answer as it was recorded, but for its body. `head_s` is the time of the head, in seconds from the request.

    `headers` have no `Date`; `has_date` is true if there was one. `cut` is how it was cut off; None if it came to its
    end. Without a `status` it had no head.
    """

    head_s: float = 0.0
    status: int | None = None
    reason: str = ""
    headers: HeaderPairs = ()
    has_date: bool = False
    informed: Sequence[Informed] = ()
    trailers: HeaderPairs = ()
    cut: Literal["closed", "reset", "timeout"] | None = None

    @property
    def is_coded(self) -> bool:
        """Whether the body is in a content coding."""
        return any(name.lower() == "content-encoding" and value != "identity" for name, value in self.headers)
