"""What is written and in how many pieces: heads, retry, flushing, counting."""

from __future__ import annotations

from typing import Any

import pytest

from tests.stream.harness import Exchange, Lab, words

pytestmark = pytest.mark.anyio

PACED: list[dict[str, Any]] = [
    {},
    {"timing": {"fixedDelay": 10}},
    {"timing": {"randomDelay": {"max": 10}}},
    {"rateLimit": {"eventsPerSecond": 100}},
]


# -- the head ----------------------------------------------------------------------------------------------------------


async def test_head_of_an_event_stream(lab: Lab) -> None:
    stream = await lab.run(events=words(1))
    assert stream.status == 200
    assert stream.headers == {
        "content-type": "text/event-stream",
        "cache-control": "no-cache",
        "x-accel-buffering": "no",
        "connection": "keep-alive",
    }


@pytest.mark.parametrize(("http_version", "headers"), [("1.0", {}), ("2", {}), ("1.1", {"Connection": "close"})])
async def test_keep_alive_is_said_only_where_it_is_so(lab: Lab, http_version: str, headers: dict[str, str]) -> None:
    lab.mock("sse", events=words(1))
    stream = await lab.open(http_version=http_version, headers=headers)
    assert "connection" not in stream.headers


async def test_status_and_headers_of_the_mock_win(lab: Lab) -> None:
    headers = {"Content-Type": "text/event-stream; charset=utf-8", "X-Name": "é", "cache-control": "no-store"}
    stream = await lab.run(events=words(1), status=201, headers=headers)
    assert stream.status == 201
    assert stream.headers == {
        "content-type": "text/event-stream; charset=utf-8",
        "x-name": "é",
        "cache-control": "no-store",
        "x-accel-buffering": "no",
        "connection": "keep-alive",
    }


@pytest.mark.parametrize("accept", [None, "application/json", "text/event-stream", "image/png"])
async def test_accept_is_never_consulted(lab: Lab, accept: str | None) -> None:
    lab.mock("sse", events=words(1))
    stream = await lab.open(headers={"Accept": accept} if accept else {})
    assert stream.text == "data: 1\n\n"


async def test_nothing_is_compressed(lab: Lab) -> None:
    lab.mock("sse", events=words(1))
    stream = await lab.open(headers={"Accept-Encoding": "gzip, br"})
    assert "content-encoding" not in stream.headers
    assert stream.text == "data: 1\n\n"


# -- retry -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("extra", PACED, ids=str)
@pytest.mark.parametrize(
    ("events", "text"),
    [
        (words(2), "data: 1\nretry: 3000\n\ndata: 2\n\n"),
        ([{"comment": "c"}, *words(2)], ": c\ndata: 1\nretry: 3000\n\ndata: 2\n\n"),
        ([{"data": "1", "retry": 5}, {"data": "2"}], "data: 1\nretry: 5\n\ndata: 2\n\n"),
        ([{"id": "1"}, {"data": "2"}], "id: 1\nretry: 3000\n\ndata: 2\n\n"),
        ([{"data": "$pick:x"}, {"data": "2"}], "data: x\nretry: 3000\n\ndata: 2\n\n"),
        ([{"comment": "c"}], ": c\n"),
    ],
    ids=str,
)
async def test_retry_goes_into_the_frame_of_the_first_event(
    lab: Lab, events: list[dict[str, Any]], text: str, extra: dict[str, Any]
) -> None:
    assert (await lab.run(events=events, retry=3000, **extra)).text == text


async def test_retry_of_nought_is_one(lab: Lab) -> None:
    assert (await lab.run(events=words(1), retry=0)).text == "data: 1\nretry: 0\n\n"


async def test_retry_comes_once_in_every_connection(lab: Lab) -> None:
    lab.mock("sse", events=words(2), repeat=2, retry=5)
    for _ in range(2):
        assert (await lab.open()).text == "data: 1\nretry: 5\n\ndata: 2\n\ndata: 1\n\ndata: 2\n\n"


async def test_retry_comes_with_the_first_event_after_coming_back_too(lab: Lab) -> None:
    lab.mock("sse", events=words(3), retry=5, resume={"enabled": True}, flush="event")
    await lab.open()
    back = await lab.open(headers={"Last-Event-ID": "1"})
    assert payloads(back) == [b"id: 2\ndata: 2\nretry: 5\n\n", b"id: 3\ndata: 3\n\n"]


async def test_retry_waits_past_keepalives(lab: Lab) -> None:
    stream = await lab.run(events=words(1), retry=5, timing={"initialDelay": 6000}, lifecycle={"keepaliveInterval": 5})
    assert stream.text == ": keepalive\ndata: 1\nretry: 5\n\n"


@pytest.mark.parametrize(
    ("final", "text"),
    [
        ({"data": "bye"}, "data: bye\nretry: 5\n\n"),
        ({"data": "bye", "retry": 9}, "data: bye\nretry: 9\n\n"),
        ({"comment": "bye"}, ": bye\n"),
    ],
    ids=str,
)
async def test_the_final_event_may_be_the_first(lab: Lab, final: dict[str, Any], text: str) -> None:
    termination = {"finalEvent": final}
    stream = await lab.stream(events=[], retry=5, lifecycle={"keepOpen": True, "termination": termination})
    await stream.hang_up()
    stream = await lab.open()
    lab.engine.streams.close_all("mock")
    await lab.clock.advance(0)
    assert stream.text == text


# -- writes ------------------------------------------------------------------------------------------------------------


def payloads(stream: Exchange) -> list[bytes]:
    return [part for _, part in stream.writes]


