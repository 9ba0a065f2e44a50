"""Chromium's own EventSource, which never comes back after a 503: the page must, with what it has."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Serve
from tests.browser.test_event_source import CLOSED, RETRY_MS, events, listen, wait

pytestmark = pytest.mark.browser

UNAVAILABLE = {"response": {"status": 503, "headers": {"Retry-After": "1"}}}

COMES_BACK = """
([url]) => {
  window.log = [];
  const connect = () => {
    const last = log.findLast((entry) => entry[0] === 'message');
    const source = window.source = new EventSource(last ? url + '?lastEventId=' + last[2] : url);
    source.onmessage = (event) => log.push(['message', event.data, event.lastEventId]);
    source.onerror = () => {
      log.push(['error', source.readyState]);
      if (source.readyState === EventSource.CLOSED && log.at(-1)[1] !== log.at(-2)?.[1]) setTimeout(connect, 10);
    };
  };
  connect();
}
"""
"""What applications have around an EventSource, so that one refusal does not end it."""


def stream(**sse: Any) -> dict[str, Any]:
    listed = [{"data": text, "id": text} for text in "abcd"]
    return {"sse": {"events": listed, "retry": RETRY_MS, "resume": {"enabled": True}, **sse}}


def mock(*responses: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": "events", "matcher": {"path": "/events"}, "responses": list(responses), **more}


# Chromium may drop what it was sent right before a break.
CUT = {"simulateDisconnect": 2, "termination": {"closeDelay": 100}}


def test_a_503_before_the_stream_is_the_end(page: Page, serve: Serve) -> None:
    mockd = serve(mock(UNAVAILABLE, stream()))
    listen(page, mockd, "/events")
    wait(page, CLOSED)
    assert events(page) == []
    assert len(mockd.asked_for("/events")) == 1


def test_cut_and_resumed(page: Page, serve: Serve) -> None:
    mockd = serve(mock(stream(lifecycle=CUT), stream()))
    listen(page, mockd, "/events")
    wait(page, CLOSED)  # told by a 204
    assert [event[1] for event in events(page)] == list("abcd")
    assert [asked.last_event_id for asked in mockd.asked_for("/events")] == [None, "b", "d"]
    assert [one.entry for one in mockd.engine.connections.listed("ended") if one.mock_id == "events"][:2] == [0, 0]


def test_cut_refused_resumed(page: Page, serve: Serve) -> None:
    mockd = serve(mock(stream(lifecycle=CUT), UNAVAILABLE, stream()))
    page.goto(mockd.url + "/page")
    page.evaluate(COMES_BACK, ["/events"])
    wait(page, "() => log.filter((entry) => entry[0] === 'message').length === 4")
    assert [event[1] for event in events(page)] == list("abcd")
    asked = mockd.asked_for("/events")
    assert [one.last_event_id for one in asked[:2]] == [None, "b"]
    statuses = [one.http_status for one in mockd.engine.connections.listed("ended") if one.mock_id == "events"]
    assert statuses[:2] == [200, 503]


def test_the_first_stream_is_broken_by_a_fault_of_its_own(page: Page, serve: Serve) -> None:
    fault = 'reset linger="100ms" after 3 events'
    mockd = serve(mock({**stream(), "faults": [fault]}, stream()))
    listen(page, mockd, "/events")
    wait(page, CLOSED)
    assert [event[1] for event in events(page)] == list("abcd")
    assert [one.last_event_id for one in mockd.asked_for("/events")] == [None, "c", "d"]
