"""Tests of users in other languages, run by their own runners on real servers."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cli.harness import Served, clean_environ, free_port
from tests.clients import node_packages
from tests.environments import ROOT
from tests.programs import find, program

NODE = Path(__file__).parent / "node"
HELPERS = [ROOT / "examples" / "node" / "mockd.mjs", ROOT / "examples" / "node" / "mockd.d.mts"]
JAVA_HELPER = ROOT / "examples" / "java" / "Mockd.java"
JARS = Path("/usr/share/java")
"""Where Debian's `junit5` puts its archives."""
PATIENCE_S = 120


@dataclass(frozen=True)
class Ran:
    """A program that is over."""

    code: int
    text: str


class Folder:
    """A folder of a user, in which tests are, with a command `mockd` on the path."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._servers = path / "servers"
        self._begun: list[subprocess.Popen[str]] = []
        command = path / "bin" / "mockd"
        command.parent.mkdir()
        command.write_text(f'#!/bin/sh\necho $$ >>"{self._servers}"\nexec "{sys.executable}" -m mockd "$@"\n', "utf-8")
        command.chmod(0o755)
        self.environ = {
            **clean_environ(),
            "PATH": os.pathsep.join([str(command.parent), os.environ.get("PATH", os.defpath)]),
            "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
            "NO_COLOR": "1",
            "CI": "1",
        }

    def write(self, name: str, text: str) -> None:
        (self.path / name).write_text(text, encoding="utf-8")

    def begin(self, *words: str, **environ: str) -> subprocess.Popen[str]:
        """Begin to run a program in this folder, which is ended with the test."""
        process = subprocess.Popen(
            words,
            cwd=self.path,
            env={**self.environ, **environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._begun.append(process)
        return process

    def run(self, *words: str, **environ: str) -> Ran:
        """Run a program in this folder."""
        process = self.begin(*words, **environ)
        text = process.communicate(timeout=PATIENCE_S)[0]
        return Ran(process.returncode, text)

    def close(self) -> None:
        for process in self._begun:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            if process.stdout:
                process.stdout.close()

    def servers(self) -> list[int]:
        """The processes that `mockd` was, in this folder."""
        return [int(line) for line in self._servers.read_text(encoding="utf-8").split()]


def wait_until_over(process: int) -> None:
    """Wait until a process is over that may be no child of this one."""
    try:
        file = os.pidfd_open(process)
    except ProcessLookupError:
        return
    try:
        poll = select.poll()
        poll.register(file, select.POLLIN)
        if not poll.poll(PATIENCE_S * 1000):
            os.kill(process, signal.SIGKILL)
            pytest.fail(f"the process {process} was still there")
    finally:
        os.close(file)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    folder = Folder(tmp_path)
    yield folder
    folder.close()


@pytest.fixture
def node_folder(folder: Folder) -> Folder:
    """A folder with the helper for Node."""
    program("node")
    for file in HELPERS:
        folder.write(file.name, file.read_text(encoding="utf-8"))
    return folder


@pytest.fixture(scope="session")
def node_modules(say: Callable[[str], None]) -> Path:
    """The packages of `node/package.json`: runners of tests, and TypeScript."""
    return node_packages.install_or_skip(say, NODE)


@pytest.fixture
def packages_folder(node_folder: Folder, node_modules: Path) -> Folder:
    """A folder with the helper for Node, and with packages."""
    (node_folder.path / "node_modules").symlink_to(node_modules)
    return node_folder


@pytest.fixture
def junit(folder: Folder) -> Callable[..., Ran]:
    """Compiles the class of a test and the helper for Java, whose waits have a limit in seconds, and runs the test."""
    java, javac = program("java"), program("javac")
    jars = sorted(map(str, JARS.glob("*.jar")))
    if not any("junit-platform-console" in jar for jar in jars):
        pytest.skip("junit5 is not installed")
    path = os.pathsep.join([*jars, "."])

    def run(name: str, text: str, patience: int = 30, **environ: str) -> Ran:
        helper = JAVA_HELPER.read_text(encoding="utf-8")
        folder.write("Mockd.java", helper.replace("PATIENCE_S = 30;", f"PATIENCE_S = {patience};"))
        folder.write(f"{name}.java", text)
        compiled = folder.run(javac, "-Xlint:all", "-cp", path, f"{name}.java", "Mockd.java")
        assert compiled.code == 0, compiled.text
        launcher = "org.junit.platform.console.ConsoleLauncher"
        return folder.run(java, "-cp", path, launcher, "--disable-banner", f"--select-class={name}", **environ)

    return run


@pytest.fixture
def served() -> Iterator[Served]:
    """A `mockd serve` with two ports."""
    server = Served("--admin-port", str(free_port()))
    yield server
    server.stop()


def bash() -> str:
    program("curl")
    return find("bash") or pytest.skip("bash is not installed")