@pytest.mark.parametrize("extra", PACED, ids=str)
async def test_with_flush_event_every_event_is_a_write_of_its_own(lab: Lab, extra: dict[str, Any]) -> None:
    life = {"termination": {"finalEvent": {"data": "bye"}}}
    stream = await lab.run(events=[*words(40), {"comment": "c"}], flush="event", lifecycle=life, **extra)
    assert payloads(stream) == [b"data: %d\n\n" % number for number in range(1, 41)] + [b": c\n", b"data: bye\n\n"]


async def test_events_due_together_may_share_a_write(lab: Lab) -> None:
    stream = await lab.run(events=words(40))
    assert len(stream.writes) < 40
    assert stream.text == "".join(f"data: {number}\n\n" for number in range(1, 41))


async def test_events_of_different_moments_never_share_a_write(lab: Lab) -> None:
    stream = await lab.run(events=words(40), timing={"fixedDelay": 1})
    assert len(stream.writes) == 40


async def test_one_write_for_an_event_of_any_size_with_flush_event(lab: Lab) -> None:
    stream = await lab.run(events=[{"data": "x" * 300_000}, *words(1)], flush="event")
    assert [len(part) for part in payloads(stream)] == [300_008, 9]


@pytest.mark.parametrize("size", [1, 65_527, 65_528, 65_529, 131_063, 131_064, 131_065, 500_000])
@pytest.mark.parametrize("extra", [{}, {"timing": {"fixedDelay": 5}}], ids=str)
async def test_large_events_go_out_whole_in_pieces(lab: Lab, size: int, extra: dict[str, Any]) -> None:
    data = "".join(chr(97 + number % 26) for number in range(size))
    stream = await lab.run(events=[{"data": "first"}, {"data": data}, {"data": "last"}], **extra)
    assert stream.text == f"data: first\n\ndata: {data}\n\ndata: last\n\n"
    assert max(map(len, payloads(stream))) <= 65_536
    assert lab.ended["bytesSent"] == len(stream.body)
    assert lab.ended["eventsSent"] == 3


# -- counting ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("extra", PACED, ids=str)
async def test_events_are_those_with_data_and_bytes_are_those_written(lab: Lab, extra: dict[str, Any]) -> None:
    events = [{"comment": "c"}, {"data": "1"}, {"data": ""}, {"id": "7"}, {"retry": 5}, {"data": None, "id": "8"}]
    life = {"termination": {"finalEvent": {"data": "bye"}}}
    stream = await lab.run(events=events, lifecycle=life, **extra)
    ended = lab.ended
    assert ended["eventsSent"] == 3
    assert ended["bytesSent"] == len(stream.body)
    assert ended["lastEventId"] == "8"


async def test_counters_are_true_at_every_moment(lab: Lab) -> None:
    stream = await lab.stream(events=words(5), repeat=0, timing={"fixedDelay": 100})
    for number in range(1, 20):
        connection = lab.live[0]
        assert connection["eventsSent"] == number == len(stream.events)
        assert connection["bytesSent"] == len(stream.body)
        await lab.clock.advance(0.1)
    await stream.hang_up()


async def test_bytes_are_of_the_body_in_utf_8(lab: Lab) -> None:
    await lab.run(events=[{"data": "é€"}])
    assert lab.ended["bytesSent"] == len("data: é€\n\n".encode())


async def test_totals_are_of_all_streams_live_and_ended(lab: Lab) -> None:
    lab.mock("sse", events=words(3), timing={"fixedDelay": 1000})
    for _ in range(2):
        await lab.open()
    await lab.clock.advance(10)
    live = [await lab.open() for _ in range(2)]
    stats = lab.engine.connections.stats()
    assert stats["activeConnections"] == 2
    assert stats["totalConnections"] == 4
    assert stats["totalEventsSent"] == 2 * 3 + 2 * 1
    assert stats["connectionsByMock"] == {"mock": 2}
    for stream in live:
        await stream.hang_up()


async def test_each_kind_of_stream_is_counted() -> None:
    lab = Lab()
    kinds: dict[str, tuple[str, dict[str, Any], int]] = {
        "sse": ("sse", {"events": words(3)}, 3),
        "chunked": ("chunked", {"data": "abcdef", "chunkSize": 4}, 2),
        "ndjson": ("chunked", {"ndjsonItems": [1, 2, 3, 4]}, 4),
    }
    events = sent = 0
    for kind, (part, config, count) in kinds.items():
        lab.engine.create({"id": kind, "matcher": {"path": f"/{kind}"}, part: config})
        stream = await lab.open(f"/{kind}")
        assert (lab.ended["kind"], lab.ended["mockId"], lab.ended["path"]) == (kind, kind, f"/{kind}")
        assert (lab.ended["eventsSent"], lab.ended["bytesSent"]) == (count, len(stream.body))
        events, sent = events + count, sent + len(stream.body)
    stats = lab.engine.connections.stats()
    assert (stats["totalConnections"], stats["totalEventsSent"], stats["totalBytesSent"]) == (3, events, sent)


async def test_who_is_connected() -> None:
    lab = Lab()
    lab.mock("sse", events=words(1), lifecycle={"keepOpen": True})
    await lab.open(headers={"User-Agent": "tests"})
    await lab.clock.advance(1)
    stream = await lab.open()
    first, second = lab.live
    assert {
        key: first[key] for key in ("mockId", "kind", "path", "clientIp", "userAgent", "status", "connectedAt")
    } == {
        "mockId": "mock",
        "kind": "sse",
        "path": "/stream",
        "clientIp": "127.0.0.1",
        "userAgent": "tests",
        "status": "active",
        "connectedAt": "2024-01-15T10:00:00Z",
    }
    assert second["connectedAt"] == "2024-01-15T10:00:01Z"
    assert "userAgent" not in second
    assert first["id"] != second["id"]
    await stream.hang_up()
    assert lab.engine.connections.get(second["id"])["status"] == "closed"
