"""Names of recordings: `007-post-v1-chat-completions.stream.jsonl`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import unquote

from mockd.recordings.lines import SUFFIX

LONGEST = 100
"""Most bytes of a name."""

_NOT_IN_NAMES = r"[^A-Za-z0-9._]+"
_NUMBER = re.compile(r"([0-9]{3,9})[-.]")


def name_of(number: int, method: str, path: str) -> str:
    """The name of a recording. The path must be redacted already."""
    start = f"{number:03}-{_escaped(method).lower()[:20]}"
    words = _escaped(unquote(path))
    return f"{start}-{words}"[: LONGEST - len(SUFFIX)].rstrip("-.") + SUFFIX


def next_number(names: Iterable[str]) -> int:
    """The number behind all that are in the names of a folder."""
    found = (_NUMBER.match(name) for name in names if name.endswith(SUFFIX))
    return max((int(match[1]) for match in found if match), default=0) + 1


def _escaped(text: str) -> str:
    """Text with a hyphen for all that is no letter, digit, dot or underscore."""
    return re.sub(_NOT_IN_NAMES, "-", text).strip("-.")
