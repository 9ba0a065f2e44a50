"""The timeline of an answer in the terminal: how many bytes and events came when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mockd.recordings.events import Seen

_BARS = "▁▂▃▄▅▆▇█"
_HEIGHT = 6


def timeline(events: Iterable[Seen], head_us: int, duration_us: int, width: int) -> Iterator[str]:
    """The lines of a picture that is as wide: bytes over time as bars, below them a mark for each event, and the time
    from the request on."""
    width = max(20, width)
    span = max(1, duration_us)
    sizes, counts = [0] * width, [0] * width
    for event in events:
        column = min(width - 1, event.at_us * width // span)
        sizes[column] += len(event.raw)
        counts[column] += 1
    most = max(sizes)
    yield f"bytes, at most {most:,} in {_time(span / width)}"
    steps = len(_BARS) * _HEIGHT
    levels = [-(-size * steps // most) if size else 0 for size in sizes]
    for row in range(_HEIGHT - 1, -1, -1):
        filled = (min(len(_BARS), level - row * len(_BARS)) for level in levels)
        yield "".join(_BARS[bar - 1] if bar > 0 else " " for bar in filled).rstrip()
    head = min(width - 1, head_us * width // span)
    yield "".join("H" if place == head and not count else _mark(count) for place, count in enumerate(counts)).rstrip()
    end = _time(span)
    yield f"0{end:>{width - 1}}"
    yield "H the head, · 1 event, : 2 to 9, # more"


def _mark(count: int) -> str:
    return " " if count == 0 else "·" if count == 1 else ":" if count < 10 else "#"


def _time(us: float) -> str:
    if us < 1_000:
        return f"{us:.0f} µs"
    return f"{us / 1_000:.1f} ms" if us < 1_000_000 else f"{us / 1_000_000:.2f} s"
