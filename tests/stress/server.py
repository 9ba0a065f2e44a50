"""The server under stress: a real process with mocks of every kind, and what must be true of it afterwards."""

from __future__ import annotations

import json
import signal
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import msgspec

from tests.cli.harness import Served, free_port
from tests.stress.asking import ask
from tests.stress.mocks import MOCKS
from tests.wire.sockets import eventually

_SMALL = ("--max-sessions", "20", "--max-ended", "20", "--fault-timeout", "0.2")
"""Limits so small that they are soon reached, so that what is kept grows no more."""

SECRET = b"what no client may learn"
"""What is in a file outside the folder for data files."""


class Held(msgspec.Struct):
    """What a process holds when it is asked."""

    number: int
    objects: int
    tasks: int
    threads: int
    files: int
    kilobytes: int


class Server:
    """A `mockd serve` with the mocks of a folder that is watched, the preset `llm`, and a state file."""

    def __init__(self, folder: Path, mocks: Sequence[Any] = MOCKS) -> None:
        self.folder = folder
        self.watched = folder / "mocks"
        self.watched.mkdir(exist_ok=True)
        self._state = folder / "state.json"
        self._numbers = count()
        data = folder / "data"
        data.mkdir(exist_ok=True)
        (data / "known.txt").write_text("known", encoding="utf-8")
        (folder / "outside.txt").write_bytes(SECRET)
        (data / "link.txt").symlink_to(folder / "outside.txt")
        (self.watched / "mocks.json").write_text(json.dumps(mocks), encoding="utf-8")
        self.start()

    def start(self) -> None:
        """Start it, or start it again after it was killed."""
        options = ("--watch", "--preset", "llm", "--allow-fault-header", "--state", str(self._state), *_SMALL)
        options += ("--files-root", str(self.folder / "data"), "--admin-port", str(free_port()))
        self.served = Served("--config", str(self.watched), *options, module="tests.stress.observed")
        self.mocks, self.admin = self.served.mocks, self.served.admin
        self._numbers = count()

    def live(self) -> list[Any]:
        """The streams that are live."""
        status, body = ask(self.admin + "/sse/connections")
        assert status == 200, body
        found: list[Any] = json.loads(body)["connections"]
        return found

    def held(self) -> Held:
        """What the process holds when all streams are over."""
        eventually(lambda: not self.live())
        number = next(self._numbers)
        self.served.process.send_signal(signal.SIGUSR1)
        line = self.served.wait_for(lambda line: line.get("held", {}).get("number") == number)
        return msgspec.convert(line["held"], Held)

    def check(self) -> None:
        """Raise `AssertionError` if the process has ended, or has logged a fault of its own."""
        assert self.served.process.poll() is None, f"the server ended: {self.served.process.returncode}"
        assert not (faults := list(self.faults())), faults[0]

    def faults(self) -> Iterator[Any]:
        """The lines of the log that tell of a fault of mockd."""
        for line in list(self.served.lines):
            text = str(line)
            if "Traceback" in text or "never awaited" in text or "exception was never retrieved" in text:
                yield line

    def stop(self) -> float:
        """Stop it with a SIGTERM, and see that it ends as it should. Returns how long it took, in seconds."""
        began = time.monotonic()
        code = self.served.stop()
        assert code == 0, f"exit code {code} at a SIGTERM"
        return time.monotonic() - began

    def kill(self) -> None:
        self.served.stop(signal.SIGKILL)


@contextmanager
def server(*more: Any) -> Iterator[Server]:
    """A server in a folder of its own, which is not left behind; with some more mocks."""
    with tempfile.TemporaryDirectory() as folder:
        found = Server(Path(folder), [*MOCKS, *more])
        try:
            yield found
        finally:
            if found.served.process.poll() is None:
                found.kill()
