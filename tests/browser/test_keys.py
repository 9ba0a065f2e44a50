"""Keys in Chromium: an EventSource on a path with a key, beside one of another key whose ids are the same."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Serve
from tests.browser.test_event_source import CLOSED, RETRY_MS, events, listen, wait

pytestmark = pytest.mark.browser

IDS = "abcde"


def cut_short(**parts: Any) -> dict[str, Any]:
    """Events of which each connection gets about two, and whose data no two sessions share."""
    return {
        "id": "events",
        "matcher": {"path": "/events"},
        "sse": {
            "events": [{"id": id_, "data": f"{id_} $uuid"} for id_ in IDS],
            "retry": RETRY_MS,
            "timing": {"fixedDelay": 150},
            "resume": {"enabled": True},
            "lifecycle": {"connectionTimeout": 0.25, "termination": {"type": "abrupt"}},
        },
        **parts,
    }


def test_two_keys_with_the_same_ids_each_resume_their_own(page: Page, serve: Serve) -> None:
    mockd = serve(cut_short())
    both = [page, page.context.new_page()]
    for one, key in zip(both, "kl", strict=True):
        listen(one, mockd, f"/~{key}/events")
    seen = []
    for one in both:
        wait(one, CLOSED)
        seen.append(events(one))
        assert [(data[0], id_) for _, data, id_ in seen[-1]] == [(id_, id_) for id_ in IDS]
    assert not {data for _, data, _ in seen[0]} & {data for _, data, _ in seen[1]}
    for key in "kl":
        asked = [asked.last_event_id for asked in mockd.asked_for(f"/~{key}/events")]
        assert asked[0] is None
        assert len(asked) > 2
    both[1].close()


def test_a_fetch_with_the_header_from_another_origin(page: Page, serve: Serve) -> None:
    mock = {"matcher": {"method": "GET", "path": "/m"}, "response": {"body": "{{ request.base }}"}}
    mockd, elsewhere = serve(mock, {**mock, "faults": ["status 503 for requests 1"], "priority": 1}), serve()
    page.goto(elsewhere.url + "/page")
    ask = "([url, key]) => fetch(url, {headers: {'X-Mockd-Key': key}}).then(async (a) => [a.status, await a.text()])"
    for key in "kl":
        assert page.evaluate(ask, [mockd.url + "/m", key])[0] == 503
        assert page.evaluate(ask, [mockd.url + "/m", key]) == [200, f"{mockd.url}/~{key}"]
    status, text = page.evaluate(ask, [mockd.url + "/m", "no key"])
    assert (status, "1 to 100" in text) == (400, True)


def test_the_page_of_a_key_leads_to_its_mocks(page: Page, serve: Serve) -> None:
    mockd = serve()
    mockd.engine.create({"id": "own", "matcher": {"path": "/own"}, "response": {"body": "for k alone"}}, "k")
    page.goto(mockd.url + "/~k/")
    page.get_by_role("link", name="/own").click()
    assert page.inner_text("body") == "for k alone"
    page.goto(mockd.url + "/")
    assert page.get_by_role("link", name="/own").count() == 0
