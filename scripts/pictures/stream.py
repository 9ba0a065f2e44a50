"""The first picture in the README: what curl prints from a running mockd, and when."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator

from mockd import Settings, running_mockd
from scripts.pictures.drawing import IMAGES, ROOT, Row, command, draw

FILE = IMAGES / "stream.svg"
PATH = "/notifications"
COMMANDS = (["curl", "-N"], ["curl", "-N", "-H", "Last-Event-ID: 2"])
"""A stream, and what a client gets that comes back after its second event."""


def lines_of(command: list[str], url: str) -> Iterator[tuple[float, str]]:
    """What the command prints, line by line, with the seconds since it was started."""
    started = time.monotonic()
    with subprocess.Popen([*command, "--silent", url], stdout=subprocess.PIPE, text=True) as curl:
        assert curl.stdout is not None
        for line in curl.stdout:
            yield time.monotonic() - started, line.rstrip("\n")


def typed(command: list[str]) -> str:
    words = [f"'{word}'" if " " in word else word for word in command]
    return f"{' '.join(words)} http://localhost:4280{PATH}"


def drawn() -> str:
    """The picture, from a run."""
    rows: list[Row] = []
    with running_mockd(settings=Settings(config=(str(ROOT / "examples" / "sse"),))) as mockd:
        for words in COMMANDS:
            rows += [Row(), command(typed(words))] if rows else [command(typed(words))]
            is_first_of_event = True
            for at, line in lines_of(words, mockd.url + PATH):
                name, colon, value = line.partition(":")
                rows.append(Row([("name", name + colon), ("", value)], f"{at:.2f} s" if is_first_of_event else ""))
                is_first_of_event = not line
            rows.pop()  # the blank line behind the last event
    return draw(f"What {typed(COMMANDS[0])} prints, and after how many seconds", rows)
