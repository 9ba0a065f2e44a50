"""The ID with which a client comes back: the same text wherever mockd reads it, however the client sends it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from mockd.testing import RunningMockd, running_mockd
from tests.wire.sockets import Client, curl

ID = "ü-日本"
EVENTS: list[dict[str, Any]] = [{"id": ID, "data": "one"}, {"id": "b", "data": "two"}]
RESUME = {"enabled": True}
MOCKS: dict[str, dict[str, Any]] = {
    "resume": {"matcher": {"path": "/feed"}, "sse": {"events": EVENTS, "resume": RESUME, "flush": "event"}},
    "no resume": {"matcher": {"path": "/plain"}, "sse": {"events": EVENTS}},
    "match": {"matcher": {"path": "/match", "headers": {"Last-Event-ID": ID}}, "response": {"body": "matched"}},
    "star": {"matcher": {"path": "/star", "headers": {"Last-Event-ID": "ü-*"}}, "response": {"body": "matched"}},
    "echo": {
        "matcher": {"path": "/echo"},
        "response": {
            "headers": {"X-Id": "{{ request.headers['last-event-id'] }}"},
            "body": "{{ request.headers['last-event-id'] }}",
        },
    },
}
REST = "id: b\ndata: two\n\n"


@pytest.fixture(scope="module")
def server() -> Iterator[RunningMockd]:
    with running_mockd(*MOCKS.values()) as running:
        yield running


@pytest.fixture(autouse=True)
def sent(server: RunningMockd) -> None:
    assert curl(server.url + "/feed")[1].endswith(REST)


def came_back(server: RunningMockd, path: str, id_: str = ID) -> str:
    code, answer = curl(server.url + path, "--header", f"Last-Event-ID: {id_}")
    assert code == 0
    return answer


def test_matchers_expressions_and_resume_read_the_same_text(server: RunningMockd) -> None:
    assert came_back(server, "/match") == "matched"
    assert came_back(server, "/star") == "matched"
    assert came_back(server, "/echo") == ID
    assert came_back(server, "/feed") == REST


def test_an_id_in_latin_1_is_read_as_latin_1(server: RunningMockd) -> None:
    with Client(server.url) as client:
        client.send(b"GET /echo HTTP/1.1\r\nHost: x\r\nLast-Event-ID: caf\xe9\r\nConnection: close\r\n\r\n")
        assert client.read_to_end().decode("utf-8", "replace").endswith("café")


def test_an_id_that_a_header_echoes_is_the_one_that_came(server: RunningMockd) -> None:
    with Client(server.url) as client:
        client.send(f"GET /echo HTTP/1.1\r\nHost: x\r\nLast-Event-ID: {ID}\r\nConnection: close\r\n\r\n".encode())
        assert f"x-id: {ID}\r\n".encode() in client.read_to_end()


def test_near_misses_show_it(server: RunningMockd) -> None:
    miss = json.loads(came_back(server, "/match", "é€"))
    [field] = [field for field in miss["nearMisses"][0]["fields"] if field["field"] == "headers.Last-Event-ID"]
    assert (field["expected"], field["actual"]) == (ID, "é€")


def test_the_admin_api_shows_it(server: RunningMockd) -> None:
    mock = {"matcher": {"path": "/open"}, "sse": {"events": EVENTS, "resume": RESUME, "lifecycle": {"keepOpen": True}}}
    mock_id = server.engine.create(mock).id
    try:
        with Client(server.url) as first, Client(server.url) as second:
            first.ask("/open").read_until(b"two")
            second.ask(f"/open?lastEventId={quote(ID)}", headers={"User-Agent": "ü"}).read_until(b"two")
            with server.admin() as admin:
                _, again = admin.list_connections()["connections"]
            assert (again["resumedFrom"], again["userAgent"]) == (ID, "ü")
    finally:
        server.engine.delete(mock_id)


@pytest.mark.parametrize("name", ["lastEventId", "last-event-id", "Last-Event-ID"])
class TestInTheQuery:
    def test_it_resumes(self, server: RunningMockd, name: str) -> None:
        assert curl(f"{server.url}/feed?x=1&{name}={quote(ID)}") == (0, REST)

    def test_the_header_wins(self, server: RunningMockd, name: str) -> None:
        assert came_back(server, f"/feed?{name}=b") == REST

    def test_a_client_that_has_everything_is_told_to_stop(self, server: RunningMockd, name: str) -> None:
        assert curl(f"{server.url}/feed?{name}=b", "--write-out", "%{http_code}") == (0, "204")

    def test_it_is_nothing_to_a_mock_that_does_not_resume(self, server: RunningMockd, name: str) -> None:
        assert curl(f"{server.url}/plain?{name}={quote(ID)}")[1].count("data:") == 2
