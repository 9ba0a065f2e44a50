"""Without a program that tests drive, those tests are skipped, and the summary says so. None fails."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PATIENCE_S = 120

MAY_BE_MISSING = {"bash", "chromium", "curl", "docker", "git", "java", "javac", "nginx", "node", "npm", "openssl"}

NEED_PROGRAMS = (
    "tests/browser/test_fetch.py",
    "tests/clients/test_readers.py::test_node_fetch_sees_a_broken_connection",
    "tests/spec/test_commands.py::test_the_defaults_of_the_flags_are_those_of_the_table",
    "tests/spec/test_commands.py::test_what_a_curl_line_prints",
    "tests/wire/test_bad_weather.py::test_a_client_that_kills_its_curl",
    "tests/wire/test_bytes.py::test_what_curl_makes_of_it",
    "tests/wire/test_proxies.py::test_a_clean_end_stays_one",
)


def commands_in(file: Path) -> list[str]:
    """The first words of the lists in a file, any of which may be a command line."""
    lists = (node for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))) if isinstance(node, ast.List))
    words = (node.elts[0] for node in lists if node.elts)
    return [word.value for word in words if isinstance(word, ast.Constant) and isinstance(word.value, str)]


def test_no_command_line_takes_for_granted_what_may_be_missing() -> None:
    files = (file for file in (ROOT / "tests").rglob("*.py") if "node_modules" not in file.parts)
    found = [(str(file), word) for file in files for word in commands_in(file) if word in MAY_BE_MISSING]
    assert found == [], "a command line begins with what tests.programs.program finds"


def test_tests_without_their_programs_are_skipped_and_the_summary_says_why(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *NEED_PROGRAMS],
        cwd=ROOT,
        env={**os.environ, "PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert {name for name in MAY_BE_MISSING if f"{name} is not installed" in done.stdout} >= {"bash", "curl", "node"}
    assert " passed" not in done.stdout
