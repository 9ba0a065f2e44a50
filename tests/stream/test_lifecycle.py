"""How long a stream lives, and what it is said to have ended by."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from mockd.config.load import parse_mock
from tests.stream.harness import PATH, Lab, words

pytestmark = pytest.mark.anyio

SECONDS = {"fixedDelay": 1000}
FINAL = {"finalEvent": {"data": "bye"}}


async def outcome_of(lab: Lab, life: dict[str, Any], **config: Any) -> tuple[str, list[str], int | None]:
    stream = await lab.run(lifecycle=life, **config)
    assert not stream.is_open
    return lab.ended["outcome"], [data for _, data in stream.events], stream.ended_at


@pytest.mark.parametrize(
    ("life", "outcome", "ended_at"),
    [
        ({}, "completed", 4000),
        ({"maxEvents": 2}, "max_events", 1000),
        ({"maxEvents": 5}, "max_events", 4000),
        ({"maxEvents": 6}, "completed", 4000),
        ({"maxEvents": 5, "keepOpen": True}, "max_events", 4000),
        ({"timeout": 0.5}, "timed_out", 500),
        ({"timeout": 1.5}, "completed", 4000),
        ({"timeout": 1.5, "keepOpen": True}, "timed_out", 5500),
        ({"connectionTimeout": 2.5}, "timed_out", 2500),
        ({"connectionTimeout": 60, "keepOpen": True}, "timed_out", 60_000),
        ({"connectionTimeout": 2.5, "timeout": 0.25}, "timed_out", 250),
        ({"connectionTimeout": 2.5, "maxEvents": 2}, "max_events", 1000),
        ({"connectionTimeout": 0.5, "maxEvents": 2}, "timed_out", 500),
        ({"simulateDisconnect": 0}, "aborted", None),
        ({"simulateDisconnect": 3}, "aborted", None),
        ({"simulateDisconnect": 3, "maxEvents": 2}, "max_events", 1000),
        ({"simulateDisconnect": 2, "maxEvents": 3}, "aborted", None),
        ({"simulateDisconnect": 2, "maxEvents": 2}, "aborted", None),
        ({"simulateDisconnect": 3, "connectionTimeout": 1.5}, "timed_out", 1500),
        ({"simulateDisconnect": 9}, "completed", 4000),
        ({"simulateDisconnect": 9, "keepOpen": True, "timeout": 10}, "timed_out", 14_000),
    ],
    ids=str,
)
@pytest.mark.parametrize(
    "extra", [{}, {"resume": {"enabled": True}}, {"rateLimit": {"eventsPerSecond": 1000}}], ids=str
)
async def test_limits_and_their_combinations(
    lab: Lab, life: dict[str, Any], outcome: str, ended_at: int | None, extra: dict[str, Any]
) -> None:
    ended, data, at = await outcome_of(lab, life, events=words(5), timing=SECONDS, **extra)
    assert (ended, at) == (outcome, ended_at)
    assert lab.ended["eventsSent"] == len(data)


@pytest.mark.parametrize("events", [0, 1, 3])
async def test_simulated_disconnect_is_after_so_many_events(lab: Lab, events: int) -> None:
    stream = await lab.run(
        events=words(5), timing=SECONDS, lifecycle={"simulateDisconnect": events, "termination": FINAL}
    )
    assert stream.status == 200
    assert [data for _, data in stream.events] == ["1", "2", "3"][:events]
    assert stream.ended_at is None


async def test_max_events_counts_events_with_data_only(lab: Lab) -> None:
    events = [{"comment": "a"}, {"data": "1"}, {"retry": 10}, {"id": "x"}, {"data": "2"}, {"comment": "b"}]
    stream = await lab.run(events=events, repeat=0, lifecycle={"maxEvents": 3, "termination": FINAL})
    assert stream.text == ": a\ndata: 1\n\nretry: 10\n\nid: x\n\ndata: 2\n\n: b\n: a\ndata: 1\n\ndata: bye\n\n"
    assert lab.ended["eventsSent"] == 3


async def test_max_events_over_repeats(lab: Lab) -> None:
    stream = await lab.run(events=words(3), repeat=0, timing={"fixedDelay": 1}, lifecycle={"maxEvents": 1000})
    assert len(stream.events) == 1000
    assert stream.ended_at == 999


async def test_done_of_a_template_counts(lab: Lab) -> None:
    params = {"tokens": ["a", "b"]}
    stream = await lab.run(template="openai-chat", templateParams=params, lifecycle={"maxEvents": 5})
    assert stream.events[-1][1] == "[DONE]"
    assert lab.ended["outcome"] == "max_events"


async def test_time_limit_is_counted_from_the_last_event_or_the_head(lab: Lab) -> None:
    stream = await lab.run(events=words(3), timing={"perEventDelays": [2900, 2900, 3100]}, lifecycle={"timeout": 3})
    assert stream.times == [2900, 5800]
    assert stream.ended_at == 8800


async def test_comments_and_keepalives_do_not_put_the_time_limit_off(lab: Lab) -> None:
    events = [{"data": "1"}, *({"comment": "still here"} for _ in range(30)), {"data": "2"}]
    stream = await lab.run(
        events=events, timing=SECONDS, lifecycle={"timeout": 10, "keepaliveInterval": 5, "keepOpen": True}
    )
    assert stream.times == [0]
    assert stream.ended_at == 10_000


async def test_connection_time_counts_from_the_request(lab: Lab) -> None:
    stream = await lab.run(events=words(3), timing={"initialDelay": 5000}, lifecycle={"connectionTimeout": 2})
    assert stream.ended_at == 2000
    assert stream.events == []


async def test_connection_time_covers_the_close_delay(lab: Lab) -> None:
    termination = {**FINAL, "closeDelay": 60_000}
    stream = await lab.run(events=words(1), lifecycle={"connectionTimeout": 2, "termination": termination})
    assert stream.ended_at == 2000


async def test_connection_time_covers_waiting_for_a_token(lab: Lab) -> None:
    limit = {"eventsPerSecond": 0.01}
    stream = await lab.run(events=words(2), rateLimit=limit, lifecycle={"connectionTimeout": 3})
    assert stream.times == [0]
    assert stream.ended_at == 3000


async def test_a_client_that_does_not_read_does_not_outlive_its_time(lab: Lab) -> None:
    stream = await lab.stream(events=words(9), timing=SECONDS, lifecycle={"connectionTimeout": 3})
    await stream.stop_reading()
    await lab.clock.advance(10)
    assert lab.ended["outcome"] == "timed_out"
    assert not stream.is_open


async def test_open_streams_stay_until_someone_ends_them(lab: Lab) -> None:
    stream = await lab.stream(events=words(1), lifecycle={"keepOpen": True, "termination": FINAL})
    await lab.clock.advance(100_000)
    assert stream.is_open
    assert stream.text == "data: 1\n\n"
    await stream.hang_up()
    assert lab.ended["outcome"] == "client_disconnected"
    assert stream.text == "data: 1\n\n"


async def test_an_open_stream_without_events_rests(lab: Lab) -> None:
    stream = await lab.stream(events=[], lifecycle={"keepOpen": True})
    turns = lab.clock.calls
    await lab.clock.advance(1000)
    assert stream.is_open
    assert lab.clock.calls - turns < 100


@pytest.mark.parametrize("config", [{"events": words(1), "repeat": 0}, {"generator": {"type": "sequence"}}])
async def test_an_endless_stream_without_delay_lets_others_have_their_turn_and_dies_with_its_client(
    lab: Lab, config: dict[str, Any]
) -> None:
    endless = await lab.stream(**config)
    lab.engine.create({"id": "other", "matcher": {"path": "/other"}, "sse": {"events": words(1)}})
    other = await lab.open("/other")
    assert endless.is_open
    assert other.text == "data: 1\n\n"
    await endless.hang_up()
    assert not endless.is_open
    assert lab.live == []


@pytest.mark.parametrize("kind", ["sse", "chunked"])
async def test_a_client_that_leaves_is_gone_at_once(lab: Lab, kind: str) -> None:
    config = {
        "sse": {"events": words(2), "timing": SECONDS},
        "chunked": {"data": "ab", "chunkSize": 1, "chunkDelay": 9},
    }
    stream = await lab.stream(kind, **config[kind])
    assert len(lab.live) == 1
    await stream.hang_up()
    assert lab.live == []
    assert lab.ended["outcome"] == "client_disconnected"
    assert not stream.is_open
    await lab.clock.advance(60)
    assert len(stream.writes) <= 1


async def test_a_server_that_says_so_by_an_error() -> None:
    """From ASGI 2.4 on, `send` may raise an OSError once the client has left."""
    lab = Lab()
    stream = await lab.stream(events=words(3), timing=SECONDS)
    stream.fail_with(ConnectionResetError("gone"))
    await lab.clock.advance(1)
    assert not stream.is_open
    assert stream.task.exception() is None
    assert lab.ended["outcome"] == "client_disconnected"
    assert lab.ended["eventsSent"] == 1


@pytest.mark.parametrize("in_memory", [False, True])
async def test_a_client_that_reads_nothing_is_given_up_after_a_while(in_memory: bool) -> None:
    lab = Lab(in_memory=in_memory, send_timeout=60)
    stream = await lab.stream(events=words(3), timing={"fixedDelay": 50_000})
    await stream.stop_reading()
    await lab.clock.advance(109)
    assert stream.is_open
    await lab.clock.advance(2)
    assert not stream.is_open
    assert lab.ended["outcome"] == "slow_client"
    assert lab.ended["eventsSent"] == 1


async def test_a_client_that_reads_however_slowly_is_not_given_up() -> None:
    lab = Lab(in_memory=True, send_timeout=60)
    stream = await lab.stream(events=words(3), timing={"fixedDelay": 1000})
    await stream.stop_reading()
    for _ in range(5):
        await lab.clock.advance(59)
        stream.line.backlog -= 1
    assert stream.is_open
    await lab.clock.advance(121)
    assert lab.ended["outcome"] == "slow_client"
    assert stream.line.commands[-1] == ("abort", False)


@pytest.mark.parametrize("in_memory", [False, True])
async def test_a_pause_between_events_is_not_taken_for_a_client_that_does_not_read(in_memory: bool) -> None:
    lab = Lab(in_memory=in_memory, send_timeout=60)
    stream = await lab.stream(events=words(3), timing={"fixedDelay": 119_000})
    await lab.clock.advance(118.5)
    await stream.stop_reading()
    await lab.clock.advance(30)
    await stream.read_on()
    await lab.clock.advance(1000)
    assert len(stream.events) == 3
    assert lab.ended["outcome"] == "completed"


# -- chunks and items count as events do -------------------------------------------------------------------------------

CHUNKED: dict[str, dict[str, Any]] = {
    "text": {"data": "12345", "chunkSize": 1},
    "filled in for each": {"data": "$random(1,1)2345", "chunkSize": 1},
    "from the request": {"data": "{{ request.method[:0] }}12345", "chunkSize": 1},
    "items": {"ndjsonItems": [1, 2, 3, 4, 5]},
    "lines": {"data": "1\n2\n3\n4\n5", "format": "ndjson"},
    "repeated": {"ndjsonItems": [1, 2, 3], "repeat": 0},
}


@pytest.mark.parametrize(
    ("life", "outcome", "events"),
    [
        ({"maxEvents": 2}, "max_events", 2),
        ({"maxEvents": 2, "keepOpen": True}, "max_events", 2),
        ({"simulateDisconnect": 0}, "aborted", 0),
        ({"simulateDisconnect": 3}, "aborted", 3),
        ({"simulateDisconnect": 3, "maxEvents": 2}, "max_events", 2),
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", CHUNKED)
@pytest.mark.parametrize("delay", [None, 0, 1000])
async def test_chunked_streams_have_the_same_limits(
    lab: Lab, kind: str, delay: int | None, life: dict[str, Any], outcome: str, events: int
) -> None:
    pace = {} if delay is None else {"chunkDelay": delay}
    stream = await lab.run("chunked", **CHUNKED[kind], **pace, lifecycle={**life, "termination": FINAL})
    assert (lab.ended["outcome"], lab.ended["eventsSent"]) == (outcome, events)
    assert stream.status == 200
    ends_by_itself = outcome == "max_events"
    expected = "".join("12312"[:events]) + ("bye" if ends_by_itself else "")
    assert stream.text.replace("\n", "") == expected
    assert (stream.ended_at is not None) is ends_by_itself


async def test_a_file_in_chunks_has_them_too(lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("12345")
    part = {"dataFile": "data", "chunkSize": 2, "lifecycle": {"maxEvents": 2}}
    lab.engine.import_specs(
        [parse_mock({"id": "mock", "matcher": {"path": PATH}, "chunked": part}, root=tmp_path)],
        replace=False,
        dry_run=False,
    )
    stream = await lab.open()
    await asyncio.wait_for(asyncio.shield(stream.task), 20)
    assert (stream.text, lab.ended["outcome"]) == ("1234", "max_events")
