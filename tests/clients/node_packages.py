"""Vendors' SDKs for Node: installed into `node/node_modules` when a test first needs them.

python -m tests.clients.node_packages installs them without running a test.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.clients.environments import CLIENTS
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


def install(say: Callable[[str], None]) -> None:
    """Make `node_modules` what the lock file says. `say` is told where that is something to do.

    Raises `CalledProcessError` where the packages cannot be installed.
    """
    stamp = HERE / "node_modules" / ".stamp"
    wanted = "\n".join((HERE / name).read_text(encoding="utf-8") for name in ("package.json", "package-lock.json"))
    with CLIENTS.locked("node"):
        if not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
            say("Installing the clients of tests/clients/node/package.json into tests/clients/node/node_modules")
            subprocess.run([program("npm"), "ci", "--silent"], cwd=HERE, check=True)
            stamp.write_text(wanted, encoding="utf-8")


def _output(*words: str) -> str:
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    install(lambda message: print(message, file=sys.stderr))
