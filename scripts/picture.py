"""The picture in the README: what curl prints from a running mockd, and when. `scripts/docs picture` draws it anew."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from html import escape
from pathlib import Path

from mockd import Settings, running_mockd

ROOT = Path(__file__).parents[1]
FILE = ROOT / "docs" / "images" / "stream.svg"
PATH = "/notifications"
COMMANDS = (["curl", "-N"], ["curl", "-N", "-H", "Last-Event-ID: 2"])
"""A stream, and what a client gets that comes back after its second event."""

LINE_HEIGHT, CHARACTER, MARGIN = 19, 8.4, 18
TIMES = 92
"""Where the text begins; before it are the seconds since the command was typed."""

STYLE = """
text { font: 14px ui-monospace, "SFMono-Regular", "DejaVu Sans Mono", Menlo, Consolas, monospace; fill: #d6deeb }
.time { fill: #7f8ea3 }
.command { fill: #9ae6b4 }
.name { fill: #82aaff }
"""


def lines_of(command: list[str], url: str) -> Iterator[tuple[float, str]]:
    """What the command prints, line by line, with the seconds since it was started."""
    started = time.monotonic()
    with subprocess.Popen([*command, "--silent", url], stdout=subprocess.PIPE, text=True) as curl:
        assert curl.stdout is not None
        for line in curl.stdout:
            yield time.monotonic() - started, line.rstrip("\n")


def typed(command: list[str]) -> str:
    words = [f"'{word}'" if " " in word else word for word in command]
    return f"$ {' '.join(words)} http://localhost:4280{PATH}"


def draw(rows: list[tuple[str, str]]) -> str:
    """Rows of (time, text) as an SVG."""
    width = round(TIMES + 2 * MARGIN + CHARACTER * max(len(text) for _, text in rows))
    height = 2 * MARGIN + LINE_HEIGHT * len(rows)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" role="img">',
        f"<title>What {escape(typed(COMMANDS[0])[2:])} prints, and after how many seconds</title>",
        f"<style>{STYLE}</style>",
        f'<rect width="{width}" height="{height}" rx="8" fill="#011627"/>',
    ]
    for number, (at, text) in enumerate(rows):
        y = MARGIN + LINE_HEIGHT * (number + 0.75)
        if at:
            parts.append(f'<text class="time" x="{MARGIN}" y="{y:g}">{at}</text>')
        parts.append(f'<text xml:space="preserve" x="{TIMES}" y="{y:g}">{marked_up(text)}</text>')
    return "\n".join([*parts, "</svg>", ""])


def marked_up(text: str) -> str:
    if text.startswith("$"):
        return f'<tspan class="command">{escape(text)}</tspan>'
    name, colon, value = text.partition(":")
    return f'<tspan class="name">{escape(name + colon)}</tspan>{escape(value)}'


def main() -> None:
    rows: list[tuple[str, str]] = []
    with running_mockd(settings=Settings(config=(str(ROOT / "examples" / "sse"),))) as mockd:
        for command in COMMANDS:
            rows += [("", ""), ("", typed(command))] if rows else [("", typed(command))]
            for at, line in lines_of(command, mockd.url + PATH):
                is_first_of_event = rows[-1][1] == "" or rows[-1][1].startswith("$")
                rows.append((f"{at:.2f} s" if is_first_of_event else "", line))
            rows.pop()  # the blank line behind the last event
    FILE.write_text(draw(rows), encoding="utf-8")


if __name__ == "__main__":
    main()
