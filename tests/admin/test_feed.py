"""The live feed of the admin API: what happens, for whoever looks on, however slowly."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from mockd.errors import AdminError
from mockd.journal.feed import MOST_EVENTS, MOST_OF_A_PATH
from mockd.settings import Settings
from mockd.testing import RunningMockd, running_mockd
from tests.wire.sockets import Client, eventually

LIST: dict[str, Any] = {"id": "list", "matcher": {"path": "/list"}, "sse": {"events": [{"data": "x"}] * 2}}
BROKEN: dict[str, Any] = {**LIST, "id": "broken", "matcher": {"path": "/broken"}, "faults": ["reset after 1 event"]}


class Follower:
    """Reads the feed on a plain socket, event by event."""

    def __init__(self, server: RunningMockd, query: str = "", last_event_id: str | None = None, **options: Any) -> None:
        headers = {} if last_event_id is None else {"Last-Event-ID": last_event_id}
        self._client = Client(server.admin_url, **options).ask("/events" + query, headers=headers)
        self.status, self.headers = self._client.read_head()
        feed = server.engine.connections.feed
        eventually(lambda: feed.readers > 0)

    def __enter__(self) -> Follower:
        return self

    def __exit__(self, *args: object) -> None:
        self._client.close()

    def next(self) -> tuple[str, str, dict[str, Any]]:
        """The ID, the type and the data of the next event."""
        while True:
            self._client.read_until(b"\r\n")  # the size of the chunk
            block = self._client.read_until(b"\r\n\r\n\r\n")
            fields = dict(line.split(b": ", 1) for line in block.split(b"\r\n") if b": " in line)
            if b"event" in fields:
                return fields[b"id"].decode(), fields[b"event"].decode(), json.loads(fields[b"data"])

    def types(self, count: int) -> list[str]:
        return [self.next()[1] for _ in range(count)]


def get(server: RunningMockd, path: str, key: str = "") -> None:
    with Client(server.url) as client:
        client.ask(path, headers={"Connection": "close", **({"X-Mockd-Key": key} if key else {})})
        with suppress(ConnectionResetError):
            while client.socket.recv(65536):
                pass


@pytest.fixture
def server() -> Iterator[RunningMockd]:
    with running_mockd(LIST, BROKEN) as mockd:
        yield mockd


def test_each_thing_that_happens_is_told(server: RunningMockd) -> None:
    with Follower(server) as follower:
        get(server, "/list")
        get(server, "/nothing")
        get(server, "/broken")
        with server.admin() as admin:
            admin.create_mock({"matcher": {"path": "/new"}, "response": {}})
        told = [follower.next() for _ in range(10)]
        request, opened, ended = (data for _, _, data in told[:3])
        assert [type for _, type, _ in told] == [
            *("request", "opened", "ended"),
            *("request", "ended"),
            *("request", "opened", "fault", "ended"),
            "mocks",
        ]
        assert (request["path"], request["mockId"], request["method"]) == ("/list", "list", "GET")
        assert opened["connectionId"] == ended["connectionId"]
        assert request["requestId"] == ended["requestId"]
        assert (ended["status"], ended["eventsSent"], ended["outcome"]) == (200, 2, "completed")
        assert told[3][2]["mockId"] is None
        assert told[3][2]["nearMisses"] == []
        assert (told[7][2]["fault"]["action"], told[7][2]["mockId"]) == ("reset", "broken")
        assert told[9][2]["mocks"] == 3
        with server.admin() as admin:
            assert admin.get_request(request["requestId"])["path"] == "/list"


def test_no_event_is_large(server: RunningMockd) -> None:
    headers = {f"x-{number}": "nope" for number in range(50)}
    with server.admin() as admin:
        for name in "abc":
            admin.create_mock({"id": name, "matcher": {"pathPattern": "^/long", "headers": headers}, "response": {}})
    with Follower(server) as follower:
        get(server, "/long" + "x" * 20_000)
        _, type, event = follower.next()
        assert (type, len(event["nearMisses"]), len(event["path"])) == ("request", 3, MOST_OF_A_PATH)
        near = event["nearMisses"][0]
        assert near.keys() == {"mockId", "matchPercentage", "reason"}
        assert near["reason"].startswith("pathPattern matched, but header x-0 expected")
        assert len(json.dumps(event)) < 5000
        with server.admin() as admin:
            assert len(admin.get_request(event["requestId"])["nearMisses"][0]["fields"]) == 51


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?key=a", ["request", "opened", "ended", "mocks"]),
        ("?key=", ["request", "opened", "ended", "request", "ended", "mocks"]),
        ("?mock=list", ["request", "opened", "ended", "request", "opened", "ended", "mocks"]),
        ("?type=ended", ["ended", "ended", "ended"]),
        ("?type=opened,mocks", ["opened", "opened", "mocks"]),
        ("?type=ended&key=a", ["ended"]),
    ],
)
def test_it_is_filtered(server: RunningMockd, query: str, expected: list[str]) -> None:
    with Follower(server, query) as follower, Follower(server) as all_of_it:
        get(server, "/list")
        get(server, "/list", "a")
        get(server, "/nothing")
        with server.admin() as admin:
            admin.delete_mock("broken")
        assert len(all_of_it.types(9)) == 9  # so that nothing more is to come
        assert follower.types(len(expected)) == expected


def test_it_goes_on_behind_the_event_that_a_client_has(server: RunningMockd) -> None:
    with Follower(server) as follower:
        get(server, "/list")
        first = follower.next()[0]
    get(server, "/nothing")
    with Follower(server, last_event_id=first) as follower:
        assert follower.types(4) == ["opened", "ended", "request", "ended"]


@pytest.mark.parametrize("last_event_id", ["x", "0123abcd-1", "-", "0123abcd-99999999999999999999999"])
def test_what_is_not_known_any_more_is_missed(server: RunningMockd, last_event_id: str) -> None:
    with Follower(server, last_event_id=last_event_id) as follower:
        assert follower.next()[1:] == ("missed", {"missed": None})


def test_a_reader_who_is_too_slow_misses_some_and_holds_nobody_up(server: RunningMockd) -> None:
    requests = MOST_EVENTS * 2  # so that the system's buffers are full too
    with Follower(server, receive_buffer=4096) as slow, Client(server.url) as client:
        sending = threading.Thread(target=client.send, args=(b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n" * requests,))
        sending.start()
        for _ in range(requests):
            client.read_until(b'"nearMisses":[]}')
        sending.join()
        types: list[str] = []
        while types[-1:] != ["mocks"]:
            if types[-1:] == ["missed"]:
                with server.admin() as admin:
                    admin.delete_mock("list")
            types.append(slow.next()[1])
        assert 0 < len(types) - types.index("missed") - 2 <= MOST_EVENTS


def test_only_so_many_may_follow() -> None:
    settings = Settings(max_subscribers=1)
    with running_mockd(LIST, settings=settings) as server, Follower(server), Client(server.admin_url) as client:
        assert client.ask("/events").read_head()[0] == 503


def test_a_wrong_type_is_refused(server: RunningMockd) -> None:
    with server.admin() as admin, pytest.raises(AdminError, match="'opend' is none of request, opened"):
        next(admin.follow(type="request,opend"))


def test_the_client_of_the_admin_api_follows_it(server: RunningMockd) -> None:
    with server.admin() as admin:
        follow = admin.follow(type="ended")
        told: list[tuple[str, Any]] = []
        reader = threading.Thread(target=lambda: told.append(next(follow)))
        reader.start()
        eventually(lambda: server.engine.connections.feed.readers == 1)
        get(server, "/%E2%80%A8")
        reader.join(20)
        assert [(type, data["path"]) for type, data in told] == [("ended", "/\u2028")]


def test_nothing_is_noted_while_nobody_looks(server: RunningMockd) -> None:
    feed = server.engine.connections.feed
    get(server, "/list")
    assert (feed.is_on, feed._number) == (False, 0)


def test_holds_and_what_they_reach_are_told(server: RunningMockd) -> None:
    with Follower(server, "?type=opened,reached,held,released,ended") as follower, server.admin() as admin:
        admin.hold_mock("list", at=1, upcoming=1)
        with Client(server.url) as client:
            client.ask("/list").read_head()
            told = [follower.next() for _ in range(3)]
            assert [type for _, type, _ in told] == ["opened", "reached", "held"]
            held = told[-1][2]
            assert (held["heldAt"], held["eventsSent"], held["mockId"]) == (1, 1, "list")
            waiting = threading.Thread(
                target=admin.wait_for_connection, args=(held["connectionId"],), kwargs={"reached": 2}
            )
            waiting.start()
            eventually(lambda: server.engine.streams.take_in_hand().waiting == 1)
            with server.admin() as other:
                other.release_connection(held["connectionId"])
            waiting.join()
            assert sorted(follower.types(3)) == ["ended", "reached", "released"]
