"""Tests run in the background, and under nohup, as they do without: what they start is not deaf to signals."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PATIENCE_S = 120
CODE = """
import os, signal, subprocess, sys

number = int(sys.argv[1])
assert signal.getsignal(number) is signal.SIG_IGN
import tests.conftest

os.kill(os.getpid(), number)
ended = subprocess.run(["sh", "-c", f"kill -{number} $$"], check=False)
print(ended.returncode == -number)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_a_signal_that_the_tests_ignore_ends_what_they_start(number: signal.Signals) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CODE, str(int(number))],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=True,
        preexec_fn=lambda: signal.signal(number, signal.SIG_IGN),
    )
    assert done.stdout == "True\n"
