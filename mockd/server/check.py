"""Checking configuration files and recordings without serving them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct, field

from mockd.config.files import find_files
from mockd.config.load import load_paths
from mockd.engine import Engine
from mockd.errors import ConfigError, Problem
from mockd.settings import Settings

_RECORDING = ".stream.jsonl"


class Checked(Struct):
    """The result of a check: every problem for which `mockd serve --config` would refuse the files, every warning that
    it would log, and the number of mocks if there are no problems. `recordings` is the number of exchanges in files of
    recordings, of which a line that cannot be read is a problem."""

    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    mocks: int = 0
    recordings: int = 0


def check(paths: Sequence[str]) -> Checked:
    """Check files, globs and directories."""
    checked = Checked()
    recordings = {path: files for path in paths if (files := _recordings(path))}
    for file in (file for files in recordings.values() for file in files):
        _check_recording(file, checked)
    paths = [path for path in paths if path not in recordings or _has_configuration(path)]
    if paths:
        _check_configuration(paths, checked)
    return checked


def _recordings(path: str) -> list[Path]:
    """The recordings that are meant by a path."""
    if os.path.isdir(path):
        return sorted(Path(path).glob(f"*{_RECORDING}"))
    if not path.endswith(_RECORDING):
        return []
    if os.path.exists(path):
        return [Path(path)]
    import glob

    return sorted(map(Path, glob.glob(path))) or [Path(path)]


def _has_configuration(path: str) -> bool:
    return os.path.isdir(path) and not find_files([path])[1]


def _check_recording(file: Path, checked: Checked) -> None:
    from mockd.recordings.reading import Remarks, exchanges

    try:
        checked.recordings += sum(1 for _ in exchanges(file, Remarks(checked.problems, checked.warnings)))
    except ConfigError as error:
        checked.problems += error.problems


def _check_configuration(paths: Sequence[str], checked: Checked) -> None:
    try:
        engine = Engine(Settings())
        engine.load(load_paths(paths, check=engine.check, warn=checked.warnings.append), checked.warnings.append)
    except ConfigError as error:
        checked.problems += error.problems
    else:
        checked.mocks = len(engine.mocks())
