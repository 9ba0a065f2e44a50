"""What of two runs must be the same: the exit code, the output, or the JSON that the output is."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from itertools import zip_longest
from typing import Any

from mockd.errors import ConfigError
from mockd.torture.command import Ended

_SHOWN = 60
"""Most characters that are shown of a line that differs."""
_BEFORE = 20
"""Number of characters that are shown before the first that differs."""


def difference(wanted: Ended, got: Ended, ways: Sequence[str]) -> str | None:
    """How a run differs from the one that is right, in words; None if it does not. A run that was killed always
    differs."""
    if got.trouble is not None:
        return got.in_words
    return next(filter(None, (WAYS[way](wanted, got) for way in ways)), None)


def check_comparable(baseline: Ended, ways: Sequence[str]) -> None:
    """Raise `ConfigError` if there is nothing in a run by which others could be compared with it."""
    if "json" in ways and _values(baseline.stdout) is None:
        raise ConfigError("the command's output is no JSON, neither whole nor line by line", hint="--compare stdout")


def _exit(wanted: Ended, got: Ended) -> str | None:
    if wanted.code == got.code:
        return None
    return f"{got.in_words}: {_short(said)}" if (said := got.last_words) else got.in_words


def _stdout(wanted: Ended, got: Ended) -> str | None:
    if wanted.stdout == got.stdout:
        return None
    lines = zip_longest(*(ended.stdout.decode(errors="backslashreplace").split("\n") for ended in (wanted, got)))
    unlike = ((at, right, wrong) for at, (right, wrong) in enumerate(lines, 1) if right != wrong)
    number, right, wrong = next(unlike, (0, None, None))
    if wrong is None:
        return f"line {number} is missing: {_short(repr(right))}" if right else "the bytes of its output differ"
    if right is None:
        return f"line {number} is too much: {_short(repr(wrong))}"
    unlike_at = next((at for at, pair in enumerate(zip_longest(right, wrong)) if pair[0] != pair[1]), 0)
    start = max(0, unlike_at - _BEFORE)
    return f"line {number} is {_short(repr(wrong[start:]))}, not {_short(repr(right[start:]))}"


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _json(wanted: Ended, got: Ended) -> str | None:
    right, wrong = _values(wanted.stdout), _values(got.stdout)
    if wrong is None:
        return "its output is no JSON"
    return None if right == wrong else _stdout(wanted, got)


def _values(text: bytes) -> list[Any] | None:
    """The JSON values that an output consists of: one, or one on each line. None if it is no JSON."""
    for parts in ([text], text.splitlines()):
        try:
            return [json.loads(part) for part in parts]
        except ValueError:
            continue
    return None


WAYS: dict[str, Callable[[Ended, Ended], str | None]] = {"exit": _exit, "stdout": _stdout, "json": _json}
"""What can be compared, by its name on the command line."""
DEFAULT_WAYS = ("exit", "stdout")


def read_ways(text: str) -> tuple[str, ...]:
    """The ways of comparing in a list with commas. Raises `ConfigError`."""
    ways = tuple(filter(None, (part.strip() for part in text.split(","))))
    unknown = [way for way in ways if way not in WAYS]
    if unknown or not ways:
        said = f"{unknown[0]!r} is nothing to compare" if unknown else "there is nothing to compare"
        raise ConfigError(f"--compare: {said}", hint=f"known are {', '.join(WAYS)}")
    return ways
