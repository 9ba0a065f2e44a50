"""The page's JSON: whole mocks as they stand, fragments put into a mock, and what each field does."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mockd.config.load import load_paths
from mockd.engine import Engine
from mockd.settings import Settings
from mockd.testing import RunningMockd, running_mockd
from tests.spec import page
from tests.spec.chat import chat_parts
from tests.spec.quick_clock import QuickClock
from tests.spec.reading import Answer, read
from tests.spec.test_page import UUID

Json = dict[str, Any]

BLOCKS = {block.heading: block for block in page.blocks("json")}
ABC: list[Json] = [{"data": "a"}, {"data": "b"}, {"data": "c"}]
ABC_EVENTS = [{"data": "a"}, {"data": "b"}, {"data": "c"}]
SOURCES = ("events", "template")


def mock_of(block: page.Block) -> Json:
    """The block as a mock: as it stands if it is one, else with a matcher, and three events if it has no source."""
    value = block.json
    if "matcher" in value:
        return value  # type: ignore[no-any-return]
    if "data" in value:
        value = {"sse": {"events": [value] * 3}}
    if "sse" in value and not any(source in value["sse"] for source in SOURCES):
        value["sse"]["events"] = ABC
    return {"id": "fragment", "matcher": {"path": "/fragment"}, **value}


def stream(mock: Json, *, speed: float = 1.0, **request: Any) -> Answer:
    """What a mock sends; times are those of its server's clock."""
    clock = QuickClock(speed)
    with running_mockd(mock, engine=Engine(Settings(), clock=clock)) as mockd:
        return read_mock(mockd, mock, now=clock.monotonic, **request)


def read_mock(mockd: RunningMockd, mock: Json, **request: Any) -> Answer:
    return read(mockd.url + mock["matcher"]["path"], mock["matcher"].get("method", "GET"), **request)


def with_sse(heading: str, **sse: Any) -> Json:
    """The fragment under that heading, with other fields of `sse` beside it."""
    mock = mock_of(BLOCKS[heading])
    return {**mock, "sse": {**mock["sse"], **sse}}


def lifecycle_without(*names: str, events: list[Json] = ABC, **lifecycle: Any) -> Json:
    """The lifecycle fragment without some of its fields, and with others."""
    kept = {name: value for name, value in BLOCKS[LIFECYCLE].json["sse"]["lifecycle"].items() if name not in names}
    return with_sse(LIFECYCLE, events=events, lifecycle=kept | lifecycle)


EVENTS = "Events"
TIMING = "Timing Control"
LIFECYCLE = "Lifecycle Management"
RATE = "Rate Limiting"
RESUME = "Connection Resumption"
CLOSE = {"event": "close", "data": "Stream ended"}


# -- every block, as it stands -----------------------------------------------------------------------------------------


def check_hello_world(answer: Answer) -> None:
    assert answer.events == [{"data": "Hello"}, {"data": "World"}]
    assert answer.seconds >= 1.0


def check_chat(answer: Answer) -> None:
    said = ["Hello", "!", " How", " can", " I", " help", "?"]
    assert chat_parts(answer.events) == ["role", *said, ("finish", "stop"), "[DONE]"]
    assert answer.seconds >= len(said) * 0.05
    assert json.loads(answer.events[0]["data"])["model"] == "gpt-4"


def check_chat_fragment(answer: Answer) -> None:
    assert chat_parts(answer.events) == ["role", "Hello", " World", ("finish", "stop"), "[DONE]"]
    assert answer.seconds >= 2 * 0.05


def check_event(answer: Answer) -> None:
    assert answer.body == b"id: event-1\nevent: message\ndata: Event payload\nretry: 3000\n\n"


def check_timing(answer: Answer) -> None:
    assert answer.events == ABC_EVENTS
    due = [0.1 + 0.1, 0.2 + 0.2, 0.4 + 0.5]
    assert all(at >= moment for at, moment in zip(answer.event_times, due, strict=True))


