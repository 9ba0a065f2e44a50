"""The fenced blocks of a page, and the commands in them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = ("docs", "examples", "scripts")
PAGES = sorted([*ROOT.glob("*.md"), *(page for folder in FOLDERS for page in (ROOT / folder).rglob("*.md"))])
LLM_GUIDES = ROOT / "docs" / "guides" / "llm"
"""Pages that each open with the use of an SDK, which `tests/clients` runs."""

NOT_RUN = "not-run"
"""In the fence of a block that a test cannot run: it needs another machine, Docker, or a clone."""

_FENCE = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block: `language` and `label` are the words behind its fence. A label with a dot names a file: one that
    a reader saves, or one of the examples, of which the block is an excerpt."""

    language: str
    label: str
    text: str
    line: int

    @property
    def file_name(self) -> str | None:
        return self.label if "." in self.label and not self.is_excerpt else None

    @property
    def is_excerpt(self) -> bool:
        return self.label.startswith("examples/")

    @property
    def is_run(self) -> bool:
        return self.label != NOT_RUN and not self.is_excerpt


def blocks(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    found = []
    for match in _FENCE.finditer(text):
        language, _, label = match["info"].partition(" ")
        found.append(Block(language, label.strip(), match["text"], text.count("\n", 0, match.start()) + 1))
    return found


@dataclass(frozen=True)
class Command:
    """One command line of a `bash` block; `exit_code` is what a comment `# exits 18` behind it says."""

    words: list[str]
    exit_code: int


def commands(block: Block) -> Iterator[Command]:
    joined = block.text.replace("\\\n", " ")
    quoted_newlines = re.sub(r"'[^']*'", lambda quoted: quoted[0].replace("\n", "\0"), joined)
    for line in quoted_newlines.splitlines():
        line = line.replace("\0", "\n")
        words = shlex.split(line, comments=True)
        exits = re.search(r"# exits (\d+)$", line)
        if words:
            yield Command(words, int(exits[1]) if exits else 0)
