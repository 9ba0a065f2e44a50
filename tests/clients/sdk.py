"""A vendor's SDK in its own environment, used on a running mockd."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
PATIENCE_S = 120.0
_KEPT = ("HOME", "LANG", "PATH", "TMPDIR")
"""Variables that a client is given: none of them points it at a real service or says a real key."""


class Saw:
    """What the scenarios of an SDK saw. Asking for one that failed fails the test, with the SDK's own traceback."""

    def __init__(self, results: dict[str, dict[str, Any]]) -> None:
        self.results = results

    def __getitem__(self, scenario: str) -> Any:
        result = self.results[scenario]
        if "traceback" in result:
            pytest.fail(f"scenario {scenario}:\n{result['traceback']}", pytrace=False)
        return result["saw"]


def run_scenarios(python: Path, name: str, url: str) -> Saw:
    """Run all of `scenarios/<name>.py` in one process of that interpreter, on the server at `url`."""
    return Saw(json.loads(run_python(python, str(HERE / "runner.py"), str(HERE / "scenarios" / f"{name}.py"), url)))


def run_python(python: Path, *arguments: str) -> str:
    """What the interpreter prints, far from this project's own modules."""
    return run_program(str(python), "-I", *arguments)


def run_program(*words: str, stdin: str = "", folder: Path | None = None) -> str:
    """What a program prints. What goes wrong fails the test, with what the program said."""
    environ = {name: os.environ[name] for name in _KEPT if name in os.environ}
    try:
        done = subprocess.run(
            words,
            input=stdin,
            cwd=folder,
            env=environ,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        said = error.stderr.decode() if isinstance(error.stderr, bytes) else error.stderr
        pytest.fail(f"no answer after {PATIENCE_S:g} s:\n{said}", pytrace=False)
    if done.returncode:
        pytest.fail(f"exit code {done.returncode}:\n{done.stdout}{done.stderr}", pytrace=False)
    return done.stdout
