"""A new trigger, op and framing are an entry each, and hold for every kind of answer: the core has no case for them.

What they are here is in `faults.py` and `framings.py`; none of it is a feature.
"""

from __future__ import annotations

import re
from typing import Any

import pytest

from mockd.framing import FRAMINGS
from mockd.testing import running_mockd
from tests.stream.faults import INTERLUDE, JUNK, OPS, STALL_S, FaultyEngine
from tests.stream.framings import Boxes
from tests.stream.harness import PATH, Exchange, Lab, words
from tests.wire.sockets import Client

pytestmark = pytest.mark.anyio

BLOCK = rb".*?\n\n"
LINE = rb".*?\n"
COUNT = 5
DRAWN = {"dist": "uniform", "min": 10, "max": 50}
FRAMED: dict[str, Any] = {
    "template": "tests.stream.framings:FRAMED",
    "templateParams": {"events": [{"data": {"n": number}} for number in range(COUNT)]},
}


def framed(framing: str, way: str) -> dict[str, Any]:
    return {**FRAMED, "templateParams": {**FRAMED["templateParams"], "framing": framing, "way": way}}


KINDS: dict[str, tuple[str, dict[str, Any], bytes]] = {
    "burst": ("sse", {"events": words(COUNT)}, BLOCK),
    "paced": ("sse", {"events": words(COUNT), "timing": {"fixedDelay": 10}}, BLOCK),
    "each by itself": ("sse", {"events": words(COUNT), "flush": "event"}, BLOCK),
    "with comments": (
        "sse",
        {"events": [event for word in words(COUNT) for event in ({"comment": "c"}, word)], "retry": 5},
        rb"(?:: c\n)*data.*?\n\n",
    ),
    "chat": ("sse", {"template": "openai-chat", "templateParams": {"tokens": ["a", "b"]}, "seed": 1}, BLOCK),
    "drawn delays": ("sse", {"events": words(COUNT), "timing": {"fixedDelay": DRAWN}, "seed": 1}, BLOCK),
    "uuid": ("sse", {"events": [{"data": "$uuid"}] * COUNT, "seed": 1}, BLOCK),
    "resume": ("sse", {"events": words(COUNT), "resume": {"enabled": True}}, BLOCK),
    "rate limit": ("sse", {"events": words(COUNT), "rateLimit": {"eventsPerSecond": 100}}, BLOCK),
    "generator": ("sse", {"generator": {"type": "sequence", "count": COUNT}}, BLOCK),
    "for ever": ("sse", {"events": words(COUNT), "repeat": 0, "timing": {"fixedDelay": 10}}, BLOCK),
    "an error at the end": (
        "sse",
        {"events": words(COUNT - 1), "lifecycle": {"termination": {"type": "error"}}},
        BLOCK,
    ),
    "ndjson": ("chunked", {"ndjsonItems": [*range(COUNT)], "chunkDelay": 10}, LINE),
    "ndjson at once": ("chunked", {"ndjsonItems": [*range(COUNT)]}, LINE),
    "chunked": ("chunked", {"data": "ab" * COUNT, "chunkSize": 2}, rb".."),
    "iterator": ("sse", framed("sse", "answer"), BLOCK),
    "awaited": ("sse", framed("ndjson", "awaited"), LINE),
    "opened late": (
        "sse",
        {"template": "tests.stream.deciding:DECIDING", "templateParams": {"awaits": True, "what": "async events"}},
        BLOCK,
    ),
    "boxes": ("sse", framed("boxes", "script"), rb"\^?\d+;[^}]*}"),
    "boxes of an iterator": ("sse", framed("boxes", "answer"), rb"\^?\d+;[^}]*}"),
}


@pytest.fixture(autouse=True)
def _boxes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FRAMINGS, "boxes", Boxes())


@pytest.fixture
def lab(lab: Lab) -> Lab:
    lab.engine = FaultyEngine(clock=lab.clock)
    return lab


def fault(lab: Lab, trigger: str, op: str, place: int | None) -> None:
    assert isinstance(lab.engine, FaultyEngine)
    lab.engine.trigger, lab.engine.op, lab.engine.place = trigger, op, place


