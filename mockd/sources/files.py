"""Reading data files in pieces, in other threads than the event loop's."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, BinaryIO

READ_BYTES = 64 * 1024


async def pieces(file: Path, size: int) -> AsyncIterator[bytes]:
    """A file in pieces of `size` bytes; the last one may be shorter."""
    loop = asyncio.get_running_loop()
    block = max(size, READ_BYTES // size * size)
    async with _opened(file) as opened:
        while read := await loop.run_in_executor(None, opened.read, block):
            for start in range(0, len(read), size):
                yield read[start : start + size]


async def lines(file: Path) -> AsyncIterator[bytes]:
    """The lines of a file without their line ends; empty lines are left out."""
    loop = asyncio.get_running_loop()
    async with _opened(file) as opened:
        while read := await loop.run_in_executor(None, opened.readlines, READ_BYTES):
            for line in read:
                if line := line.rstrip(b"\r\n"):
                    yield line


@contextlib.asynccontextmanager
async def _opened(file: Path) -> AsyncIterator[BinaryIO]:
    opening = asyncio.get_running_loop().run_in_executor(None, file.open, "rb")
    try:
        opened = await asyncio.shield(opening)
    except asyncio.CancelledError:
        opening.add_done_callback(_close)  # the thread opens the file in spite of the cancellation
        raise
    with opened:
        yield opened


def _close(opening: asyncio.Future[Any]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()
