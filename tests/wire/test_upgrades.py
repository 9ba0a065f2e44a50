"""Requests that offer to change to another protocol. mockd has only HTTP/1.1, so it ignores the offer (RFC 9110, 7.8)
and answers the request as it is, body included."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from mockd.app import create_app
from mockd.lines import upgrade
from mockd.testing import RunningMockd, running_mockd
from tests.programs import find, program
from tests.wire.sockets import Client, curl

ECHO: dict[str, Any] = {
    "matcher": {"path": "/echo"},
    "response": {
        "headers": {"Content-Type": "text/plain"},
        "body": "{{ request.method }} {{ request.headers.upgrade }} [{{ request.body }}]",
    },
}
STREAM: dict[str, Any] = {
    "matcher": {"path": "/stream", "bodyContains": "hello"},
    "sse": {"events": [{"data": "{{ request.body }}"}]},
}

OFFERS = {
    "h2c": {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c", "HTTP2-Settings": "AAMAAABkAAQAoAAAAAIAAAAA"},
    "websocket": {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    },
    "TLS/1.0": {"Connection": "keep-alive, upgrade", "Upgrade": "TLS/1.0"},
}
CHUNKED = b"3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n"
JAVA = Path(__file__).with_name("Upgrades.java")


@pytest.fixture(scope="module")
def own() -> Iterator[RunningMockd]:
    """A server that mockd itself started."""
    with running_mockd(ECHO, STREAM) as server:
        yield server


@pytest.fixture(scope="module")
def plain() -> Iterator[RunningMockd]:
    """A server of somebody else, as of `uvicorn mockd.app:app`."""
    with running_mockd(ECHO, STREAM, http="httptools") as server:
        yield server


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Iterator[Callable[[], list[str]]]:
    """What mockd has logged in a process of its own, as far as its warning of lost bodies goes."""
    upgrade._warn.cache_clear()
    yield lambda: [record.getMessage() for record in caplog.records if record.name == "mockd"]
    upgrade._warn.cache_clear()


def answer(client: Client) -> str:
    status, headers = client.read_head()
    assert status == 200
    return client.read_exactly(int(headers["content-length"])).decode()


def request_with(offer: dict[str, str], *, path: str = "/echo", chunked: bool = False) -> bytes:
    framing = {"Transfer-Encoding": "chunked"} if chunked else {"Content-Length": "5"}
    head = [f"POST {path} HTTP/1.1", "Host: x", *(f"{name}: {value}" for name, value in {**offer, **framing}.items())]
    return "\r\n".join([*head, "", ""]).encode() + (CHUNKED if chunked else b"hello")


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
@pytest.mark.parametrize("offer", OFFERS)
class TestAnOffer:
    def test_leaves_the_body_where_it_is(self, own: RunningMockd, offer: str, chunked: bool) -> None:
        with Client(own.url) as client:
            client.send(request_with(OFFERS[offer], chunked=chunked))
            assert answer(client) == f"POST {offer} [hello]"

    def test_may_come_in_any_pieces(self, own: RunningMockd, offer: str, chunked: bool) -> None:
        raw = request_with(OFFERS[offer], chunked=chunked)
        for cut in range(1, len(raw)):
            with Client(own.url) as client:
                client.send(raw[:cut])
                client.send(raw[cut:])
                assert answer(client) == f"POST {offer} [hello]", f"cut behind {raw[:cut]!r}"

    def test_leaves_the_connection_to_later_requests(self, own: RunningMockd, offer: str, chunked: bool) -> None:
        with Client(own.url) as client:
            for _ in range(2):
                client.send(request_with(OFFERS[offer], chunked=chunked))
                assert answer(client) == f"POST {offer} [hello]"
            client.ask("/echo", method="PUT", body=b"plain")
            assert answer(client) == "PUT  [plain]"

    def test_may_be_pipelined(self, own: RunningMockd, offer: str, chunked: bool) -> None:
        with Client(own.url) as client:
            between = b"GET /echo HTTP/1.1\r\nHost: x\r\n\r\n"
            client.send((request_with(OFFERS[offer], chunked=chunked) + between) * 5)
            for _ in range(5):
                assert answer(client) == f"POST {offer} [hello]"
                assert answer(client) == "GET  []"

    def test_does_not_keep_a_stream_from_being_chosen_by_its_body(
        self, own: RunningMockd, offer: str, chunked: bool
    ) -> None:
        with Client(own.url) as client:
            client.send(request_with(OFFERS[offer], path="/stream", chunked=chunked))
            assert client.read_head()[0] == 200
            assert b"".join(client.read_chunks()) == b"data: hello\n\n"


def test_a_websocket_that_a_server_has_opened_is_closed() -> None:
    """uvicorn takes such a handshake itself if it finds a library for it."""
    client = TestClient(create_app())
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/echo"):
        pass


@pytest.mark.parametrize("offer", OFFERS)
class TestWithoutABody:
    def test_it_is_answered(self, own: RunningMockd, offer: str) -> None:
        with Client(own.url) as client:
            assert answer(client.ask("/echo", headers=OFFERS[offer])) == f"GET {offer} []"
            assert answer(client.ask("/echo")) == "GET  []"

    def test_nothing_hangs_under_another_server(self, plain: RunningMockd, offer: str) -> None:
        headers = {**OFFERS[offer], "Connection": OFFERS[offer]["Connection"] + ", close"}
        with Client(plain.url) as client:
            assert client.ask("/nothing", headers=headers).read_head()[0] == 404
            client.read_to_end()

    def test_it_is_not_worth_a_warning(
        self, plain: RunningMockd, own: RunningMockd, offer: str, log: Callable[[], list[str]]
    ) -> None:
        for server in (plain, own):
            with Client(server.url) as client:
                assert client.ask("/echo", headers=OFFERS[offer]).read_head()[0] == 200
        assert log() == []


def test_many_pipelined_offers_are_answered_in_order(own: RunningMockd) -> None:
    with Client(own.url) as client:
        client.send(request_with(OFFERS["h2c"]) * 1200)
        for _ in range(1200):
            assert answer(client) == "POST h2c [hello]"


def test_an_offer_that_waits_for_leave_to_send_its_body_gets_it(own: RunningMockd) -> None:
    raw = request_with({**OFFERS["h2c"], "Expect": "100-continue"})
    with Client(own.url) as client:
        client.send(raw.removesuffix(b"hello"))
        assert client.read_until(b"\r\n\r\n").startswith(b"HTTP/1.1 100 ")
        client.send(b"hello")
        assert answer(client) == "POST h2c [hello]"


def test_an_offer_with_a_broken_body_is_refused(own: RunningMockd) -> None:
    raw = request_with(OFFERS["h2c"], chunked=True).replace(b"3\r\n", b"xyz\r\n")
    with Client(own.url) as client:
        client.send(raw)
        assert client.read_head()[0] == 400


def test_an_offer_to_close_is_kept(own: RunningMockd) -> None:
    offer = {**OFFERS["h2c"], "Connection": "close, Upgrade, HTTP2-Settings"}
    with Client(own.url) as client:
        client.send(request_with(offer))
        assert answer(client) == "POST h2c [hello]"
        assert client.read_to_end() == b""


def test_a_tunnel_is_refused(own: RunningMockd) -> None:
    with Client(own.url) as client:
        client.send(b"CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n\r\n")
        assert client.read_head()[0] in (400, 404)


def test_a_large_body_behind_an_offer_is_read_whole(own: RunningMockd) -> None:
    body = b"x" * 3_000_000
    with Client(own.url) as client:
        client.ask("/echo", method="POST", headers=OFFERS["h2c"], body=body)
        assert answer(client) == f"POST h2c [{body.decode()}]"


class TestRealClients:
    def test_curl(self, own: RunningMockd) -> None:
        assert curl(own.url + "/echo", "--http2", "--data", "hello") == (0, "POST h2c [hello]")
        chunked = ("--header", "Transfer-Encoding: chunked")
        assert curl(own.url + "/echo", "--http2", "--data", "hello", *chunked) == (0, "POST h2c [hello]")

    def test_the_http_client_of_java(self, own: RunningMockd) -> None:
        if find("javac") is None:
            pytest.skip("there is no JDK: its HttpClient, which offers h2c with every first request, is not tried")
        command = [program("java"), str(JAVA), own.url]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
        assert done.stderr == ""
        assert json.loads(done.stdout) == {
            "length": "POST h2c [hello]",
            "chunked": "POST h2c [hello]",
            "again": "POST h2c [hello]",
            "stream": "data: hello",
        }


class TestUnderAnotherServer:
    def test_the_log_says_once_that_a_body_was_lost_and_what_helps(self, log: Callable[[], list[str]]) -> None:
        with running_mockd(ECHO, http="httptools") as server:
            for offer in OFFERS.values():
                for chunked in (False, True):
                    with Client(server.url) as client:
                        client.send(request_with(offer, chunked=chunked))
                        assert client.read_head()[0] == 200
        [message] = log()
        assert "Upgrade: h2c" in message
        assert "--http h11" in message

    def test_the_admin_api_says_so_too(self, log: Callable[[], list[str]]) -> None:
        with running_mockd(http="httptools") as server, Client(server.url) as client:
            client.ask("/__mockd/mocks", method="POST", headers=OFFERS["h2c"], body=b"{}")
            assert client.read_head()[0] == 400
        assert ["--http h11" in message for message in log()] == [True]

    @pytest.mark.parametrize("offer", OFFERS)
    @pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
    def test_the_cure_helps(self, offer: str, chunked: bool, log: Callable[[], list[str]]) -> None:
        with running_mockd(ECHO, http="h11") as server, Client(server.url) as client:
            client.send(request_with(OFFERS[offer], chunked=chunked))
            assert answer(client) == f"POST {offer} [hello]"
        assert log() == []
