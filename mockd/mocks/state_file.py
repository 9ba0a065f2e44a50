"""The state file: a store that keeps on disk the changes made to mocks."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mockd import errors
from mockd.config.files import real_path
from mockd.config.load import MockSpec, Origin, parse_saved
from mockd.errors import ConfigError, MockdError
from mockd.mocks.changes import CHANGES, Changes
from mockd.store import Key, MemoryStore

FORMAT = 1


class StateError(MockdError):
    """The state file cannot be written, so the change was not made."""

    code = "state_error"


class StateFile(MemoryStore):
    """A store that keeps the changes of every scope in a file. They are on disk before `put` returns.

    The file is read at once. It need not exist yet. Raises `ConfigError` if it is malformed.
    """

    def __init__(self, file: Path, environ: Mapping[str, str] | None = None) -> None:
        super().__init__()
        self._file = real_path(file)  # if the file is a link, its target is written and the link stays
        self._writing = threading.Lock()
        self._changes = _read(self._file, os.environ if environ is None else environ)
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


def _read(file: Path, environ: Mapping[str, str]) -> dict[str, Changes]:
    if not file.parent.is_dir():
        raise ConfigError(f"--state {file}: there is no folder {file.parent}")
    try:
        text = file.read_bytes()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ConfigError(f"--state {file}: {error.strerror}") from None
    try:
        state = json.loads(text)
        if state["format"] != FORMAT:
            raise ConfigError(f"--state {file}: written by another version of mockd (format {state['format']})")
        scopes = state["scopes"].items()
        return {scope: _changes_of(saved, str(file), ("scopes", scope), environ) for scope, saved in scopes}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise ConfigError(f"--state {file}: not a state file of mockd ({reason})") from None


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


def _write(file: Path, scopes: Mapping[str, Changes]) -> None:
    state = {"format": FORMAT, "scopes": {scope: _saved(changes) for scope, changes in scopes.items()}}
    try:
        _replace_file(file, json.dumps(state, ensure_ascii=False, indent=1).encode())
    except OSError as error:
        raise StateError(f"cannot write the state file {file}: {error.strerror}; nothing was changed") from None


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


def _replace_file(file: Path, content: bytes) -> None:
    """Write a file in such a way that it is complete at every moment: first the old content, then the new."""
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(handle, "wb") as temporary:
            temporary.write(content)
            temporary.flush()
            os.fsync(temporary.fileno())
        os.replace(name, file)
    except BaseException:
        os.unlink(name)
        raise
    # The new name is on disk only after its folder is. Some file systems cannot sync a folder and need not.
    with contextlib.suppress(OSError):
        folder = os.open(file.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
