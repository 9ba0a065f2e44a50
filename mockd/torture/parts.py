"""A stream as a list of parts, of which fewer may do: its events, items or lines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from msgspec import Struct

from mockd.jsontext import encode_json
from mockd.torture.reduce import fewest
from mockd.torture.source import Mock, part_of

Fails = Callable[[Mock], bool]
"""Whether a command gets a stream wrong."""

_LISTS = {"sse": "events", "chunked": "ndjsonItems"}


class Parts(Struct, frozen=True):
    """The parts of a mock's stream, and the mock around them."""

    mock: Mock
    parts: Sequence[Any]

    def with_parts(self, parts: Sequence[Any]) -> Mock:
        """The mock with other parts."""
        kind = part_of(self.mock)
        answer = self.mock[kind]
        if _LISTS[kind] in answer:
            return {**self.mock, kind: {**answer, _LISTS[kind]: list(parts)}}
        return {**self.mock, kind: {**answer, "data": "".join(parts)}}


def parts_of(mock: Mock) -> Parts | None:
    """The parts of a mock's stream; None if it is not written out."""
    answer = mock[part_of(mock)]
    listed = answer.get(_LISTS[part_of(mock)])
    if listed is not None:
        return Parts(mock, listed)
    text = answer.get("data")
    return None if text is None else Parts(mock, text.splitlines(keepends=True))


def smallest(stream: Parts, fails: Fails) -> Mock:
    """The smallest stream that still fails: the fewest parts, and of each what it cannot do without."""
    parts = list(fewest(stream.parts, lambda parts: fails(stream.with_parts(parts))))
    for place in range(len(parts)):
        for take_apart in (_fields, _characters):
            whole = take_apart(parts[place])
            if whole is not None:
                parts[place] = _shrunk(whole, stream, parts, place, fails)
    return stream.with_parts(parts)


class _Pieces(Struct, frozen=True):
    """The pieces of one part, and how a part is made of fewer."""

    pieces: Sequence[Any]
    make: Callable[[Sequence[Any]], Any]


def _shrunk(whole: _Pieces, stream: Parts, parts: Sequence[Any], place: int, fails: Fails) -> Any:
    def fails_with(pieces: Sequence[Any]) -> bool:
        return fails(stream.with_parts([*parts[:place], whole.make(pieces), *parts[place + 1 :]]))

    return whole.make(fewest(whole.pieces, fails_with))


def _fields(part: Any) -> _Pieces | None:
    if not isinstance(part, dict):
        return None
    return _Pieces(list(part), lambda names: {name: part[name] for name in names})


def _characters(part: Any) -> _Pieces | None:
    if isinstance(part, str):
        return _Pieces(part, "".join)
    if isinstance(part, dict) and "data" in part:
        data = part["data"] if isinstance(part["data"], str) else encode_json(part["data"]).decode()
        return _Pieces(data, lambda text: {**part, "data": "".join(text)})
    return None
