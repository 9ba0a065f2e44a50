"""The framing of a stream is chosen for each answer, and all that a body has besides events follows from it."""

from __future__ import annotations

import json
import re
from typing import Any, cast

import pytest

from mockd.config.load import parse_mock
from mockd.events import Event
from mockd.framing import FRAMINGS
from tests.stream.framings import EVERY, MORE
from tests.stream.harness import PATH, Exchange, Lab

pytestmark = pytest.mark.anyio

BODIES = {
    "sse": 'data: {"n":1}\n\ndata: {"n":2}\n\ndata: {"n":3}\n\n',
    "sse-crlf": 'data: {"n":1}\r\n\r\ndata: {"n":2}\r\n\r\ndata: {"n":3}\r\n\r\n',
    "sse-cr": 'data: {"n":1}\r\rdata: {"n":2}\r\rdata: {"n":3}\r\r',
    "ndjson": '{"n":1}\n{"n":2}\n{"n":3}\n',
    "raw": '{"n":1}{"n":2}{"n":3}',
    "json-array": '[{"n":1}\n,\r\n{"n":2}\n,\r\n{"n":3}\n]\n',
    "boxes": '^7;{"n":1}7;{"n":2}7;{"n":3}.',
}
WAYS: dict[str, dict[str, Any]] = {
    "at once": {},
    "by a timetable": {"timing": {"fixedDelay": 10}},
    "one by one": {"timing": {"fixedDelay": {"dist": "uniform", "min": 10, "max": 20}}},
    "in own chunks": {"flush": "event"},
}
SSES = [name for name in EVERY if name.startswith("sse")]


@pytest.fixture(autouse=True)
def _more_framings(monkeypatch: pytest.MonkeyPatch) -> None:
    for framing in MORE:
        monkeypatch.setitem(FRAMINGS, framing.name, framing)


async def run(lab: Lab, params: dict[str, Any], **config: Any) -> Exchange:
    return await lab.run(seconds=60, template="tests.stream.framings:FRAMED", templateParams=params, **config)


def test_every_framing_is_tried() -> None:
    assert set(BODIES) == set(FRAMINGS)


