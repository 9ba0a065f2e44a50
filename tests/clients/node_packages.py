"""Vendors' SDKs for Node: installed into `node/node_modules` when a test first needs them.

python -m tests.clients.node_packages installs them without running a test.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.clients.environments import CLIENTS
from tests.environments import ROOT
from tests.programs import find, program

HERE = Path(__file__).parent / "node"
OLDEST = 20
"""The major version of Node that all of the packages run on."""


def why_missing() -> str | None:
    """Why there is no Node to run SDKs on; None where there is one."""
    node = find("node")
    if node is None or find("npm") is None:
        return "Node or npm is not installed"
    version = _output(node, "--version")
    if int(version.removeprefix("v").partition(".")[0]) < OLDEST:
        return f"Node {version} is too old: the SDKs need {OLDEST} or later"
    return None


def install(say: Callable[[str], None], folder: Path = HERE, how: tuple[str, ...] = ("ci",)) -> None:
    """Make a folder's `node_modules` what its lock file says. `say` is told where that is something to do. `how` is the
    command of npm for it.

    Raises `CalledProcessError` where the packages cannot be installed.
    """
    stamp = folder / "node_modules" / ".stamp"
    wanted = "\n".join((folder / name).read_text(encoding="utf-8") for name in ("package.json", "package-lock.json"))
    with CLIENTS.locked(f"node-{folder.parent.name}"):
        if not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
            say(f"Installing {(folder / 'package.json').relative_to(ROOT)} into node_modules beside it")
            subprocess.run([program("npm"), *how, "--silent"], cwd=folder, check=True)
            stamp.write_text(wanted, encoding="utf-8")


def install_or_skip(say: Callable[[str], None], folder: Path, how: tuple[str, ...] = ("ci",)) -> Path:
    """A folder's `node_modules`, installed. Skips the test if there is no Node, or npm cannot install them."""
    if (reason := why_missing()) is not None:
        pytest.skip(reason)
    try:
        install(say, folder, how)
    except subprocess.CalledProcessError as error:
        pytest.skip(f"npm cannot install {folder / 'package.json'}: {error}")
    return folder / "node_modules"


def _output(*words: str) -> str:
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    install(lambda message: print(message, file=sys.stderr))