def check_lifecycle(answer: Answer) -> None:
    assert answer.events == [*ABC_EVENTS, CLOSE]


def check_abc(answer: Answer) -> None:
    assert answer.events == ABC_EVENTS


def check_ids(answer: Answer) -> None:
    assert answer.events == [{"id": str(number), **event} for number, event in enumerate(ABC_EVENTS, 1)]


def check_notification(answer: Answer) -> None:
    [event] = answer.events
    data = json.loads(event["data"])
    assert event.keys() == {"event", "data"}
    assert event["event"] == "notification"
    assert list(data) == ["type", "message", "timestamp", "id"]
    assert (data["type"], data["message"]) == ("alert", "System update")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", data["timestamp"])
    assert re.fullmatch(UUID, data["id"])


def check_placeholders(answer: Answer) -> None:
    data = [json.loads(event["data"]) for event in answer.events]
    assert [list(item) for item in data] == [["id", "value", "status", "timestamp"]] * 3
    assert len({item["id"] for item in data}) == 3
    for item in data:
        assert re.fullmatch(UUID, item["id"])
        assert isinstance(item["value"], int)
        assert 1 <= item["value"] <= 100
        assert item["status"] in ("active", "pending", "complete")
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", item["timestamp"])


def check_chunked(answer: Answer) -> None:
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.chunks == [b"Large content to stream in chunks..."]


def check_ndjson(answer: Answer) -> None:
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert answer.chunks == [b'{"id":1,"name":"Alice"}\n', b'{"id":2,"name":"Bob"}\n']
    assert answer.seconds >= 0.1


QUICK = 10.0

CHECKS: dict[str, Callable[[Answer], None]] = {
    "Using Configuration File": check_hello_world,
    "OpenAI-Compatible Streaming": check_chat,
    EVENTS: check_event,
    TIMING: check_timing,
    LIFECYCLE: check_lifecycle,
    RATE: check_abc,
    RESUME: check_ids,
    "openai-chat": check_chat_fragment,
    "notification-stream": check_notification,
    "Random Placeholders": check_placeholders,
    "Basic Chunked Response": check_chunked,
    "NDJSON Streaming": check_ndjson,
}


@pytest.mark.parametrize("block", page.blocks("json"), ids=lambda block: str(block.heading))
def test_block_streams_through_the_admin_api(block: page.Block) -> None:
    mock = mock_of(block)
    clock = QuickClock(QUICK)
    with running_mockd(engine=Engine(Settings(), clock=clock)) as mockd:
        with mockd.admin() as admin:
            answer = admin.create_mock(mock)
            assert admin.get_mock(answer["id"]) == mock  # nothing refused, dropped or rewritten
        streamed = read_mock(mockd, mock, now=clock.monotonic)
    assert streamed.status == 200
    assert streamed.complete
    CHECKS[block.heading](streamed)


@pytest.mark.parametrize("block", page.blocks("json"), ids=lambda block: str(block.heading))
def test_block_streams_from_a_file(block: page.Block, tmp_path: Path) -> None:
    mock = mock_of(block)
    file = tmp_path / "mock.json"
    file.write_text(block.text if mock == block.json else json.dumps(mock), encoding="utf-8")
    clock = QuickClock(QUICK)
    engine = Engine(Settings(), clock=clock)
    engine.load(load_paths([str(file)]))
    with running_mockd(engine=engine) as mockd:
        streamed = read_mock(mockd, mock, now=clock.monotonic)
    assert (streamed.status, streamed.complete) == (200, True)
    CHECKS[block.heading](streamed)


# -- events ------------------------------------------------------------------------------------------------------------


def test_data_may_be_an_object() -> None:
    assert (
        stream(with_sse(EVENTS, events=[{"data": {"b": 1, "a": [2, None]}}])).body == b'data: {"b":1,"a":[2,null]}\n\n'
    )


