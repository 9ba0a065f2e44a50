"""A test that fails is named while others are still to run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PATIENCE_S = 120
TESTS = f"""
import select

import pytest

@pytest.fixture
def broken():
    raise OSError("no place\\nfor it")

def test_wrong():
    assert 1 == 2, "one is not two\\nas everybody knows"

def test_in_words():
    pytest.fail("in words", pytrace=False)

def test_without_its_fixture(broken): pass

@pytest.mark.skip(reason="it need not run")
def test_skipped(): pass

@pytest.mark.xfail
def test_known(): assert False

def test_waits_until_they_were_seen():
    with open("seen") as seen:
        assert select.select([seen], [], [], {PATIENCE_S})[0], "nobody saw them"
"""
NAMED = [
    "FAILED test_some.py::test_wrong - AssertionError: one is not two",
    "FAILED test_some.py::test_in_words - Failed: in words",
    "ERROR test_some.py::test_without_its_fixture - OSError: no place",
]


@pytest.mark.parametrize("workers", ["0", "1"])
def test_a_failure_is_named_at_once(tmp_path: Path, workers: str) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    (tmp_path / "test_some.py").write_text(TESTS, encoding="utf-8")
    (tmp_path / "conftest.py").write_text("from tests.conftest import pytest_configure\n", encoding="utf-8")
    seen = tmp_path / "seen"
    os.mkfifo(seen)
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    with (
        seen.open("r+b", buffering=0) as tell,
        subprocess.Popen(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "xdist", "-n", workers],
            cwd=tmp_path,
            env={**environ, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "COLUMNS": "200"},
            stdout=subprocess.PIPE,
            text=True,
        ) as running,
    ):
        assert running.stdout
        lines = []
        for line in running.stdout:
            lines.append(line.rstrip())
            if lines[-1] == NAMED[-1]:
                break
        tell.write(b".")
        assert "2 failed, 1 passed, 1 skipped, 1 xfailed, 1 error" in running.stdout.read()
    assert [line for line in lines if line.startswith(("FAILED", "ERROR"))] == NAMED
