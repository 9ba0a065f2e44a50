"""Every kind of answer under every server: the right status and bytes, the right end, and nothing wrong in the log."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import httpx2
import pytest

from mockd.config.models import ADMIN_PREFIX
from tests.servers.answers import Answer, read_answer
from tests.servers.conftest import Served
from tests.servers.kinds import KINDS, KINDS_1_0, LISTED, Kind
from tests.servers.processes import Process
from tests.servers.servers import SERVERS, Server
from tests.wire.sockets import Client, eventually

pytestmark = pytest.mark.servers

LIST = KINDS["list"]
OF_A_KEY = {
    name: kind for name, kind in KINDS.items() if kind.end == "whole" and not kind.target.startswith(ADMIN_PREFIX)
}
"""The kinds that can be asked for with a key."""


@pytest.fixture(scope="module", params=SERVERS)
def name(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def server(name: str) -> Server:
    return SERVERS[name]


@pytest.fixture
def running(server: Server, served: Served) -> Iterator[Process]:
    """The server's process, whose log has nothing new to complain of afterwards."""
    process = served(server)
    before = len(process.complaints)
    yield process
    assert process.complaints[before:] == [], process.log


@pytest.fixture
def client(running: Process) -> Iterator[Client]:
    with Client(running.url) as client:
        yield client


def ask(client: Client, kind: Kind) -> Answer:
    client.ask(kind.target, method=kind.method, version=kind.version, headers=kind.headers, body=kind.sent)
    return read_answer(client, kind.method)


def assert_is(answer: Answer, kind: Kind) -> None:
    assert answer.status == kind.status
    assert kind.has(answer.body), answer.body


def assert_goes_on(client: Client) -> None:
    """The connection can be used for another request."""
    assert_is(ask(client, LIST), LIST)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_kind(client: Client, server: Server, kind: Kind) -> None:
    if kind.end == "broken" and not server.breaks_off:
        client.ask(kind.target, method=kind.method, body=kind.sent).read_until(kind.mark)
        return
    answer = ask(client, kind)
    assert_is(answer, kind)
    assert answer.end == kind.end
    if kind.end == "whole" and (kind.is_read or server.takes_any_body):
        assert answer.headers.get("connection", "keep-alive") == "keep-alive"
        assert_goes_on(client)


@pytest.mark.parametrize("kind", OF_A_KEY.values(), ids=OF_A_KEY)
def test_a_kind_of_a_key(client: Client, kind: Kind) -> None:
    of_key = replace(kind, path=f"/~k{kind.target}")
    if "Last-Event-ID" in kind.headers:  # which means something only to a key that was sent it
        ask(client, replace(of_key, headers={}))
    assert_is(ask(client, of_key), kind)


def test_a_key_is_read_from_its_header(client: Client) -> None:
    assert_is(ask(client, replace(LIST, headers={"X-Mockd-Key": "k"})), LIST)
    assert ask(client, replace(LIST, headers={"X-Mockd-Key": "no key"})).status == 400


@pytest.mark.parametrize("kind", KINDS_1_0.values(), ids=KINDS_1_0)
def test_a_kind_over_http_1_0(client: Client, server: Server, kind: Kind) -> None:
    answer = ask(client, kind)
    assert_is(answer, kind)
    assert answer.end in ("whole", "closed")
    if server.frames_1_0:
        assert "transfer-encoding" not in answer.headers
    assert client.read_to_end() == b""


@pytest.mark.parametrize("abrupt", ["abrupt list", "abrupt paced list"])
def test_an_abrupt_end_over_http_1_0(client: Client, server: Server, abrupt: str) -> None:
    kind = replace(KINDS[abrupt], version="1.0")
    if not server.breaks_off:
        client.ask(kind.target, version=kind.version).read_until(b"data: one\n\n")
        return
    answer = ask(client, kind)
    assert_is(answer, kind)
    assert answer.end == ("broken" if server.shows_break_1_0 else "closed")


def test_requests_in_one_packet(client: Client) -> None:
    client.send(f"GET /list HTTP/1.1\r\nHost: {client.host}\r\n\r\n".encode() * 3)
    assert [read_answer(client).body for _ in range(3)] == [LISTED] * 3


def test_a_body_in_chunks(client: Client) -> None:
    body = KINDS["body"]
    client.ask("/body", method="POST", headers={"Transfer-Encoding": "chunked"})
    for part in (b'{"a"', b": 1}", b""):
        client.send(b"%x\r\n%b\r\n" % (len(part), part))
    assert_is(read_answer(client), body)
    assert_goes_on(client)


def test_a_body_that_waits_to_be_asked_for(client: Client) -> None:
    body = KINDS["body"]
    client.ask("/body", method="POST", headers={"Content-Length": len(body.sent), "Expect": "100-continue"})
    assert client.read_head()[0] == 100
    client.send(body.sent)
    assert_is(read_answer(client), body)
    assert_goes_on(client)


def test_a_client_that_leaves_is_noticed(running: Process) -> None:
    def live() -> int:
        stats = httpx2.get(running.url + "/__mockd/sse/stats").json()
        active: int = stats["activeConnections"]
        return active

    with Client(running.url) as client:
        client.ask("/held").read_until(b"data: Hello\n\n")
        assert live() == 1
    eventually(lambda: live() == 0)
