"""Faults that break the connection off, and clients that read nothing: these are waited for no longer than
`--fault-timeout`, also if what comes before the place does not fit into any buffer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from mockd.journal.exchange import Exchange
from mockd.settings import Settings
from mockd.testing import RunningMockd, running_mockd
from tests.wire.sockets import Client, body_of, eventually

LARGE = "x" * 6_000_000
PART = "x" * 100_000
CUT: dict[str, Any] = {"lifecycle": {"simulateDisconnect": 70}}
KINDS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "one event": ({"sse": {"events": [{"data": LARGE}, {"data": "2"}]}}, ["1 event", "5999999 bytes"]),
    "many events": ({"sse": {"events": [{"data": PART}], "repeat": 80}}, ["70 events", "7000000 bytes"]),
    "small events": ({"sse": {"events": [{"data": "x" * 1000}], "repeat": 8000}}, ["7000 events", "7000000 bytes"]),
    "one by one": ({"sse": {"events": [{"data": PART}], "repeat": 80, "flush": "event"}}, ["70 events"]),
    "resume": ({"sse": {"events": [{"data": PART}], "repeat": 80, "resume": {"enabled": True}}}, ["70 events"]),
    "paced": (
        {"sse": {"events": [{"data": LARGE}, {"data": "2"}, {"data": "3"}], "timing": {"fixedDelay": 20}}},
        ["2 events", "6000010 bytes", "30 ms"],
    ),
    "pieces": (
        {"sse": {"events": [{"data": PART}], "repeat": 80, "framing": {"split": {"bytes": 9999}}}},
        ["70 events", "7000000 bytes"],
    ),
    "NDJSON": ({"chunked": {"ndjsonItems": [PART] * 80}}, ["70 events", "7000000 bytes"]),
    "whole": ({"response": {"body": LARGE}}, ["5999999 bytes"]),
}
WIRE = ("one event", "many events", "one by one", "paced", "pieces", "NDJSON", "whole")
OWN: dict[str, dict[str, Any]] = {
    "simulateDisconnect": {"sse": {"events": [{"data": PART}], "repeat": 80, **CUT}},
    "simulateDisconnect of NDJSON": {"chunked": {"ndjsonItems": [PART] * 80, **CUT}},
    "abrupt": {"sse": {"events": [{"data": LARGE}], "lifecycle": {"termination": {"type": "abrupt"}}}},
}
BREAKS = [
    *(
        (kind, f"{action} after {place}")
        for kind, (_, places) in KINDS.items()
        for place in places
        for action in ("close", "reset")
    ),
    *((kind, "reset after 5900000 wire bytes") for kind in WIRE),
    *(("many events", f"{action} after 70 events") for action in ("badChunk", "shortChunk", "longChunk")),
    *((kind, "extraBytes") for kind in ("one event", "whole")),
    ("one event", "garbage bytes=6000000"),
    *((kind, "") for kind in OWN),
]


def path_of(kind: str) -> str:
    return "/" + kind.replace(" ", "-")


@pytest.fixture(scope="module")
def server() -> Iterator[RunningMockd]:
    kinds = {kind: mock for kind, (mock, _) in KINDS.items()} | OWN
    mocks = [{"id": path_of(kind)[1:], "matcher": {"path": path_of(kind)}, **mock} for kind, mock in kinds.items()]
    settings = Settings(allow_fault_header=True, fault_timeout=0.2, send_timeout=3600, send_buffer=65536)
    with running_mockd(*mocks, settings=settings) as running:
        yield running


class Unread:
    """The answer to a client that reads nothing of it."""

    def __init__(self, server: RunningMockd, kind: str, line: str) -> None:
        self.ended: list[Exchange] = []
        server.engine.connections.observers[:] = [self.ended.append]
        self.client = Client(server.url, receive_buffer=4096)
        self.client.ask(path_of(kind), headers={"X-Mockd-Fault": line} if line else {})


@pytest.mark.parametrize(("kind", "line"), BREAKS)
def test_who_reads_nothing_is_broken_off(server: RunningMockd, kind: str, line: str) -> None:
    unread = Unread(server, kind, line)
    with unread.client:
        eventually(lambda: unread.ended)
    (exchange,) = unread.ended
    (found,) = exchange.faults or ()
    assert (found["action"], found["fidelity"]) == (line.split()[0] if line else "close", "emulated")
    assert found["as"] == "before the client had read all"
    assert found["bytes"] == exchange.bytes_sent < 6_000_000
    assert (exchange.outcome, exchange.ended_by) == ("aborted", "mockd")


@pytest.mark.parametrize("action", ["close", "reset", "badChunk"])
def test_a_cut_does_not_wait_for_who_reads_nothing_either(server: RunningMockd, action: str) -> None:
    unread = Unread(server, "one event", "")
    with unread.client:
        connections = server.engine.connections
        eventually(lambda: [live.bytes_sent for live in connections.exchanges() if live.bytes_sent])
        (live,) = connections.exchanges()
        with httpx.Client() as client:
            cut = client.post(f"{server.url}/__mockd/sse/connections/{live.id}/cut", json={"action": action})
        assert cut.status_code == 200
        eventually(lambda: unread.ended)
    (found,) = unread.ended[0].faults or ()
    assert (found["action"], found["fidelity"], unread.ended[0].outcome) == (action, "emulated", "aborted")


def test_who_reads_gets_all_that_comes_before_the_place() -> None:
    mock = {"id": "m", "matcher": {"path": "/m"}, **KINDS["many events"][0], "faults": ["close after 70 events"]}
    with running_mockd(mock, settings=Settings(fault_timeout=600)) as server:
        with Client(server.url, receive_buffer=4096) as client:
            data = client.ask("/m", headers={"Connection": "close"}).read_to_end()
        assert len(body_of(data)) == 70 * (len(PART) + len("data: \n\n"))
        eventually(lambda: not server.engine.connections.live())
        (found,) = server.engine.connections.listed("ended")[-1].faults or ()
    assert (found["events"], found["fidelity"]) == (70, "exact")


def test_what_was_taken_ahead_goes_out_as_it_would_have(server: RunningMockd) -> None:
    """A client that begins to read once that time has passed, when the place is not due yet."""
    events = [{"data": LARGE}, *({"data": str(number)} for number in range(50)), {"data": "z", "delay": 600_000}]
    server.engine.create({"id": "ahead", "matcher": {"path": "/ahead"}, "sse": {"events": events}})
    try:
        unread = Unread(server, "ahead", "close after 52 events")
        with unread.client as client:
            far = Unread(server, "many events", "reset after 70 events")
            eventually(lambda: far.ended)
            far.client.close()
            client.read_head()
            data = b""
            while not data.endswith(b"data: 49\n\n"):
                data += client.read_chunk()
        assert data.count(b"\n\n") == 51
        assert b"".join(b"data: %d\n\n" % number for number in range(50)) in data
    finally:
        server.engine.delete("ahead")
