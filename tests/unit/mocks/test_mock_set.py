"""Changes are accepted one at a time, in any thread, and served by the event loop."""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from mockd.config.load import parse_collection
from mockd.engine import Engine
from mockd.errors import ConfigError, ConflictError, NotFoundError

pytestmark = pytest.mark.anyio


def stream(mock_id: str, **parts: Any) -> dict[str, Any]:
    sse = {"events": [{"data": "$uuid"}], "resume": {"enabled": True}}
    return {"id": mock_id, "matcher": {"path": f"/{mock_id}"}, "sse": sse, **parts}


def ids(engine: Engine) -> list[str]:
    return [spec.id for spec in engine.mocks()]


async def test_what_is_accepted_is_served_by_the_loop_alone() -> None:
    engine, home = Engine(), threading.current_thread()
    seen: list[tuple[bool, list[str]]] = []

    def work() -> None:
        engine.mock_set.create(stream("a"))
        seen.append((threading.current_thread() is home, ids(engine)))
        # The next change is made to what was accepted, served or not.
        with pytest.raises(ConflictError):
            engine.mock_set.create(stream("a"))
        engine.mock_set.patch("a", {"name": "patched"})

    await engine.serving.apart(work)
    assert seen == [(False, [])]
    assert engine.get("a").mock.name == "patched"


async def test_errors_come_back_and_nothing_is_changed() -> None:
    engine = Engine()
    with pytest.raises(NotFoundError):
        await engine.serving.apart(lambda: engine.mock_set.toggle("none"))
    with pytest.raises(ConfigError):
        await engine.serving.apart(lambda: engine.mock_set.create({}))
    assert ids(engine) == []


@pytest.fixture
def many_switches() -> Iterator[None]:
    """Threads take turns all the time, so that what is not safe shows."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("many_switches")
async def test_changes_from_everywhere_are_made_one_after_the_other() -> None:
    """None is lost: each is worked out on the set that the one before it left."""
    engine = Engine()
    engine.create(stream("a", description=""))
    changes = [
        engine.serving.apart(lambda number=number: engine.mock_set.create(stream(f"m{number}"))) for number in range(20)
    ]
    waiting = [asyncio.ensure_future(change) for change in changes]
    others = [threading.Thread(target=engine.create, args=(stream(f"t{number}"),)) for number in range(20)]
    for number, other in enumerate(others):
        other.start()
        engine.create(stream(f"h{number}"))
        await asyncio.sleep(0)
    await asyncio.gather(*waiting)
    for other in others:
        other.join()
    assert sorted(ids(engine)) == sorted(["a", *(f"{kind}{number}" for kind in "mth" for number in range(20))])
    assert [id_ for id_ in ids(engine) if id_[0] == "m"] == [f"m{number}" for number in range(20)]


@pytest.mark.usefixtures("many_switches")
async def test_a_change_is_served_before_the_wait_for_it_ends() -> None:
    engine = Engine()
    engine.create(stream("a"))
    for _ in range(1000):
        spec = await engine.serving.apart(lambda: engine.mock_set.toggle("a"))
        assert engine.get("a") is spec


async def test_work_apart_is_done_in_the_order_it_came() -> None:
    engine, done = Engine(), list[int]()

    def work(number: int) -> None:
        time.sleep(0.02 if number == 0 else 0)
        done.append(number)

    await asyncio.gather(*(engine.serving.apart(lambda number=number: work(number)) for number in range(50)))
    assert done == list(range(50))


async def test_a_change_nobody_waits_for_any_more_is_served_all_the_same() -> None:
    engine = Engine()
    begun, goes_on = threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        goes_on.wait(10)
        engine.mock_set.create(stream("a"))

    waiting = asyncio.ensure_future(engine.serving.apart(work))
    await asyncio.to_thread(begun.wait)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    goes_on.set()
    async with asyncio.timeout(10):
        while ids(engine) != ["a"]:  # noqa: ASYNC110  # there is nothing to wait for
            await asyncio.sleep(0.001)


async def test_the_loop_runs_on_meanwhile() -> None:
    engine = Engine()
    goes_on = threading.Event()
    waiting = asyncio.ensure_future(engine.serving.apart(lambda: goes_on.wait(10)))
    await asyncio.sleep(0)
    goes_on.set()
    assert await waiting is True


def test_an_engine_is_changed_without_a_loop() -> None:
    engine = Engine()
    engine.create(stream("a"))
    assert asyncio.run(engine.serving.apart(lambda: engine.mock_set.toggle("a"))).mock.enabled is False
    assert asyncio.run(engine.serving.apart(lambda: engine.mock_set.toggle("a"))).mock.enabled is True
    assert engine.get("a").mock.enabled is True


def test_old_sets_are_not_left_to_the_garbage_collector() -> None:
    """Its passes stop every thread, and the more of it there is the longer."""
    engine = Engine()

    def change(word: str) -> None:
        docs = [stream(str(number), name=word, response=None) for number in range(50)]
        for doc in docs:
            doc["sse"]["events"][0]["data"] += word
            del doc["response"]
        specs = parse_collection(docs, root=None)
        engine.import_specs(specs, replace=True, dry_run=True)
        engine.import_specs(specs, replace=True, dry_run=False)

    change("warm up")
    gc.collect()
    gc.disable()
    try:
        change("first")
        change("second")
        assert gc.collect() < 50
    finally:
        gc.enable()
