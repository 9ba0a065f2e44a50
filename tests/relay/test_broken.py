"""Faults strike relayed answers as they strike any, and whatever they do, the target is let go of."""

from __future__ import annotations

import asyncio
import gc
import socket
import time
from pathlib import Path

import pytest

from mockd.relay import http1
from mockd.relay.connections import Connection
from mockd.sources.blocks import MOST_APART
from mockd.streaming.sessions import session
from tests.relay.clients import Raw, eventually
from tests.relay.conftest import Relay
from tests.relay.targets import Visit, chunk, serving
from tests.relay.test_recording import ended

HEAD = b"HTTP/1.1 200 Fine\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
EVENTS = [b"data: 1\n\n", b"data: 2\n\n", b"data: 3\n\n"]


async def streams(visit: Visit) -> None:
    await visit.request()
    await visit.send(HEAD, *map(chunk, EVENTS))
    await visit.gone()


def broken(relay: Relay, url: str, fault: str) -> str:
    return relay(url, {"matcher": {"path": "/*"}, "proxy": {"target": url}, "faults": [fault]}).url


@pytest.mark.parametrize("fault", ["empty", "status 429", "garbage bytes=9", "reset", "close after 2 events"])
def test_a_target_whose_answer_is_not_passed_on_is_let_go_of(relay: Relay, fault: str) -> None:
    gc.disable()  # nothing is left to it
    try:
        with serving(streams) as target:
            with Raw(broken(relay, target.url, fault)) as client:
                client.get("/", "Connection: close").all()
            assert all(visit.left.wait(5) for visit in target.visits)
        assert client.got.count(b"data:") == (2 if "events" in fault else 0)
    finally:
        gc.enable()


def test_a_client_that_leaves_before_a_late_head(relay: Relay) -> None:
    with serving(streams) as target:
        with Raw(broken(relay, target.url, "delay 60000")) as client:
            client.get()
            assert eventually(lambda: target.visits)
        assert target.visits[0].left.wait(5)


@pytest.mark.parametrize(
    ("fault", "sent"),
    [
        ("close after 2 events", b"data: 1\n\ndata: 2\n\n"),
        ("close after 12 bytes", b"data: 1\n\ndat"),
        ("drop after 1 event", b"data: 1\n\ndata: 3\n\n"),
        ("duplicate after 2 events", b"data: 1\n\ndata: 2\n\ndata: 3\n\ndata: 3\n\n"),
    ],
)
def test_faults_strike_at_events_and_bytes(relay: Relay, fault: str, sent: bytes) -> None:
    async def play(visit: Visit) -> None:
        await visit.request()
        await visit.send(HEAD, *map(chunk, EVENTS), b"0\r\n\r\n")

    with serving(play) as target, Raw(broken(relay, target.url, fault)) as client:
        client.get("/", "Connection: close").all()
    parts = client.body.split(b"\r\n")
    assert b"".join(part for part in parts[1::2]) == sent


ONE, TWO, THREE = EVENTS
LAYOUTS: dict[str, list[bytes]] = {
    "one chunk": [ONE + b": note\n\n" + TWO + THREE],
    "borders between events": [ONE + b": note\n\n", TWO + THREE],
    "borders inside events": [ONE + b": no", b"te\n\n" + TWO[:4], TWO[4:] + THREE[:2], THREE[2:]],
    "borders inside ends": [ONE[:-1], b"\n: note\n", b"\n" + TWO[:-1], b"\n" + THREE],
}
LINES = {"LF": b"\n", "CRLF": b"\r\n", "CR": b"\r"}


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(
    ("fault", "events"),
    [("close after 1 event", [0]), ("close after 2 events", [0, 1]), ("end after 2 events", [0, 1])],
)
def test_a_place_is_behind_an_event_whatever_the_chunks_are(
    relay: Relay, layout: str, line: str, fault: str, events: list[int]
) -> None:
    """And comments count as none, as in replays."""
    chunks = [part.replace(b"\n", LINES[line]) for part in LAYOUTS[layout]]

    async def play(visit: Visit) -> None:
        await visit.request()
        await visit.send(HEAD, *map(chunk, chunks), b"0\r\n\r\n")

    with serving(play) as target:
        server = relay(target.url, {"matcher": {"path": "/*"}, "proxy": {"target": target.url}, "faults": [fault]})
        with Raw(server.url) as client:
            client.get("/", "Connection: close").all()
        with server.admin() as admin:
            [entry] = admin.list_requests()["requests"]
    whole = b"".join(LAYOUTS[layout])
    until = whole.index(EVENTS[events[-1]]) + len(EVENTS[0])
    got, rest = b"", client.body
    while rest and not rest.startswith(b"0\r\n"):
        size, _, rest = rest.partition(b"\r\n")
        got, rest = got + rest[: int(size, 16)], rest[int(size, 16) + 2 :]
    assert got.replace(LINES[line], b"\n") == whole[:until]
    assert entry["eventsSent"] == len(events)
    assert entry["faults"][0]["fidelity"] == "exact"