async def asked(lab: Lab) -> Exchange:
    stream = await lab.open()
    await lab.clock.advance(0.5)
    return stream


def ends_as(stream: Exchange, lab: Lab, op: str) -> None:
    """What was done behind the rows."""
    assert (stream.ended_at is not None) is (op == "end")
    if lab.in_memory and op != "end":
        done = [(name, value) for name, value in stream.line.commands if name in ("close", "abort")]
        assert done == ([("abort", True)] if op == "reset" else [("close", None), ("abort", False)])


@pytest.mark.parametrize("place", [0, 1, 3])
@pytest.mark.parametrize("op", OPS)
@pytest.mark.parametrize("name", KINDS)
async def test_exactly_so_many_events_and_then_the_op(lab: Lab, name: str, op: str, place: int) -> None:
    kind, config, event = KINDS[name]
    lab.mock(kind, **config)
    whole = (await asked(lab)).body
    events = re.findall(event, whole, re.DOTALL)
    assert len(events) >= COUNT or name in ("chat", "opened late")
    place = min(place, len(events) - 1)

    fault(lab, "events", op, place)
    stream = await asked(lab)
    if op == "stall":
        assert stream.is_open
        began_to_stall = stream.writes[-1][0] if stream.writes else stream.messages[0][0]
        await lab.clock.advance(STALL_S)
        assert lab.clock.elapsed_ms >= began_to_stall + 1000 * STALL_S
    expected = b"".join(events[:place])
    if op == "junk":
        assert stream.body == expected + JUNK
    elif op == "end" and name.startswith("boxes"):
        assert stream.body == (expected or b"^") + b"."
    else:
        assert stream.body == expected
    assert not stream.is_open
    ends_as(stream, lab, op)
    assert lab.ended["eventsSent"] == place
    assert lab.ended["outcome"] == "aborted"


@pytest.mark.parametrize("name", [name for name in KINDS if name != "for ever"])
async def test_a_place_that_is_never_reached(lab: Lab, name: str) -> None:
    kind, config, _ = KINDS[name]
    lab.mock(kind, **config)
    expected = await asked(lab)
    before = lab.ended
    fault(lab, "events", "reset", 100)
    stream = await asked(lab)
    assert (stream.body, stream.ended_at is None) == (expected.body, expected.ended_at is None)
    assert lab.ended["outcome"] == before["outcome"]


WHOLE: dict[str, tuple[str, dict[str, Any]]] = {
    "json": ("response", {"body": {"a": [1, 2, 3]}}),
    "text": ("response", {"body": "0123456789", "delay": 20}),
    "an error of a template": ("sse", {"template": "openai-chat", "templateParams": {"error": {"status": 429}}}),
    "decided": ("response", {"template": "tests.stream.deciding:IN_RESPONSE", "templateParams": {"awaits": True}}),
    "a stream": ("sse", {"events": words(COUNT), "timing": {"fixedDelay": 10}}),
    "a burst": ("sse", {"events": words(COUNT)}),
    "lines": ("chunked", {"ndjsonItems": ["long" * 10, 1]}),
    "boxes": ("sse", framed("boxes", "script")),
}


@pytest.mark.parametrize("place", [0, 1, 7])
@pytest.mark.parametrize("op", OPS)
@pytest.mark.parametrize("name", WHOLE)
async def test_exactly_so_many_bytes_and_then_the_op(lab: Lab, name: str, op: str, place: int) -> None:
    kind, config = WHOLE[name]
    lab.mock(kind, **config)
    plain = await asked(lab)
    fault(lab, "bytes", op, place)
    stream = await asked(lab)
    await lab.clock.advance(STALL_S)
    # What a framing begins a body with is not of the rows.
    opening = 1 if name == "boxes" and (place or op == "end") else 0
    expected = plain.body[: place + opening] + (JUNK if op == "junk" else b".."[: op == "end" and name == "boxes"])
    assert stream.body == expected
    assert stream.status == plain.status
    assert stream.headers.get("content-length") == plain.headers.get("content-length")
    ends_as(stream, lab, op)


