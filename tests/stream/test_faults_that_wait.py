"""A thousand streams that a fault keeps waiting cost no more than as many that are idle by themselves."""

from __future__ import annotations

import asyncio
import gc
import sys

import pytest

from tests.stream.harness import Lab

COUNT = 1000
IDLE = {"events": [{"data": "1"}], "lifecycle": {"keepOpen": True}}
LINES = ["stall after 1 event", "stall after 5 bytes", "idle", "stall before head", "stall 600000 after 1 event"]
MOST_BLOCKS = 80
"""Blocks of memory that a waiting fault may take beside its stream: its cursors, and its record."""


async def costs(line: str | None) -> tuple[int, int, int]:
    """The number of tasks, of entries in the calendar and of blocks of memory that so many streams take."""
    lab = Lab(in_memory=True, allow_fault_header=True)
    lab.mock("sse", **IDLE if line is None or "idle" not in line else {"events": IDLE["events"]})
    headers = {"X-Mockd-Fault": line} if line else {}
    streams = [await lab.open(headers=headers) for _ in range(10)]  # what is made once
    calendar = lab.engine._services.calendars.of(asyncio.get_running_loop())

    def entries() -> int:
        return sum(map(len, calendar._buckets.values()))

    gc.collect()
    tasks, due, size = len(asyncio.all_tasks()), entries(), sys.getallocatedblocks()
    streams += [await lab.open(headers=headers) for _ in range(COUNT)]
    gc.collect()
    found = len(asyncio.all_tasks()) - tasks, entries() - due, sys.getallocatedblocks() - size
    lab.engine.begin_shutdown()
    for _ in range(5):
        await asyncio.sleep(0)
    await asyncio.gather(*[stream.task for stream in streams])
    return found


@pytest.mark.anyio
@pytest.mark.parametrize("line", LINES)
async def test_waiting_costs_what_idling_does(line: str) -> None:
    tasks, due, blocks = await costs(None)
    tasks_waiting, due_waiting, blocks_waiting = await costs(line)
    assert tasks_waiting <= tasks
    assert due_waiting <= due + (COUNT if "600000" in line else 0)  # its end
    assert (blocks_waiting - blocks) / COUNT < MOST_BLOCKS