@pytest.mark.parametrize("fault", ["drop after 1 event", "duplicate after 1 event", "reorder after 1 event"])
def test_faults_that_change_events_find_each_in_a_chunk(relay: Relay, fault: str) -> None:
    async def play(visit: Visit) -> None:
        await visit.request()
        await visit.send(HEAD, chunk(b"".join(EVENTS)), b"0\r\n\r\n")

    with serving(play) as target, Raw(broken(relay, target.url, fault)) as client:
        client.get("/", "Connection: close").all()
    seen = [part for part in EVENTS * 2 if part in client.body]
    assert client.body.count(TWO) == {"drop": 0, "duplicate": 2, "reorder": 1}[fault.split()[0]]
    assert (client.body.find(THREE) < client.body.find(TWO)) == (fault.startswith("reorder"))
    assert {ONE, THREE} <= set(seen)


def test_one_step_of_a_relayed_stream_is_one_event(relay: Relay) -> None:
    async def play(visit: Visit) -> None:
        await visit.request()
        await visit.send(HEAD, chunk(b"".join(EVENTS)), b"0\r\n\r\n")

    with serving(play) as target:
        server = relay(target.url)
        with server.admin() as admin, Raw(server.url) as client:
            admin.hold_mock("proxy", at=1, upcoming=1)
            client.get().until(lambda got: got.endswith(chunk(ONE)))
            [held] = admin.wait_for_mock("proxy", held=True)["connections"]
            admin.step_connection(held["id"])
            client.until(lambda got: got.endswith(chunk(TWO)))
            admin.release_connection(held["id"])
            client.until(lambda got: got.endswith(b"0\r\n\r\n"))
            assert client.body == b"".join(map(chunk, EVENTS)) + b"0\r\n\r\n"


@pytest.mark.parametrize("count", [2, 63, 64, 65, MOST_APART, MOST_APART + 1, 5000])
def test_a_chunk_of_many_events_stays_one_chunk(relay: Relay, count: int) -> None:
    parts = [
        chunk(b"".join(b"data: %d\n\n" % number for number in range(count))),
        chunk(b"data: x\n\nda"),
        chunk(b"ta: y\n\n"),
    ]

    async def play(visit: Visit) -> None:
        await visit.request()
        await visit.send(HEAD, *parts, b"0\r\n\r\n")

    with serving(play) as target:
        server = relay(target.url)
        with Raw(server.url) as client:
            client.get("/", "Connection: close").all()
        with server.admin() as admin:
            [entry] = admin.list_requests()["requests"]
    assert client.body == b"".join(parts) + b"0\r\n\r\n"
    assert entry["eventsSent"] == count + 2


def test_a_chunk_stays_one_chunk_if_this_process_rests_between_its_events(
    relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "PROMPT_S", -1.0)  # as if each had come long after it was asked for
    large = chunk(b"".join(b"data: %d\n\n" % number for number in range(5000)))

    async def play(visit: Visit) -> None:
        await visit.request()
        await visit.send(HEAD, large, b"0\r\n\r\n")

    with serving(play) as target, Raw(relay(target.url).url) as client:
        client.get("/", "Connection: close").all()
    assert client.body == large + b"0\r\n\r\n"


@pytest.mark.anyio
async def test_a_chunk_stays_one_chunk_if_this_process_rests_between_its_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http1, "STALL_S", 0.02)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        upstream = http1.Http1(Connection(*await asyncio.open_connection(sock=ours)))
        upstream.send_head("GET", "/", [(b"host", b"a")])
        upstream.send_end()
        theirs.sendall(HEAD + b"6\r\none")
        await upstream.head()
        pieces = upstream.pieces(is_chunked=True)
        piece = asyncio.ensure_future(anext(pieces))
        await asyncio.sleep(0)  # it waits for the rest
        theirs.sendall(b"two\r\n")
        time.sleep(0.05)  # noqa: ASYNC251 - the whole loop rests
        assert await piece == b"onetwo"
        piece = asyncio.ensure_future(anext(pieces))
        theirs.sendall(b"6\r\nthr")
        assert await piece == b"thr"  # as its rest does not come
        upstream.close(at_once=True)


def test_a_relayed_stream_is_held(relay: Relay) -> None:
    with serving(streams) as target:
        server = relay(target.url)
        with server.admin() as admin, Raw(server.url) as client:
            admin.hold_mock("proxy", at=2, upcoming=1)
            client.get().until(lambda got: b"data: 2" in got)
            [held] = admin.wait_for_mock("proxy", held=True)["connections"]
            assert held["eventsSent"] == 2
            admin.release_connection(held["id"])
            client.until(lambda got: b"data: 3" in got)
            assert client.body == b"".join(map(chunk, EVENTS))


def test_nobody_is_warned_of_faults_of_a_relay(relay: Relay, caplog: pytest.LogCaptureFixture) -> None:
    faults = ["badChunk after 2 events", "malformed after 1 event", "error after 2 events", "end after 9 bytes"]
    for fault in faults:
        broken(relay, "http://127.0.0.1:9", fault)
    assert caplog.messages == []


def test_a_recording_has_what_the_target_had_sent_until_a_fault_struck(relay: Relay, tmp_path: Path) -> None:
    with serving(streams) as target:
        proxy = {"target": target.url, "record": True}
        mock = {"matcher": {"path": "/*"}, "proxy": proxy, "faults": ["reset after 2 events"]}
        with Raw(relay(target.url, mock, record=str(tmp_path)).url) as client:
            client.get("/", "Connection: close").all()
        [exchange] = ended(tmp_path)
    assert exchange.how == "client"
    assert [data for _, data in exchange.output()][:2] == EVENTS[:2]
