"""Chromium's fetch on mockd's streams: what clients do that are no EventSource."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from mockd.config.load import load_paths
from tests.browser.conftest import PATIENCE_MS, Serve
from tests.spec.quick_clock import QuickClock

pytestmark = pytest.mark.browser

EXAMPLES = Path(__file__).parents[2] / "examples" / "sse"

FETCH = """
async ([url, options]) => {
  const response = await fetch(url, options);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  const pieces = [];
  let error = null;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      pieces.push(value);
    }
  } catch (failure) {
    error = failure.name;
  }
  return { status: response.status, headers: Object.fromEntries(response.headers), pieces, error };
}
"""


def test_a_stream_of_another_origin_with_headers_that_need_a_preflight(page: Page, serve: Serve) -> None:
    mockd = serve()
    other = serve(
        {
            "matcher": {"method": "POST", "path": "/v1/chat/completions", "headers": {"Authorization": "Bearer sk-1"}},
            "sse": {"template": "openai-chat", "headers": {"x-request-id": "req_1"}, "timing": {"fixedDelay": 60}},
        }
    )
    page.goto(mockd.url + "/page")
    options = {
        "method": "POST",
        "headers": {
            "Content-Type": "application/json",
            "Authorization": "Bearer sk-1",
            "X-Custom": "1",
            "Last-Event-ID": "none",
        },
        "credentials": "include",
        "body": json.dumps({"stream": True, "messages": []}),
    }
    answer: dict[str, Any] = page.evaluate(FETCH, [other.url + "/v1/chat/completions", options])
    assert (answer["status"], answer["error"]) == (200, None)
    assert answer["headers"]["x-request-id"] == "req_1"
    assert len(answer["pieces"]) > 1  # it streams: the page is not kept waiting for the whole
    assert "".join(answer["pieces"]).endswith("data: [DONE]\n\n")
    preflight, post = other.asked_for("/v1/chat/completions")
    assert (preflight.method, post.method) == ("OPTIONS", "POST")
    wanted = preflight.headers["access-control-request-headers"].split(",")
    assert {"authorization", "content-type", "last-event-id", "x-custom"} <= set(wanted)
    assert post.headers["x-custom"] == "1"


def test_ndjson_line_by_line(page: Page, serve: Serve) -> None:
    items = [{"n": 1, "text": "a\u2028b"}, {"n": 2}, {"n": 3}]
    mockd = serve({"matcher": {"path": "/log"}, "chunked": {"ndjsonItems": items, "chunkDelay": 50}})
    page.goto(mockd.url + "/page")
    answer: dict[str, Any] = page.evaluate(FETCH, ["/log", {}])
    assert answer["headers"]["content-type"] == "application/x-ndjson"
    assert [json.loads(line) for line in "".join(answer["pieces"]).split("\n")[:-1]] == items
    assert answer["error"] is None


def test_an_abrupt_end_is_an_error_and_a_graceful_one_is_not(page: Page, serve: Serve) -> None:
    def mock(type_: str) -> dict[str, Any]:
        # Silence before the end: Chromium may drop what it has not handed over when a connection breaks.
        lifecycle = {"keepOpen": True, "connectionTimeout": 0.3, "termination": {"type": type_}}
        return {"matcher": {"path": f"/{type_}"}, "sse": {"events": [{"data": "a"}], "lifecycle": lifecycle}}

    mockd = serve(mock("abrupt"), mock("graceful"))
    page.goto(mockd.url + "/page")
    abrupt = page.evaluate(FETCH, ["/abrupt", {}])
    graceful = page.evaluate(FETCH, ["/graceful", {}])
    assert (abrupt["pieces"], abrupt["error"]) == (["data: a\n\n"], "TypeError")
    assert (graceful["pieces"], graceful["error"]) == (["data: a\n\n"], None)


def test_aborting_a_fetch_ends_its_stream(page: Page, serve: Serve) -> None:
    mockd = serve({"matcher": {"path": "/endless"}, "sse": {"events": [{"data": "tick"}], "repeat": 0}})
    page.goto(mockd.url + "/page")
    page.evaluate(
        """async () => {
          const abort = new AbortController();
          const response = await fetch('/endless', { signal: abort.signal });
          await response.body.getReader().read();
          abort.abort();
        }"""
    )
    [asked] = mockd.asked_for("/endless")
    assert asked.gone.wait(5)
    assert mockd.engine.connections.live() == []


def test_the_viewer_of_the_examples_shows_a_stream_that_breaks_and_goes_on(page: Page, serve: Serve) -> None:
    mockd = serve(clock=QuickClock(10.0))
    mockd.engine.load(load_paths([str(EXAMPLES)]))
    page.goto(mockd.url + "/viewer")
    page.select_option("#stream", "/resume")
    page.wait_for_function(
        "() => document.getElementById('log').textContent.endsWith('(closed)\\n')", timeout=PATIENCE_MS
    )
    shown = page.inner_text("#log").splitlines()
    numbers = ["one", "two", "three", "four", "five", "six", "seven", "eight"]
    assert [line.split()[-1] for line in shown if line.startswith("message")] == numbers
    assert shown.count("(open)") >= 3
