"""The running form of a mock, and the content of its streams: as long as that stays the same, its streams go on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from mockd.config.files import DATA_FILES, resolve_file
from mockd.config.load import MockSpec
from mockd.errors import ConfigError
from mockd.jsontext import encode_large_json
from mockd.matching import capture_names
from mockd.mocks.counters import Counters
from mockd.program.plan import StreamPlan
from mockd.streaming.program import Program

if TYPE_CHECKING:
    from mockd.faults.chosen import Aimed
    from mockd.streaming.sessions.resume import Sessions

Files = tuple[tuple[str, int, int], ...]
"""A mock's data files when they were read: path, time of the last change in nanoseconds, size in bytes."""

KINDS = ("sse", "chunked", "response")


class Registered(Struct, frozen=True):
    """A mock ready to run, with the `content` and `files` from which its plan was made. `program` answers every request
    if one program fits all; otherwise it is None."""

    spec: MockSpec
    plan: StreamPlan
    program: Program | None
    sessions: Sessions | None
    counters: Counters
    content: bytes
    files: Files
    faults: tuple[Aimed, ...] = ()

    def has_new_files(self) -> bool:
        """Whether the mock's data files have changed. A missing file counts as unchanged, so that it does not prevent
        changes to other mocks."""
        try:
            return files_of(self.spec) != self.files
        except (ConfigError, OSError):
            return False


def kind_of(spec: MockSpec) -> str:
    """The kind of a mock, one of `KINDS`."""
    return next(kind for kind in KINDS if getattr(spec.mock, kind) is not None)


def content_of(spec: MockSpec) -> bytes:
    """The configuration from which a mock's streams are made, without its data files, as JSON: its kind's part, the
    names of the captures that expressions in it may use, and its faults."""
    kind = kind_of(spec)
    root = ascii(str(spec.root)) if any(_data_files(spec)) else None  # its name may have bytes that are not UTF-8
    return encode_large_json(
        [kind, spec.values[kind], root, capture_names(spec.mock.matcher), spec.values.get("faults"), spec.mock.profile]
    )


def files_of(spec: MockSpec) -> Files:
    """A mock's data files in their present state. Raises `ConfigError` if one is missing."""
    found = []
    for path, name in _data_files(spec):
        file: Path = resolve_file(name, spec.root, path=path)
        stat = file.stat()
        found.append((str(file), stat.st_mtime_ns, stat.st_size))
    return tuple(found)


def _data_files(spec: MockSpec) -> Iterator[tuple[tuple[str, str], str]]:
    """The data files that a mock names: the path of each field, and the name in it."""
    for path in DATA_FILES:
        part = spec.values.get(path[0])
        if isinstance(part, dict) and part.get(path[1]) is not None:
            yield path, str(part[path[1]])
