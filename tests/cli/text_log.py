"""Servers whose log is text, and what they have written."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2

from tests.cli.harness import PATIENCE_S, clean_environ, free_port

Write = Callable[[str, object], Path]


class Text:
    """A `mockd serve` whose log is text, on `stderr` or on a pipe."""

    def __init__(self, *arguments: str, stderr: int = subprocess.PIPE, **environ: str) -> None:
        self.port = free_port()
        ports = ("--port", str(self.port), "--admin-port", "0")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "mockd", "serve", *ports, *arguments],
            stderr=stderr,
            env={**clean_environ(), **environ},
        )
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Text:
        """Wait until it answers a probe, which is not logged."""
        for _ in range(PATIENCE_S * 20):
            try:
                httpx2.get(self.url + "/__mockd/health")
                return self
            except httpx2.TransportError:
                time.sleep(0.05)
        self.process.kill()
        raise AssertionError("it does not answer")

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        if self.process.stderr:
            self.process.stderr.close()

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(PATIENCE_S) == 0


@contextmanager
def text_log(*arguments: str, **environ: str) -> Iterator[tuple[str, list[str]]]:
    """The URL of a server, and the lines it has written about requests once the block is over."""
    lines: list[str] = []
    with Text(*arguments, **environ) as server:
        yield server.url, lines
        server.stop()
        assert server.process.stderr
        text = server.process.stderr.read().decode()
    welcome = 1 if text.startswith("{") else 4
    lines += text.split("\n")[welcome:-1]
