"""What those who watch a stream get to see, beside the client that reads it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from mockd.client import AdminClient
from mockd.errors import AdminError
from mockd.hand.watches import MOST_KEPT, MOST_SHOWN
from mockd.settings import Settings
from mockd.testing import RunningMockd, running_mockd
from tests.wire.sockets import Client, eventually

Told = list[tuple[str, dict[str, Any]]]

EVENTS = [{"type": "tick", "id": str(number), "data": {"n": number}} for number in range(1, 4)]
FINAL = {"termination": {"finalEvent": {"type": "done", "data": "[DONE]"}}}
LONG = "ä" * MOST_SHOWN
ERROR = {"timeout": 20, "keepOpen": True, "termination": {"type": "error", "errorEvent": {"type": "oops", "data": "x"}}}

KINDS: dict[str, tuple[dict[str, Any], list[dict[str, Any]]]] = {
    "a list": (
        {"sse": {"events": EVENTS}},
        [{"number": n, "type": "tick", "id": str(n), "data": f'{{"n":{n}}}', "bytes": 33} for n in (1, 2, 3)],
    ),
    "paced": (
        {"sse": {"events": [{"data": "a"}, {"data": "b"}], "timing": {"fixedDelay": 5}}},
        [{"number": 1, "data": "a", "bytes": 9}, {"number": 2, "data": "b", "bytes": 9}],
    ),
    "with resume": (
        {"sse": {"events": EVENTS[:1], "resume": {"enabled": True}}},
        [{"number": 1, "type": "tick", "id": "1", "data": '{"n":1}', "bytes": 33}],
    ),
    "an encoding": (
        {"sse": {"events": [{"data": "x", "id": "1"}, {"data": "é"}], "framing": {"encoding": "deflate", "bom": True}}},
        [
            {"number": 1, "id": "1", "data": "x", "bytes": 26},
            {"number": 2, "data": "é", "bytes": 12},
            {"raw": "", "bytes": 6},
        ],
    ),
    "lines in another form": (
        {"sse": {"events": [{"data": "x", "id": "1"}], "framing": {"lineEnding": "mixed", "spaceAfterColon": False}}},
        [{"number": 1, "id": "1", "data": "x", "bytes": 14}],
    ),
    "a comment and what is raw": (
        {"sse": {"events": [{"comment": "hi"}, {"raw": "data:x\n\n"}, {"data": "y\nz"}]}},
        [
            {"raw": ": hi\n", "bytes": 5},
            {"number": 1, "data": "x", "bytes": 8},
            {"number": 2, "data": "y\nz", "bytes": 17},
        ],
    ),
    "the final event": (
        {"sse": {"events": [{"data": "a"}], "lifecycle": FINAL}},
        [{"number": 1, "data": "a", "bytes": 9}, {"type": "done", "data": "[DONE]", "bytes": 26}],
    ),
    "an error at the end": (
        {"sse": {"events": [{"data": "a"}], "lifecycle": ERROR}},
        [{"number": 1, "data": "a", "bytes": 9}, {"type": "oops", "data": "x", "bytes": 21}],
    ),
    "a long event": (
        {"sse": {"events": [{"data": LONG}]}},
        [{"number": 1, "data": LONG[: (MOST_SHOWN - 6) // 2], "bytes": 8 + 2 * MOST_SHOWN, "cut": True}],
    ),
    "NDJSON": (
        {"chunked": {"format": "ndjson", "ndjsonItems": [{"a": 1}, {"b": 2}]}},
        [{"number": 1, "data": '{"a":1}', "bytes": 8}, {"number": 2, "data": '{"b":2}', "bytes": 8}],
    ),
    "chunks": (
        {"chunked": {"data": "abcd", "chunkSize": 2}},
        [{"number": 1, "data": "ab", "bytes": 2}, {"number": 2, "data": "cd", "bytes": 2}],
    ),
    "bytes that are no text": (
        {"sse": {"events": [{"rawBase64": "/w=="}]}},
        [{"number": 1, "raw": "\ufffd", "bytes": 1}],
    ),
    "a whole answer": ({"response": {"body": "hello"}}, [{"data": "hello", "bytes": 5}]),
    "faults that change events": (
        {"sse": {"events": EVENTS[:2]}, "faults": ["duplicate"]},
        [
            {"number": number, "type": "tick", "id": str(n), "data": f'{{"n":{n}}}', "bytes": 33}
            for number, n in ((1, 1), (2, 1), (3, 2))
        ],
    ),
    "something inserted": (
        {
            "sse": {"events": [{"data": "a"}]},
            "faults": [{"action": "insert", "raw": ": x\n\n", "after": {"events": 1}}],
        },
        [{"number": 1, "data": "a", "bytes": 9}, {"raw": ": x\n\n", "bytes": 5}],
    ),
}


@pytest.fixture(scope="module")
def server() -> Iterator[RunningMockd]:
    with running_mockd(settings=Settings(max_subscribers=3)) as mockd:
        yield mockd


@pytest.fixture
def admin(server: RunningMockd) -> Iterator[AdminClient]:
    with server.admin() as admin:
        admin.import_config([], replace=True)
        yield admin


def read(server: RunningMockd, path: str = "/m") -> bytes:
    with Client(server.url) as client:
        client.ask(path, headers={"Connection": "close"})
        return client.read_to_end()


def create(admin: AdminClient, **answer: Any) -> None:
    admin.create_mock({"id": "m", "matcher": {"path": "/m"}, **answer})


def watched(server: RunningMockd, admin: AdminClient, **options: Any) -> tuple[bytes, Told]:
    """What the client of the next stream reads, and what who watches it is told."""
    told = admin.watch_mock("m", **options)
    assert next(told) == ("waiting", {})
    found: list[bytes] = []
    client = threading.Thread(target=lambda: found.append(read(server)))
    client.start()
    rest = list(told)
    client.join()
    return found[0], rest


def sent(told: Told) -> list[dict[str, Any]]:
    return [{name: value for name, value in data.items() if name != "atMs"} for type, data in told if type == "sent"]


def without_date(data: bytes) -> bytes:
    return b"\n".join(line for line in data.split(b"\n") if not line.lower().startswith(b"date:"))


@pytest.mark.parametrize("kind", KINDS)
def test_all_that_is_sent_is_seen_and_nothing_is_changed(server: RunningMockd, admin: AdminClient, kind: str) -> None:
    answer, expected = KINDS[kind]
    create(admin, **answer)
    data, told = watched(server, admin)
    found = sent(told)
    assert found == expected
    assert (told[0][0], told[-1][0]) == ("state", "state")
    assert told[-1][1]["outcome"] is not None
    assert told[-1][1]["eventsSent"] == max(one.get("number", 0) for one in found)
    assert told[-1][1]["bytesSent"] == sum(one["bytes"] for one in found)
    if kind not in ("paced", "an error at the end"):  # what is due together is in one chunk, or is not
        assert without_date(read(server)) == without_date(data)


def test_what_the_hand_does_is_seen(server: RunningMockd, admin: AdminClient) -> None:
    create(admin, sse={"events": EVENTS, "timing": {"fixedDelay": 60_000}})
    with Client(server.url) as client:
        client.ask("/m").read_head()
        [connection] = admin.list_connections()["connections"]
        told = admin.watch_connection(connection["id"])
        assert next(told)[1]["held"] is False
        admin.hold_connection(connection["id"])
        assert next(data for _, data in told if data["held"])["heldAt"] == 1
        admin.step_connection(connection["id"])
        assert next(data["number"] for type, data in told if type == "sent") == 2
        assert next(data for _, data in told if data["held"])["heldAt"] == 2
        admin.push_into_connection(connection["id"], {"type": "news", "data": "x"})
        pushed = next(data for type, data in told if type == "sent")
        assert pushed | {"atMs": 0} == {"atMs": 0, "bytes": 21, "number": 3, "type": "news", "data": "x"}
        admin.cut_connection(connection["id"], {"action": "insert", "event": {"data": "y"}})
        assert next(data for type, data in told if type == "sent")["data"] == "y"
        admin.cut_connection(connection["id"], "reset")
        last = list(told)[-1][1]
        assert (last["outcome"], [fault["action"] for fault in last["faults"]]) == ("aborted", ["insert", "reset"])


def test_a_stream_before_its_head(server: RunningMockd, admin: AdminClient) -> None:
    create(admin, sse={"events": EVENTS[:1]})
    told = admin.watch_mock("m")
    assert next(told) == ("waiting", {})
    admin.hold_mock("m", at="head", upcoming=1)
    with Client(server.url) as client:
        client.ask("/m", headers={"Connection": "close"})
        state = next(data for type, data in told if data["held"])
        assert (state["heldAt"], state["httpStatus"]) == ("head", None)
        admin.release_connection(state["id"])
        assert sent(list(told))[0]["number"] == 1
        assert client.read_to_end()


def test_who_is_slow_misses_events_and_gets_the_newest(server: RunningMockd, admin: AdminClient) -> None:
    create(admin, sse={"events": [{"data": "x"}], "repeat": 10 * MOST_KEPT})
    _, told = watched(server, admin)
    [missed] = [data["missed"] for type, data in told if type == "missed"]
    numbers = [one["number"] for one in sent(told)]
    assert missed == 9 * MOST_KEPT
    assert numbers == list(range(9 * MOST_KEPT + 1, 10 * MOST_KEPT + 1))


def test_the_newest_stream_of_a_key(server: RunningMockd, admin: AdminClient) -> None:
    create(admin, sse={"manual": True})
    with Client(server.url) as first, Client(server.url) as second, Client(server.url) as other:
        for client, key in ((first, "a"), (second, "a"), (other, "b")):
            client.ask("/m", headers={"X-Mockd-Key": key}).read_head()
        newest = admin.list_mock_connections("m", key="a")["connections"][-1]["id"]
        assert next(admin.watch_mock("m", key="a"))[1]["id"] == newest
        assert next(admin.watch_mock("m"))[1]["key"] == "b"
        with pytest.raises(AdminError, match="not found"):
            next(admin.watch_connection(newest, key="b"))
        told = admin.watch_mock("m", key="c")
        assert next(told) == ("waiting", {})
        with Client(server.url) as third:
            third.ask("/m", headers={"X-Mockd-Key": "c"}).read_head()
            assert next(told)[1]["key"] == "c"


def test_refusals(server: RunningMockd, admin: AdminClient) -> None:
    create(admin, sse={"events": EVENTS})
    read(server)
    [ended] = admin.list_connections(status="ended", limit=1)["connections"]
    refused = {"nope": (404, "not found"), ended["id"]: (409, "already ended: completed")}
    for connection_id, (status, message) in refused.items():
        with pytest.raises(AdminError, match=message) as refusal:
            next(admin.watch_connection(connection_id))
        assert refusal.value.status == status
    with pytest.raises(AdminError, match="not found"):
        next(admin.watch_mock("nope"))


def test_watches_are_bounded_and_go_with_their_clients(server: RunningMockd, admin: AdminClient) -> None:
    create(admin, sse={"manual": True})
    watches = server.engine.streams.take_in_hand().watches
    eventually(lambda: not list(watches))
    with Client(server.url) as client:
        clients = [Client(server.admin_url).ask("/mocks/m/sse/watch") for _ in range(3)]
        for watching in clients:
            watching.read_until(b"event: waiting")
        with pytest.raises(AdminError, match="--max-subscribers") as refusal:
            next(admin.watch_mock("m"))
        assert refusal.value.status == 503
        client.ask("/m").read_head()
        for watching in clients:
            watching.read_until(b"event: state")
        [exchange] = server.engine.connections.exchanges("m")
        assert len(exchange.hand.watches) == 3  # type: ignore[union-attr]
        for watching in clients:
            watching.close()
        eventually(lambda: not list(watches))
        assert exchange.hand.watches == []  # type: ignore[union-attr]


@pytest.fixture
def stopping() -> Iterator[RunningMockd]:
    """A server that a test may stop."""
    with running_mockd({"id": "m", "matcher": {"path": "/m"}, "sse": {"manual": True}}) as mockd:
        yield mockd


@pytest.mark.parametrize("end", ["mock", "key", "stop"])
def test_who_waits_in_vain_is_told(stopping: RunningMockd, end: str) -> None:
    with stopping.admin() as admin, Client(stopping.url) as client:
        client.ask("/nothing", headers={"X-Mockd-Key": "k"}).read_head()
        told = admin.watch_mock("m", key="k" if end == "key" else None)
        assert next(told) == ("waiting", {})
        if end == "mock":
            admin.delete_mock("m")
        elif end == "key":
            admin.delete_key("k")
        else:
            stopping.engine.begin_shutdown()
        assert list(told) == []


def test_a_watch_ends_with_its_stream_if_the_server_stops(stopping: RunningMockd) -> None:
    with stopping.admin() as admin, Client(stopping.url) as client:
        client.ask("/m").read_head()
        told = admin.watch_mock("m")
        next(told)
        stopping.engine.begin_shutdown()
        assert list(told)[-1][1]["outcome"] == "shutdown"


def test_answers_are_json_in_events(server: RunningMockd, admin: AdminClient) -> None:
    create(admin, sse={"manual": True})
    with Client(server.url) as client, Client(server.admin_url) as watching:
        client.ask("/m").read_head()
        status, headers = watching.ask("/mocks/m/sse/watch").read_head()
        assert (status, headers["content-type"], headers["cache-control"]) == (
            200,
            "text/event-stream; charset=utf-8",
            "no-store",
        )
        watching.read_until(b"data: ")
        assert json.loads(watching.read_until(b"\r\n"))["mockId"] == "m"
