"""What the tests of the command line share: a `mockd serve` process, and what a command printed."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

PATIENCE_S = 20
"""How long to wait for what must happen; nothing takes that long unless it never happens."""


class Served:
    """A `mockd serve` process, or one of another command that serves."""

    def __init__(
        self, *arguments: str, environ: dict[str, str] | None = None, module: str = "mockd", command: str = "serve"
    ) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", module, command, "--log-format", "json", "--port", "0", *arguments],
            stderr=subprocess.PIPE,
            env={**clean_environ(), **(environ or {})},
            text=True,
        )
        self.lines: list[dict[str, Any]] = []
        self._ended = False
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            welcome = self.wait_for(lambda line: "mocks" in line)
        except AssertionError:
            self.process.kill()
            self.wait()
            raise
        self.welcome: dict[str, Any] = welcome
        self.mocks: str = welcome["mocks"]
        self.admin: str = welcome["admin"]
        self.key: str | None = welcome.get("key")

    def _read(self) -> None:
        assert self.process.stderr
        with self.process.stderr as lines:
            for line in lines:
                with self._changed:
                    self.lines.append(json.loads(line) if line.startswith("{") else {"not JSON": line})
                    self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def wait_for(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The first line of the log that is wanted, as soon as it is there."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended or any(map(wanted, self.lines)), PATIENCE_S)
            found = next(filter(wanted, self.lines), None)
            assert found is not None, self.lines
            return found

    def wait_for_message(self, part: str) -> None:
        self.wait_for(lambda line: part in line.get("message", ""))

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and wait for the exit code."""
        self.process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        code = self.process.wait(PATIENCE_S)
        self._reader.join(PATIENCE_S)
        return code


def clean_environ() -> dict[str, str]:
    """The environment without what changes how a command works: settings of mockd, and that of Python by which nothing
    is left in a buffer."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("MOCKD_") and name != "PYTHONUNBUFFERED"
    }


def free_port() -> int:
    """A port on which nobody listens, of those that no system gives away by itself: one of these could be given to a
    client of another test before the server has it."""
    while True:
        port = _DRAWN.randrange(10_000, 32_768)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


_DRAWN = random.SystemRandom()


@dataclass
class Result:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def mock(mock_id: str, path: str, **sse: Any) -> dict[str, Any]:
    """An SSE mock with one event, or as said."""
    return {"id": mock_id, "matcher": {"method": "GET", "path": path}, "sse": {"events": [{"data": "Hello"}], **sse}}


Serve = Callable[..., Served]
Cli = Callable[..., Result]
