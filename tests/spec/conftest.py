"""The command line, run in this process."""

from __future__ import annotations

from tests.cli.conftest import local_cli

__all__ = ["local_cli"]