@pytest.mark.parametrize("extra", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("way", ["script", "known", "answer", "awaited"])
@pytest.mark.parametrize("name", EVERY)
async def test_body_and_type(lab: Lab, name: str, way: str, extra: dict[str, Any]) -> None:
    stream = await run(lab, {"framing": name, "way": way}, **extra)
    assert stream.text == BODIES[name]
    assert stream.headers["content-type"] == FRAMINGS[name].content_type
    assert stream.headers["cache-control"] == "no-cache"
    assert lab.ended["kind"] == FRAMINGS[name].kind
    assert lab.ended["eventsSent"] == 3
    assert lab.ended["bytesSent"] == len(stream.body)


@pytest.mark.parametrize("extra", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("way", ["script", "answer"])
@pytest.mark.parametrize("name", EVERY)
async def test_with_slots(lab: Lab, name: str, way: str, extra: dict[str, Any]) -> None:
    """Frames that begin alike, of which the beginning is filled in once."""
    events = [{"data": {"n": number}} for number in (1, 22, 333)]
    told = await run(lab, {"framing": name, "way": way, "events": events, "hasSlots": True}, **extra)
    values = [{"id": "x", "data": event["data"]} for event in events]
    framing = FRAMINGS[name]
    frames = [framing.encode(Event(value)) for value in values]
    assert told.body == framing.opening(b"".join(cast("list[bytes]", frames)) + framing.end)


@pytest.mark.parametrize("name", EVERY)
async def test_the_end_goes_out_with_the_last_event(lab: Lab, name: str) -> None:
    stream = await run(lab, {"framing": name}, timing={"fixedDelay": 10})
    assert [at for at, _ in stream.writes] == [0, 10, 20]
    assert stream.ended_at == 20
    assert "".join(part.decode() for _, part in stream.writes) == BODIES[name]


async def test_each_request_has_its_own(lab: Lab) -> None:
    lab.mock(template="tests.stream.framings:FRAMED", templateParams={})
    for name in (*EVERY, *EVERY):
        assert (await lab.open(f"{PATH}?framing={name}")).text == BODIES[name]


@pytest.mark.parametrize("way", ["script", "answer"])
async def test_a_framing_that_is_not_there(lab: Lab, way: str, caplog: pytest.LogCaptureFixture) -> None:
    stream = await run(lab, {"framing": "tarpit", "way": way})
    assert stream.status == 500
    assert "no framing `tarpit`" in stream.json["error"]["message"]


# -- bodies without events, with other endings, and kept alive ---------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "body"), [("json-array", "[]\n"), ("boxes", "^."), ("ndjson", ""), ("sse-crlf", ""), ("raw", "")]
)
@pytest.mark.parametrize("way", ["script", "answer", "awaited"])
async def test_nothing_to_say(lab: Lab, name: str, body: str, way: str) -> None:
    assert (await run(lab, {"framing": name, "way": way, "events": []})).text == body


FINAL = {"data": {"over": 1}, "id": "bye"}


@pytest.mark.parametrize(
    ("name", "last"),
    [
        ("sse", 'id: bye\ndata: {"over":1}\n\n'),
        ("sse-crlf", 'id: bye\r\ndata: {"over":1}\r\n\r\n'),
        ("sse-cr", 'id: bye\rdata: {"over":1}\r\r'),
        ("ndjson", '{"over":1}\n'),
        ("raw", '{"over":1}'),
        ("json-array", ',\r\n{"over":1}\n'),
        ("boxes", '10;{"over":1}'),
    ],
)
@pytest.mark.parametrize("delay", [0, 10])
async def test_a_final_event_is_framed_alike(lab: Lab, name: str, last: str, delay: int) -> None:
    end = FRAMINGS[name].end.decode()
    termination = {"finalEvent": FINAL, "closeDelay": delay}
    stream = await run(lab, {"framing": name}, lifecycle={"termination": termination})
    assert stream.text == BODIES[name].removesuffix(end) + last + end
    assert stream.ended_at == delay
    assert lab.ended.get("lastEventId") == ("bye" if name in SSES else None)
    if delay and end:
        assert stream.writes[-1] == (delay, end.encode())


@pytest.mark.parametrize("name", EVERY)
async def test_so_is_what_went_wrong(lab: Lab, name: str) -> None:
    stream = await run(lab, {"framing": name, "way": "awaited", "fails": True})
    end = FRAMINGS[name].end.decode()
    assert stream.text.startswith(BODIES[name].removesuffix(end))
    assert stream.text.endswith(end)
    assert "ValueError: out of stock" in stream.text
    if name == "json-array":
        assert stream.json[-1]["error"]["code"] == "source_error"


async def test_an_array_that_is_broken_off_has_no_end(lab: Lab) -> None:
    stream = await run(lab, {"framing": "json-array"}, lifecycle={"simulateDisconnect": 2})
    assert stream.text == '[{"n":1}\n,\r\n{"n":2}\n'


async def test_what_keeps_alive_comes_after_the_beginning(lab: Lab) -> None:
    lifecycle = {"keepaliveInterval": 5}
    timing = {"initialDelay": 12_000}
    assert (await run(lab, {"framing": "boxes"}, lifecycle=lifecycle, timing=timing)).text == "^~~" + BODIES["boxes"][
        1:
    ]


@pytest.mark.parametrize(("name", "end"), [("sse", "\n"), ("sse-crlf", "\r\n"), ("sse-cr", "\r")])
async def test_keepalives_end_as_lines_do(lab: Lab, name: str, end: str) -> None:
    stream = await run(lab, {"framing": name}, lifecycle={"keepaliveInterval": 5}, timing={"initialDelay": 6000})
    assert stream.text == f": keepalive{end}" + BODIES[name]


# -- retry and ids -----------------------------------------------------------------------------------------------------

RETRIED: list[tuple[list[dict[str, Any]], str]] = [
    ([{"data": "1"}, {"data": "2"}], "data: 1|retry: 7||data: 2||"),
    ([{"comment": "c"}, {"data": "1"}], ": c|data: 1|retry: 7||"),
    ([{"raw": "data: 0||"}, {"data": "1"}], "data: 0||data: 1|retry: 7||"),
    ([{"data": "1", "retry": 9}, {"data": "2"}], "data: 1|retry: 9||data: 2||"),
    ([{"id": "1"}, {"data": "2"}], "id: 1|retry: 7||data: 2||"),
    ([{"data": "retry: 1"}], "data: retry: 1|retry: 7||"),
]


@pytest.mark.parametrize("extra", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("way", ["script", "awaited"])
@pytest.mark.parametrize(("events", "text"), RETRIED, ids=str)
@pytest.mark.parametrize(("name", "end"), [("sse", "\n"), ("sse-crlf", "\r\n"), ("sse-cr", "\r")])
async def test_retry_joins_the_first_event(
    lab: Lab, name: str, end: str, events: list[dict[str, Any]], text: str, way: str, extra: dict[str, Any]
) -> None:
    events = [{field: str(value).replace("||", end * 2) for field, value in event.items()} for event in events]
    events = [{**event, "retry": int(event["retry"])} if "retry" in event else event for event in events]
    stream = await run(lab, {"framing": name, "events": events, "way": way}, retry=7, **extra)
    assert stream.text == text.replace("|", end)


@pytest.mark.parametrize("extra", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("name", [name for name in EVERY if name not in SSES])
async def test_there_is_no_retry_outside_sse(lab: Lab, name: str, extra: dict[str, Any]) -> None:
    assert (await run(lab, {"framing": name}, retry=7, **extra)).text == BODIES[name]


@pytest.mark.parametrize("end_id", ["over", "over-$uuid"])
@pytest.mark.parametrize("way", ["script", "awaited"])
@pytest.mark.parametrize("name", SSES)
async def test_a_client_with_the_id_of_the_final_event_has_everything(
    lab: Lab, name: str, way: str, end_id: str
) -> None:
    # A comment and data that look like ids are none.
    final = {"id": end_id, "data": "x\nid: 1", "comment": "id: 1"}
    life = {"termination": {"finalEvent": final}}
    stream = await run(lab, {"framing": name, "way": way}, resume={"enabled": True}, lifecycle=life)
    ids = [line.removeprefix("id: ") for line in stream.text.splitlines() if line.startswith("id: ")]
    assert lab.ended["lastEventId"] == ids[-1]
    assert ids[-1].startswith("over")
    assert (await lab.open(headers={"Last-Event-ID": ids[-1]})).status == 204
    back = await lab.open(headers={"Last-Event-ID": ids[-3]})
    assert back.headers["content-type"] == FRAMINGS[name].content_type
    rest = stream.text[stream.text.index(f"id: {ids[-2]}") :]
    if "$" not in end_id:
        assert back.text == rest
    assert back.text.startswith(rest[: rest.index("over")])


@pytest.mark.parametrize("name", SSES)
async def test_what_an_earlier_process_sent_goes_on_in_the_same_framing(lab: Lab, name: str) -> None:
    sse = {"template": "tests.stream.framings:FRAMED", "templateParams": {"framing": name, "way": "known"}}
    doc = {"matcher": {"path": PATH}, "sse": {**sse, "resume": {"enabled": True}}}
    lab.engine.load([parse_mock(doc, root=None)])
    back = await lab.open(headers={"Last-Event-ID": "1"})
    assert [FRAMINGS[name].read(part) for part in re.findall(b"id.*?}(?:\r\n|\r|\n){2}", back.body, re.DOTALL)] == [
        (None, '{"n":2}'),
        (None, '{"n":3}'),
    ]


@pytest.mark.parametrize("way", ["script", "awaited"])
@pytest.mark.parametrize("name", SSES)
async def test_what_is_held_is_what_was_sent(lab: Lab, name: str, way: str) -> None:
    events: list[dict[str, Any]] = [
        {"data": "a\nb\r\nc", "type": "t", "comment": "data: z"},
        {"data": {"n": "$random:7:7"}},
        {"data": ""},
        {"id": "mine"},
        {"raw": "data: raw\n\n", "id": "r"},
    ]
    await run(lab, {"framing": name, "way": way, "events": events}, resume={"enabled": True})
    assert [one["event"] for one in lab.engine.streams.buffer("mock")] == [
        {"type": "t", "data": "a\nb\nc"},
        {"data": '{"n":7}'},
        {"data": ""},
        {},
        {"raw": "data: raw\n\n"},
    ]


async def test_what_is_held_of_an_array(lab: Lab) -> None:
    await run(lab, {"framing": "json-array"}, resume={"enabled": True})
    held = [json.loads(one["event"]["data"]) for one in lab.engine.streams.buffer("mock")]
    assert held == [{"n": 1}, {"n": 2}, {"n": 3}]


# -- who says what type it has -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("extra", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("way", ["script", "answer"])
@pytest.mark.parametrize("name", [None, "json-array"])
async def test_a_source_may_say_another_type(lab: Lab, name: str | None, way: str, extra: dict[str, Any]) -> None:
    headers = {"Content-Type": "text/x", "Cache-Control": "no-store", "X-Own": "1"}
    stream = await run(lab, {"framing": name, "way": way, "headers": headers}, **extra)
    got = [(key, value) for key, value in stream.messages[0][1]["headers"]]
    assert [value for key, value in got if key == b"content-type"] == [b"text/x"]
    assert [value for key, value in got if key == b"cache-control"] == [b"no-store"]
    assert [value for key, value in got if key == b"x-own"] == [b"1"]


@pytest.mark.parametrize("way", ["script", "answer"])
@pytest.mark.parametrize("name", [None, "json-array"])
async def test_but_the_mock_has_the_last_word(lab: Lab, name: str | None, way: str) -> None:
    params = {"framing": name, "way": way, "headers": {"Content-Type": "text/x", "X-Own": "1"}}
    stream = await run(lab, params, headers={"content-type": "text/mock", "X-Own": "{{ request.method }}"})
    got = [(key, value) for key, value in stream.messages[0][1]["headers"]]
    assert [value for key, value in got if key == b"content-type"] == [b"text/mock"]
    assert [value for key, value in got if key == b"x-own"] == [b"GET"]
