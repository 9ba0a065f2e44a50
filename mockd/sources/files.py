"""Data files, read in pieces off the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import BinaryIO

READ_BYTES = 64 * 1024


async def pieces(file: Path, size: int) -> AsyncIterator[bytes]:
    """A file in pieces of `size` bytes, the last one shorter."""
    loop = asyncio.get_running_loop()
    block = max(size, READ_BYTES // size * size)
    opened: BinaryIO = await loop.run_in_executor(None, file.open, "rb")
    try:
        while read := await loop.run_in_executor(None, opened.read, block):
            for start in range(0, len(read), size):
                yield read[start : start + size]
    finally:
        opened.close()


async def lines(file: Path) -> AsyncIterator[bytes]:
    """A file's lines without their ends; empty ones are passed over."""
    loop = asyncio.get_running_loop()
    opened: BinaryIO = await loop.run_in_executor(None, file.open, "rb")
    try:
        while read := await loop.run_in_executor(None, opened.readlines, READ_BYTES):
            for line in read:
                if line := line.rstrip(b"\r\n"):
                    yield line
    finally:
        opened.close()
