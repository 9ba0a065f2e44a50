"""How a text fits the parts of a template, in time that grows with its length and not with a power of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Literal

from msgspec import Struct

from mockd.patterns import Effort, compiled, fits_pieces

Fit = Callable[[str, Effort], Sequence[str] | None]
"""The values of the captures in a text, or None if it does not fit. Raises as `Effort.left` does."""


class Part(Struct, frozen=True):
    """A part of a template: decoded text, a capture with its name, or a star."""

    kind: Literal["text", "capture", "star"]
    value: str


def fitting(parts: Sequence[Part]) -> Fit:
    """How a whole text fits these parts."""
    kinds = {part.kind for part in parts}
    if "star" not in kinds:
        texts = texts_around("capture", parts)
        return lambda text, _: _values(texts, text)
    if "capture" not in kinds:
        pieces = texts_around("star", parts)
        return lambda text, _: () if fits_pieces(pieces, text) else None
    return _fit_in_segments(parts) or _fit_pattern(parts)


def texts_around(kind: str, parts: Sequence[Part]) -> tuple[str, ...]:
    """The texts before, between and behind the parts of a kind, if the others are text."""
    texts = [""]
    for part in parts:
        if part.kind == kind:
            texts.append("")
        else:
            texts[-1] += part.value
    return tuple(texts)


def captured(texts: Sequence[str], text: str) -> Sequence[str] | None:
    """The values of the captures between texts, of which each is as long as possible, the first ones first. The last
    occurrence of what is behind a capture leaves the most room for what is before, so no other must be tried."""
    start, end = len(texts[0]), len(text) - len(texts[-1])
    if end - start < len(texts) - 1 or not text.startswith(texts[0]) or not text.endswith(texts[-1]):
        return None
    values: list[str] = []
    for piece in texts[-2:0:-1]:
        place = text.rfind(piece, start + 1, end - 1)
        value = text[place + len(piece) : end]
        if place < 0 or "/" in value:
            return None
        values.append(value)
        end = place
    value = text[start:end]
    if "/" in value:
        return None
    values.append(value)
    values.reverse()
    return values


def _values(texts: Sequence[str], text: str) -> Sequence[str] | None:
    if len(texts) == 1:
        return () if text == texts[0] else None
    return captured(texts, text)


def _fit_in_segments(parts: Sequence[Part]) -> Fit | None:
    """Captures before the first star and behind the last one, if there are slashes between them and the stars. So they
    are in the first segments of a text and in the last ones, whatever the stars stand for."""
    stars = [place for place, part in enumerate(parts) if part.kind == "star"]
    first, last = stars[0], stars[-1]
    *head, before = texts_around("capture", parts[:first])
    behind, *tail = texts_around("capture", parts[last + 1 :])
    if any(part.kind == "capture" for part in parts[first:last]) or (head and "/" not in before):
        return None
    if tail and "/" not in behind:
        return None
    cut = before.rindex("/") + 1 if head else 0
    head_texts, before = (*head, before[:cut]), before[cut:]
    cut = behind.index("/") if tail else len(behind)
    tail_texts, behind = (behind[cut:], *tail), behind[:cut]
    pieces = (before, *texts_around("star", parts[first : last + 1])[1:-1], behind)
    head_slashes, tail_slashes = (sum(text.count("/") for text in texts) for texts in (head_texts, tail_texts))

    def fit(text: str, _: Effort) -> Sequence[str] | None:
        segments = text.split("/", head_slashes)
        rest = segments[-1]
        middle = rest.rsplit("/", tail_slashes)
        if len(segments) <= head_slashes or len(middle) <= tail_slashes or not fits_pieces(pieces, middle[0]):
            return None
        first_values = _values(head_texts, text[: len(text) - len(rest)])
        last_values = _values(tail_texts, rest[len(middle[0]) :])
        return None if first_values is None or last_values is None else (*first_values, *last_values)

    return fit


def _fit_pattern(parts: Sequence[Part]) -> Fit:
    """Captures and stars without a slash between them, which are rare."""
    *_, last_star = (place for place, part in enumerate(parts) if part.kind == "star")
    sources = {"capture": "([^/]+)", "star": "(?s:.*?)"}
    written = [sources.get(part.kind) or re.escape(part.value) for part in parts]
    written[last_star] = "(?s:.*)"
    pattern = compiled(rf"\A{''.join(written)}\Z")

    def fit(text: str, effort: Effort) -> Sequence[str] | None:
        # Each group takes part in each match.
        return pattern.groups(text, effort)  # type: ignore[return-value]

    return fit
