"""Credentials of clients: whatever they are in, nothing that people get to see repeats them."""

from __future__ import annotations

import base64
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2 as httpx
import pytest

from mockd.client import AdminClient
from mockd.fixtures.journal import journal_of
from mockd.journal import redaction
from mockd.server.welcome import curl_line
from mockd.testing import running_mockd
from tests.cli.harness import Served, clean_environ, free_port
from tests.wire.canaries import CANARIES, Canary
from tests.wire.sockets import PATIENCE_S, eventually

MISSED: dict[str, Any] = {
    "id": "missed",
    "matcher": {
        "path": "/miss",
        "headers": {line.partition(":")[0]: "nope" for canary in CANARIES for line in canary.headers},
        "queryParams": {name: "nope" for canary in CANARIES for name in parse_qs(urlsplit(canary.target).query)},
        "bodyEquals": "nope",
        "bodyContains": "nope",
        "bodyPattern": "^nope$",
        "bodyJsonPath": {"$": "nope", "$..*": "nope", "$.api_key": "nope", "$[0]": "nope", "$.arguments": "nope"},
        "not": {"queryParams": {"key": "nope"}},
    },
    "response": {"body": "found"},
}
CLAIM = {**MISSED["matcher"], "path": "/miss"}


def asked(url: str, canary: Canary) -> bytes:
    """Send a request, and read all of its answer."""
    host, port = url.removeprefix("http://").split(":")
    method = "POST" if canary.body else "GET"
    length = (f"Content-Length: {len(canary.body)}",) if canary.body else ()
    lines = (f"{method} {canary.target} HTTP/1.1", "Host: x", "Connection: close", *length, *canary.headers)
    with socket.create_connection((host, int(port)), PATIENCE_S) as client:
        client.sendall("\r\n".join([*lines, "", ""]).encode("latin-1") + canary.body)
        return b"".join(iter(lambda: client.recv(65536), b""))


def followed(admin: AdminClient, seen: list[str]) -> None:
    """See what happens until the mocks change."""
    for type, event in admin.follow():
        seen.append(json.dumps(event))
        if type == "mocks":
            return


@pytest.fixture(scope="module", params=["mockd serve", "h11"])
def shown(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """What each place shows once all the requests have come."""
    if request.param == "h11":
        with running_mockd(MISSED, http="h11", settings=None) as mockd:
            yield all_places(mockd.url, mockd.admin_url, lambda: "")
        return
    folder = tmp_path_factory.mktemp("served")
    (folder / "mocks.json").write_text(json.dumps([MISSED]))
    options = ("--admin-port", str(free_port()), "--state", str(folder / "state.json"), "--log-level", "debug")
    server = Served(*options, str(folder / "mocks.json"))
    try:
        places = all_places(server.mocks, server.admin, lambda: json.dumps(server.lines))
        yield places | {"state file": (folder / "state.json").read_text(), **commands(server.admin)}
    finally:
        server.process.kill()
        server.wait()


def all_places(url: str, admin_url: str, log: Callable[[], str]) -> dict[str, str]:
    events: list[str] = []
    with AdminClient(admin_url) as admin:
        follower = threading.Thread(target=followed, args=(admin, events))
        follower.start()
        eventually(lambda: asked(url, CANARIES[0]) and events)
        verified = [after(asked(url, canary), admin, canary) for canary in CANARIES]
        answers = [asked(url, canary) for canary in CANARIES]
        httpx.patch(f"{admin_url}/mocks/missed", json={"priority": 1}).raise_for_status()
        follower.join(PATIENCE_S)
        assert not follower.is_alive()
        entries = admin.list_requests(limit=1000)["requests"]
        bodies = [base64.b64decode(entry.get("bodyBase64", "")).decode("latin-1") for entry in entries]
        return {
            "answers": b"".join(answers).decode(),
            "journal": json.dumps(entries, ensure_ascii=False),
            "bodies": "".join(bodies),
            "feed": "".join(events),
            "verified": json.dumps(verified, ensure_ascii=False),
            "connections": httpx.get(f"{admin_url}/sse/connections?status=all").text,
            "metrics": httpx.get(f"{admin_url}/metrics").text,
            "status": httpx.get(f"{admin_url}/status").text,
            "table of a failing test": journal_of(admin, ""),
            "log": log(),
        }


def after(answer: bytes, admin: AdminClient, canary: Canary) -> Any:
    """What is said of a request that is not what was expected. It is forgotten then."""
    assert answer
    method = "POST" if canary.body else "GET"
    told = admin._call("POST", "/verify", body={"request": {**CLAIM, "method": method}})
    admin.forget_requests()
    return told


def commands(admin_url: str) -> dict[str, str]:
    return {" ".join(words): ran(admin_url, *words) for words in (("requests",), ("requests", "--json"))}


def ran(admin_url: str, *words: str) -> str:
    environ = {**clean_environ(), "MOCKD_ADMIN_URL": admin_url}
    command = [sys.executable, "-m", "mockd", *words, "--limit", "1000"]
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=True, timeout=PATIENCE_S).stdout


