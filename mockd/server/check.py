"""Configuration files checked without serving them."""

from __future__ import annotations

from collections.abc import Sequence

from mockd.config.load import load_paths
from mockd.engine import Engine
from mockd.errors import ConfigError, Problem
from mockd.settings import Settings


def check(paths: Sequence[str]) -> list[Problem]:
    """Every problem `mockd serve --config` would refuse these files, globs and directories for."""
    try:
        Engine(Settings()).load(load_paths(paths))
    except ConfigError as error:
        return list(error.problems)
    return []
