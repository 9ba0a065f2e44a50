"""Where things are."""

from __future__ import annotations

from pathlib import Path

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parent
CACHE = HERE / ".cache"
"""Everything that is made or installed, and can be deleted at any time. Not in git."""
PEERS = HERE / "peers"
MOCKS = HERE / "mocks"
GENERATED = CACHE / "generated"
LOGS = CACHE / "logs"
RESULTS = HERE / "results"
PAGE = PROJECT / "docs" / "performance.md"
