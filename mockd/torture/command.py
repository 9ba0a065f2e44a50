"""One run of the command: in a process group of its own, for so long and with so much output at most."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import IO

from msgspec import Struct

from mockd.errors import ConfigError

MOST_OUTPUT = 1024 * 1024
"""Most bytes that a command may write to stdout, and as many to stderr."""
_GRACE_S = 2.0
"""Time, in seconds, for the output of a command that was killed to end: a child may have left its group."""


class Ended(Struct, frozen=True):
    """How a run has ended: its exit code, negative for a signal, or `trouble` in words if it was killed."""

    code: int
    stdout: bytes
    stderr: bytes
    trouble: str | None = None

    @property
    def in_words(self) -> str:
        """The end as people say it."""
        if self.trouble is not None:
            return self.trouble
        if self.code < 0:
            return f"was killed by {_signal_name(-self.code)}"
        return f"exited with {self.code}"

    @property
    def last_words(self) -> str:
        """The error that it has written, or its last line; empty if it has written nothing. Behind the error may be
        what nobody looks for, such as the version of Node.js."""
        text = self.stderr.decode(errors="replace").strip()
        said = _ERROR.findall(text) or text.splitlines()
        return said[-1].strip() if said else ""


_ERROR = re.compile(r"^(?:[\w.$]*(?:Error|Exception)\b|panic: |fatal error: ).*", re.MULTILINE)
"""How Python, Node.js, Java and Go begin the line that says what went wrong."""

Running = set[subprocess.Popen[bytes]]
"""The commands that are running, for somebody who wants to end them."""


def end_all(running: Running) -> None:
    """End all commands that are running, and what they have started."""
    for process in list(running):
        _kill(process)


def run_command(
    argv: Sequence[str], environ: Mapping[str, str], timeout_s: float, running: Running | None = None
) -> Ended:
    """Run a command until it ends, and end what it has started. Meanwhile it is in `running`. Raises `ConfigError` if
    it cannot be started."""
    running = set() if running is None else running
    try:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **environ},
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(f"the command {argv[0]!r} cannot be started: {reason}") from None
    assert process.stdout is not None
    assert process.stderr is not None
    trouble: list[str] = []
    running.add(process)

    def too_much() -> None:
        trouble.append(f"wrote more than {MOST_OUTPUT:,} bytes")
        _kill(process)

    outputs = [_Output(process.stdout, too_much), _Output(process.stderr, too_much)]
    try:
        process.wait(timeout_s)
    except subprocess.TimeoutExpired:
        trouble.append(f"did not end within {timeout_s:g} s")
    finally:
        _kill(process)
        process.wait()
        running.discard(process)
    stdout, stderr = (output.taken() for output in outputs)
    return Ended(process.returncode, stdout, stderr, trouble[0] if trouble else None)


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill the process and all others of its group, which may outlive it."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()


class _Output:
    """What a command writes, read in a thread so that it never waits for its reader."""

    def __init__(self, pipe: IO[bytes], too_much: Callable[[], None]) -> None:
        self._pipe = pipe
        self._too_much = too_much
        self._content = bytearray()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        with self._pipe:
            while part := os.read(self._pipe.fileno(), 65536):
                if len(self._content) <= MOST_OUTPUT < len(self._content) + len(part):
                    self._too_much()
                self._content += part[: MOST_OUTPUT + 1 - len(self._content)]

    def taken(self) -> bytes:
        """All that came, at most `MOST_OUTPUT` bytes."""
        self._thread.join(_GRACE_S)
        return bytes(self._content[:MOST_OUTPUT])


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
