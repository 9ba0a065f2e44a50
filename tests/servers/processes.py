"""A server's process: started, asked, stopped, and its log read."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.cli.harness import clean_environ, free_port
from tests.environments import ROOT
from tests.wire.sockets import PATIENCE_S, eventually

BAD_WORDS = ("Traceback", "Exception in", "Exception ignored", "was never awaited", "was destroyed", "panicked")
"""What says in a log that something went wrong which nobody expected."""


class Process:
    """A server that accepts connections at `url`."""

    def __init__(self, popen: subprocess.Popen[bytes], port: int, log: Path) -> None:
        self.popen = popen
        self.url = f"http://127.0.0.1:{port}"
        self._port = port
        self._log = log

    @property
    def log(self) -> str:
        """What the server has printed so far."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    @property
    def complaints(self) -> list[str]:
        """Lines of the log that no request should be a reason for."""
        return [line for line in self.log.splitlines() if any(word in line for word in BAD_WORDS)]

    def is_open(self) -> bool:
        """Whether it accepts connections. A process that has ended never will: that fails the test."""
        assert self.popen.poll() is None, self.log
        try:
            socket.create_connection(("127.0.0.1", self._port)).close()
        except ConnectionRefusedError:
            return False
        return True

    def tell(self, number: int) -> None:
        self.popen.send_signal(number)

    def wait(self) -> int:
        """The exit code, as soon as it is there. Raises `TimeoutExpired`."""
        return self.popen.wait(PATIENCE_S)

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.tell(number)
        return self.wait()


@contextmanager
def running(
    *words: str, folder: Path, python: Path | str = sys.executable, environ: dict[str, str] | None = None
) -> Iterator[Process]:
    """`python -m` with these words, `{port}` among them, in `folder`, which also gets the log."""
    port = free_port()
    log = folder / f"{port}.log"
    command = [str(python), "-m", *(word.format(port=port) for word in words)]
    paths = f"{ROOT}:{folder}"
    with log.open("wb") as out:
        popen = subprocess.Popen(
            command,
            cwd=folder,
            env={**clean_environ(), "PYTHONPATH": paths, "PYTHONUNBUFFERED": "1", **(environ or {})},
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    process = Process(popen, port, log)
    try:
        eventually(process.is_open)
        yield process
    finally:
        _end(popen)


def _end(popen: subprocess.Popen[bytes]) -> None:
    """The process and its workers are gone."""
    with suppress(ProcessLookupError):
        os.killpg(popen.pid, signal.SIGKILL)
    popen.wait()
