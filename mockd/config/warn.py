"""Warnings about a configuration that can be used all the same. They are problems for which nothing is refused."""

from __future__ import annotations

import logging
from collections.abc import Callable

from mockd.errors import Problem

Warn = Callable[[Problem], None]
"""What is done with a warning: it is logged, printed or put into an answer."""

_log = logging.getLogger("mockd")


def log_warning(problem: Problem) -> None:
    """Log a warning with its place and its cure."""
    _log.warning("%s", problem)
