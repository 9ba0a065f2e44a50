"""The page's admin calls, as they stand, against a server with two ports."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import pytest

from tests.cli.harness import Served, free_port
from tests.spec import page

Json = dict[str, Any]

CALLS = [line for block in page.blocks("") for line in block.text.splitlines()]

HELD_OPEN: Json = {
    "id": "held",
    "matcher": {"method": "GET", "path": "/held"},
    "sse": {
        "events": [{"data": "a"}, {"data": "b"}],
        "resume": {"enabled": True},
        "lifecycle": {"keepOpen": True, "termination": {"finalEvent": {"type": "close", "data": "bye"}}},
    },
}
FINAL = b"event: close\ndata: bye\n\n"
CONNECTION_KEYS = {
    "id",
    "mockId",
    "key",
    "kind",
    "path",
    "clientIp",
    "userAgent",
    "connectedAt",
    "eventsSent",
    "bytesSent",
    "lastEventId",
    "status",
    "held",
    "faults",
}
STATS = {"activeConnections", "totalConnections", "totalEventsSent", "totalBytesSent", "connectionErrors"}


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    served = Served("--admin-port", str(free_port()))
    assert httpx2.post(served.admin + "/mocks", json=HELD_OPEN).status_code == 201
    yield served
    served.stop()


@contextmanager
def live_stream(server: Served) -> Iterator[Iterator[bytes]]:
    """A client of the mock that has read both of its events; what it reads next."""
    with httpx2.stream("GET", server.mocks + "/held") as answer:
        pieces = answer.iter_raw()
        body = b""
        while body.count(b"\n\n") < 2:
            body += next(pieces)
        yield pieces


def connection_of(server: Served) -> Json:
    [connection] = httpx2.get(server.admin + "/sse/connections").json()["connections"]
    return dict(connection)


def check_connection(connection: Json) -> None:
    assert connection.keys() == CONNECTION_KEYS
    expected = {"mockId": "held", "kind": "sse", "path": "/held", "clientIp": "127.0.0.1"}
    assert connection | expected | {"eventsSent": 2, "lastEventId": "2", "status": "active"} == connection
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", connection["connectedAt"])


def check_stats(stats: Json) -> None:
    assert stats.keys() == STATS | {"connectionsByMock"}
    assert stats["activeConnections"] == 1
    assert stats["connectionsByMock"] == {"held": 1}
    assert stats["connectionErrors"] == 0


def check_all_connections(answer: Json) -> None:
    assert answer.keys() == {"connections", "stats"}
    [connection] = answer["connections"]
    check_connection(connection)
    check_stats(answer["stats"])


def check_closed(answer: Json) -> None:
    assert answer.keys() == {"message", "connection"}


def check_mock_connections(answer: Json) -> None:
    [connection] = answer.pop("connections")
    check_connection(connection)
    assert answer == {"count": 1, "mockId": "held"}


def check_all_closed(answer: Json) -> None:
    assert answer.pop("message")
    assert answer == {"closed": 1, "mockId": "held"}


def check_buffer(answer: Json) -> None:
    latest = answer["events"][-2:]
    assert (answer["mockId"], answer["count"]) == ("held", len(answer["events"]))
    assert [(event["id"], event["event"]) for event in latest] == [("1", {"data": "a"}), ("2", {"data": "b"})]
    assert [event.keys() for event in latest] == [{"id", "event", "timestamp", "connection"}] * 2


def check_cleared(answer: Json) -> None:
    assert answer.pop("message")
    assert answer.pop("cleared") >= 2
    assert answer == {"mockId": "held"}


CHECKS: dict[str, Callable[[Json], None]] = {
    "GET /sse/connections": check_all_connections,
    "GET /sse/connections/{id}": check_connection,
    "DELETE /sse/connections/{id}": check_closed,
    "GET /sse/stats": check_stats,
    "GET /mocks/{id}/sse/connections": check_mock_connections,
    "DELETE /mocks/{id}/sse/connections": check_all_closed,
    "GET /mocks/{id}/sse/buffer": check_buffer,
    "DELETE /mocks/{id}/sse/buffer": check_cleared,
}


@pytest.mark.parametrize("call", CALLS)
def test_call(call: str, server: Served) -> None:
    method, path = call.split()
    with live_stream(server) as pieces:
        id_ = "held" if path.startswith("/mocks") else connection_of(server)["id"]
        answer = httpx2.request(method, server.admin + path.replace("{id}", id_))
        assert answer.status_code == 200
        CHECKS[call](answer.json())
        if "connections" not in path or method != "DELETE":
            httpx2.delete(server.admin + "/mocks/held/sse/connections")
        assert b"".join(pieces) == FINAL
    assert httpx2.get(server.admin + "/sse/connections").json()["connections"] == []
