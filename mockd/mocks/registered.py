"""The running form of a mock, and the content of its streams: as long as that stays the same, its streams go on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from mockd.config.files import data_names, resolve_file
from mockd.config.load import MockSpec
from mockd.config.models import KINDS
from mockd.errors import ConfigError
from mockd.jsontext import encode_large_json
from mockd.matching import capture_names
from mockd.mocks.choice import Choice, ReadyPart
from mockd.mocks.counters import Counters
from mockd.request import RequestView

if TYPE_CHECKING:
    from mockd.streaming.sessions.resume import Sessions

Files = tuple[tuple[str, int, int], ...]
"""A mock's data files when they were read: path, time of the last change in nanoseconds, size in bytes."""


class Registered(Struct, frozen=True):
    """A mock ready to run, with the `content` and `files` from which its parts were made. `only` is the part that
    answers every request; None if there is a `choice`."""

    spec: MockSpec
    parts: tuple[ReadyPart, ...]
    counters: Counters
    content: bytes
    files: Files
    choice: Choice | None = None
    only: ReadyPart | None = None

    @property
    def sessions(self) -> Iterator[Sessions]:
        """The sessions of the parts that resume."""
        return (part.sessions for part in self.parts if part.sessions is not None)

    def fits(self, request: RequestView) -> bool:
        """Whether the mock still matches a request that its rule matched. Belongs to the thread of the event loop."""
        return self.choice is None or self.choice.fits(request)

    def chosen(self, request: RequestView) -> ReadyPart:
        """The part that answers a request that fits, which takes effect on the answers to later requests."""
        return self.parts[0] if self.choice is None else self.choice.made_for(request)

    def has_new_files(self) -> bool:
        """Whether the mock's data files have changed. A missing file counts as unchanged, so that it does not prevent
        changes to other mocks."""
        try:
            return files_of(self.spec) != self.files
        except (ConfigError, OSError):
            return False


def content_of(spec: MockSpec) -> bytes:
    """The configuration from which a mock's streams are made, without its data files, as JSON: its answers, the names
    of the captures that expressions in them may use, its faults, and whether there is something around it."""
    given = {key: spec.values.get(key) for key in (*KINDS, "responses", "then")}
    answers = {key: value for key, value in given.items() if value is not None}
    root = ascii(str(spec.root)) if data_names(spec.values) else None  # its name may have bytes that are not UTF-8
    return encode_large_json(
        [
            answers,
            root,
            capture_names(spec.mock.matcher),
            spec.values.get("faults"),
            spec.mock.profile,
            spec.around is not None,
        ]
    )


def files_of(spec: MockSpec) -> Files:
    """A mock's data files in their present state. Raises `ConfigError` if one is missing."""
    found = []
    for path, name in data_names(spec.values).items():
        file: Path = resolve_file(str(name), spec.root, path=path)
        stat = file.stat()
        found.append((str(file), stat.st_mtime_ns, stat.st_size))
    return tuple(found)
