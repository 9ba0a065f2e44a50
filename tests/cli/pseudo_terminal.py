"""A command in a terminal of its own: what it writes, the keys that are pressed, and how the terminal is left."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Sequence

from tests.cli.harness import PATIENCE_S, clean_environ

_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07]*\x07|[@-Z\\-_])")
ALTERNATE, NORMAL = "\x1b[?1049h", "\x1b[?1049l"
"""Sequences by which a terminal shows its other screen, and its own again."""
_IN_A_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""
"""Makes the terminal that of the session, from which Ctrl-C and Ctrl-Z come, and runs a command in it."""


class Terminal:
    """A command of mockd in a terminal of so many columns and rows, or run by a shell there, which gets it as words."""

    def __init__(
        self,
        *arguments: str,
        columns: int = 100,
        rows: int = 20,
        kind: str = "xterm",
        shell: Sequence[str] = (),
        environ: dict[str, str] | None = None,
    ) -> None:
        self._master, self._slave = pty.openpty()
        self.resize(columns, rows)
        self.modes = termios.tcgetattr(self._slave)
        self.process = subprocess.Popen(
            [sys.executable, "-c", _IN_A_TERMINAL, *shell, sys.executable, "-m", "mockd", *arguments],
            stdin=self._slave,
            stdout=self._slave,
            stderr=self._slave,
            env={**clean_environ(), "TERM": kind, **(environ or {})},
            start_new_session=True,
        )
        self.written = ""
        self._seen = 0
        self._changed = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *args: object) -> None:
        self.process.kill()
        self.process.wait(PATIENCE_S)
        os.close(self._slave)
        os.close(self._master)

    def _read(self) -> None:
        with contextlib.suppress(OSError):
            while data := os.read(self._master, 65536):
                with self._changed:
                    self.written += data.decode()
                    self._changed.notify_all()

    def resize(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self._slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def press(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def see(self, *parts: str) -> str:
        """Wait until all of that has been written since the last time, escape sequences aside. Returns what was."""
        with self._changed:
            found = self._changed.wait_for(lambda: all(part in self._new() for part in parts), PATIENCE_S)
            new = self._new()
            assert found, (parts, new)
            self._seen = len(self.written)
            return new

    def _new(self) -> str:
        return _ESCAPES.sub("", self.written[self._seen :])

    def wait(self) -> int:
        """The exit code, once all has been written."""
        return self.process.wait(PATIENCE_S)

    def is_restored(self) -> bool:
        """Whether the terminal is as it was before."""
        is_same = termios.tcgetattr(self._slave) == self.modes
        is_own = self.written.rfind(ALTERNATE) <= self.written.rfind(NORMAL)
        is_shown = self.written.rfind("\x1b[?25l") <= self.written.rfind("\x1b[?25h")
        return is_same and is_own and is_shown
