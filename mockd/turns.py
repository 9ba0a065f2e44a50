"""Work of the event loop in turns: thousands of small steps at once would make every stream late."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from itertools import islice


def go_through(steps: Iterable[object], at_once: int) -> None:
    """Go through steps, so many in each turn of the running loop; all of them where no loop runs. The first turn is
    now."""
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
    """Wait until all steps are gone through, so many in each turn; how many there were."""
    steps, count = iter(steps), 0
    while taken := _take(steps, at_once):
        count += taken
        await asyncio.sleep(0)
    return count


def _take(steps: Iterator[object], most: int | None) -> int:
    return sum(1 for _ in islice(steps, most))
