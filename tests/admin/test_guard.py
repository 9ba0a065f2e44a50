"""Who is let in: host, origin, peer and key."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from mockd.admin.guard import Guard

LOCAL = ("127.0.0.1", 50000)
REMOTE = ("192.0.2.7", 50000)


def ask(
    headers: dict[str, str] | None = None,
    *,
    path: str = "/mocks",
    method: str = "GET",
    peer: tuple[str, int] | None = LOCAL,
    key: str | None = None,
    hosts: tuple[str, ...] = (),
    url: str = "http://localhost:4290",
) -> Any:
    guard = Guard(PlainTextResponse("in"), api_key=key, hosts=hosts, open_paths=["/health"])
    return TestClient(guard, base_url=url, client=peer).request(method, path, headers=headers)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "localhost:4290",
        "LocalHost:1",
        "localhost.",
        "127.0.0.1:4290",
        "127.8.9.10",
        "[::1]:4290",
        "[::ffff:127.0.0.1]",
        "mock.localhost",
    ],
)
def test_loopback_names_are_known(host: str) -> None:
    assert ask({"host": host}).text == "in"


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "192.0.2.1",
        "[2001:db8::1]:80",
        "0.0.0.0",
        "[::1].evil.example",
        "[::1]evil.example",
        "[::1]:80.evil.example",
        "[::1",
        "::1",
        "[127.0.0.1]",
        "[localhost]",
        "localhost:@evil.example",
        "localhost:80@evil.example",
        "localhost:80:80",
        "localhost:+80",
        "localhost:123456",
        "user@localhost",
        "localhost@",
        "localhost..",
        ".localhost",
        "evil.example,localhost",
        "localhost, localhost",
        "localhost/",
        "localhost#",
        "localhost?",
        "evil.example\\.localhost",
        "%6cocalhost",
        "localho\u017ft".encode(),
        "127.1",
        "0177.0.0.1",
        "2130706433",
    ],
)
def test_a_foreign_host_is_forbidden(host: Any) -> None:
    answer = ask({"host": host})
    assert answer.status_code == 403
    assert answer.json()["error"] == "forbidden_host"
    assert "--admin-allow-host" in answer.json()["hint"]


def test_a_foreign_host_is_forbidden_even_with_the_key() -> None:
    answer = ask({"host": "evil.example", "x-api-key": "k"}, key="k")
    assert (answer.status_code, answer.json()["error"]) == (403, "forbidden_host")


@pytest.mark.parametrize(
    ("allowed", "host"),
    [
        ("mocks.test", "Mocks.Test:4290"),
        ("MOCKS.test", "mocks.test"),
        ("2001:db8::1", "[2001:db8::1]:4290"),
        ("192.0.2.1", "192.0.2.1"),
    ],
)
def test_an_allowed_host_is_known_with_any_port(allowed: str, host: str) -> None:
    assert ask({"host": host}, hosts=(allowed,)).text == "in"


def test_the_address_a_request_came_in_on_is_known() -> None:
    assert ask(url="http://192.0.2.1:4290").text == "in"


def test_a_name_a_request_came_in_on_is_not_known() -> None:
    assert ask(url="http://evil.example").status_code == 403


def test_the_test_client_is_let_in_as_it_comes() -> None:
    assert ask(url="http://testserver", peer=("testclient", 50000)).text == "in"


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://localhost:4290", "localhost:4290"),
        ("http://LOCALHOST:4290", "localhost:4290"),
        ("http://localhost", "localhost"),
        ("http://localhost", "localhost:80"),
        ("https://localhost", "localhost:443"),
        ("http://[::1]:4290", "[::1]:4290"),
    ],
)
def test_its_own_origin_is_let_in(origin: str, host: str) -> None:
    assert ask({"origin": origin, "host": host}).text == "in"


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "",
        "http://evil.example",
        "http://localhost",
        "http://localhost:4280",
        "http://127.0.0.1:4290",
        "chrome-extension://localhost:4290",
        "localhost:4290",
    ],
)
@pytest.mark.parametrize("path", ["/mocks", "/health"])
def test_another_origin_is_forbidden(origin: str, path: str) -> None:
    answer = ask({"origin": origin}, path=path)
    assert answer.status_code == 403
    assert answer.json()["error"] == "forbidden_origin"


LINK = {"sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}


@pytest.mark.parametrize("site", ["cross-site", "same-site", "Cross-Site", "", "new-word"])
@pytest.mark.parametrize(
    "more",
    [
        {},
        {"sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"},
        {"sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"},
        {"sec-fetch-mode": "navigate"},
        {"sec-fetch-dest": "document"},
    ],
    ids=str,
)
@pytest.mark.parametrize("path", ["/mocks", "/health"])
def test_what_a_page_of_another_site_embeds_is_forbidden(site: str, more: dict[str, str], path: str) -> None:
    answer = ask({"sec-fetch-site": site, **more}, path=path)
    assert (answer.status_code, answer.json()["error"]) == (403, "forbidden_origin")


@pytest.mark.parametrize("site", ["same-origin", "none"])
def test_its_own_pages_and_the_address_bar_are_let_in(site: str) -> None:
    assert ask({"sec-fetch-site": site}).text == "in"


def test_a_link_may_lead_here_from_anywhere_but_a_form_may_not() -> None:
    assert ask({"sec-fetch-site": "cross-site", **LINK}).text == "in"
    assert ask({"sec-fetch-site": "cross-site", **LINK}, method="POST").status_code == 403


@pytest.mark.parametrize("peer", [LOCAL, ("127.4.4.4", 1), ("::1", 1), ("::ffff:127.0.0.1", 1), ("testclient", 1)])
def test_this_machine_needs_no_key_where_there_is_none(peer: tuple[str, int]) -> None:
    assert ask(peer=peer).text == "in"


@pytest.mark.parametrize("peer", [REMOTE, ("2001:db8::1", 1), ("not an address", 1), None])
def test_others_are_told_that_a_key_is_needed(peer: tuple[str, int] | None) -> None:
    answer = ask(peer=peer)
    assert answer.status_code == 403
    assert answer.json()["error"] == "api_key_required"
    assert "MOCKD_API_KEY" in answer.json()["hint"]


@pytest.mark.parametrize("header", ["Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP"])
def test_whoever_asks_through_a_proxy_needs_a_key(header: str) -> None:
    answer = ask({header: "127.0.0.1"})
    assert (answer.status_code, answer.json()["error"]) == (403, "api_key_required")
    assert ask({header: "127.0.0.1", "x-api-key": "k"}, key="k").text == "in"


@pytest.mark.parametrize("peer", [LOCAL, REMOTE, None])
@pytest.mark.parametrize(
    "headers",
    [
        {"x-api-key": "s3cret"},
        {"authorization": "Bearer s3cret"},
        {"authorization": "bearer  s3cret"},
        {"authorization": "Bearer other", "x-api-key": "s3cret"},
    ],
)
def test_the_key_lets_in(peer: tuple[str, int] | None, headers: dict[str, str]) -> None:
    assert ask(headers, key="s3cret", peer=peer).text == "in"


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, "missing_api_key"),
        ({"authorization": "Basic czNjcmV0"}, "missing_api_key"),
        ({"x-api-key": "wrong"}, "invalid_api_key"),
        ({"x-api-key": ""}, "invalid_api_key"),
        ({"x-api-key": "s3cret2"}, "invalid_api_key"),
        ({"x-api-key": "s3crét".encode()}, "invalid_api_key"),
        ({"authorization": "Bearer wrong"}, "invalid_api_key"),
    ],
)
@pytest.mark.parametrize("peer", [LOCAL, REMOTE])
def test_no_key_or_a_wrong_one_is_401(headers: dict[str, Any], code: str, peer: tuple[str, int]) -> None:
    answer = ask(headers, key="s3cret", peer=peer)
    assert answer.status_code == 401
    assert answer.json()["error"] == code
    assert answer.headers["www-authenticate"] == "Bearer"


def test_a_key_in_the_query_does_not_count() -> None:
    assert ask(path="/mocks?api_key=s3cret", key="s3cret").status_code == 401


def test_probes_of_other_machines_are_answered_without_a_key() -> None:
    assert ask({"host": "10.0.0.8"}, path="/health", key="s3cret", peer=REMOTE).text == "in"


def test_refusals_are_not_cached_or_sniffed() -> None:
    answer = ask({"host": "evil.example"})
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-type"] == "application/json"
