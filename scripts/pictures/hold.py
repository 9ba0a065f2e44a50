"""The second picture in the README: a test that holds a stream, line by line, beside what its client has read."""

from __future__ import annotations

import io
import itertools
import json
import keyword
import os
import re
import subprocess
import sys
import tempfile
import tokenize
from pathlib import Path

from scripts.pictures.drawing import IMAGES, ROOT, Piece, Row, command, draw

FILE = IMAGES / "hold.svg"
HELD = Path(__file__).parent / "held"
TEST = HELD / "test_chat.py"
_OPTIONS = ("-q", "-p", "mockd.pytest_plugin", "-p", "no:cacheprovider", "-c", os.devnull, f"--rootdir={HELD}")
BEGIN = "def test_"
"""The beginning of the first line that is shown."""


def drawn() -> str:
    """The picture, from a run of pytest."""
    with tempfile.TemporaryDirectory() as folder:
        notes = Path(folder) / "notes.json"
        run = subprocess.run(
            [sys.executable, "-m", "pytest", *_OPTIONS, TEST.name],
            cwd=HELD,
            env={**os.environ, "NOTES": str(notes), "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
            capture_output=True,
            text=True,
            check=True,
        )
        ran: list[tuple[int, float, str]] = json.loads(notes.read_text(encoding="utf-8"))
    lines = TEST.read_text(encoding="utf-8").splitlines()
    first = next(number for number, line in enumerate(lines, start=1) if line.startswith(BEGIN))
    started = {number: at for number, at, _ in reversed(ran)}
    read = _changes(ran)
    rows = [command(f"pytest {TEST.name}")._replace(beside="the client has read"), Row()]
    for number, line in enumerate(lines[first - 1 :], start=first):
        at = f"{started[number]:.2f} s" if number in started else ""
        rows.append(Row(_coloured(line), at, read.get(number, "")))
    passed = run.stdout.strip().splitlines()[-1]
    return draw("A test that holds a stream, and what its client has read", [*rows, Row(), Row([("command", passed)])])


def _changes(ran: list[tuple[int, float, str]]) -> dict[int, str]:
    """What the client had read behind a line, for those lines behind which that is more than before."""
    found: dict[int, str] = {}
    for (number, _, before), (_, _, behind) in itertools.pairwise(ran):
        if behind != before:
            found[number] = behind
    return found


_COLOURS = {tokenize.STRING: "string", tokenize.NUMBER: "string", tokenize.COMMENT: "comment"}


def _coloured(line: str) -> list[Piece]:
    """A line of Python in pieces."""
    indent = len(line) - len(line.lstrip())
    place = 0
    pieces: list[Piece] = []
    for token in tokenize.generate_tokens(io.StringIO(line.lstrip() + _rest(line)).readline):
        start, end = token.start[1] + indent, token.end[1] + indent
        if not token.string.strip() or end > len(line):
            continue
        name = _COLOURS.get(token.type, "")
        if token.type == tokenize.NAME:
            name = "word" if keyword.iskeyword(token.string) else "name" if line[end : end + 1] == "(" else ""
        pieces += [("", line[place:start]), (name, token.string)]
        place = end
    return [piece for piece in pieces if piece[1]]


def _rest(line: str) -> str:
    """What makes a statement of a line that only begins one."""
    return " pass" if re.search(r":\s*$", line) else ""