def test_a_comment_is_not_delivered_as_an_event() -> None:
    answer = stream(with_sse(EVENTS, events=[{"comment": "hello"}, {"data": "a", "comment": "and\nmore"}]))
    assert answer.body == b": hello\n: and\n: more\ndata: a\n\n"


# -- timing: each mode in turn, those before it in the page's fragment left out ---------------------------------------

GENEROUS = 6
"""An upper bound is that many times what is due: it tells one mode from another, not how exact it is."""


@pytest.mark.parametrize(
    ("left_out", "count", "due"),
    [
        (("perEventDelays",), 6, [0.1, 0.11, 0.12, 0.13, 0.14, 1.14]),
        (("perEventDelays", "burst", "randomDelay"), 3, [0.1, 0.6, 1.1]),
        (("perEventDelays", "burst", "randomDelay", "fixedDelay"), 3, [0.1, 0.1, 0.1]),
        (("burst", "randomDelay"), 4, [0.2, 0.4, 0.9, 1.4]),
        (("perEventDelays", "burst", "randomDelay", "initialDelay"), 2, [0.0, 0.5]),
    ],
    ids=["burst", "fixed", "initial", "per event, then fixed", "no initial"],
)
def test_timing_mode(left_out: tuple[str, ...], count: int, due: list[float]) -> None:
    timing = BLOCKS[TIMING].json["sse"]["timing"]
    kept = {name: value for name, value in timing.items() if name not in left_out}
    events = [{"data": str(number)} for number in range(count)]
    answer = stream(with_sse(TIMING, events=events, timing=kept))
    assert all(at >= moment for at, moment in zip(answer.event_times, due, strict=True))
    assert all(at <= max(moment, 0.1) * GENEROUS for at, moment in zip(answer.event_times, due, strict=True))


def test_random_delay_lies_in_its_range() -> None:
    timing = {"randomDelay": BLOCKS[TIMING].json["sse"]["timing"]["randomDelay"]}
    answer = stream(with_sse(TIMING, timing=timing))
    assert answer.events == ABC_EVENTS
    _, second, third = answer.event_times
    assert second >= 0.1
    assert third >= 0.2
    assert third <= 1.0 * GENEROUS


# -- lifecycle ---------------------------------------------------------------------------------------------------------

FAST = 50.0


def test_keepalives_fill_the_silence_until_the_connection_timeout() -> None:
    events: list[Json] = [{"data": "a"}, {"data": "b", "delay": 40_000}]
    answer = stream(lifecycle_without(events=events, keepOpen=True), speed=FAST)
    final = b"event: close\ndata: Stream ended\n\n"
    keepalives = rb"(: keepalive\n){1,2}"
    assert re.fullmatch(b"data: a\n\n" + keepalives + b"data: b\n\n" + keepalives + final, answer.body)
    assert answer.complete
    assert answer.seconds >= 60


def test_timeout_ends_a_stream_that_has_been_silent_so_long() -> None:
    answer = stream(lifecycle_without("connectionTimeout", "keepaliveInterval", keepOpen=True), speed=500.0)
    assert answer.events == [*ABC_EVENTS, CLOSE]
    assert answer.complete
    assert answer.seconds >= 300


def test_max_events_ends_an_endless_stream() -> None:
    mock = with_sse(LIFECYCLE, repeat=0)
    answer = stream(mock)
    assert answer.events == [*(ABC_EVENTS * 34)[:100], CLOSE]


@pytest.mark.parametrize(
    ("termination", "body", "complete"),
    [
        ({"type": "graceful"}, b"event: close\ndata: Stream ended\n\n", True),
        ({"type": "abrupt"}, b"", False),
        (
            {"type": "error"},
            b'event: error\ndata: {"error":{"code":"max_events",'
            b'"message":"the stream has sent all events it may send"}}\n\n',
            True,
        ),
    ],
    ids=["graceful", "abrupt", "error"],
)
def test_terminations_differ(termination: Json, body: bytes, complete: bool) -> None:
    whole = BLOCKS[LIFECYCLE].json["sse"]["lifecycle"]["termination"] | termination
    answer = stream(lifecycle_without("maxEvents", maxEvents=2, termination=whole))
    assert answer.body == b"data: a\n\ndata: b\n\n" + body
    assert answer.complete == complete


