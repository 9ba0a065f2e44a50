"""Suites of users, run by pytest in a process of its own, in which the plug-in is loaded as if mockd were installed."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cli.harness import clean_environ

ROOT = Path(__file__).parents[2]
PATIENCE_S = 240

HELPERS = '''
import contextlib
import http.client
import json
import urllib.error
import urllib.request
from urllib.parse import urlsplit

import pytest


def get(url, body=None):
    """The status and the body of an answer."""
    data = None if body is None else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data=data), timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


@pytest.fixture
def asked():
    """Asks for something, and reads nothing of the answer. Returns the connection."""
    with contextlib.ExitStack() as clients:

        def ask(url, body=None):
            parts = urlsplit(url)
            client = http.client.HTTPConnection(parts.netloc, timeout=30)
            clients.callback(client.close)
            client.request("GET" if body is None else "POST", parts.path, None if body is None else json.dumps(body))
            return client

        yield ask


CHAT = {"model": "gpt-4.1", "stream": True, "messages": [{"role": "user", "content": "Say hello"}]}
'''


@dataclass(frozen=True)
class Ran:
    """A run of pytest that is over."""

    code: int
    text: str

    def summary(self) -> dict[str, int]:
        """How many tests passed, failed and so on."""
        last = self.text.strip().splitlines()[-1]
        return {word.rstrip("s"): int(number) for number, word in re.findall(r"(\d+) (\w+)", last.partition(" in ")[0])}


Suite = Callable[..., Ran]


@contextmanager
def pausing(process: subprocess.Popen[str]) -> Iterator[None]:
    """Stop a process and its children again and again, for times that are drawn, and let them go on."""
    over = threading.Event()
    drawn = random.Random(1)

    def pause() -> None:
        with suppress(ProcessLookupError):  # it is over
            while not over.wait(drawn.uniform(0.01, 0.3)):
                os.killpg(process.pid, signal.SIGSTOP)
                over.wait(drawn.uniform(0.01, 0.3))
                os.killpg(process.pid, signal.SIGCONT)

    thread = threading.Thread(target=pause)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def run_pytest(
    folder: Path, *arguments: str, plugins: tuple[str, ...] = (), pauses: bool = False, **environ: str
) -> Ran:
    """Run pytest in a folder, with variables of the environment. With `pauses`, everything is stopped now and then, as
    on a machine that is too busy."""
    names = ("no:cacheprovider", "mockd.pytest_plugin", *plugins)
    chosen = [word for name in names for word in ("-p", name)]
    paths = (str(folder), str(ROOT), os.environ.get("PYTHONPATH", ""))
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest", "-q", "-W", "error", *chosen, *arguments],
        cwd=folder,
        env={
            **clean_environ(),
            **environ,
            "PYTHONPATH": os.pathsep.join(filter(None, paths)),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "COLUMNS": "200",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        with pausing(process) if pauses else nullcontext():
            text = process.communicate(timeout=PATIENCE_S)[0]
    except BaseException:
        with suppress(ProcessLookupError):  # it is over
            os.killpg(process.pid, signal.SIGKILL)
        raise
    return Ran(process.returncode, text)


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    """Runs the tests of a text with arguments of pytest, and the helpers above. What is given by name is `ini`, or goes
    to `run_pytest`."""

    def run(text: str, *arguments: str, ini: str = "[pytest]\n", **given: Any) -> Ran:
        (tmp_path / "helpers.py").write_text(HELPERS, encoding="utf-8")
        test = "from helpers import *\nimport pytest\n\n" + textwrap.dedent(text)
        (tmp_path / "test_suite.py").write_text(test, encoding="utf-8")
        (tmp_path / "pytest.ini").write_text(ini, encoding="utf-8")
        return run_pytest(tmp_path, *arguments, "test_suite.py", **given)

    return run
