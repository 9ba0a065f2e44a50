"""mockd behind nginx: as it comes, which speaks HTTP/1.0 to what is behind it, and set up as the guide says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mockd.testing import running_mockd
from tests.docs.blocks import ROOT
from tests.nginx import running_nginx
from tests.wire.sockets import Client, curl

EVENTS = [{"data": "1"}, {"data": "2"}]
SENT = "data: 1\n\ndata: 2\n\n"
MOCKS: dict[str, dict[str, Any]] = {
    "/whole": {"sse": {"events": EVENTS}},
    "/abrupt": {"sse": {"events": EVENTS, "lifecycle": {"termination": {"type": "abrupt", "closeDelay": 100}}}},
    "/flaky": {
        "sse": {
            "events": [*EVENTS, {"data": "3"}],
            "timing": {"fixedDelay": 10},
            "lifecycle": {"simulateDisconnect": 2, "termination": {"closeDelay": 100}},
        }
    },
    "/held": {"sse": {"events": EVENTS, "lifecycle": {"keepOpen": True}}},
}
UPSTREAM = "http://127.0.0.1:4280"
GUIDE = (ROOT / "docs" / "guides" / "proxies.md").read_text(encoding="utf-8")
LOCATIONS = {
    "HTTP 1.0": f"location / {{ proxy_pass {UPSTREAM}; }}",
    "the guide's": GUIDE.partition("```nginx\n")[2].partition("```")[0],
}


@pytest.fixture(params=LOCATIONS.values(), ids=LOCATIONS)
def nginx(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an nginx in front of a mockd."""
    with running_mockd(*({"matcher": {"path": path}, **mock} for path, mock in MOCKS.items())) as mockd:
        assert UPSTREAM in request.param
        with running_nginx(tmp_path, request.param.replace(UPSTREAM, mockd.url)) as place:
            yield f"http://{place}"


def test_a_clean_end_stays_one(nginx: str) -> None:
    assert curl(nginx + "/whole") == (0, SENT)


@pytest.mark.parametrize("path", ["/abrupt", "/flaky"])
def test_an_abrupt_end_does_not_look_whole(nginx: str, path: str) -> None:
    assert curl(nginx + path) == (18, SENT)


def test_events_are_not_held_back(nginx: str) -> None:
    with Client(nginx) as client:
        client.ask("/held").read_until(b"data: 2\n\n")
