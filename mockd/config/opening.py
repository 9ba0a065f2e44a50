"""Opening files to read them: only regular files, as those never make a reader wait, and no more of them than fits."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

MOST_BYTES = 64 * 1024 * 1024
"""Most bytes of a file that is read as a whole: a configuration, a file of events, the state file."""

_WITHOUT_WAITING = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)
"""A pipe opens only when somebody writes into it, unless it is opened so."""


def open_regular(file: Path) -> int:
    """A descriptor to read a file, at its beginning. Raises `OSError`, also if it is a pipe, a device or a folder."""
    try:
        descriptor = os.open(file, _WITHOUT_WAITING)
    except OSError as error:
        if error.errno == errno.ENXIO:  # a socket
            raise _no_regular_file(file) from None
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise _no_regular_file(file)
    return descriptor


def read_regular(file: Path) -> bytes:
    """The content of a file. Raises `OSError`, also if it has more than `MOST_BYTES`, or is no regular file."""
    with os.fdopen(open_regular(file), "rb") as opened:
        size = os.fstat(opened.fileno()).st_size
        content = b"" if size > MOST_BYTES else opened.read(MOST_BYTES + 1)  # it may grow meanwhile
    refuse_large(max(size, len(content)), file)
    return content


def refuse_large(size: int, file: Path) -> None:
    """Raise `OSError` if a file has more bytes than are read."""
    if size > MOST_BYTES:
        raise OSError(errno.EFBIG, f"it has {size} bytes, and the limit is {MOST_BYTES}", str(file))


def _no_regular_file(file: Path) -> OSError:
    return OSError(errno.EINVAL, "it is no regular file", str(file))
