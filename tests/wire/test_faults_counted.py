"""What faults count, hold back and say of themselves: no event too many, none lost, and records that are true."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import pytest

from mockd.errors import ConfigError
from mockd.journal.exchange import Exchange
from mockd.settings import Settings
from mockd.testing import RunningMockd, running_mockd
from tests.wire.sockets import Client, body_of, eventually

EVENTS = [{"id": str(number), "data": str(number)} for number in range(1, 7)]
FINAL = {"lifecycle": {"termination": {"finalEvent": {"data": "bye"}}}}


@pytest.fixture(scope="module")
def server() -> Iterator[RunningMockd]:
    with running_mockd(settings=Settings(allow_fault_header=True, fault_timeout=1)) as running:
        yield running


@contextlib.contextmanager
def mock(server: RunningMockd, **answer: Any) -> Iterator[None]:
    server.engine.create({"id": "m", "matcher": {"path": "/m"}, **answer})
    try:
        yield
    finally:
        server.engine.delete("m")


def ask(server: RunningMockd, line: str, **headers: str) -> Client:
    client = Client(server.url)
    return client.ask("/m", headers={"X-Mockd-Fault": line, "Connection": "close", **headers})


def numbers(body: bytes) -> str:
    return "".join(line[6:] for line in body.decode().splitlines() if line.startswith("data: "))


def exchange_of(server: RunningMockd) -> Exchange:
    eventually(lambda: not server.engine.connections.live())
    return server.engine.connections.listed("ended")[-1]


WAYS: dict[str, dict[str, Any]] = {
    "at once": {},
    "paced": {"timing": {"fixedDelay": 2}},
    "one by one": {"flush": "event"},
    "drawn": {"timing": {"randomDelay": {"max": 3}}},
    "resume": {"resume": {"enabled": True}},
}
COUNTED = {
    ("drop", 3): "234",
    ("drop count=2 after 1 event", 3): "145",
    ("duplicate", 3): "112",
    ("duplicate", 1): "1",
    ("duplicate count=2 after 1 event", 4): "1223",
    ("reorder after 1 event", 2): "13",
    ("reorder after 1 event", 3): "132",
    ("unknownEvent", 2): "12",
    ("malformed at=0", 2): "2",
    ("drop; duplicate", 3): "223",
    ("drop count=9", 3): "",
    ("drop count=4", 0): "56",
}
"""Faults and `maxEvents`, and what is sent."""


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("line", "most"), COUNTED)
def test_limits_count_what_is_sent(server: RunningMockd, way: str, line: str, most: int) -> None:
    sse = {"events": EVENTS, "lifecycle": {"maxEvents": most}, **WAYS[way]}
    with mock(server, sse=sse):
        with ask(server, line) as client:
            data = body_of(client.read_to_end())
        sent = "".join(part for part in numbers(data) if part.isdigit())
        assert sent == COUNTED[line, most]
        exchange = exchange_of(server)
    assert exchange.events_sent == len(sent) + ("malformed" in line)
    assert exchange.outcome == ("max_events" if most and "count=9" not in line else "completed")


@pytest.mark.parametrize("way", WAYS)
def test_a_disconnect_counts_what_is_sent(server: RunningMockd, way: str) -> None:
    with mock(server, sse={"events": EVENTS, "lifecycle": {"simulateDisconnect": 2}, **WAYS[way]}):
        for line, sent in (("drop", "23"), ("duplicate", "11"), ("reorder after 1 event", "13")):
            with ask(server, line) as client:
                assert numbers(body_of(client.read_to_end())) == sent
            assert exchange_of(server).outcome == "aborted"


@pytest.mark.parametrize("way", WAYS)
def test_what_is_late_is_not_one_too_many(server: RunningMockd, way: str) -> None:
    for limit in ({"maxEvents": 2}, {"simulateDisconnect": 2}):
        sse = {"events": EVENTS, "lifecycle": {**limit, **FINAL["lifecycle"]}, **WAYS[way]}
        with mock(server, sse=sse), ask(server, "reorder after 1 event") as client:
            assert numbers(body_of(client.read_to_end())) == ("13bye" if "maxEvents" in limit else "13")


def test_who_resumes_is_held_to_the_limit_of_the_mock(server: RunningMockd) -> None:
    with mock(server, sse={"events": EVENTS, "lifecycle": {"maxEvents": 4}, "resume": {"enabled": True}}):
        with ask(server, "drop after 1 event; close after 2 events") as client:
            assert numbers(body_of(client.read_to_end())) == "13"
        with ask(server, "stall 1", **{"Last-Event-ID": "1"}) as client:
            assert numbers(body_of(client.read_to_end())) == "234"
        with ask(server, "duplicate", **{"Last-Event-ID": "1"}) as client:
            assert numbers(body_of(client.read_to_end())) == "223"


@pytest.mark.parametrize("line", ["extraBytes", "idle 1", "stall 1 after 2 events"])
@pytest.mark.parametrize(("most", "outcome"), [(2, "max_events"), (0, "completed")])
def test_the_outcome_is_that_of_the_rows(server: RunningMockd, line: str, most: int, outcome: str) -> None:
    with mock(server, sse={"events": EVENTS, "lifecycle": {"maxEvents": most}}):
        with ask(server, line) as client:
            client.read_to_end()
        assert exchange_of(server).outcome == outcome


# -- nothing is held for ever ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("line", ["reorder after 5 events", "reorder count=6", "reorder after 5 events; stall 1"])
def test_what_is_late_comes_before_silence(server: RunningMockd, way: str, line: str) -> None:
    sse = {"events": EVENTS, "lifecycle": {"keepOpen": True}, **WAYS[way]}
    with mock(server, sse=sse), ask(server, line) as client:
        client.read_head()
        read = ""
        while len(read) < 6:
            read += numbers(client.read_chunk())
        assert sorted(read) == list("123456")
        server.engine.streams.close_all("m")


@pytest.mark.parametrize("lifecycle", [{}, FINAL["lifecycle"], {"termination": {"type": "error"}}])
@pytest.mark.parametrize("order", ["closed_by_admin", "shutdown"])
def test_what_is_late_comes_before_the_end_of_a_stopped_stream(
    server: RunningMockd, lifecycle: dict[str, Any], order: Any
) -> None:
    sse = {"events": [{"data": "1"}, {"data": "2"}, {"data": "3", "delay": 60_000}], "lifecycle": lifecycle}
    with mock(server, sse=sse), ask(server, "reorder after 1 event") as client:
        client.read_head()
        assert numbers(client.read_chunk()) == "1"
        (live,) = server.engine.connections.exchanges()
        server.engine.connections.stop([live], order)
        assert numbers(b"".join(client.read_chunks())).startswith("2")


@pytest.mark.parametrize("flush", ["event", "auto"])
def test_the_head_of_a_stream_of_which_all_is_left_out(server: RunningMockd, flush: str) -> None:
    sse = {"events": EVENTS, "repeat": 0, "flush": flush}
    with mock(server, sse=sse), ask(server, "drop count=1000000000") as client:
        assert client.read_head()[0] == 200
        server.engine.streams.close_all("m")


# -- records -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("line", ["stall before head", "delay 60000", "stall 60000 before head"])
def test_a_wait_before_the_head_leaves_a_record_while_it_lasts(server: RunningMockd, line: str) -> None:
    with mock(server, sse={"events": EVENTS}):
        with ask(server, line):
            eventually(lambda: any(live.faults for live in server.engine.connections.exchanges()))
        exchange = exchange_of(server)
    assert exchange.outcome == "client_disconnected"
    assert [(fault["action"], fault["fidelity"]) for fault in exchange.faults or ()] == [(line.split()[0], "exact")]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("action", ["drop", "duplicate", "reorder", "malformed", "corrupt"])
def test_a_shape_is_noted_when_its_bytes_go_out(server: RunningMockd, way: str, action: str) -> None:
    with mock(server, sse={"events": EVENTS, **WAYS[way]}):
        with ask(server, f"{action} after 3 events") as client:
            client.read_to_end()
        (record,) = exchange_of(server).faults or ()
    size = len(b"id: 1\ndata: 1\n\n") * 3
    assert (record["events"], record["bytes"], record["fidelity"]) == (3, size, "exact")
    assert record["bytesAcked"] <= size
    assert record["wireBytes"] > size


def test_of_two_answers_the_first_is_given(server: RunningMockd) -> None:
    with mock(server, sse={"events": EVENTS}):
        with ask(server, "status 503; status 429") as client:
            assert client.read_head()[0] == 503
        found = exchange_of(server).faults or ()
    assert [fault["fidelity"] for fault in found] == ["exact", "unsupported"]
    assert found[1]["as"] == "another `status` came before"


@pytest.mark.parametrize("status", [204, 205, 304])
@pytest.mark.parametrize("more", ["", "; garbage after 0 events", "; hugeEvent 500", "; insert raw=x", "; error"])
def test_an_answer_without_a_body_has_no_bytes(server: RunningMockd, status: int, more: str) -> None:
    seen: list[Exchange] = []
    server.engine.connections.observers[:] = [seen.append]
    with mock(server, sse={"events": EVENTS}):
        with ask(server, f"status {status}{more}") as client:
            head, _, body = client.read_to_end().partition(b"\r\n\r\n")
        eventually(lambda: seen)
    assert head.startswith(b"HTTP/1.1 %d" % status)
    assert (body, seen[0].bytes_sent) == (b"", 0)
    assert [fault["fidelity"] for fault in seen[0].faults or ()] == ["exact", *(["unsupported"] if more else [])]


# -- what is changed ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("at", [number / 40 for number in range(40)])
def test_what_is_cut_stays_text(server: RunningMockd, at: float) -> None:
    texts = ["zwölf Böxkämpfer jagen Éva", "日本語のテキスト", "🎈🎉🎊🎁", "plain"]
    sse = {"events": [{"data": text} for text in texts]}
    with mock(server, sse=sse), ask(server, f"malformed at={at}") as client:
        body = body_of(client.read_to_end())
    assert body.decode().startswith("data: ")


@pytest.mark.parametrize(("line", "left"), [("malformed", b'{"text":"zw'), ("malformed at=0", b"")])
def test_the_body_of_a_whole_answer_is_cut_and_its_length_is_true(server: RunningMockd, line: str, left: bytes) -> None:
    with mock(server, response={"body": {"text": "zwölf Böxkä"}}), ask(server, line) as client:
        _, headers = client.read_head()
        assert int(headers["content-length"]) == len(left)
        assert client.read_to_end() == left
    with pytest.raises(ValueError, match=r"Expecting|Unterminated"):
        json.loads(left)


def test_a_length_that_lies_stays_a_lie(server: RunningMockd) -> None:
    line = 'header set={"content-length":"3"}; malformed'
    with mock(server, response={"body": "text"}), ask(server, line) as client:
        assert client.read_head()[1]["content-length"] == "3"


def test_the_body_of_a_whole_answer_is_no_text(server: RunningMockd) -> None:
    with mock(server, response={"body": "text"}), ask(server, "corrupt bytes=2") as client:
        assert client.read_to_end().endswith(b"\r\n\r\nt\xff\xfft")


# -- bounds ------------------------------------------------------------------------------------------------------------


def test_bytes_that_are_made_up_are_bounded_by_a_setting() -> None:
    settings = Settings(allow_fault_header=True, max_fault_bytes=100)
    sse = {"matcher": {"path": "/m"}, "sse": {"events": EVENTS}}
    with running_mockd({**sse, "faults": ["hugeEvent 100"]}, settings=settings) as server:
        for size, status in ((100, 200), (101, 400)):
            with ask(server, f"garbage bytes={size} after 1 event") as client:
                assert client.read_head()[0] == status
        with pytest.raises(ConfigError, match="a fault may make up 100") as caught:
            server.engine.create({**sse, "faults": ["stall 1", "extraBytes 101"]})
    assert caught.value.problems[0].path == ("faults", 1)
    assert caught.value.hint == "`--max-fault-bytes` allows more"
