"""Checking configuration files without serving them."""

from __future__ import annotations

from collections.abc import Sequence

from mockd.config.load import load_paths
from mockd.engine import Engine
from mockd.errors import ConfigError, Problem
from mockd.settings import Settings


def check(paths: Sequence[str]) -> list[Problem]:
    """Every problem for which `mockd serve --config` would refuse these files, globs and directories."""
    try:
        engine = Engine(Settings())
        engine.load(load_paths(paths, check=engine.check))
    except ConfigError as error:
        return list(error.problems)
    return []
