"""The fixture of tests that are coroutines, under the plug-ins that run them."""

from __future__ import annotations

import importlib.util
import inspect

import pytest

from mockd.fixtures import AsyncMockd, AsyncMockHandle, AsyncStreamHandle, Mockd, MockHandle, StreamHandle
from tests.plugin.conftest import Suite

TESTS = """
import anyio

pytestmark = MARK

async def test_a_stream_is_held_and_goes_on(amockd, asked):
    chat = await amockd.llm("Hello there, friend")
    await chat.hold_at(2)
    client = asked(chat.url, CHAT)
    stream = await chat.wait_for_stream()
    await stream.wait_reached(2)
    await stream.wait_held()
    assert (await stream.state())["eventsSent"] == 2
    await stream.step()
    await stream.push({"raw": ": pushed\\n\\n"})
    await stream.release()
    assert (await stream.wait_ended())["outcome"] == "completed"
    assert ": pushed" in client.getresponse().read().decode()
    await amockd.verify("POST /v1/chat/completions", times=1)
    assert len(await amockd.requests()) == 1
    await amockd.reset()
    assert await amockd.requests() == []

async def test_the_loop_goes_on_while_a_test_waits(amockd, asked):
    chat = await amockd.sse("/chat", ["a", "b"])
    await chat.hold_at("head")
    async with anyio.create_task_group() as tasks:
        async def ask():
            stream = await chat.wait_for_stream()
            await stream.wait_held()
            await stream.cut("reset")
        tasks.start_soon(ask)
        client = await anyio.to_thread.run_sync(asked, chat.url)
    await amockd.verify("/chat")

async def test_a_test_may_give_up(amockd):
    chat = await amockd.sse("/chat", ["a"])
    with anyio.move_on_after(0.05) as scope:
        await chat.wait_for_stream(timeout=600)
    assert scope.cancelled_caught

async def test_it_is_the_same_as_the_other(amockd, mockd):
    assert (amockd.url, amockd.key, amockd.admin) == (mockd.url, mockd.key, mockd.admin)
    mock = await amockd.response("/whole", {"a": 1})
    assert get(mock.url) == (200, '{"a":1}')
    mockd.verify("/whole")

async def test_it_fails(amockd):
    await amockd.verify("/none", within=0)
"""

INI = "[pytest]\nasyncio_default_fixture_loop_scope = function\n"


@pytest.mark.parametrize("loop", ["asyncio", "trio"])
def test_under_anyio(suite: Suite, loop: str) -> None:
    fixture = f"\n@pytest.fixture\ndef anyio_backend():\n    return {loop!r}\n"
    ran = suite(TESTS.replace("MARK", "pytest.mark.anyio") + fixture, plugins=("anyio",))
    assert ran.summary() == {"passed": 4, "failed": 1}, ran.text
    assert "expected /none at least once" in ran.text.replace("a request for ", "")
    assert "Requests of this test: none." in ran.text


@pytest.mark.skipif(importlib.util.find_spec("pytest_asyncio") is None, reason="pytest-asyncio is not installed")
def test_under_pytest_asyncio(suite: Suite) -> None:
    ran = suite(TESTS.replace("MARK", "pytest.mark.asyncio"), plugins=("pytest_asyncio.plugin",), ini=INI)
    assert ran.summary() == {"passed": 4, "failed": 1}, ran.text


@pytest.mark.parametrize(
    ("kind", "other"), [(Mockd, AsyncMockd), (MockHandle, AsyncMockHandle), (StreamHandle, AsyncStreamHandle)]
)
def test_every_method_is_there(kind: type, other: type) -> None:
    def methods(of: type) -> set[str]:
        return {name for name, value in vars(of).items() if inspect.isfunction(value) and not name.startswith("_")}

    assert methods(kind) - {"delete"} == methods(other)
    for name in methods(other):
        assert inspect.iscoroutinefunction(getattr(other, name))
        assert inspect.getdoc(getattr(other, name)) == inspect.getdoc(getattr(kind, name))
