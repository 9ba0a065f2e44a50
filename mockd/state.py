"""What was changed while running, kept apart from the configuration files, and on disk where that is asked for."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from mockd.config.load import MockSpec, Origin, parse_mock
from mockd.errors import ConfigError, MockdError

FORMAT = 1


class StateError(MockdError):
    """The state file cannot be written: what was asked has not been done."""

    code = "state_error"


@dataclass(frozen=True, slots=True)
class Changes:
    """Mocks that were added or changed through the admin API, ids of those that were deleted, and the order of all."""

    changed: Mapping[str, MockSpec] = field(default_factory=dict)
    deleted: frozenset[str] = frozenset()
    order: tuple[str, ...] = ()

    def over(self, specs: Sequence[MockSpec]) -> list[MockSpec]:
        """The configured mocks with these changes over them."""
        by_id = {spec.id: spec for spec in specs if spec.id not in self.deleted} | dict(self.changed)
        known = [by_id.pop(mock_id) for mock_id in self.order if mock_id in by_id]
        return known + list(by_id.values())

    def with_mock(self, spec: MockSpec, order: Sequence[str]) -> Changes:
        return Changes({**self.changed, spec.id: spec}, self.deleted - {spec.id}, tuple(order))

    def without_mock(self, mock_id: str, order: Sequence[str]) -> Changes:
        changed = {key: spec for key, spec in self.changed.items() if key != mock_id}
        return Changes(changed, self.deleted | {mock_id}, tuple(order))

    def without_changes_to(self, mock_ids: frozenset[str]) -> Changes:
        """What is left where files have been changed since: theirs is the last word."""
        changed = {key: spec for key, spec in self.changed.items() if key not in mock_ids}
        return replace(self, changed=changed, deleted=self.deleted - mock_ids)


def read_state(file: Path) -> Changes:
    """The changes in a state file; none where there is no such file yet. Raises `ConfigError` for a broken one."""
    try:
        text = file.read_bytes()
    except FileNotFoundError:
        return Changes()
    except OSError as error:
        raise ConfigError(f"--state {file}: {error.strerror}") from None
    try:
        state = json.loads(text)
        if state["format"] != FORMAT:
            raise ConfigError(f"--state {file}: written by another version of mockd (format {state['format']})")
        changed = {entry["values"]["id"]: _read_spec(entry) for entry in state["changed"]}
        return Changes(changed, frozenset(state["deleted"]), tuple(state["order"]))
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"--state {file}: not a state file of mockd ({error!r})") from None


def write_state(file: Path, changes: Changes) -> None:
    """Put the changes on disk. The file is whole at every moment, whatever happens. Raises `StateError`."""
    state = {
        "format": FORMAT,
        "order": list(changes.order),
        "deleted": sorted(changes.deleted),
        "changed": [_write_spec(spec) for spec in changes.changed.values()],
    }
    try:
        _replace_file(file, json.dumps(state, ensure_ascii=False, indent=1).encode("utf-8", "surrogatepass"))
    except OSError as error:
        raise StateError(f"cannot write the state file {file}: {error.strerror}; nothing was changed") from None


def _replace_file(file: Path, content: bytes) -> None:
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
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _write_spec(spec: MockSpec) -> dict[str, Any]:
    entry: dict[str, Any] = {"values": spec.values}
    if spec.root is not None:
        entry["root"] = str(spec.root)
    if not spec.origin.literal:
        entry["doc"] = spec.doc
    return entry


def _read_spec(entry: dict[str, Any]) -> MockSpec:
    root = Path(entry["root"]) if "root" in entry else None
    spec = parse_mock(entry["values"], root=root)
    if "doc" not in entry:
        return spec
    return replace(spec, doc=entry["doc"], origin=Origin(literal=False))
