"""Pauses between the pieces of a stream, which are long enough that a client reads each by itself, and no longer: a run
has its time, and streams may be long."""

from __future__ import annotations

from typing import Any

from msgspec import structs

from mockd.jsontext import encode_json
from mockd.torture.parts import parts_of
from mockd.torture.source import Mock, part_of
from mockd.torture.variants import Variant

_LINES = 4
"""Number of lines that an event may have."""


def with_pauses(variant: Variant, plain: Mock, *, most_ms: float, in_all_ms: float) -> Variant:
    """A variant that sends its stream in pieces, with longer pauses between them: of at most so many milliseconds each,
    and about so many in all. `plain` is the mock with its source written out. If there are no pieces, or its own pauses
    are as long, it stays the same."""
    split = variant.framing.get("split")
    if split is None:
        return variant
    pause = min(most_ms, in_all_ms / max(1, _borders(split, plain)))
    if pause <= variant.framing.get("pause", 0):
        return variant
    return structs.replace(variant, framing={**variant.framing, "pause": round(pause, 1)})


def _borders(split: Any, plain: Mock) -> int:
    """About how many pieces a stream has, or more."""
    answer = plain[part_of(plain)]
    text, parts = encode_json(answer), parts_of(plain)
    if split == "utf8":
        found = sum(byte & 0xC0 == 0x80 for byte in text)
    elif split in ("lines", "crlf"):
        found = _LINES * len(parts.parts if parts is not None else text.splitlines())
    else:
        found = len(text)
    repeats: int = answer.get("repeat", 1)
    return found * max(1, repeats)
