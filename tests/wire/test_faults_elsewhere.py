"""Faults where mockd does not own the connection: each says how near it came, and none says `exact` if it is not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.middleware import Middleware

from mockd.config.faults import ACTIONS
from mockd.engine import Engine
from mockd.settings import Settings
from mockd.testing import RunningMockd, running_mockd
from tests.wire.conftest import Stamp, mounted
from tests.wire.sockets import Client, eventually

SSE = {"id": "s", "matcher": {"path": "/s"}, "sse": {"events": [{"data": "1"}, {"data": "2"}, {"data": "3"}]}}
WHOLE = {"id": "w", "matcher": {"path": "/w"}, "response": {"body": "whole"}}
WAYS = {"h11": {"http": "h11"}, "behind a middleware": None}
ENDLESS = ("stall", "idle")
UNSUPPORTED = {
    "behind a middleware": {"badChunk", "shortChunk", "longChunk", "extraBytes"},
    "h11": {"badChunk", "shortChunk", "longChunk", "extraBytes"},
}


CONTENT = {"delay", "status", "malformed", "corrupt", "drop", "duplicate", "reorder", "header"}
"""Faults of what is said, which are exact wherever it is said."""


@pytest.fixture(params=WAYS)
def elsewhere(request: pytest.FixtureRequest) -> Iterator[tuple[str, RunningMockd]]:
    engine = Engine(Settings(allow_fault_header=True, fault_timeout=0.5))
    for mock in (SSE, WHOLE):
        engine.create(mock)
    if request.param == "h11":
        with running_mockd(engine=engine, http="h11") as server:
            yield request.param, server
    else:
        with mounted(Middleware(Stamp)) as server:
            server.engine.settings = engine.settings
            for mock in (SSE, WHOLE):
                server.engine.create(mock)
            yield request.param, server


def struck(server: RunningMockd, path: str, line: str) -> tuple[bytes, dict[str, Any]]:
    """What comes, and the record of the fault."""
    with Client(server.url) as client:
        client.socket.settimeout(2)
        client.ask(path, headers={"X-Mockd-Fault": line, "Connection": "close"})
        data = b""
        try:
            while part := client.socket.recv(65536):
                data += part
        except ConnectionResetError:
            pass
    eventually(lambda: not server.engine.connections.live())
    (record,) = server.engine.connections.listed("ended")[-1].faults or [{}]
    return data, record


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: str(action.__struct_config__.tag))
def test_every_action_says_how_near_it_came(elsewhere: tuple[str, RunningMockd], action: Any) -> None:
    way, server = elsewhere
    line = action.example.partition(" for ")[0].replace("ms=5000", "ms=50").replace("ms=2000", "ms=50")
    _, record = struck(server, "/s", line.replace("100 bytes", "10 bytes"))
    assert record["action"] == action.__struct_config__.tag
    assert record["fidelity"] == ("unsupported" if record["action"] in UNSUPPORTED[way] else record["fidelity"])
    if way != "h11":
        assert (record["fidelity"] == "exact") == (record["action"] in CONTENT)
    assert ("as" in record) == (record["fidelity"] != "exact")


def test_bytes_on_the_wire_are_not_to_be_counted(elsewhere: tuple[str, RunningMockd]) -> None:
    _, server = elsewhere
    data, record = struck(server, "/s", "reset after 100 wire bytes")
    assert record["fidelity"] == "unsupported"
    assert data.endswith(b"0\r\n\r\n")


@pytest.mark.parametrize("line", ["end after 2 bytes", "insert raw=x after 2 bytes", "error after 2 bytes"])
def test_a_promised_length_is_kept(elsewhere: tuple[str, RunningMockd], line: str) -> None:
    _, server = elsewhere
    data, record = struck(server, "/w", line)
    assert data.endswith(b"whole")
    assert record["fidelity"] == "unsupported"


def test_a_break_leaves_out_the_end_of_the_body(elsewhere: tuple[str, RunningMockd]) -> None:
    way, server = elsewhere
    data, record = struck(server, "/s", "close after 2 events")
    assert data.endswith(b"data: 2\n\n\r\n" if way == "h11" else b"0\r\n\r\n")  # the middleware adds the end
    assert record["fidelity"] == ("exact" if way == "h11" else "emulated")


@pytest.mark.parametrize("line", ["close before head", "reset before head", "empty", "garbage bytes=20"])
def test_no_answer_is_no_500(elsewhere: tuple[str, RunningMockd], line: str) -> None:
    way, server = elsewhere
    data, record = struck(server, "/w", line)
    if way == "h11":
        assert record["fidelity"] == "exact"
        assert len(data) == (20 if "garbage" in line else 0)
        assert not data.startswith(b"HTTP")
    else:
        assert record["fidelity"] == "emulated"
        assert record["as"] == "a head without its body; the server ends the connection"
        assert data.startswith(b"HTTP/1.1 200")
        assert not data.endswith(b"whole")


@pytest.mark.parametrize(
    ("line", "on_its_own"),
    [
        ('header remove=["Date","server"]', ("unsupported", "the server itself adds Date, server")),
        ('header set={"x-a":"b"} remove=["server"]', ("emulated", "the server itself adds server")),
        ('header remove=["date","x-b"]', ("unsupported", "the server itself adds date and there is no x-b")),
        ('header remove=["x-b"]', ("unsupported", "there is no x-b")),
        ('header remove=["content-type","x-b"]', ("emulated", "there is no x-b")),
        ('header remove=["content-type"]', ("exact", None)),
    ],
)
def test_headers_of_the_server(
    elsewhere: tuple[str, RunningMockd], line: str, on_its_own: tuple[str, str | None]
) -> None:
    way, server = elsewhere
    data, record = struck(server, "/s", line)
    names = {part.partition(b":")[0].lower() for part in data.partition(b"\r\n\r\n")[0].split(b"\r\n")[1:]}
    of_server = {name for name in (b"date", b"server") if name.decode() in line.lower()}
    assert of_server <= names if way != "h11" else not of_server & names
    assert (b"content-type" in names) == ("content-type" not in line)
    if way != "h11" or "x-b" in line:
        fidelity, said = on_its_own
        if way == "h11" and "date" in line:
            fidelity, said = "emulated", "there is no x-b"
        assert (record["fidelity"], record.get("as")) == (fidelity, said)
    else:
        assert record["fidelity"] == "exact"
