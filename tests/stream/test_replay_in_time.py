"""Recordings are played at the times that they have."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mockd.config.load import parse_collection
from tests.stream.harness import PATH, Exchange, Lab

pytestmark = pytest.mark.anyio

SSE = [["Content-Type", "text/event-stream"]]
LINES = [
    [100_000, "o", "data: 1\n\n"],
    [50_000, "o", "data: 2\n\nda"],
    [20_000, "o", "ta: 3\n\n"],
    [30_000, "end", "complete"],
]


async def played(
    root: Path,
    lines: list[Any],
    seconds: float = 3,
    step: float = 0.05,
    headers: Any = SSE,
    kind: str = "sse",
    **mock: Any,
) -> tuple[Lab, Exchange]:
    begun = {"mockd-stream": 1, "request": {"method": "GET", "url": "http://a.test/", "headers": []}}
    head = [200_000, "head", {"status": 200, "reason": "OK", "headers": headers}]
    (root / "a.stream.jsonl").write_text("".join(json.dumps(line) + "\n" for line in (begun, head, *lines)))
    lab = Lab(seed=1)
    answer = {kind: {"recording": "a.stream.jsonl", **mock.pop(kind, {})}}
    lab.engine.load(parse_collection([{"id": "mock", "matcher": {"path": PATH}, **answer, **mock}], root=root))
    exchange = await lab.open()
    for _ in range(round(seconds / step)):
        await lab.clock.advance(step)
    return lab, exchange


def bodies(exchange: Exchange) -> list[tuple[int, bytes]]:
    """The time of the head and of each body message, in milliseconds from the request."""
    return [(at, message.get("body", b"head")) for at, message in exchange.messages]


@pytest.mark.parametrize(
    ("replay", "times"),
    [
        ({}, [200, 300, 350, 370, 400]),
        ({"speed": 2}, [100, 150, 175, 185, 200]),
        ({"speed": 0.5}, [400, 600, 700, 740, 800]),
        ({"maxGap": 30}, [30, 60, 90, 110, 140]),
        ({"ttft": 10}, [200, 210, 260, 280, 310]),
        ({"speed": 2, "ttft": 10}, [100, 110, 135, 145, 160]),
        ({"timing": "none"}, [0, 0, 0, 0, 0]),
    ],
    ids=str,
)
async def test_times(tmp_path: Path, replay: Any, times: list[int]) -> None:
    _, exchange = await played(tmp_path, LINES, sse={"replay": replay})
    assert bodies(exchange) == list(
        zip(times, [b"head", b"data: 1\n\n", b"data: 2\n\nda", b"ta: 3\n\n", b""], strict=True)
    )


@pytest.mark.parametrize("delay", [100, {"dist": "uniform", "min": 100, "max": 100}], ids=str)
async def test_a_delay_of_the_mock_comes_before_the_head(tmp_path: Path, delay: Any) -> None:
    _, exchange = await played(tmp_path, LINES, kind="response", response={"delay": delay})
    assert [at for at, _ in bodies(exchange)] == [300, 400, 450, 470, 500]


@pytest.mark.parametrize("how", ["complete", "client", "closed", "timeout", "error"])
async def test_how_it_ended(tmp_path: Path, how: str) -> None:
    _, exchange = await played(tmp_path, [*LINES[:-1], [0, "end", how]])
    assert not exchange.is_open
    assert exchange.messages[-1][1]["more_body"] is (how not in ("complete", "client"))


async def test_another_timing_is_that_of_events(tmp_path: Path) -> None:
    _, exchange = await played(tmp_path, LINES, sse={"replay": {"timing": {"ttft": 100, "itl": 10}}})
    assert [at for at, body in bodies(exchange) if body.endswith(b"\n\n")][:1] == [100]
    assert b"".join(body for at, body in bodies(exchange) if at <= 110) == b"headdata: 1\n\ndata: 2\n\n"


async def test_another_timing_leaves_out_what_is_no_event(tmp_path: Path) -> None:
    lines = [
        [20_000, "o", ": begun\n\n"],
        [50_000, "o", "data: 1\n\n"],
        [20_000, "o", ": note\n\n"],
        [5_000, "o", "data: 2\n\n"],
        [0, "end", "complete"],
    ]
    _, exchange = await played(tmp_path, lines, step=0.005, sse={"replay": {"timing": {"ttft": 100, "itl": 10}}})
    sent = [*(line[2].encode() for line in lines[:-1]), b""]
    assert bodies(exchange)[1:] == list(zip([0, 100, 100, 110, 110], sent, strict=True))


SHARED = [
    [100_000, "o", "data: 1\n\nda"],
    [80_000, "o", "ta: 2\n\nid: 3\nda"],
    [80_000, "o", "ta: 3\n\n"],
    [40_000, "o", "data: 4\n\n"],
    [0, "end", "complete"],
]
"""Chunks that end inside of events."""


@pytest.mark.parametrize("is_late", [False, True])
@pytest.mark.parametrize(
    ("fault", "chunks"),
    [
        ("drop count=2 after 1 event", [(350, b"data: 1\n\n"), (550, b"data: 4\n\n"), (550, b"")]),
        (
            "delay 100ms after 1 event",
            [
                (350, b"data: 1\n\n"),
                (450, b"da"),
                (530, b"ta: 2\n\nid: 3\nda"),
                (610, b"ta: 3\n\n"),
                (650, b"data: 4\n\n"),
                (650, b""),
            ],
        ),
    ],
)
async def test_what_is_left_of_a_chunk_waits_for_nothing(
    tmp_path: Path, fault: str, chunks: list[tuple[int, bytes]], is_late: bool
) -> None:
    """A fault takes away the event with the end of the chunk. However late a stream is, its chunks are the same."""
    lines = [[50_000, "o", ": begun\n\n"], *SHARED]
    lab, exchange = await played(tmp_path, lines, seconds=0.2, step=0.005, faults=[fault])
    if is_late:
        await exchange.stop_reading()
        await lab.clock.advance(3)
        await exchange.read_on()
    for _ in range(200):
        await lab.clock.advance(0.005)
    expected = [(200, b"head"), (250, b": begun\n\n"), *chunks]
    assert [body for _, body in bodies(exchange)] == [body for _, body in expected]
    assert is_late or bodies(exchange) == expected


@pytest.mark.parametrize(
    ("fault", "sent"),
    [
        ("close after 150 ms", [(200, b"head"), (300, b"data: 1\n\nda"), (380, b"ta: 2\n\n")]),
        ("end after 150 ms", [(200, b"head"), (300, b"data: 1\n\nda"), (380, b"ta: 2\n\n"), (380, b"")]),
    ],
)
async def test_a_fault_between_the_chunks_of_an_event(tmp_path: Path, fault: str, sent: Any) -> None:
    _, exchange = await played(tmp_path, SHARED, step=0.005, faults=[fault])
    assert bodies(exchange) == sent


@pytest.mark.parametrize("rest", [[], [[80_000, "o", "ta: 2\n\n"], [1_000_000, "end", "complete"]]])
async def test_a_stop_between_the_chunks_of_an_event(tmp_path: Path, rest: list[Any]) -> None:
    lab, exchange = await played(tmp_path, [SHARED[0], *rest] if rest else SHARED, seconds=0.35, step=0.005)
    lab.engine.begin_shutdown()
    for _ in range(20):
        await lab.clock.advance(0.005)
    assert bodies(exchange) == [(200, b"head"), (300, b"data: 1\n\nda"), (350, b"ta: 2\n\n")]
    assert exchange.messages[-1][1]["more_body"] is False


SLOW = [
    [0, "o", "id: 7\n"],
    *[[150_000, "o", letter] for letter in "data: 12"],
    [150_000, "o", "\n\n"],
    [0, "end", "complete"],
]


async def test_an_event_that_takes_long_holds_up_no_fault(tmp_path: Path) -> None:
    lab, exchange = await played(tmp_path, SLOW, faults=["close after 500 ms"])
    [record] = lab.engine.connections.listed("ended")
    assert b"".join(body for _, body in bodies(exchange)[1:]) == b"id: 7\ndat"
    assert bodies(exchange)[-1][0] <= 710
    assert record.outcome == "aborted"


async def test_its_id_is_known_at_its_end(tmp_path: Path) -> None:
    lab, _ = await played(tmp_path, SLOW)
    [record] = lab.engine.connections.listed("ended")
    assert (record.events_sent, record.last_event_id) == (1, "7")


@pytest.mark.parametrize("end", ["\n\n", "\r\n\r\n", "\r\r", "\n\r\n"])
async def test_events_end_wherever_a_chunk_does(tmp_path: Path, end: str) -> None:
    for place in range(len(end)):
        text = f"data: 1{end}data: 2{end}"
        cut = 7 + place
        lines = [[0, "o", text[:cut]], [5000, "o", text[cut:]], [0, "end", "complete"]]
        lab, exchange = await played(tmp_path, lines, seconds=1)
        [record] = lab.engine.connections.listed("ended")
        assert record.events_sent == 2, place
        assert [body.decode() for _, body in bodies(exchange)[1:] if body] == [text[:cut], text[cut:]]


@pytest.mark.parametrize(("decoded", "events"), [({}, 2), ({"decoded": "gzip"}, 3)])
async def test_each_chunk_of_a_coded_body_is_an_event(tmp_path: Path, decoded: Any, events: int) -> None:
    """If it is still coded."""
    lines = [[0, "o", "data: a\n\ndata: b\n\ndata: d\n\n"], [0, "o", ": c\n\n"], [0, "end", "complete", decoded]]
    lab, _ = await played(tmp_path, lines, headers=[*SSE, ["Content-Encoding", "gzip"]])
    [record] = lab.engine.connections.listed("ended")
    assert record.events_sent == events


async def test_what_says_how_long_it_is_is_broken_off_at_a_stop(tmp_path: Path) -> None:
    lines = [[0, "o", "data: 1\n\n"], [9_000_000, "o", "data: 2\n\n"], [0, "end", "complete"]]
    for headers, is_whole in ((SSE, True), ([*SSE, ["Content-Length", "18"]], False)):
        lab, exchange = await played(tmp_path, lines, seconds=1, headers=headers)
        lab.engine.begin_shutdown()
        await lab.clock.advance(1)
        ends = [message for _, message in exchange.messages if message.get("more_body") is False]
        assert bool(ends) is is_whole


async def test_faults_come_behind_what_was_sent_before_the_head(tmp_path: Path) -> None:
    (tmp_path / "a.stream.jsonl").touch()
    begun = {"mockd-stream": 1, "request": {"method": "GET", "url": "http://a.test/", "headers": []}}
    lines = [begun, [100_000, "end", "reset"]]
    (tmp_path / "b.stream.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    lab = Lab(seed=1)
    mock = {"matcher": {"path": PATH}, "sse": {"recording": "b.stream.jsonl"}, "faults": ["delay 50ms before head"]}
    lab.engine.load(parse_collection([mock], root=tmp_path))
    exchange = await lab.open()
    for _ in range(10):
        await lab.clock.advance(0.05)
    assert exchange.messages == []
    assert not exchange.is_open
