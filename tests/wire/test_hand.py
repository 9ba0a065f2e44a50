"""Streams that are held, on real connections: exactly what may go out goes out, and the whole body is as without it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from mockd.testing import RunningMockd, running_mockd
from tests.wire.conftest import TLS, WAYS, speaking_tls
from tests.wire.holding import Admin, Reader, of

EVENTS = [{"data": "1"}, {"comment": "two is next"}, {"data": "zwei ü"}, {"type": "t", "data": {"n": 3}}]
TOKENS = {"tokens": ["a", "b", "c"]}
INSERT = {"action": "insert", "raw": ": x\n\n", "after": {"events": 2}}
KINDS: dict[str, dict[str, Any]] = {
    "list": {"sse": {"events": EVENTS}},
    "one by one": {"sse": {"events": EVENTS, "flush": "event"}},
    "paced": {"sse": {"events": EVENTS, "timing": {"fixedDelay": 4}}},
    "burst": {"sse": {"events": EVENTS, "timing": {"burst": {"count": 2, "interval": 1, "pause": 9}}}},
    "drawn delays": {"sse": {"events": EVENTS, "timing": {"randomDelay": {"max": 3}}, "seed": 5}},
    "drawn data": {"sse": {"events": [{"data": "$uuid"}, {"data": "$random:1:9"}], "seed": 5}},
    "repeated": {"sse": {"events": EVENTS, "repeat": 3}},
    "resume": {"sse": {"events": EVENTS, "resume": {"enabled": True}}},
    "rate limit": {"sse": {"events": EVENTS, "rateLimit": {"eventsPerSecond": 500, "burstSize": 1}}},
    "generator": {"sse": {"generator": {"type": "sequence", "count": 4}}},
    "heartbeats": {
        "sse": {
            "events": [{"data": "1"}, {"data": "2", "delay": 25}],
            "lifecycle": {"heartbeat": {"every": 20_000, "text": "h"}},
        }
    },
    "final event": {"sse": {"events": EVENTS, "lifecycle": {"termination": {"finalEvent": {"data": "bye"}}}}},
    "abrupt end": {"sse": {"events": EVENTS, "lifecycle": {"termination": {"type": "abrupt"}}}},
    "NDJSON": {"chunked": {"ndjsonItems": [{"a": 1}, {"b": "ü"}, 3]}},
    "chunked": {"chunked": {"data": "0123456789abcdef", "chunkSize": 5}},
    "whole": {"response": {"body": {"a": [1, 2, 3]}}},
    "model": {"sse": {"template": "openai-chat", "templateParams": TOKENS, "seed": 5}},
    "JSON array": {"sse": {"template": "gemini", "templateParams": TOKENS, "seed": 5}},
    "faulty": {
        "sse": {"events": EVENTS},
        "faults": ["drop after 1 event", {"action": "insert", "raw": ": x\n\n", "after": {"events": 2}}],
    },
    "slow": {"sse": {"events": EVENTS}, "faults": ["delay ms=8 after 1 event"]},
}
PATHS = {"JSON array": "/v1beta/models/m:streamGenerateContent"}
HELD = ("uvloop and httptools", "asyncio and h11", "TLS", "mounted", "mounted behind a middleware")


def path_of(kind: str) -> str:
    return PATHS.get(kind, "/" + kind.replace(" ", "-"))


@contextmanager
def under_tls() -> Iterator[RunningMockd]:
    with running_mockd(**TLS) as running:
        yield speaking_tls(running)


@pytest.fixture(scope="module")
def tls() -> Iterator[RunningMockd]:
    with under_tls() as running:
        yield running


@pytest.fixture(params=HELD)
def server(
    request: pytest.FixtureRequest, servers: Callable[[str], RunningMockd], tls: RunningMockd
) -> Iterator[RunningMockd]:
    running = servers(request.param) if request.param in WAYS else tls
    kind = request.node.callspec.params["kind"]
    running.engine.create({"id": kind.replace(" ", "-"), "matcher": {"path": path_of(kind)}, **KINDS[kind]})
    yield running
    for spec in running.engine.mocks():
        running.engine.delete(spec.id)


def mock_of(kind: str) -> str:
    return f"/mocks/{kind.replace(' ', '-')}/sse"


def same(kind: str, body: bytes) -> bytes:
    """A body without what changes from answer to answer."""
    return re.sub(rb'"created":\d+|"id":"chatcmpl[^"]*"|"responseId":"[^"]*"|[0-9a-f]{12}-', b"~", body)


def whole_of(server: RunningMockd, kind: str) -> tuple[bytes, int]:
    """The body of a stream that nobody holds, and the number of its events."""
    with Reader(server.url) as reader:
        body = reader.start(path_of(kind)).rest()
    admin = Admin(server)
    connection = admin.wait(mock_of(kind), "opened=1&ended=true")
    return body, connection["eventsSent"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_stream_is_held_at_each_place_exactly_and_goes_on_as_it_would(server: RunningMockd, kind: str) -> None:
    admin = Admin(server)
    expected, count = whole_of(server, kind)
    for place in [*range(count + 1), "head"]:
        admin.post(mock_of(kind) + "/hold", {"at": place, "upcoming": True})
        with Reader(server.url) as reader:
            reader.start(path_of(kind))
            held = admin.wait(mock_of(kind), "held=true")
            assert (held["held"], held["heldAt"]) == (True, place)
            assert held["eventsSent"] == (0 if place == "head" else place)
            if place == "head":
                assert reader.is_silent()
                assert not reader.data
            else:
                reader.read_body(held["bytesSent"])
                assert reader.is_silent()
                assert len(reader.body) == held["bytesSent"]
            admin.post(of(held) + "/release")
            assert same(kind, reader.rest()) == same(kind, expected)
        ended = admin.wait(of(held), "ended=true")
        assert ended["held"] is False
        assert "heldAt" not in ended


@pytest.mark.parametrize("kind", KINDS)
def test_a_stream_goes_on_step_by_step(server: RunningMockd, kind: str) -> None:
    admin = Admin(server)
    expected, count = whole_of(server, kind)
    admin.post(mock_of(kind) + "/hold", {"at": 0, "upcoming": True})
    with Reader(server.url) as reader:
        reader.start(path_of(kind))
        held = admin.wait(mock_of(kind), "held=true")
        for place in range(1, count + 1):
            admin.post(of(held) + "/step")
            now = admin.wait(of(held), f"reached={place}&held=true")
            assert now["eventsSent"] == now["heldAt"] == place
            assert len(reader.read_body(now["bytesSent"])) == now["bytesSent"]
            if place % 2:
                assert reader.is_silent()
        admin.post(of(held) + "/release")
        assert same(kind, reader.rest()) == same(kind, expected)


@pytest.mark.parametrize("kind", ["list", "paced", "resume", "NDJSON", "model", "whole", "slow"])
@pytest.mark.parametrize("end", ["close", "DELETE", "of the mock", "change"])
def test_a_stream_that_is_held_is_ended_at_once(server: RunningMockd, kind: str, end: str) -> None:
    admin = Admin(server)
    for place in (0, 1, "head"):
        if place == 1 and kind == "whole":
            continue
        admin.post(mock_of(kind) + "/hold", {"at": place, "upcoming": True})
        with Reader(server.url) as reader:
            reader.start(path_of(kind))
            held = admin.wait(mock_of(kind), "held=true")
            if end == "close":
                admin.post(of(held) + "/close")
            elif end == "DELETE":
                assert admin.ask("DELETE", of(held))[0] == 200
            elif end == "of the mock":
                assert admin.post(mock_of(kind) + "/close")["count"] == 1
            else:
                mock = {"matcher": {"path": path_of(kind)}, "response": {"body": str(place)}}
                assert admin.ask("PUT", f"/mocks/{kind}", mock)[0] == 200
            reader.rest()
            ended = admin.wait(of(held), "ended=true")
            assert ended["outcome"] == ("completed" if kind == "whole" and place != "head" else ended["outcome"])
            assert ended["outcome"] in ("closed_by_admin", "completed")
        if end == "change":
            return
