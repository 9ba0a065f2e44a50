"""Waits for streams, holds of those to come, and what bounds them, on real connections."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from mockd.settings import Settings
from mockd.testing import RunningMockd, running_mockd
from tests.wire.holding import Admin, Reader, of
from tests.wire.sockets import Client, curl, eventually

EVENTS = [{"data": str(number)} for number in range(1, 6)]
LIST: dict[str, Any] = {"id": "list", "matcher": {"path": "/list"}, "sse": {"events": EVENTS}}
SLOW: dict[str, Any] = {
    "id": "slow",
    "matcher": {"path": "/slow"},
    "sse": {"events": EVENTS, "timing": {"fixedDelay": 60_000}},
}
RACE = 1000
"""Number of streams that are held, one after the other."""


@pytest.fixture
def server() -> Iterator[RunningMockd]:
    with running_mockd(LIST, SLOW) as running:
        yield running


@pytest.fixture
def admin(server: RunningMockd) -> Admin:
    return Admin(server)


def test_a_thousand_streams_are_held_behind_the_second_event_exactly(server: RunningMockd, admin: Admin) -> None:
    admin.post("/mocks/list/sse/hold", {"at": 2, "upcoming": "all"})
    promised = b"".join(b"data: %d\n\n" % number for number in (1, 2))
    with_all: list[Reader] = []
    try:
        for _ in range(RACE // 2):
            for _ in range(2):
                with_all.append(Reader(server.url).start("/list"))
            for reader in with_all[-2:]:
                assert reader.read_body(len(promised)) == promised
        held = admin.wait("/mocks/list/sse", f"opened={RACE}&held=true")
        assert held["eventsSent"] == 2
        for reader in with_all:
            reader.socket.setblocking(False)
            with pytest.raises(BlockingIOError):
                reader.socket.recv(1)
            reader.socket.setblocking(True)
        assert admin.post("/mocks/list/sse/release")["count"] == RACE
        for reader in with_all:
            assert reader.rest().endswith(b"data: 5\n\n")
    finally:
        for reader in with_all:
            reader.close()


def test_the_next_streams_are_held_and_those_behind_them_are_not(server: RunningMockd, admin: Admin) -> None:
    admin.post("/mocks/list/sse/hold", {"at": 1, "upcoming": 2})
    with Reader(server.url) as first, Reader(server.url) as second, Reader(server.url) as third:
        for reader in (first, second):
            reader.start("/list")
            assert reader.read_body(9) == b"data: 1\n\n"
            assert reader.is_silent()
        assert third.start("/list").rest().endswith(b"data: 5\n\n")
        assert admin.post("/mocks/list/sse/release")["count"] == 2
        assert first.rest() == second.rest() == third.body


def test_a_release_is_for_those_to_come_too(server: RunningMockd, admin: Admin) -> None:
    admin.post("/mocks/list/sse/hold", {"upcoming": "all"})
    admin.post("/mocks/list/sse/release")
    with Reader(server.url) as reader:
        assert reader.start("/list").rest().endswith(b"data: 5\n\n")


def test_a_hold_is_for_the_streams_of_its_key(server: RunningMockd, admin: Admin) -> None:
    admin.post("/mocks/list/sse/hold?key=a", {"at": 1, "upcoming": "all"})
    with Reader(server.url) as mine, Reader(server.url) as other, Reader(server.url) as nobodys:
        mine.start("/~a/list").read_body(9)
        assert mine.is_silent()
        assert other.start("/~b/list").rest() == nobodys.start("/list").rest()
        assert admin.post("/mocks/list/sse/release?key=b")["count"] == 0
        assert mine.is_silent()
        assert admin.post("/mocks/list/sse/release?key=a")["count"] == 1
        assert mine.rest() == other.body


def test_a_hold_replaces_that_before(server: RunningMockd, admin: Admin) -> None:
    admin.post("/mocks/list/sse/hold", {"at": 1, "upcoming": 1})
    with Reader(server.url) as reader:
        reader.start("/list")
        held = admin.wait("/mocks/list/sse", "held=true")
        assert admin.post(of(held) + "/hold", {"at": 3})["connection"]["heldAt"] == 3
        assert admin.wait(of(held), "held=true")["eventsSent"] == 3
        assert admin.post(of(held) + "/hold", {"at": 1})["connection"]["heldAt"] == 3  # passed: at once
        assert reader.read_body(27).endswith(b"data: 3\n\n")
        assert reader.is_silent()


def test_the_interval_behind_a_step_counts_from_it(server: RunningMockd, admin: Admin) -> None:
    pause = {"id": "pause", "matcher": {"path": "/pause"}, "sse": {"events": EVENTS, "timing": {"fixedDelay": 400}}}
    server.engine.create(pause)
    admin.post("/mocks/pause/sse/hold", {"at": 1, "upcoming": 1})
    with Reader(server.url) as reader:
        reader.start("/pause").read_body(9)
        held = admin.wait("/mocks/pause/sse", "held=true")
        admin.post(of(held) + "/step", {"count": 2})
        assert reader.read_body(27).endswith(b"data: 3\n\n")
        admin.post(of(held) + "/release")
        assert reader.is_silent()  # the fourth is 400 ms behind the third
        assert reader.read_body(36).endswith(b"data: 4\n\n")


# -- waits -------------------------------------------------------------------------------------------------------------


def test_waits_are_woken(server: RunningMockd, admin: Admin) -> None:
    answers: dict[str, dict[str, Any]] = {}

    def wait(path: str, query: str) -> None:
        answers[query] = admin.get(f"{path}/wait?{query}&timeoutSeconds=20")

    queries = ("opened=1", "reached=1", "held=true", "reached=2&held=true", "ended=true", "opened=2&reached=5")
    threads = [threading.Thread(target=wait, args=("/mocks/list/sse", query)) for query in queries]
    for thread in threads:
        thread.start()
    hands = server.engine.streams.take_in_hand
    admin.post("/mocks/list/sse/hold", {"at": 1, "upcoming": 1})
    eventually(lambda: hands().waiting == len(queries))
    with Reader(server.url) as first, Reader(server.url) as second:
        first.start("/list")
        eventually(lambda: {"opened=1", "reached=1", "held=true"} <= answers.keys())
        assert "ended=true" not in answers
        assert answers["held=true"]["connections"][0]["heldAt"] == 1
        held = answers["held=true"]["connections"][0]
        admin.post(of(held) + "/step")
        eventually(lambda: "reached=2&held=true" in answers)
        admin.post(of(held) + "/release")
        first.rest()
        eventually(lambda: "ended=true" in answers)
        assert "opened=2&reached=5" not in answers
        second.start("/list").rest()
        for thread in threads:
            thread.join()
        assert all(answer["ok"] for answer in answers.values())
        assert len(answers["opened=2&reached=5"]["connections"]) == 2
    eventually(lambda: hands().waiting == 0)


@pytest.mark.parametrize(
    ("query", "ok"),
    [("reached=5", True), ("reached=6", False), ("ended=true", True), ("held=true", False), ("reached=0", True)],
)
def test_a_wait_for_a_stream_that_has_ended_is_over_at_once(
    server: RunningMockd, admin: Admin, query: str, ok: bool
) -> None:
    with Reader(server.url) as reader:
        reader.start("/list").rest()
    ended = admin.wait("/mocks/list/sse", "opened=1&ended=true")
    answer = admin.get(f"{of(ended)}/wait?{query}&timeoutSeconds=600")
    assert (answer["ok"], answer["connection"]["outcome"]) == (ok, "completed")


def test_a_wait_is_for_the_streams_of_its_key(server: RunningMockd, admin: Admin) -> None:
    answers: list[dict[str, Any]] = []
    path = "/mocks/list/sse/wait?opened=1&key=a&timeoutSeconds=20"
    thread = threading.Thread(target=lambda: answers.append(admin.get(path)))
    thread.start()
    eventually(lambda: server.engine.streams.hands is not None and server.engine.streams.hands.waiting == 1)
    for key in ("b", "a"):
        with Reader(server.url) as reader:
            reader.start(f"/~{key}/list").rest()
    thread.join()
    assert [one["key"] for one in answers[0]["connections"]] == ["a"]


def test_a_wait_is_given_up_once_its_client_leaves(server: RunningMockd, admin: Admin) -> None:
    with Client(server.admin_url) as client:
        client.ask("/mocks/list/sse/wait?opened=1&timeoutSeconds=600")
        eventually(lambda: server.engine.streams.hands is not None and server.engine.streams.hands.waiting == 1)
    eventually(lambda: server.engine.streams.take_in_hand().waiting == 0)


def test_a_wait_ends_with_its_time(server: RunningMockd, admin: Admin) -> None:
    with Reader(server.url) as reader:
        reader.start("/slow").read_body(9)
        answer = admin.get("/mocks/slow/sse/wait?reached=2&timeoutSeconds=0.05")
        assert (answer["ok"], [one["eventsSent"] for one in answer["connections"]]) == (False, [1])
        assert admin.get("/mocks/list/sse/wait?held=true&timeoutSeconds=0") == {"ok": False, "connections": []}


def test_waits_end_with_their_key_their_mock_and_the_server(server: RunningMockd, admin: Admin) -> None:
    answers: dict[str, Any] = {}

    def wait(name: str, path: str) -> None:
        answers[name] = admin.get(path)["ok"]

    def waiting(name: str, path: str) -> threading.Thread:
        before = server.engine.streams.take_in_hand().waiting if answers or threads else 0
        thread = threading.Thread(target=wait, args=(name, path))
        thread.start()
        eventually(lambda: server.engine.streams.hands is not None and server.engine.streams.hands.waiting > before)
        return thread

    threads: list[threading.Thread] = []
    threads.append(waiting("key", "/mocks/list/sse/wait?opened=1&key=k&timeoutSeconds=60"))
    threads.append(waiting("mock", "/mocks/slow/sse/wait?opened=1&timeoutSeconds=60"))
    threads.append(waiting("server", "/mocks/list/sse/wait?opened=1&timeoutSeconds=60"))
    assert admin.ask("DELETE", "/keys/k")[0] == 200
    threads[0].join()
    server.engine.delete("slow")
    threads[1].join()
    assert "server" not in answers
    server.engine.begin_shutdown()
    threads[2].join()
    assert answers == {"key": False, "mock": False, "server": False}


@pytest.mark.parametrize(
    ("of_one", "condition", "is_so"),
    [
        (True, "ended=true", True),
        (True, "reached=3", False),
        (False, "ended=true", True),
        (False, "reached=3", False),
        (False, "opened=2&ended=true", True),
        (False, "opened=3&ended=true", False),
    ],
)
def test_a_server_that_stops_fulfils_waits_for_the_end(
    server: RunningMockd, admin: Admin, of_one: bool, condition: str, is_so: bool
) -> None:
    with Client(server.url) as first, Client(server.url) as second:
        for client in (first, second):
            client.ask("/slow").read_until(b"data: 1")
        path = of(admin.get("/mocks/slow/sse/connections")["connections"][0]) if of_one else "/mocks/slow/sse"
        answers: list[Any] = []
        waiting = threading.Thread(
            target=lambda: answers.append(admin.get(f"{path}/wait?{condition}&timeoutSeconds=60"))
        )
        waiting.start()
        hands = server.engine.streams.take_in_hand()
        eventually(lambda: hands.waiting == 1)
        server.engine.begin_shutdown()
        waiting.join()
        assert answers[0]["ok"] is is_so


@pytest.mark.parametrize(
    ("method", "path", "body", "place", "cure"),
    [
        ("POST", "/mocks/list/sse/hold", {"at": "tail"}, "$.at", None),
        ("POST", "/mocks/list/sse/hold", {"upcoming": 0}, "$.upcoming", None),
        ("POST", "/mocks/list/sse/hold", {"upcomming": 1}, "$.upcomming", "did you mean `upcoming`?"),
        ("POST", "/mocks/list/sse/step", {"count": 0}, "$.count", None),
        ("POST", "/mocks/list/sse/step", [], None, None),
        ("GET", "/mocks/list/sse/wait", None, None, "give `opened` (1 or more), `reached`, `held` or `ended`"),
        ("GET", "/mocks/list/sse/wait?reached=x", None, None, None),
        ("GET", "/mocks/list/sse/wait?held=false", None, None, "leave it out"),
        ("GET", "/mocks/list/sse/wait?opened=1&timeoutSeconds=601", None, None, None),
        ("GET", "/mocks/list/sse/wait?opened=1&timeoutSeconds=nan", None, None, None),
        ("GET", "/mocks/list/sse/wait?openned=1", None, None, "did you mean `opened`?"),
    ],
)
def test_bad_input_is_refused_with_place_and_cure(
    admin: Admin, method: str, path: str, body: Any, place: str | None, cure: str | None
) -> None:
    status, answer = admin.ask(method, path, body)
    assert status == 400, answer
    assert answer.get("path") == place or place is None
    assert cure is None or answer["hint"] == cure


@pytest.mark.parametrize("verb", ["hold", "step", "release", "close", "wait?ended=true"])
@pytest.mark.parametrize("path", ["/mocks/none/sse/", "/sse/connections/sse-1/"])
def test_what_is_not_there_is_not_found(admin: Admin, path: str, verb: str) -> None:
    assert admin.ask("GET" if verb.startswith("wait") else "POST", path + verb)[0] == 404


@pytest.mark.parametrize("verb", ["hold", "step", "close"])
def test_a_stream_that_has_ended_is_a_conflict(server: RunningMockd, admin: Admin, verb: str) -> None:
    with Reader(server.url) as reader:
        reader.start("/list").rest()
    ended = admin.wait("/mocks/list/sse", "opened=1&ended=true")
    status, answer = admin.ask("POST", f"{of(ended)}/{verb}")
    assert (status, answer["message"]) == (409, "Connection has already ended: completed")


# -- bounds ------------------------------------------------------------------------------------------------------------


def test_there_are_at_most_so_many_holds_and_waits() -> None:
    with running_mockd(LIST, SLOW, settings=Settings(max_holds=2, max_waits=1)) as server:
        admin = Admin(server)
        with Reader(server.url) as one, Reader(server.url) as two:
            one.start("/slow").read_body(9)
            two.start("/slow").read_body(9)
            admin.post("/mocks/list/sse/hold", {"upcoming": 1})
            first, second = admin.get("/mocks/slow/sse/connections")["connections"]
            admin.post(of(first) + "/hold")
            admin.post(of(first) + "/hold", {"at": 2})  # instead of the first
            admin.post("/mocks/list/sse/hold", {"upcoming": 2})
            for refused in (of(second) + "/hold", of(second) + "/step"):
                status, answer = admin.ask("POST", refused)
                assert (status, answer["error"]) == (503, "too_many_holds")
            admin.post(of(first) + "/release")
            admin.post(of(second) + "/hold")
            thread = threading.Thread(target=admin.get, args=(of(first) + "/wait?ended=true",))
            thread.start()
            eventually(lambda: server.engine.streams.take_in_hand().waiting == 1)
            status, answer = admin.ask("GET", of(second) + "/wait?ended=true")
            assert (status, answer["error"]) == (503, "too_many_waits")
            assert admin.get(of(second) + "/wait?held=true")["ok"]  # it is so: nobody waits
            admin.post("/mocks/slow/sse/close")
            thread.join()


def test_nothing_stays_held_for_a_key_that_nobody_uses() -> None:
    with running_mockd(LIST, settings=Settings(key_max_age=0.3)) as server:
        admin = Admin(server)
        admin.post("/mocks/list/sse/hold?key=k", {"at": 1, "upcoming": "all"})
        with Reader(server.url) as reader, Reader(server.url) as later:
            reader.start("/~k/list").read_body(9)
            assert reader.rest().endswith(b"data: 5\n\n")  # in the end
            assert later.start("/~k/list").rest() == reader.body
        admin.post("/mocks/list/sse/hold", {"at": 1, "upcoming": 1})
        with Reader(server.url) as reader:
            assert reader.start("/list").rest().endswith(b"data: 5\n\n")


def test_a_key_that_is_used_keeps_its_holds() -> None:
    with running_mockd(LIST, settings=Settings(key_max_age=0.2)) as server:
        admin = Admin(server)
        admin.post("/mocks/list/sse/hold?key=k", {"at": 1, "upcoming": 1})
        with Reader(server.url) as reader:
            reader.start("/~k/list").read_body(9)
            held = admin.wait("/mocks/list/sse", "held=true&key=k")
            assert not admin.get(of(held) + "/wait?reached=2&timeoutSeconds=0.7")["ok"]
            assert reader.is_silent()


def test_requests_of_a_key_keep_its_holds() -> None:
    other = {"id": "other", "matcher": {"path": "/other"}, "response": {"body": "x"}}
    with running_mockd(LIST, other, settings=Settings(key_max_age=0.4)) as server:
        admin = Admin(server)
        admin.post("/mocks/list/sse/hold?key=k", {"at": 1, "upcoming": 1})
        until = time.monotonic() + 1
        while time.monotonic() < until:
            with Reader(server.url) as reader:
                reader.start("/~k/other").rest()
        with Reader(server.url) as reader:
            reader.start("/~k/list").read_body(9)
            assert reader.is_silent()


def test_a_head_request_is_not_held_and_takes_no_hold(server: RunningMockd, admin: Admin) -> None:
    admin.post("/mocks/list/sse/hold", {"at": 1, "upcoming": 1})
    with Client(server.url) as client:
        assert client.ask("/list", method="HEAD").read_head()[0] == 200
    with Reader(server.url) as reader:
        reader.start("/list").read_body(9)
        assert reader.is_silent()


def test_a_reset_releases(server: RunningMockd, admin: Admin) -> None:
    admin.post("/mocks/list/sse/hold", {"at": 1, "upcoming": 1})
    admin.post("/mocks/slow/sse/hold", {"at": 1, "upcoming": 1})
    with Reader(server.url) as reader:
        reader.start("/list").read_body(9)
        admin.wait("/mocks/list/sse", "held=true")
        assert admin.post("/reset")["holds"] == 2
        assert reader.rest().endswith(b"data: 5\n\n")
    assert not admin.get("/mocks/list/sse/wait?opened=1&timeoutSeconds=0")["ok"]


@pytest.mark.parametrize("again", ["reset", "reset of the key", "end of the key"])
def test_earlier_streams_count_no_more_once_it_begins_anew(server: RunningMockd, admin: Admin, again: str) -> None:
    with Reader(server.url) as reader:
        reader.start("/~k/list").rest()
    query = "/mocks/list/sse/wait?opened=1&ended=true&timeoutSeconds=0"
    if again == "end of the key":
        admin.post("/mocks/list/sse/hold?key=k", {"upcoming": 1})  # so that the key is known
        assert admin.ask("DELETE", "/keys/k")[0] == 200
    else:
        admin.post("/reset" + ("?key=k" if again == "reset of the key" else ""))
    assert not admin.get(query + "&key=k")["ok"]
    with Reader(server.url) as reader:
        reader.start("/~k/list").rest()
    assert admin.wait("/mocks/list/sse", "opened=1&ended=true&key=k")["key"] == "k"


def test_a_client_that_leaves_while_it_is_held_is_gone(server: RunningMockd, admin: Admin) -> None:
    for place in ("head", 0, 1):
        admin.post("/mocks/list/sse/hold", {"at": place, "upcoming": 1})
        reader = Reader(server.url).start("/list")
        held = admin.wait("/mocks/list/sse", "held=true")
        reader.reset()
        assert admin.wait(of(held), "ended=true")["outcome"] == "client_disconnected"


def test_the_server_stops_although_a_stream_is_held() -> None:
    with running_mockd(LIST) as server:
        admin = Admin(server)
        admin.post("/mocks/list/sse/hold", {"upcoming": "all", "at": 1})
        reader = Reader(server.url).start("/list")
        reader.read_body(9)
    with reader:
        assert reader.rest() == b"data: 1\n\n"


def test_a_hold_seen_from_another_process(server: RunningMockd, admin: Admin) -> None:
    admin.post("/mocks/list/sse/hold", {"at": 3, "upcoming": 1})
    code, printed = curl(server.url + "/list", "--max-time", "0.5")
    assert (code, printed) == (28, "data: 1\n\ndata: 2\n\ndata: 3\n\n")


# -- time --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("keepalives", [True, False])
@pytest.mark.parametrize("faults", [[], ["drop after 9 events"]])
def test_keepalives_go_on_unless_they_are_not_wanted(keepalives: bool, faults: list[str]) -> None:
    life = {"heartbeat": {"every": 20, "text": "h"}}
    mock = {"id": "m", "matcher": {"path": "/m"}, "faults": faults, "sse": {"events": EVENTS, "lifecycle": life}}
    with running_mockd(mock) as server:
        admin = Admin(server)
        admin.post("/mocks/m/sse/hold", {"at": 1, "upcoming": 1, "keepalives": keepalives})
        with Reader(server.url) as reader:
            reader.start("/m").read_body(9)
            if keepalives:
                assert reader.read_body(9 + 4 * 4).startswith(b"data: 1\n\n: h\n: h\n: h\n: h\n")
            else:
                assert reader.is_silent()
            admin.post("/mocks/m/sse/release")
            assert reader.rest().replace(b": h\n", b"") == b"".join(b"data: %d\n\n" % n for n in range(1, 6))


@pytest.mark.parametrize("limit", ["timeout", "connectionTimeout"])
@pytest.mark.parametrize("faults", [[], ["drop after 9 events"]])
def test_timeouts_run_on_unless_they_are_frozen(limit: str, faults: list[str]) -> None:
    mock = {
        "id": "m",
        "matcher": {"path": "/m"},
        "faults": faults,
        "sse": {"events": [{"data": "1"}], "lifecycle": {limit: 0.3, "keepOpen": True}},
    }
    with running_mockd(mock) as server:
        admin = Admin(server)
        admin.post("/mocks/m/sse/hold", {"at": 1, "upcoming": 1})
        with Client(server.url) as client:
            client.ask("/m")
            assert admin.wait("/mocks/m/sse", "opened=1&ended=true")["outcome"] == "timed_out"
        admin.post("/reset")
        admin.post("/mocks/m/sse/hold", {"at": 1, "upcoming": 1, "freezeTimeouts": True})
        with Client(server.url) as client:
            client.ask("/m")
            held = admin.wait("/mocks/m/sse", "held=true")
            assert not admin.get(of(held) + "/wait?ended=true&timeoutSeconds=0.5")["ok"]
            admin.post(of(held) + "/release")
            assert admin.wait(of(held), "ended=true")["outcome"] == "timed_out"
