"""Checking configuration files without serving them."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct, field

from mockd.config.load import load_paths
from mockd.engine import Engine
from mockd.errors import ConfigError, Problem
from mockd.settings import Settings


class Checked(Struct):
    """The result of a check: every problem for which `mockd serve --config` would refuse the files, every warning that
    it would log, and the number of mocks if there are no problems."""

    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    mocks: int = 0


def check(paths: Sequence[str]) -> Checked:
    """Check files, globs and directories."""
    checked = Checked()
    try:
        engine = Engine(Settings())
        engine.load(load_paths(paths, check=engine.check, warn=checked.warnings.append), checked.warnings.append)
    except ConfigError as error:
        checked.problems += error.problems
    else:
        checked.mocks = len(engine.mocks())
    return checked
