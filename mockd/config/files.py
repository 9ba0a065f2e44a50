"""Finding files: configuration files named on the command line, and data files named by mocks."""

from __future__ import annotations

import os
import pathlib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from mockd import errors
from mockd.config.documents import Document, read_file
from mockd.config.environment import expand
from mockd.config.parts import holders_in
from mockd.config.paths import at
from mockd.config.shape import split
from mockd.errors import ConfigError, Problem

_DATA_FILES = (
    ("sse", "eventsFile"),
    ("chunked", "eventsFile"),
    ("chunked", "dataFile"),
    ("response", "bodyFile"),
    *((kind, "recording") for kind in ("sse", "chunked", "response")),
)
"""Paths of the fields of a part that name a data file."""

SUFFIXES = (".json", ".yaml", ".yml")
RECORDING_SUFFIX = ".stream.jsonl"
"""The end of the names of recordings."""


class Found(Struct, frozen=True):
    """A configuration file. `named` is true if the user named the file itself, not a directory or pattern."""

    path: pathlib.Path
    named: bool


def find_files(paths: Sequence[str]) -> tuple[list[Found], list[Problem]]:
    """The files that are meant by paths, directories and glob patterns, each once, and a problem for each text that
    leads to no file."""
    found: dict[str, Found] = {}
    problems: list[Problem] = []
    for text in paths:
        path = pathlib.Path(text)
        if os.path.isdir(text):
            files, complaint = _listed(path), f"there is no {', '.join('*' + s for s in SUFFIXES)} in this directory"
        elif os.path.exists(text):
            files, complaint = [path], ""
        elif any(char in text for char in "*?["):
            files = [file for file in _matching(text) if os.path.isfile(file)]
            complaint = "no file matches this pattern"
        else:
            files, complaint = [], "there is no such file"
        if not files:
            problems.append(Problem(complaint, source=text))
        for file in files:
            key = os.path.realpath(file)
            if key not in found or file == path:
                found[key] = Found(file, file == path)
    return list(found.values()), problems


def _listed(directory: pathlib.Path) -> list[pathlib.Path]:
    files = (file for suffix in SUFFIXES for file in directory.glob(f"*{suffix}") if not file.name.startswith("."))
    return sorted(file for file in files if os.path.isfile(file))


def recordings_in(path: str) -> tuple[list[pathlib.Path], bool]:
    """The recordings that a path, directory or glob pattern names, in the order recorded; and whether it names other
    files too."""
    if os.path.isdir(path):
        found = [file for file in pathlib.Path(path).iterdir() if not file.name.startswith(".")]
        has_others = any(file.suffix in SUFFIXES for file in found)
    else:
        found = [pathlib.Path(path)] if os.path.exists(path) else _matching(path)
        has_others = any(not file.name.endswith(RECORDING_SUFFIX) for file in found)
    recordings = (file for file in found if file.name.endswith(RECORDING_SUFFIX) and file.is_file())
    return sorted(recordings, key=_in_order), has_others


def _in_order(file: pathlib.Path) -> tuple[str, int, str]:
    number = re.match("[0-9]{1,9}", file.name)
    return str(file.parent), int(number[0]) if number else -1, file.name


def _matching(pattern: str) -> list[pathlib.Path]:
    if not any(char in pattern for char in "*?["):
        return []
    import glob

    return sorted(map(pathlib.Path, glob.glob(pattern, recursive=True)))


class Loaded(Struct, frozen=True):
    """The configuration files that could be read, in order, and the problems of the others."""

    documents: list[tuple[pathlib.Path, Document]]
    problems: list[Problem]
    data_files: set[pathlib.Path]


def read_files(paths: Sequence[str], environ: Mapping[str, str]) -> Loaded:
    """Read configuration files. A file found through a directory or pattern is left out if a mock names it as its
    data file."""
    found, problems = find_files(paths)
    read: list[tuple[Found, Document | ConfigError]] = []
    data_files: set[pathlib.Path] = set()
    for file in found:
        try:
            document = read_file(file.path)
        except ConfigError as error:
            read.append((file, error))
            continue
        read.append((file, document))
        data_files |= set(_data_files(document.value, file.path, environ))
    documents: list[tuple[pathlib.Path, Document]] = []
    for file, result in read:
        if not file.named and real_path(file.path) in data_files:
            continue
        if isinstance(result, ConfigError):
            problems += result.problems
        else:
            documents.append((file.path, result))
    return Loaded(documents, problems, data_files)


def _data_files(value: Any, file: pathlib.Path, environ: Mapping[str, str]) -> Iterator[pathlib.Path]:
    """The data files named by the mocks of a document, valid or not, but never the document's own file."""
    own = real_path(file)
    for entry in split(value).entries:
        for mock in (entry.value, entry.value.get("http")) if isinstance(entry.value, dict) else ():
            for name in data_names(mock).values():
                if isinstance(name, str):
                    data_file = _resolved(file.parent / expand(name, environ)[0])
                    if data_file and data_file != own:
                        yield data_file


def data_names(mock: object) -> dict[errors.Path, Any]:
    """The names of the data files of an unchecked mock, by the path of the field that has it."""
    return {
        (*place, *path): name
        for place, holder in holders_in(mock)
        for path in _DATA_FILES
        if (name := at(holder, path)) is not None
    }


def real_path(path: pathlib.Path) -> pathlib.Path:
    """A path with its links followed. One that leads in a loop stays: Python's `resolve` raises an error then, and only
    in some versions."""
    return pathlib.Path(os.path.realpath(path))


def _resolved(path: pathlib.Path) -> pathlib.Path | None:
    try:
        return real_path(path)
    except (OSError, ValueError):  # a NUL, a name that is too long
        return None


def resolve_file(name: str, root: pathlib.Path | None, *, path: errors.Path) -> pathlib.Path:
    """The data file `name` in the folder `root`. Links are followed first: their target must be in `root` too.

    Raises `ConfigError` at `path` if the name leads out of `root` or to no file, and if `root` is None.
    """
    if root is None:
        hint = "start the server with --files-root FOLDER, or put the mock in a file beside its data"
        raise ConfigError("data files cannot be used here", path=path, hint=hint)
    file, base = _resolved(root / name), real_path(root)
    if file is None:
        raise ConfigError(f"{name!r} leads nowhere", path=path)
    if not file.is_relative_to(base):
        hint = "a data file must be in the folder of the configuration file, or below"
        raise ConfigError(f"{name!r} leads out of the folder it must be in", path=path, hint=hint)
    if not os.path.isfile(file):
        raise ConfigError(f"there is no file {name!r}", path=path, hint=f"looked for {file}")
    return file