@pytest.mark.parametrize("canary", CANARIES, ids=lambda canary: canary.name)
def test_no_place_shows_a_credential(canary: Canary, shown: dict[str, str]) -> None:
    found = {place: secret for place, text in shown.items() for secret in canary.secrets if secret in plain(text)}
    assert not found


def plain(text: str) -> str:
    """A text without what stands between the characters of UTF-16."""
    return text.replace("\\u0000", "").replace("\0", "")


# -- what mocks expect -------------------------------------------------------------------------------------------------

SECRET = "canary7d1f"
EXPECTING: tuple[dict[str, Any], ...] = (
    {"headers": {"Authorization": f"Bearer {SECRET}"}},
    {"headers": {"X-Portkey-Api-Key": SECRET}},
    {"headers": {"X-Other": f"Bearer {SECRET}"}},
    {"queryParams": {"X-Amz-Signature": SECRET}},
    {"queryParams": {"next": f"/?access_token={SECRET}"}},
    {"bodyEquals": f'{{"api_key": "{SECRET}"}}'},
    {"bodyContains": f'"password":"{SECRET}'},
    {"bodyContains": f"client_secret={SECRET}"},
    {"bodyJsonPath": {"$.api_key": SECRET}},
    {"bodyJsonPath": {"$.secret.deep[0]": SECRET}},
    {"bodyJsonPath": {"$['access-token']": SECRET}},
    {"bodyJsonPath": {"$.tool": {"headers": {"authorization": SECRET}}}},
    {"bodyEquals": "x", "not": {"headers": {"cookie": SECRET}, "bodyContains": f'"apiKey": "{SECRET}"'}},
    {"bodyEquals": "x", "not": {"bodyJsonPath": {"$.token": SECRET}}},
)


@pytest.mark.parametrize("criteria", EXPECTING, ids=str)
def test_what_a_mock_expects_is_no_secret_to_tell(criteria: dict[str, Any]) -> None:
    mock = {"matcher": {"path": "/miss", **criteria}, "response": {}}
    with running_mockd(mock) as mockd, mockd.admin() as admin:
        miss = httpx.post(mockd.url + "/miss", json={"api_key": "other"})
        page = httpx.get(mockd.url + "/miss", headers={"Sec-Fetch-Dest": "document"})
        claim = {"path": "/miss", **criteria}
        told = admin._call("POST", "/verify", body={"request": {"mock": "other", **claim}})
        assert miss.status_code == 404
        assert SECRET not in miss.text + page.text + str(admin.list_requests()) + str(told)
        assert SECRET not in (curl_line(mockd.engine.mocks(), mockd.url) or "")


# -- what stays --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Idempotency-Key", "abc-1"),
        ("X-Mockd-Key", "t1"),
        ("Sec-WebSocket-Key", "dGhl"),
        ("Referer", "http://a.test/a?b=c&max_tokens=5#d"),
        ("Accept", "text/html;q=0.9, */*"),
        ("User-Agent", "Basic (bearer of news)"),
        ("X-Meta", '{"a": "b"}'),
    ],
)
def test_headers_that_are_no_credentials_stay(name: str, value: str) -> None:
    assert redaction.header(name, value) == value


@pytest.mark.parametrize("name", ["page_token", "max_tokens", "keys", "monkey", "design", "q"])
def test_parameters_that_are_no_credentials_stay(name: str) -> None:
    assert redaction.parameter(name, "a=b c") == "a=b c"


@pytest.mark.parametrize(
    "text",
    [
        '{ "max_tokens": 5, "messages": [{"content": "my password is: hunter; token=x \\u00e9"}], "key": 1.50 }',
        '{"password": null, "secret": true, "thinking": {"signature": "x"}}',
        '{"properties": {"password": {"type": "string"}, "secret": {"$ref": "#/a", "title": "b"}}}',
        "a=b&max_tokens=5%25&c",
        "the tokens: a, b\nsecrets",
        'not json {"tokens": ["x"',
        "",
    ],
)
def test_bodies_without_credentials_stay(text: str) -> None:
    assert redaction.body(text) == text


def test_what_is_beside_a_credential_stays() -> None:
    assert redaction.body('{"a": [1.5, "é"], "api_key": "x"}').startswith('{"a":[1.5,"é"],"api_key":"hmac-sha256:')
    assert redaction.body('{"secret": {"type": "string", "value": "x"}}').startswith('{"secret":"hmac-sha256:')
    assert redaction.body("a=1&api_key=x&b=2%25").endswith("&b=2%25")
    assert redaction.body('{"api_key": "x", "b": [1, ').endswith('", "b": [1, ')
    assert redaction.parameter("next", "http://a/?a=1&token=x&b=2").endswith("&b=2")


UNITS = (*'"a&[%', "\\", '\\"', "a=", "a:", '{"a":', "name=", "name=a\n", "://", "://@", "token:", "?a=", "\r\n--")


@pytest.mark.parametrize("unit", UNITS)
def test_no_text_takes_long(unit: str) -> None:
    """A search that looks through 64 KiB from each character on would take minutes."""
    for beginning in ("token=", "token \\u0041 ://{"):
        text = beginning + unit * (64 * 1024 // len(unit))
        began = time.process_time()
        redaction.body(text)
        redaction.header("x", text)
        assert time.process_time() - began < 5
