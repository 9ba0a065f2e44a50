"""Who may use a relay, and what a relay must not become."""

from __future__ import annotations

from typing import Any

import pytest

from mockd.errors import AdminError, ConfigError
from mockd.settings import Settings
from mockd.testing import running_mockd
from tests.relay.clients import Raw
from tests.relay.conftest import Relay
from tests.relay.targets import Visit, serving


async def answers(visit: Visit) -> None:
    await visit.request()
    await visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


def asked(url: str, *lines: str, host: str = "localhost") -> Raw:
    with Raw(url) as client:
        client.send(
            "\r\n".join(["GET / HTTP/1.1", f"Host: {host}", *lines, "Connection: close", "", ""]).encode()
        ).all()
    return client


@pytest.mark.parametrize(
    ("lines", "host", "code"),
    [
        ([], "evil.test", b"forbidden_host"),
        (["Host: localhost"], "localhost", b"forbidden_host"),
        (["Origin: http://evil.test"], "localhost", b"forbidden_origin"),
        (["Origin: null"], "localhost", b"forbidden_origin"),
        (["Sec-Fetch-Site: cross-site"], "localhost", b"forbidden_origin"),
    ],
)
def test_pages_of_others_and_names_of_others_reach_nothing(
    relay: Relay, lines: list[str], host: str, code: bytes
) -> None:
    with serving(answers) as target:
        client = asked(relay(target.url).url, *lines, host=host)
        assert client.got.startswith(b"HTTP/1.1 403 ")
        assert code in client.body
        assert target.visits == []


METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND")
FOREIGN: dict[str, str] = {
    **{f"{method} for another name": f"{method} / HTTP/1.1\nHost: evil.test" for method in METHODS},
    **{f"{method} of a page": f"{method} / HTTP/1.1\nHost: localhost\nOrigin: http://evil.test" for method in METHODS},
    "a page with that name": "POST / HTTP/1.1\nHost: evil.test\nOrigin: http://evil.test\nSec-Fetch-Site: same-origin",
    "a page of another port": "GET / HTTP/1.1\nHost: localhost\nOrigin: http://localhost:3000",
    "a preflight": "OPTIONS / HTTP/1.1\nHost: localhost\nOrigin: http://evil.test\nAccess-Control-Request-Method: PUT",
    "a form": "POST / HTTP/1.1\nHost: localhost\nSec-Fetch-Site: cross-site\nSec-Fetch-Mode: navigate",
    "HTTP/1.0 without a name": "GET / HTTP/1.0",
    "HTTP/1.0 for another name": "GET / HTTP/1.0\nHost: evil.test",
    "HTTP/1.1 without a name": "GET / HTTP/1.1",
    "an empty name": "GET / HTTP/1.1\nHost:",
    "a list of names": "GET / HTTP/1.1\nHost: localhost, evil.test",
    "a user before a name": "GET / HTTP/1.1\nHost: localhost@evil.test",
    "a longer name": "GET / HTTP/1.1\nHost: localhost.evil.test",
    "every address": "GET / HTTP/1.1\nHost: 0.0.0.0",
    "a whole URL for another name": "GET http://evil.test/ HTTP/1.1\nHost: localhost",
    "a whole URL with a user": "GET http://localhost@evil.test/ HTTP/1.1\nHost: localhost",
    "a whole URL with two names": "GET http://localhost/ HTTP/1.1\nHost: localhost\nHost: localhost",
    "a whole URL in HTTP/1.0": "GET http://evil.test/ HTTP/1.0",
    "a whole URL of a page": "GET http://localhost/ HTTP/1.1\nHost: evil.test\nOrigin: http://evil.test",
    "a whole URL with an offer": "GET http://evil.test/ HTTP/1.1\nHost: localhost\nUpgrade: h2c\nConnection: upgrade",
    "a key in the path": "GET /~k/a HTTP/1.1\nHost: evil.test",
    "CONNECT": "CONNECT 127.0.0.1:80 HTTP/1.1\nHost: localhost",
}


@pytest.mark.parametrize("is_mock", [False, True], ids=["--proxy", "a mock"])
@pytest.mark.parametrize("what", FOREIGN)
def test_whatever_is_not_meant_for_the_relay_reaches_nothing(what: str, is_mock: bool) -> None:
    with serving(answers) as target:
        mocks = [proxy(target.url)] if is_mock else []
        settings = Settings(proxy_allow=(target.url,)) if is_mock else Settings(proxy=(target.url,))
        with running_mockd(*mocks, settings=settings) as server, Raw(server.url) as client:
            head = FOREIGN[what].replace("\n", "\r\n")
            client.send(f"{head}\r\nConnection: close\r\n\r\n".encode()).all()
        assert client.got[9:12] == (b"400" if what == "CONNECT" else b"403")
        assert target.visits == []


