"""The load client: compiled when it is first needed, run as a process of its own."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks.paths import CACHE, HERE

SOURCES = HERE / "load"
PROGRAM = CACHE / "load"
SPARE_S = 120
"""Seconds beyond what was asked for after which a client is given up."""

Result = dict[str, Any]


class ClientError(Exception):
    """The client did not bring a result."""


def build() -> None:
    """Compile the client, unless that has been done since its sources changed."""
    newest = max(source.stat().st_mtime for source in SOURCES.iterdir())
    if PROGRAM.exists() and PROGRAM.stat().st_mtime > newest:
        return
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        raise SystemExit("The load client is written in C and there is no C compiler here (cc, gcc or clang).")
    CACHE.mkdir(exist_ok=True)
    subprocess.run([compiler, "-O2", "-Wall", "-Wextra", "-o", str(PROGRAM), str(SOURCES / "load.c")], check=True)


def arguments(**options: Any) -> list[str]:
    """Options of the client as its command line; True is a flag, None and False are left out."""
    line: list[str] = [str(PROGRAM)]
    for name, value in options.items():
        if value is None or value is False:
            continue
        line.append("--" + name.replace("_", "-"))
        if value is not True:
            line.append(str(value))
    return line


def run(**options: Any) -> Result:
    """Run the client to its end."""
    with background(**options) as client:
        return client.result()


class Client:
    """A client that is running."""

    def __init__(self, line: list[str], seconds: float) -> None:
        self._seconds = seconds
        self.process = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def wait_until_measuring(self) -> None:
        """Wait until its streams are open; only with `announce`."""
        assert self.process.stderr is not None
        if self.process.stderr.readline().strip() != "measuring":
            raise ClientError("the client ended before it began to measure")

    def result(self) -> Result:
        """Wait for its end."""
        try:
            out, err = self.process.communicate(timeout=self._seconds + SPARE_S)
        except subprocess.TimeoutExpired:
            raise ClientError("the client did not come to its end") from None
        if self.process.returncode:
            raise ClientError(err.strip() or f"the client exited with {self.process.returncode}")
        result: Result = json.loads(out)
        return result


@contextmanager
def background(**options: Any) -> Iterator[Client]:
    """Run the client beside other things."""
    total = sum(float(options.get(name) or 0) for name in ("seconds", "warmup"))
    client = Client(arguments(**options), total)
    try:
        yield client
    finally:
        if client.process.poll() is None:
            client.process.kill()
        client.process.communicate()


def has_errors(result: Result) -> bool:
    """Whether anything went wrong that casts doubt on the numbers."""
    return any(result["errors"].values())
