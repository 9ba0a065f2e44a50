"""Streams as real services sent them: what their events have in common, and what is said of ours beside them.

`MOCKD_RECORDINGS` names a folder with a folder for each provider, of files with one JSON payload a line.
"""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

FOLDER = os.environ.get("MOCKD_RECORDINGS", "")

Payload = dict[str, Any]
KindOf = Callable[[Payload], str]
Types = dict[str, set[str]]
"""The JSON types of each key of an object."""

_NAMES = {dict: "object", list: "array", str: "string", bool: "boolean", int: "number", float: "number"}


def type_of(value: Any) -> str:
    return _NAMES.get(type(value), "null")


def type_key(payload: Payload) -> str:
    """The kind of an event that says it."""
    return str(payload["type"])


@dataclass(frozen=True)
class Recordings:
    """The recordings of one provider. `trusted` are the files that decide which keys there are; all of them say which
    types and words are known, and in which order events come."""

    folder: str
    trusted: tuple[str, ...] = ("*",)
    kind_of: KindOf = type_key
    words: tuple[str, ...] = ()
    """Keys whose values are the provider's words."""
    free: tuple[str, ...] = ()
    """Keys under which objects are the user's."""
    anywhere: tuple[str, ...] = ()
    """Kinds of events that come at any time."""
    beyond: tuple[str, ...] = ()
    """Places of keys that are right though no recording has them: the recordings are older."""

    def files(self, *names: str) -> list[Path]:
        return sorted({file for name in names for file in Path(FOLDER, self.folder).glob(f"{name}.chunks.txt")})

    def streams(self, *names: str) -> Iterator[list[Payload]]:
        """The streams in these files; some have several, one after the other."""
        for file in self.files(*names):
            stream: list[Payload] = []
            for line in filter(None, file.read_text(encoding="utf-8").splitlines()):
                payload = json.loads(line)
                if stream and self.kind_of(payload) == self.kind_of(stream[0]) != self.kind_of(stream[-1]):
                    yield stream
                    stream = []
                stream.append(payload)
            yield stream

    def order_of(self, stream: Iterable[Payload]) -> list[str]:
        """The kinds of a stream's events, repeats as one."""
        kinds = (self.kind_of(payload) for payload in stream)
        return [kind for kind, _ in groupby(kind for kind in kinds if kind not in self.anywhere)]

    def objects(self, payload: Payload) -> Iterator[tuple[str, Payload]]:
        """Every object in an event, with its place."""
        yield from _objects(payload, self.kind_of(payload), self.free)


def _objects(value: Any, place: str, free: tuple[str, ...]) -> Iterator[tuple[str, Payload]]:
    if isinstance(value, list):
        for item in value:
            yield from _typed_objects(item, f"{place}[]", free)
    elif isinstance(value, dict):
        yield place, value
        for key, item in value.items():
            if key not in free:
                yield from _typed_objects(item, f"{place}.{key}", free)


def _typed_objects(value: Any, place: str, free: tuple[str, ...]) -> Iterator[tuple[str, Payload]]:
    """Those of a value within an event: objects of several types may stand in the same place."""
    is_typed = isinstance(value, dict) and isinstance(value.get("type"), str)
    return _objects(value, f"{place}<{value['type']}>" if is_typed else place, free)


@dataclass
class Known:
    """What is known of a provider's events: by place, the keys that objects always have, and those they ever have with
    their types; the words; the orders of events."""

    always: dict[str, set[str]] = field(default_factory=dict)
    ever: dict[str, Types] = field(default_factory=lambda: defaultdict(lambda: defaultdict(set)))
    words: Types = field(default_factory=lambda: defaultdict(set))
    orders: list[list[str]] = field(default_factory=list)


def learn(recordings: Recordings) -> Known:
    known = Known()
    trusted: dict[str, set[str]] = {}
    for stream in recordings.streams(*recordings.trusted):
        for payload in stream:
            _narrow(trusted, recordings.objects(payload))
    for stream in recordings.streams("*"):
        known.orders.append(recordings.order_of(stream))
        for payload in stream:
            found = list(recordings.objects(payload))
            _narrow(known.always, found)
            for place, value in found:
                types = known.ever[place]
                for key, item in value.items():
                    types[key].add(type_of(item))
                    if key in recordings.words and isinstance(item, str):
                        known.words[key].add(item)
    known.always |= trusted
    return known


def _narrow(always: dict[str, set[str]], objects: Iterable[tuple[str, Payload]]) -> None:
    for place, value in objects:
        always[place] = always.get(place, set(value)) & set(value)


def differences(recordings: Recordings, known: Known, stream: list[Payload]) -> list[str]:
    """What of our stream no real service would send."""
    found = []
    for place, value in (one for payload in stream for one in recordings.objects(payload)):
        if place not in known.ever:
            found.append(f"{place}: no such object")
            continue
        found += [f"{place}.{key}: missing" for key in sorted(known.always[place] - value.keys())]
        for key, item in value.items():
            types = known.ever[place].get(key)
            if f"{place}.{key}" in recordings.beyond:
                continue
            if types is None:
                found.append(f"{place}.{key}: no such key")
            elif type_of(item) not in types:
                found.append(f"{place}.{key}: {type_of(item)} in the place of {' or '.join(sorted(types))}")
            elif key in recordings.words and isinstance(item, str) and item not in known.words[key]:
                found.append(f"{place}.{key}: no such word: {item}")
    return sorted(set(found))
