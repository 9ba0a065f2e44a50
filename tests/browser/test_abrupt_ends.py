"""Chromium gets all that was sent before a break, if mockd waits as its guides say."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import BrowserContext, Page

from mockd.engine import Engine
from mockd.testing import running_mockd
from tests.browser.conftest import HTML, PATIENCE_MS
from tests.docs.blocks import ROOT, blocks
from tests.wire.conftest import TLS

pytestmark = pytest.mark.browser

EXAMPLES = {
    "/abrupt": ("lifecycle", {"work"}),
    "/flaky": ("resume", {"1", "2"}),
    "/lingering": ("faults", {"one", "two"}),
}
"""The guide that has the mock of a path, and the data of its events before the break."""

LISTEN = """
(path) => {
  window.seen = [];
  const source = new EventSource(path);
  source.onmessage = (event) => seen.push(event.data);
  source.onerror = () => { source.close(); window.end = 'an error'; };
}
"""
FETCH = """
(path) => {
  window.seen = [];
  const read = async () => {
    const reader = (await fetch(path)).body.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return 'a clean end';
      text += value;
      window.seen = text.split('\\n').filter((line) => line.startsWith('data: ')).map((line) => line.slice(6));
    }
  };
  read().catch(() => 'an error').then((end) => { window.end = end; });
}
"""


class Timer(NamedTuple):
    """A call that is to come, unless somebody cancels it."""

    cancel: Callable[[], None]


class HeldClock:
    """A clock that stands still until it may `go`, so that a pause is as long as the browser needs."""

    wall = staticmethod(time.time)

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._went: float | None = None

    def go(self) -> None:
        self._went = time.monotonic()

    def monotonic(self) -> float:
        return self._began if self._went is None else self._began + time.monotonic() - self._went

    def call_at(self, when: float, callback: Callable[[], None]) -> Any:
        loop = asyncio.get_running_loop()
        waiting = asyncio.Event()  # until it is set, which is the end of it

        def look() -> None:
            if waiting.is_set():
                return
            if self.monotonic() < when:
                loop.call_later(0.005, look)
            else:
                callback()

        loop.call_soon(look)
        return Timer(waiting.set)


def example(path: str) -> dict[str, Any]:
    """The mock of a guide."""
    page = ROOT / "docs" / "guides" / f"{EXAMPLES[path][0]}.md"
    mocks = [json.loads(block.text) for block in blocks(page) if block.language == "json"]
    [mock] = [mock for mock in mocks if mock.get("matcher", {}).get("path") == path]
    return dict(mock)


@pytest.fixture(params=[{}, TLS], ids=["plain", "TLS"])
def own_page(request: pytest.FixtureRequest, chromium: BrowserContext) -> Iterator[tuple[Page, HeldClock]]:
    """A page of a server that has the examples, and the clock of that."""
    assert chromium.browser is not None
    clock = HeldClock()
    with (
        running_mockd(HTML, *map(example, EXAMPLES), engine=Engine(clock=clock), **request.param) as mockd,
        chromium.browser.new_context(ignore_https_errors=True) as context,
    ):
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        page.goto(mockd.url.replace("http:", "https:" if request.param else "http:") + "/page")
        yield page, clock
        clock.go()


@pytest.mark.parametrize("path", EXAMPLES)
@pytest.mark.parametrize("script", [LISTEN, FETCH], ids=["EventSource", "fetch"])
def test_no_event_before_the_break_is_lost(own_page: tuple[Page, HeldClock], script: str, path: str) -> None:
    """All of it is there while the break is still to come, and stays there behind it. How soon a browser reads depends
    on the machine, so no pause is always long enough; here it lasts until the page has read."""
    (page, clock), data = own_page, sorted(EXAMPLES[path][1])
    page.evaluate(script, path)
    page.wait_for_function("count => seen.length === count", arg=len(data))
    assert page.evaluate("window.end") is None
    clock.go()
    page.wait_for_function("window.end !== undefined")
    assert page.evaluate("[window.seen, window.end]") == [data, "an error"]