def test_close_delay_holds_the_connection_after_the_final_event() -> None:
    whole = BLOCKS[LIFECYCLE].json["sse"]["lifecycle"]["termination"] | {"closeDelay": 300}
    answer = stream(lifecycle_without(termination=whole))
    assert answer.events == [*ABC_EVENTS, CLOSE]
    assert answer.seconds >= 0.3


# -- rate limit, resume ------------------------------------------------------------------------------------------------


def test_rate_limit_lets_a_burst_through_and_then_so_many_a_second() -> None:
    answer = stream(with_sse(RATE, events=[{"data": str(number)} for number in range(12)]))
    assert [event["data"] for event in answer.events] == [str(number) for number in range(12)]
    assert answer.event_times[4] <= 0.1 * GENEROUS
    assert answer.event_times[-1] >= 7 / 10


def test_a_client_that_comes_back_gets_what_it_missed() -> None:
    mock = mock_of(BLOCKS[RESUME])
    with running_mockd(mock) as mockd:
        assert [event["id"] for event in read_mock(mockd, mock).events] == ["1", "2", "3"]
        missed = read_mock(mockd, mock, headers={"Last-Event-ID": "1"})
        nothing = read_mock(mockd, mock, headers={"Last-Event-ID": "3"})
    assert missed.events == [{"id": "2", "data": "b"}, {"id": "3", "data": "c"}]
    assert nothing.status == 204


def test_the_buffer_holds_as_many_events_as_it_is_large() -> None:
    mock = with_sse(RESUME, events=[{"data": "$uuid"} for _ in range(150)])
    with running_mockd(mock) as mockd, mockd.admin() as admin:
        ids = [event["id"] for event in read_mock(mockd, mock).events]
        held = admin.get_buffer("fragment")
    assert len(ids) == 150
    assert [event["id"] for event in held["events"]] == ids[50:]


# -- templates and chunks ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("params", "parts"),
    [
        ({"includeDone": False}, ["role", "Hello", " World", ("finish", "stop")]),
        ({"finishReason": "length"}, ["role", "Hello", " World", ("finish", "length"), "[DONE]"]),
        ({"tokens": []}, ["role", ("finish", "stop"), "[DONE]"]),
    ],
    ids=str,
)
def test_chat_parameters(params: Json, parts: list[Any]) -> None:
    whole = BLOCKS["openai-chat"].json["sse"]["templateParams"] | params
    assert chat_parts(stream(with_sse("openai-chat", templateParams=whole)).events) == parts


@pytest.mark.parametrize(
    ("left_out", "type_", "keys"),
    [
        (("eventType",), "alert", ["type", "message", "timestamp", "id"]),
        (("includeTimestamp",), "notification", ["type", "message", "id"]),
        (("includeId",), "notification", ["type", "message", "timestamp"]),
    ],
    ids=str,
)
def test_notification_parameters(left_out: tuple[str, ...], type_: str, keys: list[str]) -> None:
    params = BLOCKS["notification-stream"].json["sse"]["templateParams"]
    kept = {name: value for name, value in params.items() if name not in left_out}
    [event] = stream(with_sse("notification-stream", templateParams=kept)).events
    assert event["event"] == type_
    assert list(json.loads(event["data"])) == keys


def test_chunks_have_their_size_and_delay() -> None:
    mock = mock_of(BLOCKS["Basic Chunked Response"])
    data = (mock["chunked"]["data"] * 100)[:3000]
    answer = stream({**mock, "chunked": {**mock["chunked"], "data": data}})
    assert [len(chunk) for chunk in answer.chunks] == [1024, 1024, 952]
    assert answer.body == data.encode()
    assert answer.seconds >= 0.2
