"""The Python environments of other servers: one for each file of `environments/`, made when a test first needs it.

python -m tests.servers.environments [GROUP …] makes them without running a test.
"""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path
from subprocess import CalledProcessError

import pytest
import starlette

from tests.environments import ROOT, Environments, Say

SERVERS = Environments(
    Path(__file__).with_suffix(""), ROOT / ".venv-servers", beside=Path(starlette.__file__).parents[1]
)


def python_with(group: str, say: Say) -> Path:
    """The interpreter of a group, which also finds mockd's own dependencies. Skips the test if it cannot be made."""
    python = _made(group, say)
    if python is None:
        pytest.skip(f"tests/servers/environments/{group}.txt cannot be installed")
    return python


@cache
def _made(group: str, say: Say) -> Path | None:
    """The interpreter of a group; None if its packages cannot be installed, which is tried once."""
    try:
        return SERVERS.python_of(group, say)
    except CalledProcessError:
        return None


if __name__ == "__main__":
    SERVERS.make(sys.argv[1:])
