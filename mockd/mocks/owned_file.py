"""A file that only one process changes, and that is complete at every moment."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import tempfile
from pathlib import Path

from mockd.config.files import real_path
from mockd.config.opening import read_regular, refuse_large

logger = logging.getLogger("mockd")

_locks: dict[tuple[int, Path], int] = {}
"""The lock files that are open, and so locked until their process ends, by process and file. A process that was forked
finds none of its own here."""


class OwnedFile:
    """A file that belongs to the first process that owns it, until that process ends, however it ends.

    Beside the file is a lock file, which stays. Engines of one process may have it one after another, as in tests.
    All methods raise `OSError`.
    """

    def __init__(self, file: Path) -> None:
        self.path = real_path(file)  # if the file is a link, its target is written and the link stays

    def own(self) -> None:
        """Lock other processes out, and remove what a killed owner may have left. Raises `BlockingIOError` if another
        process owns the file."""
        owner = os.getpid(), self.path
        if owner not in _locks:
            _locks[owner] = _lock(self.path.with_name(f".{self.path.name}.lock"))
            self._remove_leftovers()

    def read(self) -> bytes | None:
        """The content, or None if there is no file yet."""
        try:
            return read_regular(self.path)
        except FileNotFoundError:
            return None

    def replace(self, content: bytes) -> None:
        """Write the file in such a way that at every moment it has either the old content or the new."""
        refuse_large(len(content), self.path)  # it could not be read again
        temporary = self._write_beside(content)
        try:
            os.replace(temporary, self.path)
        except BaseException:
            os.unlink(temporary)
            raise
        # The new name is on disk only after its folder is. Some file systems cannot sync a folder and need not.
        with contextlib.suppress(OSError):
            folder = os.open(self.path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    def try_replacing(self, content: bytes | None) -> None:
        """Do what every change does, with the content that is there. Nothing else shows whether the file is a mount
        of its own, which cannot be replaced."""
        if content is None:
            os.unlink(self._write_beside(b""))
        else:
            self.replace(content)

    def _write_beside(self, content: bytes) -> str:
        handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}.", suffix=".tmp")
        try:
            with os.fdopen(handle, "wb") as temporary:
                temporary.write(content)
                temporary.flush()
                os.fsync(temporary.fileno())
        except BaseException:
            os.unlink(name)
            raise
        return name

    def _remove_leftovers(self) -> None:
        leftover = re.compile(rf"\.{re.escape(self.path.name)}\.[a-z0-9_]{{8}}\.tmp")
        for name in os.listdir(self.path.parent):
            if leftover.fullmatch(name):
                os.unlink(self.path.with_name(name))


def _lock(file: Path) -> int:
    """The descriptor of a file that is locked as long as it is open."""
    lock = os.open(file, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
    try:
        import fcntl

        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except ImportError:  # Windows
        pass
    except BlockingIOError as error:
        os.close(lock)
        raise BlockingIOError(error.errno, "another process keeps its changes there") from None
    except OSError as error:
        logger.warning("%s cannot be locked (%s): no other process may use it", file, error.strerror)
    return lock
