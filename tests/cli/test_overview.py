"""The page that says what a server has, asked for by curl."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from mockd.overview import MOST_MOCKS
from mockd.testing import running_mockd
from tests.cli.harness import PATIENCE_S, Serve, mock
from tests.programs import program

Write = Callable[[str, object], Path]
BROWSER = "Sec-Fetch-Dest: document"
HOSTILE = '<script>alert("x")'


def curl(*arguments: str) -> tuple[int, dict[str, str], str]:
    """Status, headers and body of an answer."""
    command = [program("curl"), "-s", "-i", "--max-time", str(PATIENCE_S), *arguments]
    run = subprocess.run(command, capture_output=True, check=True, timeout=2 * PATIENCE_S)
    head, _, body = run.stdout.decode().partition("\r\n\r\n")
    status, *lines = head.split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    return int(status.split()[1]), headers, body


def is_page(headers: dict[str, str]) -> bool:
    return headers["content-type"] == "text/html; charset=utf-8"


@pytest.fixture
def config(write: Write) -> str:
    mocks = [
        mock("events", "/events"),
        {"id": "post", "matcher": {"method": "POST", "path": "/chat"}, "response": {"body": "ok"}},
        {"id": "off", "enabled": False, "matcher": {"path": "/off"}, "response": {"body": "ok"}},
        {"id": HOSTILE, "matcher": {"pathPattern": re.escape(HOSTILE)}, "response": {"body": "ok"}},
    ]
    return str(write("mocks.json", mocks))


def test_a_browser_sees_what_is_here_instead_of_a_miss(serve: Serve, config: str) -> None:
    server = serve("--config", config)
    status, headers, page = curl("-H", BROWSER, server.mocks + "/event")
    assert status == 404
    assert is_page(headers)
    assert int(headers["content-length"]) == len(page.encode())
    assert f'<a href="{server.mocks}/events"><code>/events</code></a>' in page
    assert "<td>POST<td><code>/chat</code><td>response<td><code>post</code>" in page
    assert "<td><code>/off</code><td>response<td><code>off</code> (disabled)" in page
    assert "<code>openai-chat</code>" in page
    assert f'<a href="{server.admin}/mocks">' in page
    assert "the nearest: method matched, but path expected &quot;/events&quot;, got &quot;/event&quot;" in page


def test_nothing_in_it_comes_from_elsewhere_or_runs(serve: Serve, config: str) -> None:
    server = serve("--config", config)
    _, headers, page = curl("-H", BROWSER, f"{server.mocks}/%3Cscript%3Ealert(1)%3C/script%3E")
    assert "<script" not in page
    assert "<code>&lt;script&gt;alert(&quot;x&quot;)</code>" in page
    assert not re.search(r"(src|@import|url\()", page.replace("https://", "").split("</style>")[0])
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert policy["frame-ancestors"] == "'none'"
    assert not {"unsafe-inline'", "*"} & set(re.split(r"[ ']", " ".join(policy.values())))
    assert headers["x-content-type-options"] == "nosniff"


def test_a_program_gets_json(serve: Serve, config: str) -> None:
    server = serve("--config", config)
    for headers in ([], ["-H", "Sec-Fetch-Dest: empty"], ["-H", BROWSER, "-H", "Host: tunnel.example"]):
        status, got, body = curl(*headers, server.mocks + "/")
        assert (status, got["content-type"]) == (404, "application/json")
        assert "no_match" in body
    status, got, body = curl("-I", "-H", BROWSER, server.mocks + "/")
    assert (status, got["content-type"], body) == (404, "application/json", "")


def test_a_mock_at_the_root_answers(serve: Serve, write: Write) -> None:
    at_root = {"matcher": {"path": "/"}, "response": {"body": "mine"}}
    server = serve("--config", str(write("root.json", at_root)))
    status, _, body = curl("-H", BROWSER, server.mocks + "/")
    assert (status, body) == (200, "mine")


def test_the_admin_port_always_has_it(serve: Serve, config: str) -> None:
    server = serve("--config", config)
    for arguments in ([], ["-H", BROWSER]):
        status, headers, page = curl(*arguments, server.admin + "/")
        assert status == 200
        assert is_page(headers)
        assert f'<a href="{server.mocks}/events">' in page
        assert f'<a href="{server.admin}/mocks">' in page
        assert 'class="miss"' not in page


def test_on_one_port_it_is_under_the_admin_path(serve: Serve, config: str) -> None:
    server = serve("--config", config, "--admin-port", "0")
    status, _, page = curl(server.mocks + "/__mockd/")
    assert status == 200
    assert f'<a href="{server.mocks}/events">' in page
    assert f'<a href="{server.mocks}/__mockd/mocks">' in page
    status, _, page = curl("-H", BROWSER, server.mocks + "/")
    assert status == 404
    assert f'<a href="{server.mocks}/__mockd/mocks">' in page


def test_with_a_key_it_needs_the_key(serve: Serve, config: str) -> None:
    server = serve("--config", config, "--api-key", "k")
    assert curl(server.admin + "/")[0] == 401
    assert curl("-H", "X-API-Key: k", server.admin + "/")[0] == 200


def test_without_mocks_it_says_how_to_add_one(serve: Serve) -> None:
    server = serve()
    _, _, page = curl(server.admin + "/")
    assert "mockd add" in page


def test_only_so_many_mocks_are_listed(serve: Serve, write: Write) -> None:
    many = [mock(f"m{number}", f"/m{number}") for number in range(MOST_MOCKS + 3)]
    server = serve("--config", str(write("many.json", many)))
    _, _, page = curl("-H", BROWSER, server.mocks + "/")
    assert page.count("<tr><td>") == MOST_MOCKS
    assert "And 3 more" in page


def test_every_link_leads_somewhere_when_the_app_has_one_port() -> None:
    own: dict[str, Any] = {"matcher": {"path": "/a b"}, "response": {"body": "ok"}}
    with running_mockd(own) as server:
        _, _, page = curl("-H", BROWSER, server.url + "/")
        links = re.findall(r'<a href="([^"]*)"', page)
        assert [httpx2.get(link).status_code for link in links] == [200] * 5


def test_it_is_not_listed_as_a_connection(serve: Serve, config: str) -> None:
    server = serve("--config", config)
    curl("-H", BROWSER, server.mocks + "/")
    server.wait_for(lambda line: line.get("status") == 404)
    assert httpx2.get(server.admin + "/sse/connections?status=all").json()["connections"] == []
