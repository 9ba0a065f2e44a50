"""Live streams of every kind, seen and ended through the admin API."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import pytest

from mockd.app import create_app
from mockd.client import AdminClient
from mockd.engine import Engine
from mockd.errors import AdminError
from mockd.journal.registry import STOPPED_AT_ONCE
from mockd.testing import running_mockd
from tests.admin.conftest import serve
from tests.wire.sockets import Client, eventually

END = {"termination": {"finalEvent": {"data": "bye"}}}
MOCKS: dict[str, dict[str, Any]] = {
    "sse": {"sse": {"events": [{"data": "a"}], "lifecycle": {"keepOpen": True} | END}},
    "chunked": {"chunked": {"data": "a", "lifecycle": {"keepOpen": True} | END}},
    "ndjson": {"chunked": {"ndjsonItems": ["a"], "lifecycle": {"keepOpen": True} | END}},
}
KINDS = sorted(MOCKS)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serve(create_app(engine=Engine())) as url:
        yield url


@pytest.fixture
def admin(url: str) -> Iterator[AdminClient]:
    """The admin part of a server that has an endless mock of each kind, called by its kind."""
    with AdminClient(url + "/__mockd") as admin:
        mocks = [{"id": kind, "matcher": {"path": f"/{kind}/*"}} | MOCKS[kind] for kind in KINDS]
        admin.import_config(mocks, replace=True)
        yield admin
        for kind in KINDS:
            admin.close_mock_connections(kind)


@contextmanager
def stream(url: str, path: str, **headers: str) -> Iterator[Iterator[bytes]]:
    """A stream whose first bytes have come; the rest of its bytes."""
    with httpx2.stream("GET", url + path, headers=headers) as response:
        pieces = response.iter_raw()
        assert b"a" in next(pieces)
        yield pieces


@pytest.mark.parametrize("kind", KINDS)
def test_a_live_stream_is_listed(url: str, admin: AdminClient, kind: str) -> None:
    with stream(url, f"/{kind}/x", **{"User-Agent": "tester"}):
        listed = admin.list_mock_connections(kind)
        assert (listed["count"], listed["mockId"]) == (1, kind)
        connection = listed["connections"][0]
        assert connection["kind"] == kind
        assert connection["mockId"] == kind
        assert connection["path"] == f"/{kind}/x"
        assert connection["clientIp"] == "127.0.0.1"
        assert connection["userAgent"] == "tester"
        assert connection["status"] == "active"
        assert connection["eventsSent"] == 1
        assert connection["bytesSent"] > 0
        assert "outcome" not in connection
        assert admin.get_connection(connection["id"]) == connection
        assert connection in admin.list_connections()["connections"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_stream_closed_from_admin_ends_through_its_termination(url: str, admin: AdminClient, kind: str) -> None:
    with stream(url, f"/{kind}/x") as pieces:
        connection_id = admin.list_mock_connections(kind)["connections"][0]["id"]
        answer = admin.close_connection(connection_id)
        assert answer == {"message": "Connection closed", "connection": connection_id}
        assert b"bye" in b"".join(pieces)


def test_closing_what_has_ended_is_a_conflict_that_names_the_outcome(url: str, admin: AdminClient) -> None:
    with stream(url, "/sse/x") as pieces:
        connection_id = admin.list_mock_connections("sse")["connections"][0]["id"]
        admin.close_connection(connection_id)
        list(pieces)
    while admin.get_connection(connection_id)["status"] != "closed":
        pass
    assert admin.get_connection(connection_id)["outcome"] == "closed_by_admin"
    with pytest.raises(AdminError) as caught:
        admin.close_connection(connection_id)
    assert (caught.value.status, caught.value.code) == (409, "conflict")
    assert "closed_by_admin" in caught.value.message


def test_an_unknown_connection_is_404(admin: AdminClient) -> None:
    for ask in (admin.get_connection, admin.close_connection):
        with pytest.raises(AdminError) as caught:
            ask("none")
        assert (caught.value.status, caught.value.code) == (404, "not_found")


def test_connections_are_listed_oldest_first(url: str, admin: AdminClient) -> None:
    with stream(url, "/sse/1"), stream(url, "/ndjson/2"), stream(url, "/sse/3"):
        listed = admin.list_connections()
        assert [connection["path"] for connection in listed["connections"]] == ["/sse/1", "/ndjson/2", "/sse/3"]
        assert listed["stats"]["activeConnections"] == 3
        assert listed["stats"]["connectionsByMock"] == {"sse": 2, "ndjson": 1}
        assert listed["stats"]["totalConnections"] >= 3
        assert admin.get_stats() == listed["stats"]
        assert admin.get_status()["activeConnections"] == 3


def test_the_streams_of_one_mock_are_ended_together(url: str, admin: AdminClient) -> None:
    with stream(url, "/sse/1") as one, stream(url, "/sse/2") as two, stream(url, "/ndjson/3"):
        answer = admin.close_mock_connections("sse")
        assert answer == {"message": "Connections closed", "closed": 2, "mockId": "sse"}
        assert all(b"bye" in b"".join(pieces) for pieces in (one, two))
        assert admin.list_mock_connections("ndjson")["count"] == 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_disabled_or_deleted_mock_ends_its_streams(url: str, admin: AdminClient, kind: str) -> None:
    with stream(url, f"/{kind}/x") as pieces:
        admin.toggle_mock(kind)
        assert b"bye" in b"".join(pieces)
    admin.toggle_mock(kind)
    with stream(url, f"/{kind}/x") as pieces:
        admin.delete_mock(kind)
        assert b"bye" in b"".join(pieces)
    admin.create_mock({"id": kind, "matcher": {"path": f"/{kind}/*"}} | MOCKS[kind])


def test_a_buffer_lists_what_was_sent_until_it_is_cleared(url: str, admin: AdminClient) -> None:
    sse = {"events": [{"data": "a", "type": "t"}, {"data": {"n": 1}}], "resume": {"enabled": True}}
    admin.create_mock({"id": "resumable", "matcher": {"path": "/resumable"}, "sse": sse})
    assert b"a" in httpx2.get(url + "/resumable").content
    buffer = admin.get_buffer("resumable")
    assert (buffer["mockId"], buffer["count"]) == ("resumable", 2)
    assert [event["id"] for event in buffer["events"]] == ["1", "2"]
    assert all(event.keys() == {"id", "event", "timestamp", "connection"} for event in buffer["events"])
    cleared = admin.clear_buffer("resumable")
    assert cleared == {"message": "Buffer cleared", "cleared": 2, "mockId": "resumable"}
    assert admin.get_buffer("resumable")["events"] == []


def test_many_streams_and_long_buffers_are_dealt_with_in_turns() -> None:
    many = {"events": [{"data": "1"}], "lifecycle": {"keepOpen": True}}
    long = {
        "events": [{"data": "1"}],
        "repeat": 2500,
        "timing": {"fixedDelay": 0},
        "resume": {"enabled": True, "bufferSize": 5000},
    }
    mocks = [
        {"id": name, "matcher": {"path": f"/{name}"}, "sse": sse} for name, sse in (("many", many), ("long", long))
    ]
    with running_mockd(*mocks) as server, server.admin() as admin, contextlib.ExitStack() as opened:
        streams = [opened.enter_context(Client(server.url)) for _ in range(2 * STOPPED_AT_ONCE + 10)]
        for stream in streams:
            stream.ask("/many").read_until(b"data: 1\n\n")
        assert admin.close_mock_connections("many")["closed"] == len(streams)
        for stream in streams:
            stream.read_until(b"0\r\n\r\n")
        eventually(lambda: not server.engine.connections.exchanges("many"))
        with Client(server.url) as client:
            client.ask("/long").read_until(b"0\r\n\r\n")
        buffer = admin.get_buffer("long")
        assert buffer["count"] == len(buffer["events"]) == 2500
        assert admin.clear_buffer("long")["cleared"] == 2500
        assert admin.get_buffer("long")["count"] == 0


# -- those that have ended ---------------------------------------------------------------------------------------------


@pytest.fixture
def with_ended(url: str, admin: AdminClient) -> AdminClient:
    """A server on which streams have ended, and one of `sse` is live."""
    for path in ("/sse/1", "/ndjson/2", "/sse/3"):
        with stream(url, path) as pieces:
            admin.close_connection(admin.list_connections()["connections"][-1]["id"])
            assert b"bye" in b"".join(pieces)
    eventually(lambda: not admin.list_connections()["connections"])
    return admin


def paths(answer: Any) -> list[str]:
    return [connection["path"] for connection in answer["connections"]]


def test_streams_that_have_ended_are_listed_with_their_outcome(url: str, with_ended: AdminClient) -> None:
    with stream(url, "/sse/4"):
        assert paths(with_ended.list_connections()) == paths(with_ended.list_connections(status="active")) == ["/sse/4"]
        ended = with_ended.list_connections(status="ended")
        assert paths(ended)[-3:] == ["/sse/1", "/ndjson/2", "/sse/3"]
        last = ended["connections"][-1]
        assert (last["status"], last["outcome"], last["endedBy"]) == ("closed", "closed_by_admin", "mockd")
        assert with_ended.get_connection(last["id"]) == last
        assert paths(with_ended.list_connections(status="all"))[-4:] == ["/sse/1", "/ndjson/2", "/sse/3", "/sse/4"]
        assert paths(with_ended.list_connections(status="ended", mock_id="ndjson"))[-1:] == ["/ndjson/2"]
        assert "/sse/1" not in paths(with_ended.list_connections(status="all", mock_id="ndjson"))
        assert paths(with_ended.list_connections(status="ended", limit=2)) == ["/ndjson/2", "/sse/3"]
        assert paths(with_ended.list_connections(status="all", mock_id="sse", limit=2)) == ["/sse/3", "/sse/4"]
        assert paths(with_ended.list_connections(limit=0)) == []
        assert paths(with_ended.list_connections(status="ended", mock_id="nobody's")) == []


def test_a_hundred_that_have_ended_are_listed_if_nobody_says_how_many() -> None:
    mock = {"id": "plain", "matcher": {"path": "/plain"}, "response": {"body": "a"}}
    with running_mockd(mock) as server, server.admin() as admin, httpx2.Client() as client:
        for _ in range(120):
            client.get(server.url + "/plain")
        assert len(admin.list_connections(status="ended")["connections"]) == 100
        assert len(admin.list_connections(status="ended", limit=110)["connections"]) == 110
        newest = server.engine.connections.listed("ended")[-1]
        assert admin.list_connections(status="all")["connections"][-1]["id"] == newest.id


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("status=closed", "status"),
        ("status=", "status"),
        ("status=ended&status=all", "status"),
        ("limit=-1", "limit"),
        ("limit=ten", "limit"),
        ("limit=1&limit=2", "limit"),
        ("mock=a&mock=b", "mock"),
        ("statut=ended", "statut"),
    ],
)
def test_a_list_that_cannot_be_understood_is_refused(url: str, query: str, names: str) -> None:
    answer = httpx2.get(f"{url}/__mockd/sse/connections?{query}")
    assert answer.status_code == 400
    assert names in answer.json()["message"]
