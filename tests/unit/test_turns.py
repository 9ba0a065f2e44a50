"""Work in turns of the event loop."""

from __future__ import annotations

import asyncio

import pytest

from mockd.turns import go_through, gone_through


@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 95])
def test_others_have_their_turn(count: int) -> None:
    done: list[int] = []

    async def main() -> list[int]:
        steps = (done.append(number) for number in range(count))
        go_through(steps, 10)
        seen = [len(done)]
        while len(done) < count:
            await asyncio.sleep(0)
            seen.append(len(done))
        return seen

    seen = asyncio.run(main())
    assert done == list(range(count))
    assert all(after - before <= 10 for before, after in zip([0, *seen], seen, strict=False))


@pytest.mark.parametrize("count", [0, 9, 10, 25])
def test_one_can_wait_until_all_is_done(count: int) -> None:
    async def main() -> tuple[int, int]:
        others = 0

        async def other() -> None:
            nonlocal others
            while True:
                others += 1
                await asyncio.sleep(0)

        beside = asyncio.ensure_future(other())
        done = await gone_through(range(count), 10)
        beside.cancel()
        return done, others

    done, others = asyncio.run(main())
    assert done == count
    assert others >= count // 10


def test_without_a_loop_all_is_done_at_once() -> None:
    done: list[int] = []
    go_through((done.append(number) for number in range(100)), 10)
    assert len(done) == 100
