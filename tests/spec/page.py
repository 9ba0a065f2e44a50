"""The page that mockd keeps to, in its parts: code blocks and tables under their headings."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TEXT = (Path(__file__).parent / "page.md").read_text(encoding="utf-8")

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced code block and the heading above it."""

    heading: str
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.heading} ({self.language or 'plain'})"

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def commands(self) -> list[str]:
        """Shell commands, each with its continuation lines as they stand."""
        lines = [line for line in self.text.replace("\\\n", "\\\0").split("\n") if line and not line.startswith("#")]
        return [line.replace("\0", "\n") for line in lines]


def blocks(language: str | None = None) -> list[Block]:
    """The code blocks, all or those of one language."""
    found = [Block(_heading_before(block.start()), block[1], block[2]) for block in _BLOCK.finditer(TEXT)]
    return [block for block in found if language in (None, block.language)]


def tables() -> Iterator[tuple[str, dict[str, str]]]:
    """Rows of the tables: the heading above, and the cells by their column's title, without backquotes."""
    prose = _BLOCK.sub(lambda block: "\n" * block[0].count("\n"), TEXT)
    titles: list[str] = []
    heading = ""
    for line in prose.splitlines():
        if found := _HEADING.match(line):
            heading = found[1]
        if not line.startswith("|"):
            titles = []
            continue
        cells = [cell.strip().strip("`") for cell in line.strip("|").split("|")]
        if not titles:
            titles = cells
        elif not set(line) <= set("|-: "):
            yield heading, dict(zip(titles, cells, strict=True))


def _heading_before(position: int) -> str:
    code = [block.span() for block in _BLOCK.finditer(TEXT)]
    headings = [
        heading[1]
        for heading in _HEADING.finditer(TEXT, 0, position)
        if not any(start < heading.start() < end for start, end in code)
    ]
    return headings[-1]
