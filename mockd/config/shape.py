"""The forms that a configuration file may have: one mock, a list, or an envelope; each mock flat or nested."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from msgspec import Struct

from mockd.config.conversion import convert
from mockd.config.models import FILE_VERSION, MockFile
from mockd.config.warn import Warn
from mockd.errors import ConfigError, Path, Problem

MOCK_BOOKKEEPING = ("workspaceId", "createdAt", "updatedAt", "metaSortKey", "parentId", "syncVersion")
FILE_BOOKKEEPING = ("kind", "metadata", "serverConfig")
"""Keys that another tool called mockd writes. They are accepted and dropped."""

SCHEMA_KEY = "$schema"
"""The key by which editors find the JSON Schema of a document. It means nothing else."""

VERSIONS: tuple[str | float, ...] = (FILE_VERSION, FILE_VERSION.removesuffix(".0"), float(FILE_VERSION))
"""The spellings of the format's version that are accepted."""


Report = Callable[[Problem], Problem]
"""Gives a problem whose path begins at a document, with the place of that document."""


class Entry(Struct, frozen=True):
    """One mock as it is written, and its path in the document."""

    value: Any
    path: Path


class Collection(Struct, frozen=True):
    """The mocks of a document, and the problems of the envelope around them. `root` is the path of their list, or None
    if the document is one mock."""

    mocks: list[Any]
    root: Path | None
    problems: list[Problem]

    @property
    def entries(self) -> Iterator[Entry]:
        """The mocks with their paths, made one by one: a list of a million entries would take long to free."""
        for index, mock in enumerate(self.mocks):
            yield Entry(mock, () if self.root is None else (*self.root, index))


def is_envelope(value: object) -> bool:
    return isinstance(value, dict) and any(key in value for key in ("mocks", "version", *FILE_BOOKKEEPING))


def split(value: Any) -> Collection:
    """The mocks of a document of any form."""
    if isinstance(value, list):
        return Collection(value, (), [])
    if not is_envelope(value):
        return Collection([value], None, [])
    mocks = value.get("mocks")
    header = {key: item for key, item in value.items() if key not in (SCHEMA_KEY, *FILE_BOOKKEEPING)}
    if isinstance(mocks, list):
        header["mocks"] = []
    try:
        _check_version(convert(header, MockFile))
        problems: list[Problem] = []
    except ConfigError as error:
        problems = list(error.problems)
    return Collection(mocks if isinstance(mocks, list) else [], ("mocks",), problems)


def _check_version(file: MockFile) -> None:
    if file.version not in VERSIONS:
        message = f"version {file.version} is not one this mockd reads"
        raise ConfigError(message, path=("version",), hint=f"it needs `{FILE_VERSION}`")


def nested_keys(value: Any) -> frozenset[str]:
    """The keys of a mock that are written inside `http`."""
    inner = value.get("http") if isinstance(value, dict) else None
    return frozenset(inner) if isinstance(inner, dict) else frozenset()


def flatten(value: Any) -> dict[str, Any]:
    """A mock in its flat form, without bookkeeping keys. The paths in a `ConfigError` are those of the written form."""
    if not isinstance(value, dict):
        raise ConfigError(f"a mock is an object, not {_kind(value)}")
    if value.get("type", "http") != "http":
        message = f"mocks of type {value['type']!r} are not served here"
        raise ConfigError(message, path=("type",), hint="only type `http` is")
    inner = value.get("http", {})
    if not isinstance(inner, dict):
        raise ConfigError(f"expected an object, got {_kind(inner)}", path=("http",))
    outer = {key: item for key, item in value.items() if key not in _NOT_FLAT}
    for key in inner:
        if key in outer:
            raise ConfigError(f"`{key}` is given here and outside `http`", path=("http", key))
    return outer | inner


_NOT_FLAT = frozenset(("type", "http", SCHEMA_KEY, *MOCK_BOOKKEEPING))


def _kind(value: object) -> str:
    if value is None:
        return "null"
    return "a list" if isinstance(value, list) else "text" if isinstance(value, str) else f"{value!r}".lower()


def warn_of_dropped(values: Iterable[tuple[Any, Report]], warn: Warn) -> None:
    """Give one warning with all the bookkeeping keys that these documents have, as these keys have no effect. Its place
    is the first of them, as the `Report` of its document tells it."""
    names: dict[str, None] = {}
    first: tuple[Report, Path] | None = None
    for value, report in values:
        for path in _dropped(value):
            first = first or (report, path)
            names[str(path[-1])] = None
    if first is not None:
        report, path = first
        message = f"ignored, as they mean nothing here: {', '.join(f'`{name}`' for name in names)}"
        warn(report(Problem(message, path)))


def _dropped(value: Any) -> Iterator[Path]:
    """The paths of the bookkeeping keys in a document."""
    if is_envelope(value):
        yield from ((key,) for key in FILE_BOOKKEEPING if key in value)
    for entry in split(value).entries:
        if isinstance(entry.value, dict):
            yield from ((*entry.path, key) for key in MOCK_BOOKKEEPING if key in entry.value)
