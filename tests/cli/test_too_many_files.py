"""A server under more connections than its process may have files."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx2
import pytest

from mockd.lines.protocol import FILES_BESIDE
from tests.cli.harness import PATIENCE_S, clean_environ, free_port, mock
from tests.wire.sockets import Client, eventually

Write = Callable[[str, object], Path]
MOST_FILES = 64
LOOPS = {"uvloop": "", "asyncio": "sys.modules['uvloop'] = None"}
"""What must be done before the command is run, so that it has this event loop."""
COMMAND = f"""
import resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, ({MOST_FILES}, {MOST_FILES}))
%s
from mockd.cli.main import main
main()
"""
PACED = mock("paced", "/paced", repeat=0, timing={"fixedDelay": 20})


@contextmanager
def serving(loop: str, file: str, log: Path) -> Iterator[str]:
    port = free_port()
    arguments = ["serve", file, "--port", str(port), "--admin-port", "0", "--quiet"]
    with log.open("wb") as stderr:
        command = [sys.executable, "-c", COMMAND % LOOPS[loop], *arguments]
        process = subprocess.Popen(command, stderr=stderr, env=clean_environ())
    try:
        eventually(lambda: process.poll() is not None or "mocks  http" in log.read_text())
        yield f"http://127.0.0.1:{port}"
        process.terminate()
        assert process.wait(PATIENCE_S) == 0
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("loop", LOOPS)
def test_it_is_logged_once_and_the_server_recovers(loop: str, write: Write, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with serving(loop, str(write("mocks.json", [PACED, mock("one", "/one")])), log) as url:
        with Client(url) as honest, ExitStack() as idle:
            honest.ask("/paced").read_head()
            for _ in range(2 * MOST_FILES):
                idle.enter_context(Client(url))
            events = 0
            while events < 150:  # three seconds, in which asyncio tries again
                events += honest.read_chunk().count(b"data: Hello")
        eventually(lambda: is_served(url))
        # Before it is told to stop: asyncio may then complain that it can listen no more.
        _, *said = [line for line in log.read_text().splitlines() if not line.startswith(" ")]
    assert len(said) == 1
    assert said[0].startswith(f"ERROR: {MOST_FILES - FILES_BESIDE + 1} connections are open, and this process may have")
    assert "ulimit -n" in said[0]


def is_served(url: str) -> bool:
    try:
        return httpx2.get(url + "/one").text == "data: Hello\n\n"
    except httpx2.TransportError:
        return False


def test_with_files_enough_nothing_is_said(write: Write, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with serving("uvloop", str(write("mocks.json", [PACED])), log) as url, ExitStack() as stack:
        for _ in range(MOST_FILES - FILES_BESIDE):
            stack.enter_context(Client(url)).ask("/paced").read_head()
    assert "connections" not in log.read_text()
