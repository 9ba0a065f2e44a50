"""Breaks that the lifecycle of a stream says: their record is the one of the `close` that they are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from mockd.journal.exchange import Exchange
from mockd.testing import RunningMockd, running_mockd
from tests.wire.sockets import Client, eventually
from tests.wire.test_faults import read

EVENTS: list[dict[str, Any]] = [{"data": "1"}, {"data": "2"}, {"data": "3"}]
STREAMS: dict[str, tuple[str, dict[str, Any]]] = {
    "list": ("sse", {"events": EVENTS}),
    "paced": ("sse", {"events": EVENTS, "timing": {"fixedDelay": 3}}),
    "drawn delays": ("sse", {"events": EVENTS, "timing": {"randomDelay": {"max": 3}}, "seed": 5}),
    "resume": ("sse", {"events": EVENTS, "resume": {"enabled": True}}),
    "framed": ("sse", {"events": EVENTS, "framing": {"bom": True, "split": {"bytes": 5}}}),
    "encoded": ("sse", {"events": EVENTS, "framing": {"encoding": "gzip"}}),
    "model": ("sse", {"template": "openai-chat", "templateParams": {"tokens": ["a", "b", "c"]}, "seed": 5}),
    "chunks": ("chunked", {"data": "abcdef", "chunkSize": 2}),
    "NDJSON": ("chunked", {"ndjsonItems": [1, 2, 3]}),
}
PLACES = (0, 2)
VERSIONS = ("1.1", "1.0")


@pytest.fixture(scope="module")
def server() -> Iterator[RunningMockd]:
    with running_mockd() as running:
        yield running


def broken(server: RunningMockd, mock: dict[str, Any], version: str) -> tuple[bytes, str, Exchange]:
    """What comes of the second answer of a mock, how it ends, and its record."""
    server.engine.create({"id": "m", "matcher": {"path": "/m"}, **mock})
    try:
        for _ in range(2):
            ended: list[Exchange] = []
            server.engine.connections.observers[:] = [ended.append]
            with Client(server.url) as client:
                data, end = read(client.ask("/m", version=version), 10)
            eventually(lambda ended=ended: ended)
        return data, end, ended[0]
    finally:
        server.engine.delete("m")


def timeless(exchange: Exchange) -> list[dict[str, Any]]:
    return [{key: value for key, value in fault.items() if key != "atMs"} for fault in exchange.faults or ()]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("stream", STREAMS)
def test_a_simulated_disconnect_leaves_the_record_of_a_close(
    server: RunningMockd, stream: str, place: int, version: str
) -> None:
    kind, said = STREAMS[stream]
    said_so = {kind: {**said, "lifecycle": {"simulateDisconnect": place}}}
    _, end, exchange = broken(server, said_so, version)
    _, other_end, other = broken(server, {kind: said, "faults": [f"close after {place} events"]}, version)
    assert timeless(exchange) == timeless(other)
    (found,) = timeless(exchange)
    assert (found["action"], found["request"], found["events"]) == ("close", 2, place)
    assert found["fidelity"] == ("exact" if version == "1.1" else "emulated")
    assert (end, exchange.outcome) == (other_end, "aborted")
    assert end == ("fin" if version == "1.1" else "rst")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("stream", STREAMS)
def test_so_does_an_abrupt_end(server: RunningMockd, stream: str, version: str) -> None:
    kind, said = STREAMS[stream]
    mock = {kind: {**said, "lifecycle": {"termination": {"type": "abrupt", "closeDelay": 5}}}}
    _, end, exchange = broken(server, mock, version)
    (found,) = timeless(exchange)
    assert (found["action"], found["request"], found["events"]) == ("close", 2, exchange.events_sent)
    assert found["fidelity"] == ("exact" if version == "1.1" else "emulated")
    assert (end, exchange.outcome) == ("fin" if version == "1.1" else "rst", "completed")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("order", ["closed_by_admin", "shutdown"])
def test_an_abrupt_end_on_order_too(server: RunningMockd, order: Any, version: str) -> None:
    life = {"keepOpen": True, "termination": {"type": "abrupt"}}
    server.engine.create({"id": "o", "matcher": {"path": "/o"}, "sse": {"events": EVENTS, "lifecycle": life}})
    ended: list[Exchange] = []
    server.engine.connections.observers[:] = [ended.append]
    try:
        with Client(server.url) as client:
            client.ask("/o", version=version).read_until(b"data: 3\n\n")
            server.engine.connections.stop(server.engine.connections.exchanges(), order)
            read(client, 10)
        eventually(lambda: ended)
    finally:
        server.engine.delete("o")
    assert ended[0].outcome == order
    assert [fault["action"] for fault in ended[0].faults or ()] == ["close"]


def test_other_faults_of_the_same_place_come_before(server: RunningMockd) -> None:
    life = {"lifecycle": {"simulateDisconnect": 2, "termination": {"type": "abrupt"}}}
    mock = {
        "sse": {"events": EVENTS, **life},
        "faults": ['insert raw=": x\\n" after 2 events', "stall 5 after 1 event"],
    }
    data, _, exchange = broken(server, mock, "1.1")
    assert [fault["action"] for fault in timeless(exchange)] == ["stall", "insert", "close"]
    assert b": x\n" in data


def test_a_whole_answer_and_one_that_is_not_broken_off_have_none(server: RunningMockd) -> None:
    life = {"lifecycle": {"simulateDisconnect": 1, "termination": {"type": "abrupt"}}}
    template = {"sse": {"template": "openai-chat", "templateParams": {"tokens": ["a"]}, **life}}
    server.engine.create({"id": "w", "matcher": {"path": "/w"}, **template})
    ended: list[Exchange] = []
    server.engine.connections.observers[:] = [ended.append]
    try:
        with Client(server.url) as client:
            client.ask("/w", method="POST", body=b'{"stream": false, "messages": []}').read_head()
        eventually(lambda: ended)
    finally:
        server.engine.delete("w")
    assert not ended[0].faults
    _, end, exchange = broken(server, {"sse": {"events": EVENTS, "lifecycle": {"maxEvents": 2}}}, "1.0")
    assert (end, exchange.faults) == ("fin", None)
