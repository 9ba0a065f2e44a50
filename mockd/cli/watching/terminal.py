"""The terminal of the live view: keys without Enter, signals, and a way back to how it was, however the view ends."""

from __future__ import annotations

import codecs
import contextlib
import os
import select
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType

ENDING = ("SIGTERM", "SIGHUP")
"""Signals that end the view, by an exception, so that all is put back."""


def has_keys() -> bool:
    """Whether somebody sits at a terminal of which single keys can be read."""
    try:
        import termios  # noqa: F401
    except ImportError:
        return False
    return sys.stdin.isatty() and sys.stdout.isatty()


class Bell:
    """Wakes the one who waits for something to happen: from any thread, or by a signal. `is_stopped` is whether Ctrl-Z
    was pressed."""

    def __init__(self) -> None:
        self.out, self._in = os.pipe()
        os.set_blocking(self.out, False)
        os.set_blocking(self._in, False)
        self.is_stopped = False
        self._lock = threading.RLock()  # a signal may come while it rings
        self._is_closed = False

    def ring(self) -> None:
        with self._lock, contextlib.suppress(BlockingIOError):  # it is full, so it has rung
            if not self._is_closed:
                os.write(self._in, b"!")

    def quiet(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self.out, 4096)

    def close(self) -> None:
        with self._lock:
            self._is_closed = True
            os.close(self.out)
            os.close(self._in)

    def stop(self) -> None:
        self.is_stopped = True
        self.ring()


class Keys:
    """The keys that are pressed, as text. It ends (`has_ended`) with the terminal."""

    def __init__(self, bell: Bell, *, are_read: bool) -> None:
        self.has_ended = False
        self._bell = bell
        self._fd = sys.stdin.fileno() if are_read else None
        self._decoder = codecs.getincrementaldecoder("utf-8")("ignore")

    def wait(self, seconds: float) -> str:
        """What was typed, as soon as there is something; at the latest after so long, or when the bell rings."""
        files = [self._bell.out] if self._fd is None or self.has_ended else [self._bell.out, self._fd]
        ready, _, _ = select.select(files, [], [], max(0.0, seconds))
        if self._bell.out in ready:
            self._bell.quiet()
        if self._fd is None or self._fd not in ready:
            return ""
        try:
            data = os.read(self._fd, 4096)
        except OSError:
            data = b""
        self.has_ended = not data
        return self._decoder.decode(data)


class SingleKeys:
    """A terminal that gives each key at once, without Enter and without an echo, until it is put back as it was."""

    def __init__(self) -> None:
        import termios

        self._fd = sys.stdin.fileno()
        self._before = termios.tcgetattr(self._fd)

    def begin(self) -> None:
        import tty

        tty.setcbreak(self._fd)

    def end(self) -> None:
        import termios

        with contextlib.suppress(termios.error):  # the terminal is gone
            termios.tcsetattr(self._fd, termios.TCSADRAIN, self._before)


@contextlib.contextmanager
def signals(bell: Bell) -> Iterator[None]:
    """Let signals that would end the process raise `SystemExit`, and the bell ring at a change of the window."""

    def end(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    handlers: dict[str, Callable[[int, FrameType | None], None]] = dict.fromkeys(ENDING, end)
    handlers["SIGWINCH"] = lambda number, frame: bell.ring()
    handlers["SIGTSTP"] = lambda number, frame: bell.stop()
    before = {
        getattr(signal, name): signal.signal(getattr(signal, name), handler)
        for name, handler in handlers.items()
        if hasattr(signal, name)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def stop_here() -> None:
    """Stop this process, as Ctrl-Z does, until it is continued."""
    handler = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGTSTP)
    signal.signal(signal.SIGTSTP, handler)
