"""Faults beside each other, in streams that go on, and with providers' own answers."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from mockd.settings import Settings
from mockd.testing import RunningMockd, running_mockd
from tests.stress.asking import ask as plainly
from tests.stress.server import server as stressed
from tests.wire.sockets import Client, body_of, eventually
from tests.wire.test_faults import ask, path_of, record

EVENTS = [{"data": str(number)} for number in range(1, 5)]
TOKENS = {"tokens": ["a", "b"]}
MOCKS: dict[str, dict[str, Any]] = {
    "list": {"sse": {"events": EVENTS}},
    "endless": {"sse": {"events": EVENTS, "repeat": 0}},
    "JSON array": {"sse": {"template": "gemini", "templateParams": TOKENS}},
    "anthropic": {"sse": {"template": "anthropic-messages", "templateParams": TOKENS}},
    "cohere": {"sse": {"template": "cohere-chat", "templateParams": TOKENS}},
    "paced": {"sse": {"events": EVENTS * 20, "timing": {"fixedDelay": 30}}},
}


@pytest.fixture(scope="module")
def server() -> Iterator[RunningMockd]:
    mocks = [{"id": name, "matcher": {"path": path_of(name)}, **mock} for name, mock in MOCKS.items()]
    with running_mockd(*mocks, settings=Settings(allow_fault_header=True, fault_timeout=1)) as running:
        yield running


@pytest.mark.parametrize(("second", "left"), [("status 429", b""), ("", b"data: 1"), ("  ", b"data: 1")])
def test_a_header_that_is_there_twice_is_one_list(server: RunningMockd, second: str, left: bytes) -> None:
    head = f"GET /list HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-Mockd-Fault: delay ms=1\r\nX-Mockd-Fault:{second}"
    with Client(server.url) as client:
        client.send(f"{head}\r\n\r\n".encode())
        data = client.read_to_end()
    assert data.startswith(b"HTTP/1.1 200" if left else b"HTTP/1.1 429")
    assert left in data


def test_bounds_hold_over_all_of_several_headers(server: RunningMockd) -> None:
    lines = "\r\n".join(["X-Mockd-Fault: duplicate count=9 after 0 events"] * 5)
    with Client(server.url) as client:
        client.send(f"GET /list HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{lines}\r\n\r\n".encode())
        assert client.read_to_end().startswith(b"HTTP/1.1 400")


def data_of(response: bytes) -> str:
    return "".join(line[6:] for line in body_of(response).decode().splitlines() if line.startswith("data: "))


def test_a_stream_of_which_all_is_left_out_holds_up_nobody() -> None:
    """In a process of its own, as the threads of one hold each other up."""
    faulty = {"id": "faulty", "matcher": {"path": "/faulty"}, **MOCKS["endless"], "faults": ["drop count=1000000000"]}
    with stressed(faulty) as found, Client(found.mocks) as client:
        client.ask("/faulty")
        for _ in range(3):
            assert plainly(found.mocks + "/exact/whole")[0] == 201


@pytest.mark.parametrize("name", ["anthropic", "cohere"])
def test_a_provider_refuses_in_its_own_words(server: RunningMockd, name: str) -> None:
    data, _ = ask(server, name, "status 529")
    assert data.startswith(b"HTTP/1.1 529")
    assert isinstance(json.loads(body_of(data)), dict)


@pytest.mark.parametrize(
    "line",
    ["; ".join(["duplicate"] * 5), "; ".join(["idle 0"] * 17), "insert event=" + "[" * 3000, "reset for requests 2-"],
    ids=lambda line: line[:20],
)
def test_a_header_that_asks_for_too_much(server: RunningMockd, line: str) -> None:
    assert ask(server, "list", line)[0].startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize(
    ("line", "left"),
    [
        ("drop", 2),
        ("duplicate", 4),
        ("reorder", 3),
        ("drop count=3", 0),
        ('insert event={"data":{}}', 4),
        ("unknownEvent", 4),
        ('insert event={"data":{}} after 3 events', 4),
        ("duplicate after 2 events", 4),
    ],
)
def test_an_array_stays_one(server: RunningMockd, line: str, left: int) -> None:
    body = body_of(ask(server, "JSON array", line)[0])
    if left:
        assert len(json.loads(body)) == left


def test_places_count_duplicates(server: RunningMockd) -> None:
    data, _ = ask(server, "list", "duplicate after 1 event; reset after 2 events")
    assert data_of(data) == "12"
    assert record(server)["events"] == 2


def test_a_moment_comes_in_a_silence_too(server: RunningMockd) -> None:
    for line in ("stall after 1 event; close after 60 ms", "idle; reset after 60 ms"):
        began = time.monotonic()
        data, end = ask(server, "list", line)
        assert end != "silence"
        assert data_of(data) == ("1" if "stall" in line else "1234")
        assert time.monotonic() - began >= 0.05


def test_what_is_behind_the_last_event_does_not_strike_a_stream_that_is_stopped(server: RunningMockd) -> None:
    with Client(server.url) as client:
        client.ask("/paced", headers={"X-Mockd-Fault": "idle"}).read_head()
        server.engine.streams.close_all("paced")
        assert client.read_chunks()
    eventually(lambda: not server.engine.connections.live("paced"))
    assert server.engine.connections.listed("ended")[-1].faults is None


def test_a_place_on_the_wire_stands_alone(server: RunningMockd) -> None:
    data, end = ask(server, "list", "stall 20 after 220 wire bytes; close after 3 events")
    assert (data_of(data), end) == ("123", "fin")
    eventually(lambda: not server.engine.connections.live())
    faults = server.engine.connections.listed("ended")[-1].faults or []
    assert [(fault["action"], fault["fidelity"]) for fault in faults] == [("stall", "unsupported"), ("close", "exact")]
