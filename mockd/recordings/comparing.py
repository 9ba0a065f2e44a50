"""What is different between two recordings, in words: to see what a service has changed."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from itertools import groupby, pairwise, zip_longest
from typing import Any, NamedTuple

from mockd.recordings.events import NDJSON, SSE, Seen, events_of, fields_of, header, kind_of
from mockd.recordings.reading import Exchange

SLOWER = 3.0
"""Factor between two paces from which on they are different."""

_LEAST_FIRST_US = 250_000
_LEAST_GAP_US = 20_000
"""Times up to this length, in microseconds, say nothing about the pace of a service."""

_MOST_SHOWN = 20
"""Most differences of a kind that are listed."""

_TYPES = {dict: "object", list: "list", str: "text", bool: "boolean", int: "number", float: "number"}
_DESCRIBED = ("content-type", "content-encoding", "transfer-encoding", "cache-control")
_KINDS = {SSE: "an event stream", NDJSON: "lines of JSON", "pieces": "no events"}


class Difference(NamedTuple):
    """A difference: what it is about, and what it is."""

    about: str
    text: str


class _Shape:
    """What the events of an answer have in common."""

    def __init__(self, exchange: Exchange) -> None:
        self.kind = kind_of(exchange)
        self.types: dict[str, dict[str, set[str]]] = {}
        self.labels: Counter[str] = Counter()
        self.order: list[str] = []
        self.endings: set[str] = set()
        self.fields: dict[str, str] = {}
        times: list[int] = []
        for event in events_of(exchange):
            times.append(event.at_us)
            self._note(event)
        gaps = sorted(after - before for before, after in pairwise(times))
        self.first_us = times[0] - (exchange.head_us or 0) if times else None
        self.gap_us = gaps[len(gaps) // 2] if gaps else None

    def _note(self, event: Seen) -> None:
        fields = fields_of(event.raw) if self.kind == SSE else None
        data = fields.data if fields is not None else event.raw.decode("utf-8", "replace").strip()
        value = _json(data)
        label = (fields and fields.type) or _label(value, data)
        self.labels[label] += 1
        if not self.order or self.order[-1] != label:
            self.order.append(label)
        known = self.types.setdefault(label, {})
        if self.kind == SSE:
            ending = event.raw[len(event.raw.rstrip(b"\r\n")) :]
            self.endings.add("CRLF" if b"\r\n" in ending else "CR" if b"\r" in ending else "LF")
            known |= (
                {f"field {name}": {"text"} for name, text in fields._asdict().items() if text is not None}
                if fields
                else {}
            )
        for path, type in _types(value, ""):
            known.setdefault(path, set()).add(type)


def differences(first: Exchange, second: Exchange, *, exact: bool = False) -> list[Difference]:
    """What is different in the second exchange: in status, headers, framing, events, their keys and types, their order,
    their pace and the end. If `exact`, in bytes, pieces and headers too."""
    found = [*_heads(first, second, exact)]
    one, two = _Shape(first), _Shape(second)
    found += [*_framing(one, two), *_events(one, two), *_keys(one, two), *_pace(one, two)]
    if first.how != second.how:
        found.append(Difference("end", f"{first.how} became {second.how}"))
    if exact:
        found += _bytes(first, second)
    return found


def _heads(first: Exchange, second: Exchange, exact: bool) -> Iterator[Difference]:
    one, two = first.head, second.head
    if one is None or two is None:
        if one is not two:
            yield Difference("status", f"there is no answer in the {'first' if one is None else 'second'}")
        return
    if one.status != two.status:
        yield Difference("status", f"{one.status} became {two.status}")
    names = sorted({name.lower() for name, _ in one.headers + two.headers})
    for name in names:
        before, after = header(one.headers, name), header(two.headers, name)
        if not before or not after:
            yield Difference("headers", f"{name} is {'new' if after else 'gone'}")
        elif before != after and (exact or name in _DESCRIBED):
            yield Difference("headers", f"{name}: {before} became {after}")


def _framing(one: _Shape, two: _Shape) -> Iterator[Difference]:
    if one.kind != two.kind:
        yield Difference("framing", f"{_KINDS[one.kind]} became {_KINDS[two.kind]}")
    elif one.endings and two.endings and one.endings != two.endings:
        before, after = (" and ".join(sorted(shape.endings)) for shape in (one, two))
        yield Difference("framing", f"lines ended in {before} and end in {after}")


def _events(one: _Shape, two: _Shape) -> Iterator[Difference]:
    for label in [*one.labels, *(label for label in two.labels if label not in one.labels)]:
        if not one.labels[label] or not two.labels[label]:
            yield Difference("events", f"{label} is {'new' if two.labels[label] else 'gone'}")
    common = [
        [label for label, _ in groupby(filter(shape.labels.__contains__, own.order))]
        for own, shape in ((one, two), (two, one))
    ]
    for number, (before, after) in enumerate(zip_longest(*common), start=1):
        if before != after:
            text = f"run {number} was of {before or 'nothing'} and is of {after or 'nothing'}"
            yield Difference("order", text)
            return


def _keys(one: _Shape, two: _Shape) -> Iterator[Difference]:
    for label in filter(two.types.__contains__, one.types):
        before, after = one.types[label], two.types[label]
        changed: list[str] = []
        for path in sorted(before.keys() | after.keys()):
            if before.get(path) == after.get(path) or any(_is_below(path, place) for place in changed):
                continue
            changed.append(path)
            if len(changed) <= _MOST_SHOWN:
                yield _key(f"{label}: {path}", before.get(path), after.get(path))
        if len(changed) > _MOST_SHOWN:
            yield Difference("keys", f"{label}: {len(changed) - _MOST_SHOWN} more")


def _key(place: str, before: set[str] | None, after: set[str] | None) -> Difference:
    if after is None:
        return Difference("keys", f"{place} is gone")
    if before is None:
        return Difference("keys", f"{place} is new ({_words(after)})")
    return Difference("types", f"{place} was {_words(before)} and is {_words(after)}")


def _is_below(path: str, place: str) -> bool:
    return path.startswith((f"{place}.", f"{place}[]"))


def _pace(one: _Shape, two: _Shape) -> Iterator[Difference]:
    for what, before, after, least in (
        ("the first event", one.first_us, two.first_us, _LEAST_FIRST_US),
        ("the pause between events", one.gap_us, two.gap_us, _LEAST_GAP_US),
    ):
        if before is None or after is None or max(before, after) < least:
            continue
        if max(before, after) >= SLOWER * max(1, min(before, after)):
            yield Difference("timing", f"{what} was {before / 1000:.1f} ms and is {after / 1000:.1f} ms")


def _bytes(first: Exchange, second: Exchange) -> Iterator[Difference]:
    if first.output_bytes != second.output_bytes:
        yield Difference("bytes", f"{first.output_bytes:,} bytes became {second.output_bytes:,}")
    one, two = _Bytes(first), _Bytes(second)
    at = 0
    while True:
        size = min(one.left(), two.left())
        before, after = one.take(size), two.take(size)
        if before != after:
            at += next(place for place, pair in enumerate(zip(before, after, strict=True)) if pair[0] != pair[1])
            yield Difference("bytes", f"the first different byte is number {at:,}")
            break
        if not size:
            break
        at += size
    pieces = [[len(data) for _, data in exchange.output()] for exchange in (first, second)]
    if pieces[0] != pieces[1]:
        yield Difference(
            "bytes", f"they came in {len(pieces[0]):,} pieces, and in {len(pieces[1]):,} or at other borders"
        )


class _Bytes:
    """The bytes of an answer, read piece by piece."""

    def __init__(self, exchange: Exchange) -> None:
        self._pieces = exchange.output()
        self._held = b""

    def left(self) -> int:
        """The number of bytes that can be taken at once; 0 at the end."""
        while not self._held:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._held = piece[1]
        return len(self._held)

    def take(self, size: int) -> bytes:
        taken, self._held = self._held[:size], self._held[size:]
        return taken


def _json(data: str | None) -> Any:
    try:
        return json.loads(data) if data is not None else None
    except (ValueError, RecursionError):
        return data


def _label(value: Any, data: str | None) -> str:
    """What an event is called that does not say it by itself."""
    if isinstance(value, dict):
        named = (value.get(name) for name in ("type", "object", "event", "kind"))
        return next((name for name in named if name and isinstance(name, str)), "object")
    if value is None and data is None:
        return "comment"
    return data[:40] if data is not None and isinstance(value, str) and len(data) <= 40 else "text"


def _types(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """The JSON types of every place in a value."""
    if path:
        yield path, _TYPES.get(type(value), "null")
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _types(item, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list):
        for item in value:
            yield from _types(item, f"{path}[]")


def _words(types: set[str]) -> str:
    return " or ".join(sorted(types))
