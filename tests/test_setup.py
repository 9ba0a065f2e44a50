"""`scripts/setup` makes a whole environment, whatever state the last one was left in. It runs for real, on a project
that needs nothing."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PYTHON = str(sys._base_executable)  # type: ignore[attr-defined]
PATIENCE_S = 120

PYPROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""
BACKEND = """
import pathlib, time, zipfile

FILES = {
    "nothing.py": "",
    "nothing-0.dist-info/METADATA": "Metadata-Version: 2.1\\nName: nothing\\nVersion: 0\\n",
    "nothing-0.dist-info/WHEEL": "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
    "nothing-0.dist-info/RECORD": "",
}

def build_editable(folder, config_settings=None, metadata_directory=None):
    pathlib.Path("building").touch()
    while pathlib.Path("hold").exists():
        time.sleep(0.02)
    with zipfile.ZipFile(pathlib.Path(folder, "nothing-0-py3-none-any.whl"), "w") as wheel:
        for name, text in FILES.items():
            wheel.writestr(name, text)
    return "nothing-0-py3-none-any.whl"
"""


class Clone:
    """A folder with the script and a project."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.venv = folder / ".venv"
        (folder / "scripts").mkdir(parents=True)
        shutil.copy(ROOT / "scripts" / "setup", folder / "scripts")
        (folder / "pyproject.toml").write_text(PYPROJECT, encoding="utf-8")
        (folder / "requirements-dev.txt").touch()
        (folder / "backend.py").write_text(BACKEND, encoding="utf-8")

    def start(self, kind: str = "serve", **environ: str) -> subprocess.Popen[str]:
        inherited = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VENV")}
        return subprocess.Popen(
            [self.folder / "scripts" / "setup", kind],
            env={**inherited, "PYTHON": PYTHON, **environ},
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def set_up(self, kind: str = "serve", **environ: str) -> tuple[int, str]:
        """The exit code, and what it said."""
        process = self.start(kind, **environ)
        said = process.communicate(timeout=PATIENCE_S)[1]
        return process.returncode, said

    def break_off(self, seen: Path, kind: str = "serve") -> None:
        """Press Ctrl-C once this file is there."""
        process = self.start(kind)
        deadline = time.monotonic() + PATIENCE_S
        while not seen.exists():
            assert time.monotonic() < deadline
            time.sleep(0.005)
        os.killpg(process.pid, signal.SIGINT)
        process.communicate(timeout=PATIENCE_S)
        assert process.returncode != 0

    def check_whole(self) -> None:
        subprocess.run([self.venv / "bin" / "python", "-I", "-c", "import nothing"], check=True)
        pip = subprocess.run([self.venv / "bin" / "pip", "--version"], check=True, capture_output=True, text=True)
        assert str(self.venv) in pip.stdout


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path.resolve() / "a clone")


def without_pip(clone: Clone) -> None:
    subprocess.run([PYTHON, "-m", "venv", "--without-pip", clone.venv], check=True)


def broken_off_while_it_is_made(clone: Clone) -> None:
    clone.break_off(clone.venv / "bin" / "python")


def broken_off_while_more_is_installed(clone: Clone) -> None:
    clone.set_up("serve")
    (clone.folder / "building").unlink()
    (clone.folder / "hold").touch()
    clone.break_off(clone.folder / "building", "dev")
    (clone.folder / "hold").unlink()
    (clone.venv / "half").touch()


def copied(clone: Clone) -> None:
    before = Clone(clone.folder.with_name("before"))
    before.set_up()
    shutil.copytree(before.venv, clone.venv, symlinks=True)


def without_its_python(clone: Clone) -> None:
    python = clone.venv / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to("/nonexistent/python3")


@pytest.mark.parametrize(
    "left",
    [
        without_pip,
        broken_off_while_it_is_made,
        broken_off_while_more_is_installed,
        copied,
        without_its_python,
    ],
)
def test_what_is_not_whole_is_made_anew(clone: Clone, left: Callable[[Clone], None]) -> None:
    left(clone)
    code, said = clone.set_up()
    assert (code, said.splitlines()[0].partition(" with ")[0]) == (0, "Making .venv")
    assert not (clone.venv / "half").exists()
    clone.check_whole()
    assert clone.set_up() == (0, "")


def test_what_a_user_made_is_kept_and_added_to(clone: Clone) -> None:
    subprocess.run([PYTHON, "-m", "venv", clone.venv], check=True)
    (clone.venv / "of the user").touch()
    assert clone.set_up("dev") == (0, "Installing mockd and what its tests need into .venv\n")
    clone.check_whole()
    assert clone.set_up("serve") == clone.set_up("dev") == (0, "")
    (clone.folder / "requirements-dev.txt").write_text("# new\n", encoding="utf-8")
    assert clone.set_up("serve") == (0, "Installing mockd into .venv\n")
    assert (clone.venv / "of the user").exists()


def test_two_that_start_at_the_same_time_take_turns(clone: Clone, tmp_path: Path) -> None:
    clone.venv = tmp_path.resolve() / "another folder"
    both = [clone.start(kind, VENV=str(clone.venv)) for kind in ("serve", "dev")]
    for process in both:
        said = process.communicate(timeout=PATIENCE_S)[1]
        assert process.returncode == 0, said
    clone.check_whole()
    assert not (clone.folder / ".venv").exists()


VERSIONED = ("python3.11", "python3.12", "python3.13", "python3.14")


@pytest.mark.parametrize("name", ["python3", *VERSIONED])
def test_without_ensurepip_the_cure_is_named_and_nothing_is_left_behind(
    clone: Clone, tmp_path: Path, name: str
) -> None:
    missing = "raise ModuleNotFoundError('No module named ensurepip', name='ensurepip')"
    (tmp_path / "ensurepip.py").write_text(missing, encoding="utf-8")
    for other in ("python3", *VERSIONED):
        python = tmp_path / other
        python.write_text(f'#!/bin/sh\nexec {PYTHON if other == name else "false"} "$@"\n', encoding="utf-8")
        python.chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    code, said = clone.set_up(PYTHON="", PATH=path, PYTHONPATH=str(tmp_path))
    assert code == 1
    assert f"apt install python3.{sys.version_info.minor}-venv\n" in said
    assert not clone.venv.exists()
    assert clone.set_up(PYTHON="", PATH=path, PYTHONPATH=str(tmp_path))[1] == said


def test_without_a_python_that_is_new_enough_it_says_so(clone: Clone, tmp_path: Path) -> None:
    for other in ("python3", *VERSIONED):
        (tmp_path / other).write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
        (tmp_path / other).chmod(0o755)
    code, said = clone.set_up(PYTHON="", PATH=f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert (code, said.partition(".")[0], clone.venv.exists()) == (1, "mockd needs Python 3", False)
