"""The plot of lateness: how far behind schedule streams are as they grow older, as SVG."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

WIDTH, HEIGHT = 760, 420
LEFT, RIGHT, TOP, BOTTOM = 70, 150, 40, 50
LEAST_MS, MOST_MS = 0.1, 10_000.0
COLORS = {
    "mockd": "#0b6e4f",
    "sse-starlette": "#c1292e",
    "node": "#8a6d00",
    "go": "#1f6fb2",
    "aimock": "#7b4ea3",
}

Series = Sequence[Sequence[float]]
"""(seconds, median ms, 99th percentile ms)."""


def lateness_svg(series: Mapping[str, Series], titles: Mapping[str, str]) -> str:
    """A line for each server's median and, thin and dashed, for its 99th percentile; time and lateness in log scale."""
    oldest = max(point[0] for points in series.values() for point in points) or 1
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="sans-serif" font-size="12" fill="#333">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        f'<text x="{LEFT}" y="20" font-size="14">How far behind schedule events are, by the age of their stream '
        "(median; dashed: p99)</text>",
        *_axes(oldest),
    ]
    ends: list[float] = []
    for name, points in series.items():
        color = COLORS.get(name, "#555")
        parts.append(_line(points, 1, oldest, f'stroke="{color}" stroke-width="2.5"'))
        parts.append(_line(points, 2, oldest, f'stroke="{color}" stroke-width="1" stroke-dasharray="4 3"'))
        y = _free(_y(points[-1][1]), ends)
        parts.append(f'<text x="{WIDTH - RIGHT + 8}" y="{y + 4:.1f}" fill="{color}">{titles[name]}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _axes(oldest: float) -> list[str]:
    parts = []
    for power in range(round(math.log10(LEAST_MS)), round(math.log10(MOST_MS)) + 1):
        y, label = _y(10.0**power), f"{10.0**power:g} ms"
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{label}</text>')
    for seconds in range(0, int(oldest) + 1, 5):
        x = _x(seconds, oldest)
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle">{seconds} s</text>')
    return parts


def _line(points: Series, column: int, oldest: float, style: str) -> str:
    path = " ".join(f"{_x(point[0], oldest):.1f},{_y(point[column]):.1f}" for point in points)
    return f'<polyline points="{path}" fill="none" {style}/>'


def _x(seconds: float, oldest: float) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * seconds / oldest


def _y(ms: float) -> float:
    share = math.log(min(max(ms, LEAST_MS), MOST_MS) / LEAST_MS) / math.log(MOST_MS / LEAST_MS)
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share


def _free(y: float, taken: list[float]) -> float:
    """A height for a label that is not another's."""
    while any(abs(y - other) < 14 for other in taken):
        y -= 14
    taken.append(y)
    return y
