"""The Python environments of vendors' SDKs: one for each group of `environments/`, made when a test first needs it.

python -m tests.clients.environments [GROUP …] makes them without running a test.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.environments import ROOT, Environments

CLIENTS = Environments(Path(__file__).with_suffix(""), ROOT / ".venv-clients")

if __name__ == "__main__":
    CLIENTS.make(sys.argv[1:])