@pytest.mark.parametrize(
    ("target", "host"),
    [
        ("http://localhost/a?b=://c", "localhost"),
        ("http://localhost:80/a?b=://c", "evil.test"),
        ("HTTP://user:word@localhost/a?b=://c", "localhost"),
        ("/a?b=://c", "localhost"),
    ],
)
def test_a_whole_url_says_the_host_itself(relay: Relay, target: str, host: str) -> None:
    with serving(answers) as service:
        with Raw(relay(service.url).url) as client:
            client.send(f"GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()).all()
        assert client.body == b"ok"
        head = service.visits[0].got.lower()
        assert head.startswith(b"get /a?b=://c http/1.1\r\nhost: " + service.url.removeprefix("http://").encode())


def test_a_mock_sees_the_host_of_a_whole_url() -> None:
    mock = {"matcher": {"path": "/a"}, "response": {"body": "{{ request.headers.host }}"}}
    with running_mockd(mock) as server, Raw(server.url) as client:
        client.send(b"GET http://one.test/a HTTP/1.1\r\nHost: other.test\r\nConnection: close\r\n\r\n").all()
        assert client.body == b"one.test"


def test_names_and_origins_that_are_allowed(relay: Relay) -> None:
    with serving(answers) as target:
        url = relay(target.url, proxy_allow_host=("mocks.test",), proxy_allow_origin=("http://app.test",)).url
        assert asked(url, host="mocks.test:80").body == b"ok"
        assert asked(url, "Origin: http://app.test").body == b"ok"
        assert asked(url, "Origin: http://other.test").got.startswith(b"HTTP/1.1 403 ")


def test_answers_and_preflights_have_no_cors_headers_of_ours(relay: Relay) -> None:
    with serving(answers) as target:
        url = relay(target.url, proxy_allow_origin=("http://app.test",)).url
        assert b"access-control" not in asked(url, "Origin: http://app.test").head.lower()
        with Raw(url) as client:
            preflight = ["Origin: http://app.test", "Access-Control-Request-Method: POST", "Connection: close"]
            client.get("/", *preflight, method="OPTIONS").all()
        assert client.body == b"ok"
        assert target.visits[1].got.startswith(b"OPTIONS / HTTP/1.1\r\n")
        assert b"access-control" not in client.head.lower()


def test_websockets_are_refused(relay: Relay) -> None:
    with serving(answers) as target, Raw(relay(target.url).url) as client:
        upgrade = ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: x", "Sec-WebSocket-Version: 13"]
        client.get("/", *upgrade).until(lambda got: got.endswith(b"}}"))
        assert client.got.startswith(b"HTTP/1.1 501 ")
        assert b"websocket_not_relayed" in client.body
        assert target.visits == []


def proxy(target: str) -> dict[str, Any]:
    return {"id": "p", "matcher": {"path": "/*"}, "proxy": {"target": target}}


def test_mocks_from_the_admin_api_relay_only_where_the_settings_allow() -> None:
    with serving(answers) as target:
        settings = Settings(proxy_allow=(f"{target.url}/v1",))
        with running_mockd(settings=settings) as server, server.admin() as admin:
            for refused in (
                target.url,
                f"{target.url}/v10",
                "http://127.0.0.1:9/v1",
                f"{target.url}/v1".replace("http", "https"),
            ):
                with pytest.raises(AdminError, match="mocks from the admin API may not relay to"):
                    admin.create_mock(proxy(refused))
            admin.create_mock(proxy(f"{target.url}/v1/x"))
            assert asked(server.url).body == b"ok"
            with pytest.raises(AdminError, match="may not relay"):
                admin.patch_mock("p", {"proxy": {"target": "http://127.0.0.1:9"}})


def test_a_mock_of_a_file_needs_no_permission_and_cannot_be_turned_elsewhere(tmp_path: Any) -> None:
    with serving(answers) as target:
        (tmp_path / "a.yaml").write_text(f"id: p\nmatcher: {{path: '/*'}}\nproxy: {{target: '{target.url}'}}\n")
        with running_mockd(settings=Settings(config=(str(tmp_path),))) as server, server.admin() as admin:
            assert asked(server.url).body == b"ok"
            with pytest.raises(AdminError, match="may not relay"):
                admin.patch_mock("p", {"proxy": {"target": "http://127.0.0.1:9"}})


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("api.example.com", "does not begin with http"),
        ("ftp://a.test", "does not begin with http"),
        ("http://", "has no host"),
        ("http://u:p@a.test", "no user and password"),
        ("http://a.test?x=1", "has a query"),
        ("http://a.test:99999", "is no URL"),
        ("http://a.test/ä", "percent-encoded"),
    ],
)
def test_targets_that_are_none(target: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Settings(proxy=(target,))
    with pytest.raises(ConfigError, match=message), running_mockd(proxy(target)):
        pass


def test_environment_proxies_are_not_used(relay: Relay, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with serving(answers) as target:
        assert asked(relay(target.url).url).body == b"ok"
