"""Python environments for tests of what cannot live beside mockd's own dependencies, made when first needed."""

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

import pytest

ROOT = Path(__file__).parents[1]

_PINNED = re.compile(r"^([\w.-]+)==", re.MULTILINE)

Say = Callable[[str], None]


class Environments:
    """One environment in `home` for each group: a file of pinned requirements, `<group>.txt`, in `requirements`.

    Packages of the folder `beside` are found as well, after those of the group.
    """

    def __init__(self, requirements: Path, home: Path, *, beside: Path | None = None) -> None:
        self._requirements = requirements
        self._home = home
        self._beside = beside
        self._impossible: set[str] = set()

    def groups(self) -> list[str]:
        return sorted(file.stem for file in self._requirements.glob("*.txt"))

    def group_with(self, package: str) -> str:
        """The first group that has a package. Raises `LookupError` if none has."""
        for group in self.groups():
            if package in _PINNED.findall(self._text(group)):
                return group
        raise LookupError(f"no group of {self._requirements} has {package}")

    def python_of(self, group: str, say: Say) -> Path:
        """The interpreter of a group. `say` is told when its environment is made, because it is missing or out of date.

        Raises `CalledProcessError` if the packages cannot be installed.
        """
        home = self._home / group
        python = home / "bin" / "python"
        wanted = f"{sys.version}\n{self._text(group)}"
        with self.locked(group):
            stamp = home / "stamp"
            if not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
                file = self._file(group)
                say(f"Installing {file.relative_to(ROOT)} into {home.relative_to(ROOT)}")
                _make(home, python, file)
                if self._beside is not None:
                    [packages] = home.glob("lib/python*/site-packages")
                    (packages / "beside.pth").write_text(f"{self._beside}\n", encoding="utf-8")
                stamp.write_text(wanted, encoding="utf-8")
        return python

    def python_or_skip(self, group: str, say: Say) -> Path:
        """The interpreter of a group. Skips the test if its packages cannot be installed, which is tried once."""
        if group not in self._impossible:
            try:
                return self.python_of(group, say)
            except subprocess.CalledProcessError:
                self._impossible.add(group)
        pytest.skip(f"{self._file(group).relative_to(ROOT)} cannot be installed")

    @contextmanager
    def locked(self, name: str) -> Iterator[None]:
        """Only one process at a time makes an environment; the others wait for it."""
        self._home.mkdir(exist_ok=True)
        with (self._home / f"{name}.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def make(self, groups: list[str]) -> None:
        """Make these environments, or all."""
        for group in groups or self.groups():
            self.python_of(group, lambda message: print(message, file=sys.stderr))

    def _file(self, group: str) -> Path:
        return self._requirements / f"{group}.txt"

    def _text(self, group: str) -> str:
        return self._file(group).read_text(encoding="utf-8")


def _make(home: Path, python: Path, requirements: Path) -> None:
    shutil.rmtree(home, ignore_errors=True)
    venv.create(home, symlinks=True)
    # The list is complete, so nothing is resolved; most of these modules are never imported, so none is compiled.
    options = ["-qq", "--disable-pip-version-check", "--no-deps", "--no-compile", "--requirement", str(requirements)]
    subprocess.run([sys.executable, "-m", "pip", "--python", str(python), "install", *options], check=True)
