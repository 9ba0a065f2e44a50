"""Work in several turns of the event loop, as thousands of small steps in one turn would delay every stream."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from itertools import islice


def go_through(steps: Iterable[object], at_once: int) -> None:
    """Go through steps, at most `at_once` in each turn of the running loop, or all of them now if no loop runs. The
    first turn is this one."""
    _go_on(iter(steps), at_once)


def _go_on(steps: Iterator[object], at_once: int) -> None:
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        _take(steps, None)
        return
    if _take(steps, at_once) == at_once:
        loop.call_soon(_go_on, steps, at_once)


async def gone_through(steps: Iterable[object], at_once: int) -> int:
    """Go through steps, at most `at_once` in each turn, and wait until all are done. Returns the number of steps."""
    steps, count = iter(steps), 0
    while taken := _take(steps, at_once):
        count += taken
        await asyncio.sleep(0)
    return count


def _take(steps: Iterator[object], most: int | None) -> int:
    return sum(1 for _ in islice(steps, most))
