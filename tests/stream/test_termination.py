"""The three ways a stream ends, for every kind of stream and every reason to end."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.manual_clock import settle
from tests.stream.harness import PATH, Exchange, Lab, words

pytestmark = pytest.mark.anyio

KINDS: dict[str, tuple[str, dict[str, Any], bytes]] = {
    "sse": ("sse", {"events": words(2), "timing": {"fixedDelay": 1000}}, b"data: 1\n\ndata: 2\n\n"),
    "chunked": ("chunked", {"data": "onetwo", "chunkSize": 3, "chunkDelay": 1000}, b"onetwo"),
    "ndjson": ("chunked", {"ndjsonItems": [1, {"two": 2}], "chunkDelay": 1000}, b'1\n{"two":2}\n'),
}
FINAL = {"sse": b"event: close\ndata: bye\n\n", "chunked": b"bye", "ndjson": b"bye\n"}
TERMINATION: dict[str, Any] = {
    "finalEvent": {"type": "close", "data": "bye"},
    "errorEvent": {"type": "oops", "data": {"broken": True}},
}
ERROR = {
    "sse": b'event: oops\ndata: {"broken":true}\n\n',
    "chunked": b'{"broken":true}',
    "ndjson": b'{"broken":true}\n',
}
DEFAULT_ERROR = {"sse": b"event: error\ndata: %s\n\n", "chunked": b"%s", "ndjson": b"%s\n"}

End = Callable[[Lab, Exchange], Awaitable[object]]


async def close_connection(lab: Lab, stream: Exchange) -> None:
    lab.engine.connections.close(lab.live[0]["id"])


async def close_all(lab: Lab, stream: Exchange) -> None:
    assert lab.engine.streams.close_all("mock") == 1


async def delete(lab: Lab, stream: Exchange) -> None:
    lab.engine.delete("mock")


async def disable(lab: Lab, stream: Exchange) -> None:
    lab.engine.toggle("mock")


async def change(lab: Lab, stream: Exchange) -> None:
    doc = lab.engine.get("mock").doc
    kind = "sse" if "sse" in doc else "chunked"
    lab.engine.patch("mock", {kind: {"status": 201}})


async def replace(lab: Lab, stream: Exchange) -> None:
    lab.engine.replace("mock", {"matcher": {"path": PATH}, "response": {"body": ""}})


async def shut_down(lab: Lab, stream: Exchange) -> None:
    await lab.engine.shutdown()


async def run_out(lab: Lab, stream: Exchange) -> None:
    await lab.clock.advance(60)


CAUSES: dict[str, tuple[dict[str, Any], End, str]] = {
    "the source has finished": ({}, run_out, "completed"),
    "timeout": ({"timeout": 10, "keepOpen": True}, run_out, "timed_out"),
    "connectionTimeout": ({"connectionTimeout": 10, "keepOpen": True}, run_out, "timed_out"),
    "closed through admin": ({"keepOpen": True}, close_connection, "closed_by_admin"),
    "all of a mock closed through admin": ({"keepOpen": True}, close_all, "closed_by_admin"),
    "mock deleted": ({"keepOpen": True}, delete, "closed_by_admin"),
    "mock disabled": ({"keepOpen": True}, disable, "closed_by_admin"),
    "stream changed": ({"keepOpen": True}, change, "closed_by_admin"),
    "mock replaced": ({"keepOpen": True}, replace, "closed_by_admin"),
    "shutdown": ({"keepOpen": True}, shut_down, "shutdown"),
}
EXPECTED = {"graceful": FINAL, "error": ERROR, "abrupt": dict.fromkeys(KINDS, b"")}


@pytest.mark.parametrize("cause", CAUSES)
@pytest.mark.parametrize("type_", EXPECTED)
@pytest.mark.parametrize("kind", KINDS)
async def test_every_kind_ends_the_same_way_for_every_cause(lab: Lab, kind: str, type_: str, cause: str) -> None:
    part, config, body = KINDS[kind]
    life, end, outcome = CAUSES[cause]
    termination = {**TERMINATION, "type": type_}
    stream = await lab.stream(part, **config, lifecycle={**life, "termination": termination})
    await lab.clock.advance(2)
    if end is not run_out:
        assert stream.is_open
    await end(lab, stream)
    await settle()
    assert not stream.is_open
    assert stream.body == body + EXPECTED[type_][kind]
    assert (stream.ended_at is None) == (type_ == "abrupt")
    assert lab.in_memory == hasattr(stream, "line")
    if lab.in_memory:
        assert (("close", None) in stream.line.commands) == (type_ == "abrupt")
    assert lab.live == []
    assert lab.ended["outcome"] == outcome
    assert (lab.ended["eventsSent"], lab.ended["bytesSent"]) == (2, len(stream.body))


@pytest.mark.parametrize(("type_", "end"), [("graceful", FINAL["sse"]), ("error", ERROR["sse"]), ("abrupt", b"")])
async def test_max_events_ends_through_the_termination(lab: Lab, type_: str, end: bytes) -> None:
    life = {"maxEvents": 1, "termination": {**TERMINATION, "type": type_}}
    stream = await lab.run(events=words(2), lifecycle=life)
    assert stream.body == b"data: 1\n\n" + end
    assert lab.ended["outcome"] == "max_events"


@pytest.mark.parametrize(("type_", "end"), [("graceful", ERROR["sse"]), ("error", ERROR["sse"]), ("abrupt", b"")])
async def test_a_passed_rate_limit_ends_with_the_error_event(lab: Lab, type_: str, end: bytes) -> None:
    limit = {"eventsPerSecond": 1, "strategy": "error"}
    life = {"termination": {**TERMINATION, "type": type_}}
    stream = await lab.run(events=words(2), rateLimit=limit, lifecycle=life)
    assert stream.body == b"data: 1\n\n" + end
    assert lab.ended["outcome"] == "failed"


@pytest.mark.parametrize(
    ("life", "end", "code"),
    [(life, end, code) for life, end, code in CAUSES.values() if end in (run_out, close_connection, shut_down)],
)
@pytest.mark.parametrize("kind", KINDS)
async def test_the_default_error_event_says_why(lab: Lab, kind: str, life: Any, end: End, code: str) -> None:
    part, config, body = KINDS[kind]
    stream = await lab.stream(part, **config, lifecycle={**life, "termination": {"type": "error"}})
    await lab.clock.advance(2)
    await end(lab, stream)
    await settle()
    prefix, suffix = DEFAULT_ERROR[kind].split(b"%s")
    error = stream.body.removeprefix(body + prefix).removesuffix(suffix)
    value = json.loads(error)
    assert list(value) == ["error"]
    assert value["error"]["code"] == code
    assert value["error"]["message"]


async def test_the_default_error_event_of_a_passed_rate_limit(lab: Lab) -> None:
    stream = await lab.run(events=words(2), rateLimit={"eventsPerSecond": 1, "strategy": "error"})
    assert stream.text == (
        'data: 1\n\nevent: error\ndata: {"error":{"code":"rate_limited","message":"more than 1 events a second"}}\n\n'
    )


@pytest.mark.parametrize("kind", KINDS)
async def test_by_default_the_end_is_clean_and_silent(lab: Lab, kind: str) -> None:
    part, config, body = KINDS[kind]
    stream = await lab.run(part, **config)
    assert stream.body == body
    assert stream.ended_at == 1000


@pytest.mark.parametrize("kind", KINDS)
async def test_a_stream_without_events_has_its_final_event_all_the_same(lab: Lab, kind: str) -> None:
    part = KINDS[kind][0]
    config: dict[str, Any] = {"sse": {"events": []}, "chunked": {"data": ""}, "ndjson": {"ndjsonItems": []}}[kind]
    stream = await lab.stream(part, **config, lifecycle={"keepOpen": True, "termination": TERMINATION})
    lab.engine.streams.close_all("mock")
    await settle()
    assert stream.body == FINAL[kind]


@pytest.mark.parametrize("kind", ["chunked", "ndjson"])
async def test_outside_sse_an_event_without_data_is_nothing(lab: Lab, kind: str) -> None:
    part, config, body = KINDS[kind]
    termination = {"finalEvent": {"comment": "not seen"}}
    stream = await lab.run(part, **config, lifecycle={"termination": termination})
    assert stream.body == body


@pytest.mark.parametrize("kind", ["chunked", "ndjson"])
async def test_null_is_data(lab: Lab, kind: str) -> None:
    part, config, body = KINDS[kind]
    stream = await lab.run(part, **config, lifecycle={"termination": {"finalEvent": {"data": None}}})
    assert stream.body == body + {"chunked": b"null", "ndjson": b"null\n"}[kind]


async def test_final_and_error_events_have_whatever_an_event_has(lab: Lab) -> None:
    final = {"comment": "c", "id": "9", "type": "close", "data": ["a", "$pick:x"], "retry": 7}
    stream = await lab.run(events=words(1), lifecycle={"termination": {"finalEvent": final}})
    assert stream.text == 'data: 1\n\n: c\nid: 9\nevent: close\ndata: ["a","x"]\nretry: 7\n\n'


async def test_an_error_event_may_have_placeholders(lab: Lab) -> None:
    termination = {"type": "error", "errorEvent": {"data": "$random:5:5"}}
    stream = await lab.run(events=words(1), lifecycle={"termination": termination})
    assert stream.text == "data: 1\n\ndata: 5\n\n"


# -- the pause before the close ----------------------------------------------------------------------------------------

PAUSING: dict[str, Any] = {"finalEvent": {"data": "bye"}, "closeDelay": 3000}


@pytest.mark.parametrize(
    ("cause", "closed_at"),
    [("the source has finished", 4000), ("connectionTimeout", 13_000), ("closed through admin", 5000)],
)
@pytest.mark.parametrize("kind", KINDS)
async def test_the_final_event_goes_out_before_the_pause_and_the_end_after(
    lab: Lab, kind: str, cause: str, closed_at: int
) -> None:
    part, config, body = KINDS[kind]
    life, end, outcome = CAUSES[cause]
    stream = await lab.stream(part, **config, lifecycle={**life, "termination": PAUSING})
    await lab.clock.advance(2)
    await end(lab, stream)
    await lab.clock.advance(60)
    assert stream.body == body + FINAL[kind].removeprefix(b"event: close\n")
    assert stream.writes[-1][0] == closed_at - 3000
    assert stream.ended_at == closed_at
    assert lab.ended["outcome"] == outcome


async def test_the_pause_is_there_without_a_final_event_too(lab: Lab) -> None:
    stream = await lab.run(events=words(1), lifecycle={"termination": {"closeDelay": 250}})
    assert stream.ended_at == 250


async def test_an_abrupt_end_pauses_too(lab: Lab) -> None:
    termination = {"type": "abrupt", "closeDelay": 3000}
    stream = await lab.stream(events=words(1), lifecycle={"termination": termination})
    await lab.clock.advance(2.999)
    assert stream.is_open
    await lab.clock.advance(0.001)
    assert not stream.is_open
    assert stream.ended_at is None


async def test_an_error_event_is_followed_by_no_pause(lab: Lab) -> None:
    termination = {"type": "error", "closeDelay": 3000}
    stream = await lab.stream(events=words(1), lifecycle={"termination": termination})
    assert not stream.is_open


async def pausing(lab: Lab) -> Exchange:
    stream = await lab.stream(events=words(1), lifecycle={"termination": PAUSING})
    assert stream.text == "data: 1\n\ndata: bye\n\n"
    assert stream.is_open
    return stream


@pytest.mark.parametrize("end", [close_connection, close_all, delete, disable, change, shut_down])
async def test_the_pause_can_be_cut_short(lab: Lab, end: End) -> None:
    stream = await pausing(lab)
    await lab.clock.advance(1)
    await end(lab, stream)
    await settle()
    assert stream.ended_at == 1000
    assert lab.ended["outcome"] == "completed"


async def test_a_client_that_leaves_during_the_pause_ends_it(lab: Lab) -> None:
    stream = await pausing(lab)
    await stream.hang_up()
    assert not stream.is_open
    assert lab.live == []


async def test_sources_that_go_on_do_not_shorten_the_pause(lab: Lab, tmp_path: Any) -> None:
    """A stream that has had all it may send pauses for as long as it should, whatever its source does."""
    config = {"data": "$pick:a,b " * 500, "chunkSize": 1, "chunkDelay": 1}
    stream = await lab.stream("chunked", **config, lifecycle={"connectionTimeout": 0.1, "termination": PAUSING})
    await lab.clock.advance(60)
    assert stream.ended_at == 3100


# -- what ends a stream, and what does not -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "patch",
    [{"name": "renamed"}, {"description": "x"}, {"priority": 5}, {"matcher": {"path": "/elsewhere"}}, {}],
    ids=str,
)
async def test_a_change_to_anything_but_the_stream_leaves_it_running(lab: Lab, patch: dict[str, Any]) -> None:
    stream = await lab.stream(events=words(3), timing={"fixedDelay": 1000})
    lab.engine.patch("mock", patch)
    await lab.clock.advance(10)
    assert stream.times == [0, 1000, 2000]
    assert lab.ended["outcome"] == "completed"


async def test_putting_the_same_stream_again_leaves_it_running(lab: Lab) -> None:
    stream = await lab.stream(events=words(3), timing={"fixedDelay": 1000})
    doc = dict(lab.engine.get("mock").doc)
    lab.engine.replace("mock", {**doc, "name": "the same"})
    await lab.clock.advance(10)
    assert stream.times == [0, 1000, 2000]


async def test_other_mocks_are_none_of_its_business(lab: Lab) -> None:
    stream = await lab.stream(events=words(3), timing={"fixedDelay": 1000})
    lab.engine.create({"id": "other", "matcher": {"path": "/other"}, "response": {"body": ""}})
    lab.engine.delete("other")
    await lab.clock.advance(10)
    assert stream.times == [0, 1000, 2000]


async def test_new_requests_see_the_change_while_the_old_stream_ends(lab: Lab) -> None:
    stream = await lab.stream(events=words(1), lifecycle={"keepOpen": True, "termination": TERMINATION})
    lab.engine.patch("mock", {"sse": {"events": [{"data": "new"}], "lifecycle": None}})
    after = await lab.open()
    assert stream.body == b"data: 1\n\n" + FINAL["sse"]
    assert after.text == "data: new\n\n"


async def test_a_stream_told_to_end_twice_ends_once(lab: Lab) -> None:
    stream = await lab.stream(events=words(1), lifecycle={"keepOpen": True, "termination": TERMINATION})
    assert lab.engine.streams.close_all("mock") == 1
    assert lab.engine.streams.close_all("mock") == 0
    lab.engine.begin_shutdown()
    await settle()
    assert stream.body == b"data: 1\n\n" + FINAL["sse"]
    assert lab.ended["outcome"] == "closed_by_admin"


async def test_a_client_that_does_not_read_its_final_event_is_cut_off(lab: Lab) -> None:
    stream = await lab.stream(events=words(2), timing={"fixedDelay": 1000}, lifecycle={"termination": TERMINATION})
    await stream.stop_reading()
    await lab.clock.advance(5)
    lab.engine.streams.close_all("mock")
    await lab.clock.advance(5)
    assert not stream.is_open
    assert lab.ended["outcome"] == "closed_by_admin"
    assert lab.ended["eventsSent"] == 1


async def test_shutdown_cuts_off_streams_that_take_too_long() -> None:
    lab = Lab(shutdown_timeout=0.05)
    termination = {**TERMINATION, "closeDelay": 60_000}
    stream = await lab.stream(events=words(1), lifecycle={"keepOpen": True, "termination": termination})
    await lab.engine.shutdown()
    await settle()
    assert not stream.is_open
    assert stream.body == b"data: 1\n\n" + FINAL["sse"]
    assert lab.ended["outcome"] == "shutdown"


async def test_shutdown_ends_hundreds_of_streams_with_their_final_events(lab: Lab) -> None:
    lab.mock("sse", events=words(1), lifecycle={"keepOpen": True, "termination": TERMINATION})
    streams = [await lab.open() for _ in range(300)]
    await lab.engine.shutdown()
    await settle()
    assert {stream.body for stream in streams} == {b"data: 1\n\n" + FINAL["sse"]}
    assert all(stream.ended_at is not None for stream in streams)
