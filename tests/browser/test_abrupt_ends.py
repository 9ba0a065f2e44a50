"""Chromium gets all that was sent before a break, if mockd waits as its guides say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page

from mockd.testing import running_mockd
from tests.browser.conftest import HTML
from tests.docs.blocks import ROOT, blocks
from tests.wire.conftest import TLS

pytestmark = pytest.mark.browser

TIMES = 30
EXAMPLES = {
    "/abrupt": ("lifecycle", {"work"}),
    "/flaky": ("resume", {"1", "2"}),
    "/lingering": ("faults", {"one", "two"}),
}
"""The guide that has the mock of a path, and the data of its events before the break."""

LISTEN = """
async ([path, times]) => {
  const all = [];
  for (let time = 0; time < times; time += 1) {
    all.push(await new Promise((resolve) => {
      const seen = [];
      const source = new EventSource(path);
      source.onmessage = (event) => seen.push(event.data);
      source.onerror = () => { source.close(); resolve(seen); };
    }));
  }
  return all;
}
"""
FETCH = """
async ([path, times]) => {
  const all = [];
  for (let time = 0; time < times; time += 1) {
    let text = '';
    try {
      const reader = (await fetch(path)).body.pipeThrough(new TextDecoderStream()).getReader();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        text += value;
      }
      all.push('a clean end');
    } catch (failure) {
      all.push(text.split('\\n').filter((line) => line.startsWith('data: ')).map((line) => line.slice(6)));
    }
  }
  return all;
}
"""


def example(path: str) -> dict[str, Any]:
    """The mock of a guide."""
    page = ROOT / "docs" / "guides" / f"{EXAMPLES[path][0]}.md"
    mocks = [json.loads(block.text) for block in blocks(page) if block.language == "json"]
    [mock] = [mock for mock in mocks if mock.get("matcher", {}).get("path") == path]
    return dict(mock)


@pytest.fixture(params=[{}, TLS], ids=["plain", "TLS"])
def own_page(request: pytest.FixtureRequest, chromium: BrowserContext) -> Iterator[Page]:
    """A page of a server that has the examples."""
    assert chromium.browser is not None
    with (
        running_mockd(HTML, *map(example, EXAMPLES), **request.param) as mockd,
        chromium.browser.new_context(ignore_https_errors=True) as context,
    ):
        page = context.new_page()
        page.goto(mockd.url.replace("http:", "https:" if request.param else "http:") + "/page")
        yield page


@pytest.mark.parametrize("path", EXAMPLES)
@pytest.mark.parametrize("script", [LISTEN, FETCH], ids=["EventSource", "fetch"])
def test_no_event_before_the_break_is_lost(own_page: Page, script: str, path: str) -> None:
    data = sorted(EXAMPLES[path][1])
    # On a busy machine, the browser itself may tell its page of the break before it hands on what it has read.
    tries = (own_page.evaluate(script, [path, TIMES]) for _ in range(3))
    assert any(seen == [data] * TIMES for seen in tries)
