"""Events that are pushed into streams on real connections: into their sessions, beside their rows, into none."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from mockd.settings import Settings
from mockd.testing import RunningMockd, running_mockd
from tests.wire.conftest import WAYS
from tests.wire.holding import Admin, Reader, of
from tests.wire.sockets import curl

EVENTS = [{"data": str(number)} for number in range(1, 6)]
RESUME = {"resume": {"enabled": True}}
KINDS: dict[str, dict[str, Any]] = {
    "list": {"sse": {"events": EVENTS}},
    "flush": {"sse": {"events": EVENTS, "flush": "event"}},
    "paced": {"sse": {"events": EVENTS, "timing": {"fixedDelay": 3}}},
    "drawn": {"sse": {"events": EVENTS, "timing": {"randomDelay": {"max": 3}}}},
    "resume": {"sse": {"events": EVENTS, **RESUME}},
    "given": {"sse": {"events": [{**event, "id": f"e{event['data']}"} for event in EVENTS], **RESUME}},
    "rates": {"sse": {"events": EVENTS, "rateLimit": {"eventsPerSecond": 500, "burstSize": 1}}},
    "generator": {"sse": {"generator": {"type": "sequence", "sequence": {"format": "%d"}, "count": 5}}},
    "faulty": {"sse": {"events": EVENTS}, "faults": ["delay ms=2 after 1 event"]},
    "final": {"sse": {"events": EVENTS, "lifecycle": {"termination": {"finalEvent": {"data": "bye"}}}}},
    "NDJSON": {"chunked": {"ndjsonItems": [1, 2, 3, 4, 5]}},
    "chunked": {"chunked": {"data": "12345", "chunkSize": 1}},
    "array": {"sse": {"template": "gemini", "templateParams": {"tokens": ["1", "2", "3", "4"]}}},
    "faulty array": {
        "sse": {"template": "gemini", "templateParams": {"tokens": ["1", "2", "3", "4"]}},
        "faults": ["delay ms=2 after 1 event"],
    },
}
PATH = "/v1beta/models/m:streamGenerateContent"
MARK = "pushed"


@pytest.fixture(params=WAYS)
def server(request: pytest.FixtureRequest, servers: Callable[[str], RunningMockd]) -> Iterator[RunningMockd]:
    running = servers(request.param)
    yield running
    for spec in running.engine.mocks():
        running.engine.delete(spec.id)


@pytest.mark.parametrize("kind", KINDS)
def test_an_event_is_sent_where_the_stream_is_held(server: RunningMockd, kind: str) -> None:
    admin = Admin(server)
    server.engine.create({"id": "m", "matcher": {"path": PATH}, **KINDS[kind]})
    with Reader(server.url) as reader:
        whole = reader.start(PATH).rest()
    count = admin.wait("/mocks/m/sse", "opened=1&ended=true")["eventsSent"]
    for place in range(count + 1):
        admin.post("/mocks/m/sse/hold", {"at": place, "upcoming": 1})
        with Reader(server.url) as reader:
            reader.start(PATH)
            held = admin.wait("/mocks/m/sse", "held=true")
            before = reader.read_body(held["bytesSent"])
            admin.post(of(held) + "/push", {"data": {MARK: 1}})
            pushed = admin.wait(of(held), f"reached={place + 1}&held=true")
            assert pushed["heldAt"] == place + 1
            assert MARK in reader.read_body(pushed["bytesSent"])[len(before) :].decode()
            assert reader.is_silent()
            admin.post(of(held) + "/release")
            body = reader.rest().decode()
        assert body.count(MARK) == 1
        assert admin.wait(of(held), "ended=true")["eventsSent"] == count + 1
        if "array" in kind:
            items = json.loads(body)
            assert [place for place, item in enumerate(items) if MARK in item] == [place]
            assert len(items) == count + 1
        elif kind in ("list", "flush", "paced", "drawn", "rates", "generator", "faulty", "final"):
            assert body.replace(f'data: {{"{MARK}":1}}\n\n', "") == whole.decode()


def test_a_raw_event_and_placeholders(server: RunningMockd) -> None:
    admin = Admin(server)
    server.engine.create({"id": "m", "matcher": {"path": "/m"}, "sse": {"events": EVENTS, "seed": 3}})
    admin.post("/mocks/m/sse/hold", {"at": 2, "upcoming": 1})
    with Reader(server.url) as reader:
        reader.start("/m")
        held = admin.wait("/mocks/m/sse", "held=true")
        admin.post(of(held) + "/push", {"raw": ": as it stands\n\n", "count": 0})
        admin.post(of(held) + "/push", {"type": "t", "data": "$seq", "id": "own"})
        now = admin.wait(of(held), "reached=3")
        assert (now["eventsSent"], now["lastEventId"]) == (3, "own")
        admin.post(of(held) + "/release")
        assert b"data: 2\n\n: as it stands\n\nid: own\nevent: t\ndata: 3\n\ndata: 3\n\n" in reader.rest()


# -- sessions ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def resuming() -> Iterator[RunningMockd]:
    mocks = (
        {"id": "r", "matcher": {"path": "/r"}, "sse": {"events": EVENTS, **RESUME}},
        {"id": "manual", "matcher": {"path": "/manual"}, "sse": {"manual": True, **RESUME}},
        {"id": "plain", "matcher": {"path": "/plain"}, "sse": {"manual": True}},
        {"id": "whole", "matcher": {"path": "/whole"}, "response": {"body": "x"}},
    )
    with running_mockd(*mocks) as running:
        yield running


def test_what_was_pushed_is_there_for_a_client_that_comes_back(resuming: RunningMockd) -> None:
    admin = Admin(resuming)
    admin.post("/mocks/r/sse/hold", {"at": 2, "upcoming": 1})
    with Reader(resuming.url) as first:
        first.start("/r")
        held = admin.wait("/mocks/r/sse", "held=true")
        pushed = admin.post(of(held) + "/push", {"data": "pushed"})["connection"]
        stream = pushed["lastEventId"].removesuffix("-p1")
        admin.post(of(held) + "/push", {"data": "again"})
        assert b"data: again" in first.read_body(admin.wait(of(held), "reached=4")["bytesSent"])
    rest = "".join(f"id: {stream}-{number + 2}\ndata: {number}\n\n" for number in (3, 4, 5))
    one, two = f"id: {stream}-p1\ndata: pushed\n\n", f"id: {stream}-p2\ndata: again\n\n"
    for last_id, body in (("2", one + two + rest), (f"{stream}-p1", two + rest), (f"{stream}-p2", rest)):
        with Reader(resuming.url) as reader:
            assert reader.start("/r", **{"Last-Event-ID": last_id}).rest().decode() == body
    events = admin.get("/mocks/r/sse/buffer")["events"]
    assert [event["event"]["data"] for event in events] == ["1", "2", "pushed", "again", "3", "4", "5"]


def test_what_is_pushed_while_nobody_reads_is_there_too(resuming: RunningMockd) -> None:
    admin = Admin(resuming)
    admin.post("/mocks/r/sse/hold", {"at": 2, "upcoming": 1})
    with Reader(resuming.url) as first:
        first.start("/r")
        held = admin.wait("/mocks/r/sse", "held=true")
    admin.wait(of(held), "ended=true")
    for text in ("missed", "too"):
        assert admin.post("/mocks/r/sse/push", {"data": text})["count"] == 0
    code, printed = curl(resuming.url + "/r", "-H", "Last-Event-ID: 2")
    assert code == 0
    assert [line for line in printed.split("\n") if line.startswith("data")] == [
        *("data: missed", "data: too", "data: 3", "data: 4", "data: 5"),
    ]


def test_all_readers_of_a_session_see_what_is_pushed_once(resuming: RunningMockd) -> None:
    admin = Admin(resuming)
    with Reader(resuming.url) as first, Reader(resuming.url) as second, Reader(resuming.url) as apart:
        first.start("/manual")
        opened = admin.wait("/mocks/manual/sse", "opened=1")
        admin.post(of(opened) + "/push", {"data": "one", "id": "a"})
        first.read_body(len(b"id: a\ndata: one\n\n"))
        second.start("/manual", **{"Last-Event-ID": "a"})
        admin.wait("/mocks/manual/sse", "opened=2")
        apart.start("/manual")
        admin.wait("/mocks/manual/sse", "opened=3")
        assert admin.post("/mocks/manual/sse/push", {"data": "two", "id": "b"})["count"] == 3
        two = b"id: b\ndata: two\n\n"
        assert first.read_body(17 + len(two)) == b"id: a\ndata: one\n\n" + two
        assert second.read_body(len(two)) == two
        assert apart.read_body(len(two)) == two
        assert all(reader.is_silent() for reader in (first, second, apart))
        admin.post(of(opened) + "/hold")
        admin.post(of(opened) + "/push", {"data": "three", "id": "c"})
        assert first.read_body(51).endswith(b"data: three\n\n")
        assert second.read_body(36).endswith(b"data: three\n\n")
        assert apart.is_silent()
        assert admin.post("/mocks/manual/sse/close")["count"] == 3
        for reader in (first, second, apart):
            reader.rest()


def test_ids_that_no_longer_mean_the_same_begin_anew(resuming: RunningMockd) -> None:
    """Two streams of one script have the same ids, until something is pushed into one of them."""
    admin = Admin(resuming)
    with Reader(resuming.url) as other:
        whole = other.start("/r").rest()
    admin.post("/mocks/r/sse/hold", {"at": 2, "upcoming": 1})
    with Reader(resuming.url) as first:
        first.start("/r")
        held = admin.wait("/mocks/r/sse", "held=true")
        admin.post(of(held) + "/push", {"data": "pushed"})
        with Reader(resuming.url) as reader:
            assert reader.start("/r", **{"Last-Event-ID": "2"}).rest() == whole
        with Reader(resuming.url) as reader:
            assert reader.start("/r", **{"Last-Event-ID": "4"}).rest() == b"id: 5\ndata: 5\n\n"


def test_a_stream_sends_only_what_is_pushed_until_it_is_closed(resuming: RunningMockd) -> None:
    admin = Admin(resuming)
    with Reader(resuming.url) as reader:
        reader.start("/plain")
        opened = admin.wait("/mocks/plain/sse", "opened=1")
        for word in ("a", "b"):
            admin.post("/mocks/plain/sse/push", {"data": word})
            assert reader.read_body(admin.wait(of(opened), "reached=1")["bytesSent"]).endswith(word.encode() + b"\n\n")
        assert reader.is_silent()
        admin.post(of(opened) + "/close")
        assert reader.rest() == b"data: a\n\ndata: b\n\n"


# -- limits and refusals -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("life", "outcome", "sent"), [({"maxEvents": 4}, "max_events", 4), ({"simulateDisconnect": 3}, "aborted", 3)]
)
@pytest.mark.parametrize("resume", [{}, RESUME])
def test_pushed_events_count_for_the_limits(life: Any, outcome: str, sent: int, resume: dict[str, Any]) -> None:
    sse = {"events": EVENTS, "lifecycle": life, **resume}
    with running_mockd({"id": "m", "matcher": {"path": "/m"}, "sse": sse}) as server:
        admin = Admin(server)
        admin.post("/mocks/m/sse/hold", {"at": 2, "upcoming": 1})
        with Reader(server.url) as reader:
            reader.start("/m")
            held = admin.wait("/mocks/m/sse", "held=true")
            admin.post(of(held) + "/push", {"data": "pushed"})
            if sent == 3:
                assert admin.ask("POST", of(held) + "/push", {"data": "more"})[0] == 409
            admin.post(of(held) + "/release")
            reader.rest()
        ended = admin.wait(of(held), "ended=true")
        assert (ended["outcome"], ended["eventsSent"]) == (outcome, sent)


def test_pushes_are_refused_where_they_are_not_possible(resuming: RunningMockd) -> None:
    admin = Admin(resuming)
    resuming.engine.create(
        {
            "id": "long",
            "matcher": {"path": "/long"},
            "chunked": {"data": "12345", "chunkSize": 1, "chunkDelay": 5000},
            "faults": [{"action": "header", "set": {"Content-Length": "5"}}],
        }
    )
    for mock, path, place, why in (
        ("whole", "/whole", 0, "says how long its body is"),
        ("long", "/long", 1, "says how long its body is"),
        ("r", "/r", "head", "has not begun"),
    ):
        admin.post(f"/mocks/{mock}/sse/hold", {"at": place, "upcoming": 1})
        with Reader(resuming.url) as reader:
            reader.start(path)
            held = admin.wait(f"/mocks/{mock}/sse", "held=true")
            for refused in (of(held), f"/mocks/{mock}/sse"):
                status, answer = admin.ask("POST", f"{refused}/push", {"data": "x"})
                assert status == 409, answer
                assert why in answer["message"]
        admin.wait(of(held), "ended=true")
        assert admin.ask("POST", of(held) + "/push", {"data": "x"})[1]["message"].startswith("Connection has already")


@pytest.mark.parametrize(
    ("body", "path", "words"),
    [
        ({}, None, "needs `data`"),
        ({"data": "x", "delay": 5}, "$.delay", "sent now"),
        ({"data": "{{ request.path }}"}, None, "cannot follow the request"),
        ({"data": "$random:x:y"}, "$.data", ""),
        ({"date": "x"}, "$.date", "unknown key"),
        ({"raw": "x", "data": "y"}, "$.data", "in place of"),
    ],
)
def test_events_that_cannot_be_pushed(resuming: RunningMockd, body: Any, path: str | None, words: str) -> None:
    admin = Admin(resuming)
    with Reader(resuming.url) as reader:
        reader.start("/plain")
        admin.wait("/mocks/plain/sse", "opened=1")
        status, answer = admin.ask("POST", "/mocks/plain/sse/push", body)
        assert (status, answer.get("path")) == (400, path), answer
        assert words in answer["message"]


def test_an_event_without_bytes_in_its_framing() -> None:
    with running_mockd({"id": "m", "matcher": {"path": "/m"}, "chunked": {"ndjsonItems": [1, 2]}}) as server:
        admin = Admin(server)
        admin.post("/mocks/m/sse/hold", {"at": 1, "upcoming": 1})
        with Reader(server.url) as reader:
            reader.start("/m").read_body(2)
            status, answer = admin.ask("POST", "/mocks/m/sse/push", {"comment": "x"})
            assert (status, answer["hint"]) == (400, "give it `data`, or `raw`")


def test_every_answer_has_its_id_if_it_is_wanted() -> None:
    mocks = ({"id": "m", "matcher": {"path": "/m"}, "sse": {"events": EVENTS}},)
    with running_mockd(*mocks, settings=Settings(identify=True)) as server:
        admin = Admin(server)
        for path in ("/m", "/none"):
            with Reader(server.url) as reader:
                _, headers = reader.ask(path).read_head()
            assert headers["x-mockd-connection"]
            if path == "/m":
                assert admin.get(f"/sse/connections/{headers['x-mockd-connection']}")
