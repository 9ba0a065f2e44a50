"""Reading data files in pieces, in other threads than the event loop's.

A file may have changed since the mock was loaded, and may change while it is sent. So it is found, checked and opened
for each stream anew, before its head, and what it has then is what is sent.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path as FilePath

from mockd.config.files import real_path, resolve_file
from mockd.config.opening import open_regular
from mockd.errors import ConfigError, Path, SourceError

READ_BYTES = 64 * 1024
LONGEST_LINE = 4 * 1024 * 1024
"""Most bytes of a line that is sent as one."""


class DataFileError(SourceError):
    """A data file cannot be opened, or not be read to its end."""

    breaks_off = True


class DataFile:
    """A data file that is open. It is closed when nobody has it any more."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._left = os.fstat(descriptor).st_size

    def __del__(self) -> None:
        os.close(self._descriptor)

    async def read(self, size: int) -> bytes:
        """The next `size` bytes, or fewer at the end of what the file had when it was opened. Raises `DataFileError`
        if it has become shorter."""
        size = min(size, self._left)
        # The thread has this object until it is done, so that it never reads from a closed file.
        data = await asyncio.get_running_loop().run_in_executor(None, self._read, size)
        self._left -= size
        return data

    def _read(self, size: int) -> bytes:
        parts = []
        while size > 0:
            try:
                part = os.read(self._descriptor, size)
            except OSError as error:
                raise DataFileError(f"its file cannot be read on: {error.strerror}") from None
            if not part:
                raise DataFileError("its file has become shorter while it was sent")
            parts.append(part)
            size -= len(part)
        return b"".join(parts)


async def open_data_file(name: str, root: FilePath | None, path: Path) -> DataFile:
    """Open the data file that a mock names at `path`. Raises `DataFileError`."""
    return await asyncio.get_running_loop().run_in_executor(None, _open, name, root, path)


def _open(name: str, root: FilePath | None, path: Path) -> DataFile:
    try:
        file = resolve_file(name, root, path=path)
        opened = DataFile(open_regular(file))
        if real_path(file) != file:
            raise DataFileError("its file cannot be opened: it was replaced in that moment")
    except ConfigError as error:
        raise DataFileError(f"its file cannot be opened: {error.problems[0].message}") from None
    except OSError as error:
        raise DataFileError(f"its file cannot be opened: {error.strerror}") from None
    return opened


async def pieces(file: DataFile, size: int) -> AsyncIterator[bytes]:
    """A file in pieces of `size` bytes; the last one may be shorter."""
    block = max(size, READ_BYTES // size * size)
    while read := await file.read(block):
        for start in range(0, len(read), size):
            yield read[start : start + size]


async def lines(file: DataFile) -> AsyncIterator[bytes]:
    """The lines of a file without their line ends; empty lines are left out. Raises `DataFileError` for one that is
    too long."""
    begun: list[bytes] = []  # the beginning of a line, whose end is not read yet
    size = 0
    while read := await file.read(READ_BYTES):
        *complete, rest = read.split(b"\n")
        for end in complete:
            _refuse_long(size + len(end))
            if line := b"".join((*begun, end)).rstrip(b"\r"):
                yield line
            begun, size = [], 0
        begun.append(rest)
        size += len(rest)
        _refuse_long(size)
    if line := b"".join(begun).rstrip(b"\r"):
        yield line


def _refuse_long(size: int) -> None:
    if size > LONGEST_LINE:
        raise DataFileError(f"its file has a line of more than {LONGEST_LINE} bytes")
