"""Faults that strike a live stream where it is, held or not, on real connections."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from typing import Any

import pytest

from mockd.testing import RunningMockd
from tests.wire.holding import SERVERS, Admin, Reader, of, serving

EVENTS = [{"data": str(number)} for number in range(1, 6)]
KINDS: dict[str, dict[str, Any]] = {
    "list": {"sse": {"events": EVENTS}},
    "paced": {"sse": {"events": EVENTS, "timing": {"fixedDelay": 3}}},
    "resume": {"sse": {"events": EVENTS, "resume": {"enabled": True}}},
    "faulty": {"sse": {"events": EVENTS}, "faults": ["delay ms=2 after 1 event"]},
    "heartbeats": {"sse": {"events": EVENTS, "lifecycle": {"heartbeat": {"every": 20_000, "text": "h"}}}},
    "NDJSON": {"chunked": {"ndjsonItems": [1, 2, 3, 4, 5]}},
}
ENDINGS: dict[str, tuple[dict[str, Any], str, bytes | None]] = {
    "end": ({}, "fin", b"0\r\n\r\n"),
    "close": ({}, "fin", b""),
    "reset": ({}, "rst", b""),
    "badChunk": ({}, "fin", None),
    "shortChunk": ({}, "fin", None),
    "extraBytes": ({"bytes": 3}, "fin", None),
    "error": ({"type": "oops", "message": "no more"}, "fin", None),
}
"""Cuts that end a stream: their settings, how the connection ends, and what comes last, if that is known."""
PASSING: dict[str, tuple[dict[str, Any], bytes]] = {
    "stall": ({"ms": 5}, b"3\n4\n5"),
    "delay": ({"ms": 5}, b"3\n4\n5"),
    "throttle": ({"bytesPerSecond": 2000}, b"3\n4\n5"),
    "drop": ({}, b"4\n5"),
    "duplicate": ({}, b"3\n3\n4\n5"),
    "reorder": ({}, b"4\n3\n5"),
    "insert": ({"raw": "xyz\n\n"}, b"xyz\n3\n4\n5"),
}
"""Cuts after which a stream goes on: their settings, and the data of what comes then."""

MORE: dict[str, dict[str, Any]] = {"status": {"status": 503}, "header": {"set": {"x": "1"}}}
ENDS = {
    ("fin", "http"): {"fin"},
    ("rst", "http"): {"rst"},
    ("fin", "https"): {"fin"},
    ("rst", "https"): {"fin", "rst"},  # Python takes a reset for an end
}
"""How the end of a connection may look, by the scheme."""


@pytest.fixture(scope="module", params=SERVERS)
def server(request: pytest.FixtureRequest) -> Iterator[RunningMockd]:
    yield from serving(request.param, KINDS)


def held(admin: Admin, reader: Reader, kind: str, place: Any = 2) -> dict[str, Any]:
    """A connection that is held there, once all before it has come."""
    admin.post(f"/mocks/{kind}/sse/hold", {"at": place, "upcoming": 1})
    reader.start(f"/{kind}")
    connection = admin.wait(f"/mocks/{kind}/sse", "held=true")
    if place != "head":
        reader.read_body(connection["bytesSent"])
    return connection


def end_of(reader: Reader) -> str:
    """How the connection ends, behind all that comes."""
    try:
        while part := reader.socket.recv(65536):
            reader.data += part
    except ConnectionResetError:
        return "rst"
    except ssl.SSLEOFError:  # the end of TLS is missing
        return "fin"
    return "fin"


def data_of(body: bytes) -> bytes:
    return re.sub(rb"id: .*\n|data: ", b"", body).replace(b"\n\n", b"\n").strip()


@pytest.mark.parametrize("action", ENDINGS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_cut_ends_a_stream_where_it_is_held(server: RunningMockd, kind: str, action: str) -> None:
    admin = Admin(server)
    settings, end, rest = ENDINGS[action]
    with Reader(server.url) as reader:
        connection = held(admin, reader, kind)
        before = len(reader.data)
        answer = admin.post(of(connection) + "/cut", {"action": action, **settings})["connection"]
        if (answer["faults"] or [{}])[-1].get("fidelity") == "unsupported":
            assert (action in ("badChunk", "shortChunk", "extraBytes"), answer["held"]) == (True, True)
            return  # h11 makes the chunks itself
        assert end_of(reader) in ENDS[end, server.url.partition(":")[0]]
        assert rest is None or reader.data[before:] == rest
        if action == "error":
            assert b"no more" in reader.data[before:]
    ended = admin.wait(of(connection), "ended=true")
    fault = ended["faults"][-1]
    assert (fault["action"], fault["events"], fault["fidelity"]) == (action, 2, "exact")


@pytest.mark.parametrize("action", PASSING)
@pytest.mark.parametrize("kind", KINDS)
def test_a_stream_goes_on_behind_a_cut(server: RunningMockd, kind: str, action: str) -> None:
    admin = Admin(server)
    settings, rest = PASSING[action]
    with Reader(server.url) as reader:
        connection = held(admin, reader, kind)
        before = len(reader.body)
        admin.post(of(connection) + "/cut", {"action": action, **settings})
        admin.post(of(connection) + "/release")
        end_of(reader)
        assert data_of(reader.body[before:]) == rest
    fault = admin.wait(of(connection), "ended=true")["faults"][-1]
    assert (fault["action"], fault["events"], fault["fidelity"]) == (action, 2, "exact")


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_cut_inserts_comes_while_the_stream_is_held(server: RunningMockd, kind: str) -> None:
    admin = Admin(server)
    with Reader(server.url) as reader:
        connection = held(admin, reader, kind)
        before = len(reader.body)
        for word in (b"one", b"two"):
            admin.post(of(connection) + "/cut", {"action": "insert", "raw": f"{word.decode()}\n\n"})
            reader.read_body(before + 5)
            assert reader.body[before:] == word + b"\n\n"
            before += 5
            assert reader.is_silent()
        admin.post(of(connection) + "/release")
        end_of(reader)
        assert data_of(reader.body[before:]) == b"3\n4\n5"


@pytest.mark.parametrize("kind", KINDS)
def test_a_cut_leaves_the_end_missing_for_a_while(server: RunningMockd, kind: str) -> None:
    admin = Admin(server)
    with Reader(server.url) as reader:
        connection = held(admin, reader, kind)
        before = len(reader.body)
        admin.post(of(connection) + "/cut", {"action": "idle", "ms": 100})
        assert reader.is_silent()
        end_of(reader)
        assert reader.body[before:] == b""
        assert reader.data.endswith(b"0\r\n\r\n")
    assert admin.wait(of(connection), "ended=true")["faults"][-1]["action"] == "idle"


@pytest.mark.parametrize(
    ("cut", "end"),
    [
        ({"action": "reset"}, "rst"),
        ({"action": "close"}, "fin"),
        ({"action": "empty"}, "fin"),
        ({"action": "garbage", "bytes": 9}, "fin"),
    ],
)
def test_a_cut_before_the_head(server: RunningMockd, cut: dict[str, Any], end: str) -> None:
    admin = Admin(server)
    with Reader(server.url) as reader:
        connection = held(admin, reader, "list", "head")
        admin.post(of(connection) + "/cut", cut)
        assert end_of(reader) in ENDS[end, server.url.partition(":")[0]]
        assert len(reader.data) == cut.get("bytes", 0)
    assert admin.wait(of(connection), "ended=true")["faults"][-1]["action"] == cut["action"]


def test_a_cut_changes_a_head_that_is_held(server: RunningMockd) -> None:
    admin = Admin(server)
    with Reader(server.url) as reader:
        connection = held(admin, reader, "list", "head")
        cut = {"action": "header", "set": {"X-New": "1"}, "remove": ["cache-control"]}
        admin.post(of(connection) + "/cut", cut)
        assert reader.is_silent()
        admin.post(of(connection) + "/release")
        end_of(reader)
        head = reader.data.partition(b"\r\n\r\n")[0].lower()
        assert b"x-new: 1" in head
        assert b"cache-control" not in head


def test_two_cuts_at_one_place_both_strike(server: RunningMockd) -> None:
    admin = Admin(server)
    with Reader(server.url) as reader:
        connection = held(admin, reader, "list")
        for cut in ({"action": "insert", "raw": "a\n\n"}, {"action": "insert", "raw": "b\n\n"}, "delay ms=1"):
            admin.post(of(connection) + "/cut", cut)
        admin.post(of(connection) + "/release")
        reader.rest()
        assert sorted(data_of(reader.body).split()) == sorted(b"1 2 3 4 5 a b".split())
    assert len(admin.wait(of(connection), "ended=true")["faults"]) == 3


def test_a_cut_of_a_stream_that_nobody_holds(server: RunningMockd) -> None:
    admin = Admin(server)
    slow = {"id": "slow", "matcher": {"path": "/slow"}, "sse": {"events": EVENTS, "timing": {"fixedDelay": 60_000}}}
    server.engine.create(slow)
    try:
        with Reader(server.url) as one, Reader(server.url) as two:
            for reader in (one, two):
                reader.start("/slow").read_body(9)
            assert admin.post("/mocks/slow/sse/cut", "end")["count"] == 2
            assert one.rest() == two.rest() == b"data: 1\n\n"
    finally:
        server.engine.delete("slow")


def test_a_stall_keeps_heartbeats_back_unless_it_is_asked_not_to(server: RunningMockd) -> None:
    admin = Admin(server)
    life = {"heartbeat": {"every": 5, "text": "h"}, "keepOpen": True}
    server.engine.create({"id": "h", "matcher": {"path": "/h"}, "sse": {"events": EVENTS, "lifecycle": life}})
    try:
        with Reader(server.url) as reader:
            reader.start("/h").read_body(45 + 4)
            connection = admin.wait("/mocks/h/sse", "opened=1")
            admin.post(of(connection) + "/cut", {"action": "stall"})
            while not reader.is_silent():  # what was on its way
                pass
            assert reader.is_silent()
            admin.post(of(connection) + "/cut", {"action": "stall", "keepalives": True})
            before = len(reader.body)
            reader.read_body(before + 8)
            admin.post(of(connection) + "/close")
    finally:
        server.engine.delete("h")


@pytest.mark.parametrize(
    ("cut", "place", "words"),
    [
        ({"action": "rset"}, "$.action", "no fault"),
        ({"action": "reset", "after": {"events": 3}}, "$.after", "now"),
        ({"action": "reset", "probability": 0.5}, "$.probability", "now"),
        ({"action": "stall", "ms": -1}, "$.ms", ""),
        ({"action": "hugeEvent", "size": 1 << 40}, "$.size", ""),
        ("reset after 2 events", None, "now"),
        ("rset", None, "no fault"),
        ([], None, "an object or one line"),
    ],
)
def test_what_is_no_cut_is_refused(server: RunningMockd, cut: Any, place: str | None, words: str) -> None:
    admin = Admin(server)
    with Reader(server.url) as reader:
        connection = held(admin, reader, "list")
        for path in (of(connection), "/mocks/list/sse"):
            status, answer = admin.ask("POST", path + "/cut", cut)
            assert (status, answer.get("path")) == (400, place), answer
            assert words in answer["message"]
        admin.post(of(connection) + "/release")
        end_of(reader)


def test_what_comes_too_late_or_too_early_is_a_conflict(server: RunningMockd) -> None:
    admin = Admin(server)
    with Reader(server.url) as reader:
        connection = held(admin, reader, "list")
        for action in ("status", "header", "empty"):
            status, answer = admin.ask("POST", of(connection) + "/cut", {"action": action, **MORE.get(action, {})})
            assert (status, "too late" in answer["message"]) == (409, True)
        admin.post(of(connection) + "/close")
    with Reader(server.url) as reader:
        connection = held(admin, reader, "list", "head")
        status, answer = admin.ask("POST", of(connection) + "/cut", "drop")
        assert (status, "before the head" in answer["message"]) == (409, True)
        admin.post(of(connection) + "/close")
