"""Sources may decide status, headers and framing of an answer, and what it is."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from mockd.errors import error_body
from mockd.framing import FRAMINGS
from tests.manual_clock import settle
from tests.stream import deciding
from tests.stream.harness import Exchange, Lab

pytestmark = pytest.mark.anyio

SSE = 'data: {"n":1}\n\ndata: {"n":2}\n\ndata: {"n":3}\n\n'
BODIES = {
    None: SSE,
    "sse-crlf": SSE.replace("\n", "\r\n"),
    "ndjson": '{"n":1}\n{"n":2}\n{"n":3}\n',
    "raw": '{"n":1}{"n":2}{"n":3}',
    "json-array": '[{"n":1}\n,\r\n{"n":2}\n,\r\n{"n":3}\n]\n',
}
STREAMS = pytest.mark.parametrize("what", ["events", "async events"])


@pytest.fixture(autouse=True)
def log(monkeypatch: pytest.MonkeyPatch) -> deciding.Log:
    monkeypatch.setattr(deciding, "log", fresh := deciding.Log())
    return fresh


@pytest.fixture(params=[False, True], ids=["at once", "awaited"])
def awaits(request: pytest.FixtureRequest) -> bool:
    """Whether the source awaits something before it decides."""
    return bool(request.param)


def mock(lab: Lab, params: dict[str, Any], **config: Any) -> None:
    lab.mock(template="tests.stream.deciding:DECIDING", templateParams=params, **config)


async def run(lab: Lab, params: dict[str, Any], **config: Any) -> Exchange:
    mock(lab, params, **config)
    stream = await lab.open()
    await lab.clock.advance(60)
    return stream


@pytest.mark.parametrize("framing", BODIES)
@STREAMS
async def test_a_stream(lab: Lab, awaits: bool, what: str, framing: str | None) -> None:
    params = {"what": what, "framing": framing, "status": 206, "headers": {"X-Queue": "7"}, "awaits": awaits}
    stream = await run(lab, params)
    assert (stream.status, stream.text) == (206, BODIES[framing])
    assert stream.headers["x-queue"] == "7"
    assert stream.headers["content-type"] == FRAMINGS[framing or "sse"].content_type
    assert lab.ended["outcome"] == "completed"
    assert lab.ended["eventsSent"] == 3


async def test_one_whole_answer(lab: Lab, awaits: bool) -> None:
    params = {"what": "body", "status": 404, "headers": {"X-Queue": "7"}, "awaits": awaits}
    answer = await run(lab, params)
    assert (answer.status, answer.json) == (404, {"path": "/stream"})
    assert answer.headers["x-queue"] == "7"
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["content-length"] == str(len(answer.body))


async def test_a_script_says_headers_that_are_usual_otherwise_and_others_but_not_the_mocks(
    lab: Lab, awaits: bool
) -> None:
    said = {"Cache-Control": "private", "X-Queue": "7", "X-Mine": "2"}
    stream = await run(lab, {"what": "script", "headers": said, "awaits": awaits}, headers={"X-Mine": "1"})
    assert [value for name, value in stream.messages[0][1]["headers"] if name == b"cache-control"] == [b"private"]
    assert (stream.headers["x-queue"], stream.headers["x-mine"]) == ("7", "1")


@pytest.mark.parametrize("what", ["iterator", "async iterator", "script", "body", "events", "async events"])
async def test_pages_of_other_origins_may_read_it(lab: Lab, awaits: bool, what: str) -> None:
    mock(lab, {"what": what, "awaits": awaits})
    stream = await lab.open(headers={"Origin": "http://page"})
    await lab.clock.advance(60)
    assert stream.headers["access-control-allow-origin"] == "http://page"


@pytest.mark.parametrize("headers", [{}, {"Content-Length": "0"}], ids=str)
async def test_a_205_says_its_length_once(lab: Lab, awaits: bool, headers: dict[str, str]) -> None:
    answer = await run(lab, {"what": "body", "status": 205, "headers": headers, "awaits": awaits})
    assert answer.status == 205
    assert [value for name, value in answer.messages[0][1]["headers"] if name == b"content-length"] == [b"0"]


@pytest.mark.parametrize("status", [-1, 0, 99, 100, 101, 103, 199, 600, 1000])
@pytest.mark.parametrize("what", ["body", "events"])
async def test_a_status_that_ends_no_request_is_a_fault_of_the_source(
    lab: Lab, awaits: bool, what: str, status: int
) -> None:
    answer = await run(lab, {"what": what, "status": status, "awaits": awaits})
    assert (answer.status, answer.json["error"]["code"]) == (500, "source_error")
    assert f"{status} is no status of an answer" in answer.json["error"]["message"]


@pytest.mark.parametrize("what", ["iterator", "async iterator", "script"])
async def test_what_leaves_the_head_to_the_mock(lab: Lab, awaits: bool, what: str) -> None:
    stream = await run(lab, {"what": what, "awaits": awaits}, status=203, headers={"X-Mine": "1"})
    assert (stream.status, stream.text) == (203, SSE)
    assert (stream.headers["x-mine"], stream.headers["content-type"]) == ("1", "text/event-stream")


@pytest.mark.parametrize(
    ("part", "kind", "type_", "body"),
    [
        ("chunked", "IN_CHUNKED", "application/x-ndjson", BODIES["ndjson"]),
        ("response", "IN_RESPONSE", "application/octet-stream", BODIES["raw"]),
    ],
)
@pytest.mark.parametrize("framing", [None, "json-array"])
@STREAMS
async def test_in_other_parts_of_a_mock(
    lab: Lab, awaits: bool, what: str, framing: str | None, part: str, kind: str, type_: str, body: str
) -> None:
    params = {"what": what, "framing": framing, "awaits": awaits}
    stream = await lab.run(part, template=f"tests.stream.deciding:{kind}", templateParams=params)
    assert (stream.status, stream.text) == (202, body if framing is None else BODIES[framing])
    assert stream.headers["content-type"] == (type_ if framing is None else FRAMINGS[framing].content_type)


@STREAMS
async def test_the_mock_has_the_last_word(lab: Lab, awaits: bool, what: str) -> None:
    params = {"what": what, "headers": {"X-Queue": "7", "X-Own": "1"}, "awaits": awaits}
    stream = await run(lab, params, status=203, headers={"x-queue": "8"})
    assert (stream.status, stream.headers["x-queue"], stream.headers["x-own"]) == (203, "8", "1")


@STREAMS
async def test_but_not_over_the_status_of_an_error(lab: Lab, awaits: bool, what: str) -> None:
    assert (await run(lab, {"what": what, "status": 400, "awaits": awaits}, status=203)).status == 400


@STREAMS
async def test_several_headers_of_one_name_and_in_the_place_of_usual_ones(lab: Lab, awaits: bool, what: str) -> None:
    headers = {"Set-Cookie": "a=1", "set-cookie": "b=2", "Cache-Control": "no-store", "Content-Type": "text/x"}
    stream = await run(lab, {"what": what, "headers": headers, "awaits": awaits})
    sent = stream.messages[0][1]["headers"]
    assert [value for name, value in sent if name == b"set-cookie"] == [b"a=1", b"b=2"]
    assert [value for name, value in sent if name == b"cache-control"] == [b"no-store"]
    assert [value for name, value in sent if name == b"content-type"] == [b"text/x"]


@pytest.mark.parametrize("what", ["body", "events", "async events"])
async def test_the_pause_before_the_head(lab: Lab, awaits: bool, what: str) -> None:
    stream = await run(lab, {"what": what, "delayMs": 70, "awaits": awaits})
    assert stream.messages[0][0] == 70


@STREAMS
async def test_timing_and_limits_are_the_mock_s(lab: Lab, awaits: bool, what: str) -> None:
    timing, lifecycle = {"fixedDelay": 10}, {"maxEvents": 2, "termination": {"finalEvent": {"data": "bye"}}}
    stream = await run(lab, {"what": what, "awaits": awaits}, timing=timing, lifecycle=lifecycle)
    assert stream.events == [(0, '{"n":1}'), (10, '{"n":2}'), (10, "bye")]
    assert lab.ended["outcome"] == "max_events"


@pytest.mark.parametrize("name", ["timeout", "connectionTimeout"])
@STREAMS
async def test_a_stream_lives_no_longer_than_the_mock_says(lab: Lab, awaits: bool, what: str, name: str) -> None:
    config = {"timing": {"fixedDelay": 1000}, "lifecycle": {name: 0.5}}
    await run(lab, {"what": what, "awaits": awaits}, **config)
    assert lab.ended["outcome"] == "timed_out"


@pytest.mark.parametrize("framing", [None, "sse-crlf"])
@STREAMS
async def test_who_comes_back_gets_the_same_head(
    lab: Lab, log: deciding.Log, awaits: bool, what: str, framing: str | None
) -> None:
    params = {"what": what, "framing": framing, "status": 206, "headers": {"X-Queue": "7"}, "awaits": awaits}
    mock(lab, params, resume={"enabled": True})
    stream = await lab.open()
    ids = [line.removeprefix("id: ") for line in stream.text.splitlines() if line.startswith("id: ")]
    back = await lab.open(headers={"Last-Event-ID": ids[0]})
    assert (back.status, back.headers["x-queue"]) == (206, "7")
    assert back.text == stream.text[stream.text.index(f"id: {ids[1]}") :]
    assert log.happened.count("opened") == 1


async def test_a_request_for_the_head_alone(lab: Lab, awaits: bool) -> None:
    mock(lab, {"status": 206, "headers": {"X-Queue": "7"}, "awaits": awaits})
    answer = await lab.open(method="HEAD")
    assert (answer.status, answer.headers["x-queue"], answer.body) == (206, "7", b"")


@pytest.mark.parametrize("status", [204, 304])
@STREAMS
async def test_statuses_without_a_body(lab: Lab, awaits: bool, what: str, status: int) -> None:
    answer = await run(lab, {"what": what, "status": status, "awaits": awaits})
    assert (answer.status, answer.body) == (status, b"")


async def test_one_that_cannot_be_opened(lab: Lab, awaits: bool) -> None:
    answer = await run(lab, {"fails": True, "awaits": awaits})
    assert answer.status == 500
    assert answer.json == error_body("source_error", "ValueError: nobody there")


# -- while it is awaited -----------------------------------------------------------------------------------------------

EVERYTHING = pytest.mark.parametrize("what", ["iterator", "async iterator", "script", "body", "events", "async events"])


@EVERYTHING
async def test_nothing_is_sent_until_it_is_open(lab: Lab, log: deciding.Log, what: str) -> None:
    log.gate = asyncio.Event()
    mock(lab, {"what": what, "awaits": True})
    stream = await lab.open()
    await lab.clock.advance(3)
    assert (stream.messages, stream.is_open, log.happened) == ([], True, ["asked"])
    log.gate.set()
    await settle()
    assert stream.messages[0][0] == 3000
    assert stream.ended_at == 3000
    assert log.happened == ["asked", "opened"]


@EVERYTHING
async def test_a_client_that_leaves_meanwhile(lab: Lab, log: deciding.Log, what: str) -> None:
    log.gate = asyncio.Event()
    mock(lab, {"what": what, "awaits": True})
    stream = await lab.open()
    await stream.hang_up()
    assert (stream.messages, stream.is_open) == ([], False)
    assert log.happened == ["asked", "cancelled"]
    assert lab.live == []


@pytest.mark.parametrize("outcome", ["closed_by_admin", "shutdown"])
@EVERYTHING
async def test_one_that_is_told_to_end_meanwhile(lab: Lab, log: deciding.Log, what: str, outcome: str) -> None:
    log.gate = asyncio.Event()
    mock(lab, {"what": what, "awaits": True})
    stream = await lab.open()
    if outcome == "shutdown":
        lab.engine.begin_shutdown()
    else:
        lab.engine.streams.close_all("mock")
    await lab.clock.advance(1)
    assert not stream.is_open
    assert log.happened == ["asked", "cancelled"]
    assert lab.ended["outcome"] == outcome


async def test_others_are_answered_meanwhile(lab: Lab, log: deciding.Log) -> None:
    log.gate = asyncio.Event()
    mock(lab, {"awaits": True})
    lab.engine.create({"id": "other", "matcher": {"path": "/other"}, "response": {"body": "x"}})
    stream = await lab.open()
    assert (await lab.open("/other")).text == "x"
    log.gate.set()
    await settle()
    assert stream.text == SSE


async def test_what_is_due_counts_from_the_head(lab: Lab, log: deciding.Log) -> None:
    log.gate = asyncio.Event()
    mock(lab, {"awaits": True}, timing={"fixedDelay": 10})
    stream = await lab.open()
    await lab.clock.advance(1)
    log.gate.set()
    await settle()
    await lab.clock.advance(1)
    assert stream.times == [1000, 1010, 1020]
