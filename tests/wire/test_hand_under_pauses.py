"""Holds while the server's process is stopped again and again, as on a busy machine: they stay exact."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct

from tests.wire.holding import Admin, Reader, of

EVENTS = [{"data": str(number)} for number in range(1, 9)]
MOCKS: list[dict[str, Any]] = [
    {"id": "burst", "matcher": {"path": "/burst"}, "sse": {"events": EVENTS}},
    {"id": "paced", "matcher": {"path": "/paced"}, "sse": {"events": EVENTS, "timing": {"fixedDelay": 3}}},
    {"id": "resume", "matcher": {"path": "/resume"}, "sse": {"events": EVENTS, "resume": {"enabled": True}}},
]
ROUNDS = 30


class Running(Struct):
    """A server in a process of its own."""

    url: str
    admin_url: str


class Pauses(threading.Thread):
    """Stops a process for a while, and lets it go on, again and again."""

    def __init__(self, pid: int) -> None:
        super().__init__()
        self._pid = pid
        self._is_over = threading.Event()

    def run(self) -> None:
        while not self._is_over.wait(random.uniform(0.001, 0.03)):
            os.kill(self._pid, signal.SIGSTOP)
            self._is_over.wait(random.uniform(0.001, 0.05))
            os.kill(self._pid, signal.SIGCONT)

    def stop(self) -> None:
        self._is_over.set()
        self.join()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Running]:
    file = tmp_path / "mocks.json"
    file.write_text(json.dumps(MOCKS), encoding="utf-8")
    command = [sys.executable, "-m", "mockd", "serve", str(file), "--port", "0", "--admin-port", "0"]
    with subprocess.Popen([*command, "--log-format", "json", "--quiet"], stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        welcome = json.loads(process.stderr.readline())
        pauses = Pauses(process.pid)
        pauses.start()
        try:
            yield Running(welcome["mocks"], welcome["admin"])
        finally:
            pauses.stop()
            process.kill()


def test_holds_stay_exact(server: Running) -> None:
    admin = Admin(server.admin_url)
    for place in range(ROUNDS):
        mock, at = MOCKS[place % len(MOCKS)]["id"], 1 + place % 6
        key = f"k{place}"
        admin.post(f"/mocks/{mock}/sse/hold?key={key}", {"at": at, "upcoming": 1})
        with Reader(server.url) as reader:
            reader.start(f"/~{key}/{mock}")
            held = admin.wait(f"/mocks/{mock}/sse", f"held=true&key={key}")
            assert held["eventsSent"] == at
            assert reader.read_body(held["bytesSent"]).count(b"data") == at
            admin.post(of(held) + "/step")
            now = admin.wait(of(held), f"held=true&reached={at + 1}")
            assert reader.read_body(now["bytesSent"]).count(b"data") == at + 1
            assert reader.is_silent()
            admin.post(of(held) + "/release")
            assert reader.rest().count(b"data") == len(EVENTS)
