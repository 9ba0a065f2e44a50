"""What a person sees who opens mockd in a browser."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Serve

pytestmark = pytest.mark.browser

HOSTILE = "<img src=x onerror=\"document.title='taken'\"><style>*{display:none}"
EVENTS: dict[str, Any] = {"id": "events", "matcher": {"path": "/events"}, "response": {"body": "hello from the mock"}}


def test_the_address_bar_leads_to_what_is_here(page: Page, serve: Serve) -> None:
    mockd = serve(EVENTS)
    told: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: told.append(message.text))
    page.on("request", lambda request: asked.append(request.url))
    answer = page.goto(mockd.url + "/")
    assert answer is not None
    assert answer.status == 404
    assert page.title() == "mockd"
    assert page.evaluate("getComputedStyle(document.querySelector('.miss')).paddingLeft") == "16px"
    assert asked == [mockd.url + "/"]
    assert [line for line in told if "404" not in line] == []
    page.get_by_role("link", name="/events").click()
    assert page.inner_text("body") == "hello from the mock"


def test_what_a_mock_is_called_is_text(page: Page, serve: Serve) -> None:
    mockd = serve({"id": HOSTILE, "matcher": {"path": "/a"}, "response": {"body": "ok"}})
    page.goto(f"{mockd.url}/{HOSTILE}")
    assert page.title() == "mockd"
    assert page.get_by_text(HOSTILE).count() >= 1
    assert page.evaluate("document.images.length") == 0


def test_a_frame_and_a_fetch_get_json(page: Page, serve: Serve) -> None:
    mockd = serve()
    page.goto(mockd.url + "/page")
    assert page.evaluate("fetch('/nothing').then((answer) => answer.headers.get('content-type'))") == "application/json"
    page.evaluate("document.body.innerHTML = '<iframe src=/nothing></iframe>'")
    assert '"no_match"' in page.frame_locator("iframe").locator("body").inner_text()


def test_the_admin_path_has_it_too(page: Page, serve: Serve) -> None:
    mockd = serve(EVENTS)
    answer = page.goto(mockd.url + "/__mockd/")
    assert answer is not None
    assert answer.status == 200
    page.get_by_role("link", name="/status").click()
    assert '"running"' in page.inner_text("body")
