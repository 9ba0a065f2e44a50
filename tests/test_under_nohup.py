"""Tests run under nohup as they do without, as many machines run them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.programs import program

ROOT = Path(__file__).parents[1]
PATIENCE_S = 120
CODE = """
import os, signal, subprocess, sys

assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
import tests.conftest

os.kill(os.getpid(), signal.SIGHUP)
ended = subprocess.run([sys.executable, "-c", "import os; os.kill(os.getpid(), 1)"], check=False)
print(ended.returncode == -signal.SIGHUP)
"""


def test_a_program_that_a_test_starts_ends_with_its_terminal_and_the_tests_do_not() -> None:
    done = subprocess.run(
        [program("nohup"), sys.executable, "-c", CODE],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=True,
    )
    assert done.stdout == "True\n"
