"""The Python environments of vendors' SDKs: one for each group of `environments/`, made when a test first needs it.

python -m tests.clients.environments [GROUP …] makes them without running a test.
"""

from __future__ import annotations

import fcntl
import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

REQUIREMENTS = Path(__file__).with_suffix("")
HOME = Path(__file__).parents[2] / ".venv-clients"

_PINNED = re.compile(r"^([\w.-]+)==", re.MULTILINE)


def groups() -> list[str]:
    return sorted(file.stem for file in REQUIREMENTS.glob("*.txt"))


def group_with(package: str) -> str:
    """The first group that has a package. Raises `LookupError` where none has."""
    for group in groups():
        if package in _PINNED.findall(_requirements(group)):
            return group
    raise LookupError(f"no group of {REQUIREMENTS} has {package}")


def python_of(group: str, say: Callable[[str], None]) -> Path:
    """The interpreter of a group. `say` is told when its environment is made, because it is missing or out of date.

    Raises `CalledProcessError` where the packages cannot be installed.
    """
    home = HOME / group
    python = home / "bin" / "python"
    wanted = f"{sys.version}\n{_requirements(group)}"
    with locked(group):
        stamp = home / "stamp"
        if not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
            say(f"Installing the clients of tests/clients/environments/{group}.txt into .venv-clients/{group}")
            _make(home, python, REQUIREMENTS / f"{group}.txt")
            stamp.write_text(wanted, encoding="utf-8")
    return python


def _make(home: Path, python: Path, requirements: Path) -> None:
    shutil.rmtree(home, ignore_errors=True)
    venv.create(home, symlinks=True)
    # The list is complete, so nothing is resolved; most of these modules are never imported, so none is compiled.
    options = ["-qq", "--disable-pip-version-check", "--no-deps", "--no-compile", "--requirement", str(requirements)]
    subprocess.run([sys.executable, "-m", "pip", "--python", str(python), "install", *options], check=True)


def _requirements(group: str) -> str:
    return (REQUIREMENTS / f"{group}.txt").read_text(encoding="utf-8")


@contextmanager
def locked(name: str) -> Iterator[None]:
    """Only one process at a time makes an environment; the others wait for it."""
    HOME.mkdir(exist_ok=True)
    with (HOME / f"{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    for name in sys.argv[1:] or groups():
        python_of(name, lambda message: print(message, file=sys.stderr))
