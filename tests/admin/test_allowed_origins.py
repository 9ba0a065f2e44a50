"""Pages of allowed origins may use the admin API, and no others."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2 as httpx
import pytest

from mockd.errors import ConfigError
from mockd.settings import Settings
from mockd.testing import RunningMockd, running_mockd

ALLOWED = "http://localhost:3000"


@pytest.fixture(params=[None, "secret"], ids=["without a key", "with a key"])
def server(request: pytest.FixtureRequest) -> Iterator[RunningMockd]:
    with running_mockd(settings=Settings(admin_allow_origin=(ALLOWED,), api_key=request.param)) as mockd:
        yield mockd


def ask(server: RunningMockd, method: str, origin: str, **headers: str) -> httpx.Response:
    given = {"Origin": origin, "Sec-Fetch-Site": "cross-site", **headers}
    if method != "OPTIONS":
        given["X-API-Key"] = server.engine.settings.api_key or "none"
    return httpx.request(method, server.admin_url + "/mocks", headers=given, trust_env=False)


@pytest.mark.parametrize("origin", [ALLOWED, "HTTP://LocalHost:3000"])
def test_a_page_of_an_allowed_origin_reads_the_answer(server: RunningMockd, origin: str) -> None:
    answer = ask(server, "GET", origin)
    assert answer.status_code == 200


def test_its_browser_is_told_so(server: RunningMockd) -> None:
    answer = ask(server, "GET", ALLOWED)
    assert answer.headers["access-control-allow-origin"] == ALLOWED
    assert "origin" in answer.headers["vary"].lower()


def test_its_preflights_are_answered_without_a_key(server: RunningMockd) -> None:
    wanted = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type, x-api-key"}
    answer = ask(server, "OPTIONS", ALLOWED, **wanted)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == ALLOWED
    assert "x-api-key" in answer.headers["access-control-allow-headers"]
    assert "POST" in answer.headers["access-control-allow-methods"]


@pytest.mark.parametrize("origin", ["http://localhost:3001", "https://localhost:3000", "null", "http://evil.test"])
def test_pages_of_other_origins_are_refused(server: RunningMockd, origin: str) -> None:
    answer = ask(server, "GET", origin)
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers


def test_a_page_that_does_not_say_its_origin_is_refused(server: RunningMockd) -> None:
    headers = {"Sec-Fetch-Site": "cross-site"}
    assert httpx.get(server.admin_url + "/mocks", headers=headers, trust_env=False).status_code == 403


@pytest.mark.parametrize("origin", ["*", "localhost:3000", "http://a.test/path", "http://*.test", ""])
def test_what_is_no_origin_is_refused(origin: str) -> None:
    with pytest.raises(ConfigError, match="is no origin"):
        Settings(admin_allow_origin=(origin,))
