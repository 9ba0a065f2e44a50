"""Every action of a fault, as Chromium's fetch and EventSource see it."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Serve
from tests.browser.test_fetch import FETCH
from tests.wire.actions import ACTIONS, mock_of
from tests.wire.test_every_action import said_in

pytestmark = pytest.mark.browser

SETTLED = f"(given) => ({FETCH})(given).catch((error) => ({{ status: 0, pieces: [], error: error.name }}))"
LISTEN = """
(path) => new Promise((resolve) => {
  let said = "";
  const source = new EventSource(path);
  source.onmessage = ({ data }) => { said += data.slice(0, 1); };
  source.onerror = () => { source.close(); resolve(said); };
})
"""
"""The data of the messages, up to the end of the first connection, which is an error to an EventSource."""
HEARD = {"unknownEvent": "1234", "error": "12"}
"""What an EventSource hears if that is less than is said, as some events have another type."""

MOCKS = [mock_of(name, f"/{name}", [seen.line]) for name, seen in ACTIONS.items()]


def is_whole(name: str) -> bool:
    """Whether the body has its end. If not, Chromium drops what it has not handed on."""
    return ACTIONS[name].httpx is None


def test_what_fetch_says(page: Page, serve: Serve) -> None:
    page.goto(serve(*MOCKS).url + "/page")
    for name, seen in ACTIONS.items():
        found: dict[str, Any] = page.evaluate(SETTLED, [f"/{name}", {}])
        text = said_in("".join(found["pieces"]))
        has_head = bool(seen.said) or is_whole(name)
        assert (found["status"], found["error"] is None) == (seen.status if has_head else 0, is_whole(name)), name
        assert text == seen.said if is_whole(name) else seen.said.startswith(text), name


def test_what_an_event_source_hears(page: Page, serve: Serve) -> None:
    page.goto(serve(*MOCKS).url + "/page")
    for name, seen in ACTIONS.items():
        heard, said = page.evaluate(LISTEN, f"/{name}"), HEARD.get(name, seen.said)
        assert heard == said if is_whole(name) else said.startswith(heard), name
