"""Checks of JSON values from any source: finite numbers, text that can be sent as UTF-8, and limited nesting."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import islice
from typing import Any

from mockd.errors import MAX_PROBLEMS, Path, Problem

MAX_DEPTH = 100
"""Deepest nesting of lists and objects. With this limit, code that walks a value cannot overflow the stack."""

MAX_DIGITS = 4000
"""Most digits of an integer. Python's own limit for writing one is 4,300."""

_MAX_BITS = math.floor(MAX_DIGITS * math.log2(10))

TOO_DEEP = f"lists and objects are nested more than {MAX_DEPTH} levels deep"
TOO_LONG = f"an integer of more than {MAX_DIGITS:,} digits"


def check_values(value: object) -> list[Problem]:
    """The problems of a JSON value and of all values in it, in the order in which they are written."""
    return list(islice(_problems(value, ()), MAX_PROBLEMS))


def free(value: object) -> None:
    """Take a JSON value apart step by step. To free a large one at once would block all other threads."""
    waiting = [value]
    while waiting:
        inner = waiting.pop()
        if isinstance(inner, dict | list):
            waiting += inner.values() if isinstance(inner, dict) else inner
            inner.clear()


def _problems(value: object, path: Path) -> Iterator[Problem]:
    if isinstance(value, dict | list) and len(path) >= MAX_DEPTH:
        yield Problem(TOO_DEEP, path)
    elif isinstance(value, dict):
        for key in value:
            if not isinstance(key, str):
                yield Problem(f"a key that is not text: {key!r}", path)
            elif not _is_whole(key):
                yield Problem(_HALF, path)
        for key, item in value.items():
            yield from _problems(item, (*path, str(key)))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _problems(item, (*path, index))
    elif complaint := _complaint(value):
        yield Problem(complaint, path)


_HALF = "half of a surrogate pair, which cannot be sent as UTF-8"


def _complaint(value: Any) -> str | None:
    match value:
        case None | bool():
            return None
        case str():
            return None if _is_whole(value) else _HALF
        case int():
            return None if value.bit_length() <= _MAX_BITS else TOO_LONG
        case float():
            return None if math.isfinite(value) else "NaN, infinities and numbers too large are not JSON values"
        case _:
            return f"a {type(value).__name__} is not a JSON value"


def _is_whole(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
