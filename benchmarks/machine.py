"""The machine: its cores and who runs on which, and what it is, for the record."""

from __future__ import annotations

import os
import platform
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from typing import Any

PACKAGES = ("mockd", "starlette", "uvicorn", "uvloop", "httptools", "sse-starlette", "msgspec")


def cores() -> list[int]:
    """The cores this process may use."""
    return sorted(os.sched_getaffinity(0))


CORES = cores()
CLIENT_CORES = CORES[1:3]
IS_PINNED = bool(CLIENT_CORES) and shutil.which("taskset") is not None
PINNED = f"server on core {CORES[0]}, clients on others" if IS_PINNED else "not pinned: one core, or no taskset"
SERVER_PREFIX = ["taskset", "-c", str(CORES[0])] if IS_PINNED else []


def prepare() -> None:
    """Keep this process and the clients it starts off the server's core; let everyone have files enough."""
    if IS_PINNED:
        os.sched_setaffinity(0, set(CLIENT_CORES))
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


@contextmanager
def wakeful_clients() -> Iterator[None]:
    """Keep the clients' cores from sleeping, with programs that run when nothing else does.

    In a virtual machine a core that sleeps is woken by the host, which may take its time: up to tens of milliseconds
    were measured, and taken for the lateness of servers.
    """
    spinners = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in CLIENT_CORES if IS_PINNED]
    try:
        for spinner, core in zip(spinners, CLIENT_CORES, strict=False):
            os.sched_setaffinity(spinner.pid, {core})
            os.sched_setscheduler(spinner.pid, os.SCHED_IDLE, os.sched_param(0))
        yield
    finally:
        for spinner in spinners:
            spinner.kill()
            spinner.wait()


def describe() -> dict[str, Any]:
    """What this machine is and what runs on it."""
    return {
        "processor": _processor(),
        "cores": len(CORES),
        "pinned": PINNED,
        "system": f"{platform.system()} {platform.release()}",
        "load_before": round(os.getloadavg()[0], 2),
        "versions": {
            "Python": platform.python_version(),
            **{name: metadata.version(name) for name in PACKAGES if _is_installed(name)},
            "C compiler": first_line(["cc", "--version"]),
        },
    }


class Stolen:
    """How much of the machine its host has given to others since this was made: a virtual machine's `steal` time."""

    def __init__(self) -> None:
        self._began, self._before = time.monotonic(), _stolen_s()

    def share(self) -> float:
        """From 0 to 1, of all cores."""
        return (_stolen_s() - self._before) / (time.monotonic() - self._began) / (os.cpu_count() or 1)


def _stolen_s() -> float:
    with open("/proc/stat", encoding="ascii") as stat:
        return int(stat.readline().split()[8]) / os.sysconf("SC_CLK_TCK")


def first_line(command: list[str]) -> str | None:
    """The first line that a command prints, or None where there is no such command."""
    if shutil.which(command[0]) is None:
        return None
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    return done.stdout.partition("\n")[0].strip() or None


def _is_installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def _processor() -> str:
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        names = [line.partition(":")[2].strip() for line in info if line.startswith("model name")]
    return names[0] if names else platform.machine()


def check_system() -> None:
    """Refuse what cannot work."""
    if sys.platform != "linux":
        raise SystemExit("The benchmarks need Linux: they use epoll and /proc.")
