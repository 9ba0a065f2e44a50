"""The state file: a store that keeps on disk the changes made to mocks."""

from __future__ import annotations

import errno
import json
import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mockd import errors
from mockd.config.load import MockSpec, Origin, parse_saved
from mockd.errors import ConfigError, MockdError
from mockd.mocks.changes import CHANGES, Changes
from mockd.mocks.owned_file import OwnedFile
from mockd.store import Key, MemoryStore

FORMAT = 1


class StateError(MockdError):
    """The state file cannot be written, so the change was not made."""

    code = "state_error"


class StateFile(MemoryStore):
    """A store that keeps the changes of every scope in a file. They are on disk before `put` returns.

    The file is read at once. It need not exist yet. Raises `ConfigError` if it is malformed or cannot be written, or
    if another process has it.
    """

    def __init__(self, file: Path, environ: Mapping[str, str] | None = None) -> None:
        super().__init__()
        self._file = OwnedFile(file)
        self._writing = threading.Lock()
        self._changes = _opened(self._file, os.environ if environ is None else environ)
        for scope, changes in self._changes.items():
            super().put(scope, CHANGES, changes)

    def put(self, scope: str, key: Key, value: Any) -> None:
        """Keep a value in memory, and changes also in the file. Raises `StateError` if they cannot be written."""
        if key == CHANGES:
            with self._writing:
                changes = {**self._changes, scope: value}
                _write(self._file, changes)
                self._changes = changes
        super().put(scope, key, value)


def _opened(file: OwnedFile, environ: Mapping[str, str]) -> dict[str, Changes]:
    """The changes in a state file, which belongs to this process from now on."""
    option = f"--state {file.path}"
    if not file.path.parent.is_dir():
        raise ConfigError(f"{option}: there is no folder {file.path.parent}")
    try:
        file.read()  # before there is a lock file beside what is no file
        file.own()
        content = file.read()
    except BlockingIOError as error:
        raise ConfigError(f"{option}: {error.strerror}", hint=_ONE_PROCESS) from None
    except OSError as error:
        raise ConfigError(f"{option}: {error.strerror}") from None
    changes = {} if content is None else _parsed(content, option, str(file.path), environ)
    try:
        file.try_replacing(content)
    except OSError as error:
        hint = "mount its folder, not the file" if error.errno == errno.EBUSY else None
        raise ConfigError(f"{option}: it cannot be written: {error.strerror}", hint=hint) from None
    return changes


_ONE_PROCESS = "give each process a file of its own; a server with a state file has one worker"


def _parsed(content: bytes, option: str, source: str, environ: Mapping[str, str]) -> dict[str, Changes]:
    try:
        state = json.loads(content)
        if state["format"] != FORMAT:
            raise ConfigError(f"{option}: written by another version of mockd (format {state['format']})")
        scopes = state["scopes"].items()
        return {scope: _changes_of(saved, source, ("scopes", scope), environ) for scope, saved in scopes}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise ConfigError(f"{option}: not a state file of mockd ({reason})") from None


def _changes_of(saved: dict[str, Any], source: str, path: errors.Path, environ: Mapping[str, str]) -> Changes:
    specs = [
        parse_saved(
            entry["mock"],
            root=Path(entry["root"]) if "root" in entry else None,
            origin=Origin(source, (*path, "changed", index, "mock"), literal=not entry.get("environment", False)),
            environ=environ,
        )
        for index, entry in enumerate(saved["changed"])
    ]
    return Changes({spec.id: spec for spec in specs}, frozenset(saved["deleted"]), tuple(saved["order"]))


def _write(file: OwnedFile, scopes: Mapping[str, Changes]) -> None:
    state = {"format": FORMAT, "scopes": {scope: _saved(changes) for scope, changes in scopes.items()}}
    # The name of a folder may have bytes that are not UTF-8, which are halves of surrogate pairs in Python's text. As
    # escapes they can be read again.
    content = json.dumps(state, ensure_ascii=False, indent=1).encode("utf-8", "backslashreplace")
    try:
        file.own()  # a process that was forked must not write
        file.replace(content)
    except OSError as error:
        raise StateError(f"cannot write the state file {file.path}: {error.strerror}; nothing was changed") from None


def _saved(changes: Changes) -> dict[str, Any]:
    changed = [_saved_spec(spec) for spec in changes.changed.values()]
    return {"order": list(changes.order), "deleted": sorted(changes.deleted), "changed": changed}


def _saved_spec(spec: MockSpec) -> dict[str, Any]:
    entry: dict[str, Any] = {"mock": spec.doc}
    if spec.root is not None:
        entry["root"] = str(spec.root)
    if not spec.origin.literal:
        entry["environment"] = True
    return entry
