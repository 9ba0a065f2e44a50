"""The parts of a mock that give answers: its one kind, or the entries of its `responses`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from mockd.config.models import KINDS, ChunkedConfig, Mock, ProxyConfig, ResponseConfig, SequenceEntry, SseConfig
from mockd.errors import Path

AnswerConfig = SseConfig | ChunkedConfig | ResponseConfig | ProxyConfig


class Part(Struct, frozen=True):
    """One answer of a mock: its kind, its configuration, and the faults that it has besides those of the mock. `place`
    is the path of the entry that it is in; empty if the mock gives only one answer."""

    kind: str
    config: AnswerConfig
    place: Path = ()
    faults: list[Any] = []

    @property
    def path(self) -> Path:
        """The path of the configuration in the mock."""
        return (*self.place, self.kind)

    @property
    def entry(self) -> int | None:
        """The index of the part in `responses`; None if the mock gives only one answer."""
        return self.place[1] if self.place else None  # type: ignore[return-value]

    @property
    def within(self) -> str:
        """What the names of its own counters begin with."""
        return own_counters(self.entry)


def own_counters(entry: int | None) -> str:
    """What the names of counters begin with that belong to one entry of `responses`; empty for a mock's only answer."""
    return "" if entry is None else f"responses/{entry}/"


def parts_of(mock: Mock) -> list[Part]:
    """The parts of a mock, in order."""
    if mock.responses is None:
        return [_part(mock)]
    return [_part(entry, ("responses", index), entry.faults) for index, entry in enumerate(mock.responses)]


def _part(holder: Mock | SequenceEntry, place: Path = (), faults: list[Any] | None = None) -> Part:
    kind, config = next((kind, config) for kind in KINDS if (config := getattr(holder, kind)) is not None)
    return Part(kind, config, place, faults or [])


def holders_in(mock: object) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The objects of an unchecked mock that may have a part: the mock itself, and the entries of its `responses`; each
    with its path."""
    if isinstance(mock, dict):
        yield (), mock
        entries = mock.get("responses")
        for index, entry in enumerate(entries if isinstance(entries, list) else ()):
            if isinstance(entry, dict):
                yield ("responses", index), entry