async def test_head_has_no_fault(lab: Lab) -> None:
    lab.mock(events=words(COUNT))
    fault(lab, "events", "reset", 0)
    answer = await lab.open(method="HEAD")
    assert answer.ended_at == 0


@pytest.mark.parametrize("name", ["for ever", "iterator"])
async def test_a_client_comes_back_for_what_a_fault_kept_from_it(lab: Lab, name: str) -> None:
    lab.mock(**KINDS[name][1], resume={"enabled": True})
    fault(lab, "events", "reset", 2)
    received: list[str] = []
    headers: dict[str, str] = {}
    while len(received) < COUNT:
        stream = await lab.open(headers=headers)
        await lab.clock.advance(0.5)
        received += [data for _, data in stream.events]
        headers = {"Last-Event-ID": lab.ended["lastEventId"]}
    expected = [word["data"] for word in words(COUNT)] if name == "for ever" else [f'{{"n":{n}}}' for n in range(COUNT)]
    assert received[:COUNT] == expected


@pytest.mark.parametrize("place", [0, 1, 3])
@pytest.mark.parametrize("name", [name for name in KINDS if name != "for ever"])
async def test_an_op_after_which_the_stream_goes_on(lab: Lab, name: str, place: int) -> None:
    kind, config, event = KINDS[name]
    lab.mock(kind, **config)
    plain = (await asked(lab)).body
    events = re.findall(event, plain, re.DOTALL)
    place = min(place, len(events) - 1)
    fault(lab, "interlude", "reset", place)
    stream = await asked(lab)
    before = b"".join(events[:place])
    assert stream.body == before + INTERLUDE + plain[len(before) :]
    assert lab.ended["outcome"] == "completed"


@pytest.mark.parametrize("place", [0, 1, 3])
@pytest.mark.parametrize("name", [name for name in KINDS if name != "for ever"])
async def test_a_gate(lab: Lab, name: str, place: int) -> None:
    kind, config, event = KINDS[name]
    lab.mock(kind, **config)
    plain = (await asked(lab)).body
    events = re.findall(event, plain, re.DOTALL)
    place = min(place, len(events) - 1)
    fault(lab, "gate", "reset", place)
    stream = await asked(lab)
    await lab.clock.advance(10)
    assert (stream.body, stream.is_open) == (b"".join(events[:place]), True)
    assert isinstance(lab.engine, FaultyEngine)
    held, gate = lab.engine.opened
    gate.open()
    held.wake()
    await lab.clock.advance(10)
    assert (stream.body, stream.is_open) == (plain, False)
    assert lab.ended["outcome"] == "completed"


async def test_told_to_stop_while_it_stalls(lab: Lab) -> None:
    lab.mock(events=words(COUNT), lifecycle={"termination": {"finalEvent": {"data": "bye"}}})
    fault(lab, "events", "stall", 2)
    stream = await asked(lab)
    assert lab.engine.streams.close_all("mock") == 1
    await lab.clock.advance(0)
    assert [data for _, data in stream.events] == ["1", "2", "bye"]
    assert lab.ended["outcome"] == "closed_by_admin"


async def test_the_client_leaves_while_it_stalls(lab: Lab) -> None:
    lab.mock(events=words(COUNT))
    fault(lab, "events", "stall", 2)
    stream = await asked(lab)
    await stream.hang_up()
    assert lab.ended["outcome"] == "client_disconnected"


@pytest.mark.parametrize("http", ["httptools", "h11"])
def test_on_a_socket(http: str) -> None:
    engine = FaultyEngine()
    engine.op, engine.place = "reset", 2
    engine.create({"matcher": {"path": PATH}, "sse": {"events": words(COUNT)}})
    with running_mockd(engine=engine, http=http) as server, Client(server.url) as client:
        client.ask(PATH).read_head()
        assert client.read_exactly(len(b"12\r\ndata: 1\n\ndata: 2\n\n\r\n")) == b"12\r\ndata: 1\n\ndata: 2\n\n\r\n"
        with pytest.raises(ConnectionResetError):
            client.socket.recv(1)
