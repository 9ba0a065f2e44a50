"""The Python environments of other tools that record: one for each file of `environments/`, made when first needed.

python -m tests.recordings.environments [GROUP …] makes them without running a test.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.environments import ROOT, Environments

TOOLS = Environments(Path(__file__).with_suffix(""), ROOT / ".venv-recordings")

python_with = TOOLS.python_or_skip


if __name__ == "__main__":
    TOOLS.make(sys.argv[1:])
