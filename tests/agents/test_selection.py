"""Long agents only run if they are asked for."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.agents.conftest import HERE

PATIENCE_S = 120
TESTS = """
import pytest

@pytest.mark.agents(long=False)
def test_quick(): pass

@pytest.mark.agents(long=True)
def test_long(): pass
"""


@pytest.mark.parametrize(
    ("arguments", "run"),
    [
        ((".",), ["quick"]),
        ((".", "-m", "not browser"), ["quick"]),
        ((".", "-m", "agents"), ["quick", "long"]),
        (("agents",), ["quick", "long"]),
        (("agents/test_some.py::test_long",), ["long"]),
    ],
)
def test_which_agents_run(tmp_path: Path, arguments: tuple[str, ...], run: list[str]) -> None:
    folder = tmp_path / "agents"
    folder.mkdir()
    (folder / "conftest.py").write_text((HERE / "conftest.py").read_text(encoding="utf-8"), encoding="utf-8")
    (folder / "test_some.py").write_text(TESTS, encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = agents(long)\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-v", *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert re.findall(r"::test_(\w+) PASSED", done.stdout) == run, done.stdout + done.stderr
    assert ("1 deselected" in done.stdout) == (run == ["quick"])
