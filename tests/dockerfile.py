"""A Dockerfile, taken apart."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Instruction:
    """`name` in capitals, and the rest of the line; continuation lines are joined."""

    name: str
    rest: str

    @property
    def exec_form(self) -> list[str]:
        """The JSON list of `CMD [...]` and the like, options before it left out. Raises ValueError where it is none."""
        return list(json.loads(self.rest[self.rest.index("[") :]))

    @property
    def words(self) -> list[str]:
        return shlex.split(self.rest)


def instructions(file: Path) -> list[Instruction]:
    """The instructions, in order."""
    lines = [line for line in file.read_text(encoding="utf-8").splitlines() if not line.lstrip().startswith("#")]
    text = "\n".join(lines).replace("\\\n", " ")
    return [
        Instruction(found[1], " ".join(found[2].split()))
        for line in text.splitlines()
        if (found := re.match(r"([A-Z]+)\s+(.*)", line))
    ]
