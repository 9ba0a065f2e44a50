"""Lines of a terminal as an SVG, each with the seconds since it began to run."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
IMAGES = ROOT / "docs" / "images"

LINE_HEIGHT, CHARACTER, MARGIN = 19, 8.4, 18
TIMES = 92
"""Where the text begins; before it are the seconds."""

STYLE = """
text { font: 14px ui-monospace, "SFMono-Regular", "DejaVu Sans Mono", Menlo, Consolas, monospace; fill: #d6deeb }
.time { fill: #7f8ea3 }
.command { fill: #9ae6b4 }
.name { fill: #82aaff }
.word { fill: #c792ea }
.string { fill: #ecc48d }
.comment { fill: #7f8ea3 }
.client { fill: #ffeb95 }
"""

Piece = tuple[str, str]
"""Some text, and the class of its colour; an empty one is plain."""


class Row(NamedTuple):
    """A line in pieces, the time before it if it has one, and what stands beside it in a column of its own."""

    pieces: Sequence[Piece] = ()
    at: str = ""
    beside: str = ""


def command(text: str) -> Row:
    """A command as it is typed."""
    return Row([("command", f"$ {text}")])


def draw(title: str, rows: Sequence[Row]) -> str:
    """Rows as an SVG."""
    longest = max(_length(row) for row in rows)
    column = TIMES + CHARACTER * (longest + 3)
    beside = max(len(row.beside) for row in rows)
    width = round((column + CHARACTER * beside if beside else TIMES + CHARACTER * longest) + 2 * MARGIN)
    height = 2 * MARGIN + LINE_HEIGHT * len(rows)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" role="img">',
        f"<title>{escape(title)}</title>",
        f"<style>{STYLE}</style>",
        f'<rect width="{width}" height="{height}" rx="8" fill="#011627"/>',
    ]
    for number, row in enumerate(rows):
        y = MARGIN + LINE_HEIGHT * (number + 0.75)
        if row.at:
            parts.append(f'<text class="time" x="{MARGIN}" y="{y:g}">{row.at}</text>')
        parts.append(f'<text xml:space="preserve" x="{TIMES}" y="{y:g}">{"".join(map(_span, row.pieces))}</text>')
        if row.beside:
            parts.append(f'<text class="client" x="{column:g}" y="{y:g}">{escape(row.beside)}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _length(row: Row) -> int:
    return sum(len(text) for _, text in row.pieces)


def _span(piece: Piece) -> str:
    name, text = piece
    return f'<tspan class="{name}">{escape(text)}</tspan>' if name else escape(text)
