"""Commands of mockd that are over at once, each in a process of its own: a fork of one that has loaded mockd.

So a hundred of them take the time of ten. python -m tests.cli.forks reads orders, one in a line, and prints exit codes.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.cli.harness import PATIENCE_S, clean_environ


class Forks:
    """Runs commands in forks of a process, which may take so many bytes of memory."""

    def __init__(self, process: subprocess.Popen[str], most_memory: int) -> None:
        self._process = process
        self._most_memory = most_memory

    def run(self, *words: str, folder: Path) -> tuple[int, str]:
        """The exit code of a command, and what it writes to its standard error, by way of a file in a folder. One that
        is not over in time is killed, and its code is negative."""
        stderr = folder / "stderr"
        assert self._process.stdin
        assert self._process.stdout
        print(json.dumps([words, str(stderr), self._most_memory]), file=self._process.stdin, flush=True)
        return int(self._process.stdout.readline()), stderr.read_text(encoding="utf-8")


@contextmanager
def forks(most_memory: int) -> Iterator[Forks]:
    words = [sys.executable, "-m", __name__]
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=clean_environ(), text=True
    ) as process:
        yield Forks(process, most_memory)


def _run(words: list[str], stderr: str, most_memory: int) -> None:
    from mockd.cli.main import main

    nothing, written = os.open(os.devnull, os.O_RDWR), os.open(stderr, os.O_WRONLY | os.O_CREAT)
    for number, file in enumerate((nothing, nothing, written)):
        os.dup2(file, number)
    signal.alarm(PATIENCE_S)
    resource.setrlimit(resource.RLIMIT_AS, (most_memory, most_memory))
    sys.argv = ["mockd", *words]
    main()


if __name__ == "__main__":
    import mockd.cli.app
    import mockd.server  # noqa: F401 - for all forks

    for line in sys.stdin:
        child = os.fork()
        if not child:
            _run(*json.loads(line))
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
