"""What tests of several folders need."""

from __future__ import annotations

import functools
import gc
import signal
import sys
from collections.abc import Generator

import httpcore2
import pytest
from hypothesis import settings

from tests.at_once import pytest_configure as pytest_configure
from tests.environments import Say

# Always the same examples, so that a failure is due to what was changed.
settings.register_profile("same examples", derandomize=True)
settings.load_profile("same examples")

# A client of httpx2 loads the certificates of all authorities when it is made, and `httpx2.get` makes one: with OpenSSL
# 3.0 that takes twenty times as long as the request.
httpcore2.default_ssl_context = functools.cache(httpcore2.default_ssl_context)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is collected stays until the end: thousands of tests, which need not be looked through for garbage."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


for number in (signal.SIGINT, signal.SIGHUP):
    if signal.getsignal(number) is signal.SIG_IGN:
        # As with `&` or nohup; programs that tests start would ignore it too. So this process goes on, and they end.
        signal.signal(number, lambda number, frame: None)


@pytest.fixture(scope="session")
def say(pytestconfig: pytest.Config) -> Say:
    """Says what takes a while, past the capture."""
    capture = pytestconfig.pluginmanager.getplugin("capturemanager")

    def say(message: str) -> None:
        with capture.global_and_fixture_disabled():
            print(f"\n{message}", file=sys.stderr, flush=True)

    return say


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """The event loop of tests that are coroutines. What runs under trio is run by a pytest of its own."""
    return "asyncio"
