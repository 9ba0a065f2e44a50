"""What `mockd serve` logs besides the line for each request: what fails, and what clients cause."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import httpx2
import pytest

from mockd.server.logs import MOST_OF_A_MESSAGE, MOST_RECORDS
from tests.cli.harness import PATIENCE_S, clean_environ
from tests.cli.text_log import Text, Write, text_log

PLUG_IN = """
from mockd import BaseSource, SourceKind
from msgspec import Struct

class Params(Struct):
    fails: str = "later"

class Failing(BaseSource):
    def __init__(self, params):
        self.fails = params.fails

    def open(self, context):
        if self.fails == "later":
            return self.events(context)
        raise ValueError(context.request.path)

    def events(self, context):
        yield from ()
        raise ValueError(context.request.path)

KIND = SourceKind("failing", Params, Failing, "Fails.")
"""


@pytest.mark.parametrize("fails", ["later", "at once"])
@pytest.mark.parametrize("level", ["info", "debug"])
@pytest.mark.parametrize("format", ["text", "json"])
def test_a_plug_in_that_fails_is_traced(write: Write, level: str, format: str, fails: str) -> None:
    module = write("failing_plug_in.py", PLUG_IN)
    failing = {"template": "failing_plug_in:KIND", "templateParams": {"fails": fails}}
    file = write("failing.json", {"id": "failing", "matcher": {"path": "/*"}, "sse": failing})
    environ = {"PYTHONPATH": os.pathsep.join([str(module.parent), *filter(None, [os.environ.get("PYTHONPATH")])])}
    options = ("--log-level", level, "--log-format", format)
    with text_log("--config", str(file), *options, **environ) as (url, lines):
        httpx2.get(url + "/a%1b%c2%9b")
    log = "\n".join(lines)
    assert (r"ValueError: /a\x1b\x9b" if format == "text" else r"ValueError: /a\u001b\u009b") in log
    assert "failing_plug_in.py:" in log
    assert ("Traceback" in log) is (level == "debug")
    assert all(line.isprintable() for line in lines)


FORGED = "%0aERROR:%20forged%1b%5b31m" + "x" * 9000
FAULTS: dict[str, Callable[[httpx2.Client, str], object]] = {
    "an expression": lambda client, _: client.get(f"/expression/{FORGED}"),
    "a plug-in": lambda client, _: client.get(f"/plug-in/{FORGED}"),
    "what is no request": lambda client, said: no_request(client.base_url, said),
}
"""Ways in which a client causes something to be logged besides the line for its request."""


def no_request(url: httpx2.URL, said: str) -> None:
    with socket.create_connection((url.host, url.port or 0), PATIENCE_S) as client, suppress(ConnectionError):
        client.sendall(said.encode() + b"\r\n\r\n")
        client.recv(1000)


def faulty(write: Write) -> tuple[list[str], dict[str, str]]:
    """The options and the environment of a server whose mocks fail."""
    module = write("failing_plug_in.py", PLUG_IN)
    failing = {"template": "failing_plug_in:KIND", "templateParams": {"fails": "at once"}}
    mocks = [
        {"id": "plug-in", "matcher": {"path": "/plug-in/*"}, "sse": failing},
        {"id": "expression", "matcher": {"path": "/expression/*"}, "response": {"body": "{{ request.path | int }}"}},
    ]
    environ = {"PYTHONPATH": os.pathsep.join([str(module.parent), *filter(None, [os.environ.get("PYTHONPATH")])])}
    return ["--config", str(write("mocks.json", mocks)), "--quiet"], environ


@contextmanager
def log_of_faults(write: Write, format: str, level: str) -> Iterator[tuple[str, list[str]]]:
    options, environ = faulty(write)
    options += ["--log-level", level, "--log-format", format]
    lines: list[str] = []
    log = write("log", "")  # a pipe has no room for so much
    with log.open("wb") as stderr, Text(*options, stderr=stderr.fileno(), **environ) as server:
        yield server.url, lines
        server.stop()
    text = log.read_text(encoding="utf-8")
    lines += text.split("\n")[1 if format == "json" else 4 : -1]


@pytest.mark.parametrize("kind", FAULTS)
@pytest.mark.parametrize("level", ["info", "debug"])
@pytest.mark.parametrize("format", ["text", "json"])
def test_what_a_client_causes_to_be_logged_is_bounded(write: Write, format: str, level: str, kind: str) -> None:
    asked = MOST_RECORDS + 10
    with log_of_faults(write, format, level) as (url, lines), httpx2.Client(base_url=url) as client:
        for number in range(asked):
            FAULTS[kind](client, f"\nERROR: forged\x1b[31m{'x' * 9000}{number}")
    assert all(line.isprintable() for line in lines)
    assert all(len(line) < 3 * MOST_OF_A_MESSAGE for line in lines)
    if format == "json":
        said = [json.loads(line) for line in lines]
        told, more = [line for line in said if "more" not in line], sum(line.get("more", 0) for line in said)
    else:
        told = [line for line in lines if not line.startswith(("  ", "+"))]
        assert all(line.startswith(("ERROR: ", "WARNING: ")) for line in told)
        assert not any(line.startswith("ERROR: forged") for line in lines)
        more = sum(int(line[1:].partition(" more messages")[0]) for line in lines if line.startswith("+"))
    assert len(told) + more == asked
    assert more > 0


@pytest.mark.skipif(sys.platform != "linux", reason="the size of a pipe can be set on Linux only")
def test_messages_that_nobody_reads_hold_up_nothing(write: Write) -> None:
    options, environ = faulty(write)
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    with Text(*options, stderr=writer, **environ) as server, httpx2.Client(base_url=server.url) as client:
        os.close(writer)
        for _ in range(10):
            assert client.get(f"/plug-in/{FORGED}").status_code == 500
        server.stop()
    os.close(reader)


def test_a_plug_in_that_cannot_be_imported_is_traced_at_debug(write: Write) -> None:
    module = write("broken_plug_in.py", "KIND = {}['zz']")
    file = write("broken.json", {"matcher": {"path": "/"}, "sse": {"template": "broken_plug_in:KIND"}})
    python_path = os.pathsep.join([str(module.parent), *filter(None, [os.environ.get("PYTHONPATH")])])
    for level in ("info", "debug"):
        run = subprocess.run(
            [sys.executable, "-m", "mockd", "serve", "--port", "0", "--admin-port", "0", "--log-level", level, file],
            env={**clean_environ(), "PYTHONPATH": python_path},
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        assert run.returncode == 2
        assert "cannot import `broken_plug_in:KIND`: KeyError: 'zz'" in run.stderr
        assert "broken_plug_in.py:1" in run.stderr
        assert ("Traceback" in run.stderr) is (level == "debug")


def test_the_levels_are_in_the_help() -> None:
    command = [sys.executable, "-m", "mockd", "serve", "--help"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=True)
    text = " ".join(run.stdout.split())
    for level in ("critical", "error", "warning", "info", "debug"):
        assert level in text
    assert "--quiet" in text
