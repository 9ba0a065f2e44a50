"""The Python environments of other servers: one for each file of `environments/`, made when a test first needs it.

python -m tests.servers.environments [GROUP …] makes them without running a test.
"""

from __future__ import annotations

import sys
from pathlib import Path

import starlette

from tests.environments import ROOT, Environments

SERVERS = Environments(
    Path(__file__).with_suffix(""), ROOT / ".venv-servers", beside=Path(starlette.__file__).parents[1]
)

python_with = SERVERS.python_or_skip


if __name__ == "__main__":
    SERVERS.make(sys.argv[1:])
