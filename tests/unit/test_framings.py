"""What every framing in the table says of events besides their bytes, and of the body around them."""

from __future__ import annotations

import json
import random
import re
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mockd.clock import SystemClock
from mockd.events import JSON_NULL, Event, Fill
from mockd.framing import FRAMINGS, Frame, FrameTemplate, Framing, Row, framing_named
from mockd.framing.frames import Marks
from mockd.framing.framings import SseFraming
from mockd.placeholders import parse_event, parse_text, parse_value
from tests.unit.test_framing import JSON, LINE, render

SSES = [SseFraming("lf", "\n"), SseFraming("crlf", "\r\n"), SseFraming("cr", "\r")]
SSE = pytest.mark.parametrize("framing", SSES, ids=lambda framing: framing.name)
EVERY = pytest.mark.parametrize("framing", [*FRAMINGS.values(), SSES[2]], ids=lambda framing: framing.name)
TEXT = st.text(st.sampled_from("ab:\n\r \u2028é")) | st.sampled_from(["retry: 7", "id: 7", "data: 7", "\nid: 7", ": 7"])


def filled(row: Row, seed: int = 1) -> tuple[bytes, str | None]:
    return row.filled(Fill(random.Random(seed), SystemClock()))


def client(payload: bytes) -> dict[str, Any]:
    """What a client reads that follows the standard: fields by name, data as one text, comments left out."""
    fields: dict[str, list[str]] = {}
    for line in re.split("\r\n|\r|\n", payload.decode()):
        name, _, value = line.partition(":")
        if name:
            fields.setdefault(name, []).append(value.removeprefix(" "))
    return {name: "\n".join(values) for name, values in fields.items()}


# -- the table ---------------------------------------------------------------------------------------------------------


def test_the_table() -> None:
    assert {name: (framing.content_type, framing.kind) for name, framing in FRAMINGS.items()} == {
        "sse": ("text/event-stream", "sse"),
        "sse-crlf": ("text/event-stream", "sse"),
        "ndjson": ("application/x-ndjson", "ndjson"),
        "raw": ("application/octet-stream", "chunked"),
        "json-array": ("application/json; charset=UTF-8", "chunked"),
    }
    assert all(framing.name == name for name, framing in FRAMINGS.items())


def test_a_framing_that_is_not_there() -> None:
    with pytest.raises(ValueError, match=r"no framing `tarpit`; known: sse, sse-crlf, ndjson, raw, json-array"):
        framing_named("tarpit")


@EVERY
def test_what_is_raw_has_nothing_around_it(framing: Framing) -> None:
    assert framing.encode(Event({"a": 1}, type="t", id="1", raw=b"\n\r\0x")) == b"\n\r\0x"
    assert framing.encode(Event(raw='{"a": 1}')) == b'{"a": 1}'
    assert framing.encode(Event(raw={"a": 1})) == b'{"a":1}'
    assert render(framing.encode(Event(raw=parse_text("$random:7:7\n")))) == b"7\n"


# -- what is known of an event without its bytes -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "counted", "is_block", "takes_retry"),
    [
        (Event("x"), True, True, True),
        (Event(JSON_NULL), True, True, True),
        (Event("x", retry=0), True, True, False),
        (Event(retry=9), False, True, False),
        (Event(id=""), False, True, True),
        (Event(type="t"), False, True, True),
        (Event(comment="c"), False, False, False),
        (Event(), False, False, False),
        (Event(raw="data: x\n\n"), True, False, False),
        (Event("x", raw=""), True, False, False),
    ],
    ids=repr,
)
def test_what_an_event_is(event: Event, counted: bool, is_block: bool, takes_retry: bool) -> None:
    assert (event.counted, event.is_block, event.takes_retry) == (counted, is_block, takes_retry)
    row = FRAMINGS["sse"].row(event)
    assert (row.counted, row.takes_retry) == (counted, takes_retry)


@SSE
@given(id_=st.none() | LINE, data=st.none() | TEXT, comment=st.none() | TEXT)
@example(None, "x\nid: 7", "id: 8")
def test_the_id_of_a_row_is_what_clients_read(
    framing: Framing, id_: str | None, data: str | None, comment: str | None
) -> None:
    payload, said = filled(framing.row(Event(data, id=id_, comment=comment)))
    assert said == id_ == client(payload).get("id")


@SSE
def test_an_id_with_holes_is_the_same_in_the_bytes(framing: Framing) -> None:
    event = Event("x", id=parse_text("a$uuid"), comment=parse_text("$uuid"))
    payload, id_ = filled(framing.row(event))
    assert id_ == client(payload)["id"]
    assert filled(framing.row(event), seed=2)[1] != id_


def test_an_id_that_follows_the_request_stays_in_its_line() -> None:
    event = parse_event(_config(id="<{{ request.path }}>"))
    row = FRAMINGS["sse"].row(event)
    fill = Fill(random.Random(1), SystemClock())
    fill.rendered = {expression.source: "a\r\nid: b\0" for expression in row.expressions}
    assert row.filled(fill) == (b"id: a id: b \ndata: x\n\n", "a id: b ")


def test_expressions_of_a_row_are_those_of_its_id_too() -> None:
    row = FRAMINGS["sse"].row(parse_event(_config(id="{{ request.path }}", data="{{ request.method }}")))
    assert sorted(expression.source for expression in row.expressions) == ["{{ request.method }}", "{{ request.path }}"]
    assert FRAMINGS["sse"].row(Event("x", id="1")).expressions == []


def _config(**fields: Any) -> Any:
    from mockd.config.models import EventConfig

    return EventConfig(**{"data": "x", **fields})


@pytest.mark.parametrize("name", ["ndjson", "raw", "json-array"])
def test_where_clients_see_no_ids_rows_have_none(name: str) -> None:
    payload, id_ = filled(FRAMINGS[name].row(Event({"a": 1}, id="1")))
    assert (id_, b"1" in payload.replace(b'{"a":1}', b"")) == (None, False)


# -- retry -------------------------------------------------------------------------------------------------------------


FIELDS = st.tuples(st.none() | TEXT, st.none() | LINE, st.none() | LINE, st.none(), st.none() | TEXT)


@SSE
@given(event=FIELDS.map(lambda fields: Event(*fields)))
@example(Event("retry: 7"))
@example(Event("x\nretry: 7"))
@example(Event(id="1"))
def test_retry_joins_the_event(framing: Framing, event: Event) -> None:
    payload = render(framing.encode(event))
    if event.takes_retry:
        more = framing.with_retry(payload, 5)
        assert client(more) == client(payload) | {"retry": "5"}
        ends = framing.keepalive.removeprefix(b": keepalive")
        assert more == payload.removesuffix(ends) + b"retry: 5" + ends * 2


@pytest.mark.parametrize("name", ["ndjson", "raw", "json-array"])
def test_outside_sse_there_is_no_retry(name: str) -> None:
    assert FRAMINGS[name].with_retry(b"x\n\n", 5) == b"x\n\n"


# -- what a client finds -----------------------------------------------------------------------------------------------


@SSE
@given(data=st.none() | TEXT, type_=st.none() | LINE, id_=st.none() | LINE, comment=st.none() | TEXT)
@example("", None, None, "data: x")
@example("a: b", "data: x", "event: y", None)
def test_what_is_read_is_what_was_said(
    framing: Framing, data: str | None, type_: str | None, id_: str | None, comment: str | None
) -> None:
    payload = render(framing.encode(Event(data, type_, id_, None, comment)))
    said = None if data is None else re.sub("\r\n|\r", "\n", data)
    assert framing.read(payload) == (type_, said)
    assert framing.read(payload) == (client(payload).get("event"), client(payload).get("data"))


@given(value=JSON)
def test_the_same_of_an_array(value: Any) -> None:
    framing = FRAMINGS["json-array"]
    type_, data = framing.read(render(framing.encode(Event(value))))
    assert (type_, json.loads(data or "")) == (None, value)


# -- the body around events --------------------------------------------------------------------------------------------


def body(framing: Framing, events: list[Event]) -> bytes:
    frames = b"".join(render(framing.encode(event)) for event in events)
    return framing.opening(frames + framing.end)


@given(values=st.lists(JSON | TEXT | st.just(JSON_NULL)))
def test_an_array_is_one_json_value(values: list[Any]) -> None:
    events = [Event(value) for value in values]
    expected = [None if value is JSON_NULL else value for value in values]
    assert json.loads(body(FRAMINGS["json-array"], events)) == expected


def test_the_bytes_of_an_array() -> None:
    framing = FRAMINGS["json-array"]
    events = [Event({"a": 1}), Event(b"2"), Event(comment="c"), Event("x")]
    assert body(framing, events) == b'[{"a":1}\n,\r\n2\n,\r\n"x"\n]\n'
    assert body(framing, []) == b"[]\n"
    assert render(framing.encode(Event(parse_value({"n": "$random:7:7"})))) == b',\r\n{"n":7}\n'


@pytest.mark.parametrize("name", sorted(FRAMINGS.keys() - {"json-array"}))
def test_others_have_nothing_around_their_events(name: str) -> None:
    framing = FRAMINGS[name]
    assert (framing.opening(b"x"), framing.end, framing.separator) == (b"x", b"", b"")


# -- envelopes ---------------------------------------------------------------------------------------------------------


class Measured(Framing):
    """A framing whose events say how many bytes they have."""

    name = "measured"
    content_type = "application/octet-stream"
    kind = "chunked"

    def body(self, event: Event, marks: Marks) -> bytes:
        return marks.data(event.data)

    @staticmethod
    def envelope(payload: bytes) -> bytes:
        return b"%d:%b," % (len(payload), payload)


@pytest.mark.parametrize(
    ("data", "sent"), [("abc", b"3:abc,"), ("$random:1234:1234", b"4:1234,"), (["$pick:éé"], '8:["éé"],'.encode())]
)
def test_an_envelope_is_around_what_is_filled_in(data: Any, sent: bytes) -> None:
    frame: Frame = Measured().encode(Event(parse_value(data)))
    assert isinstance(frame, FrameTemplate) == ("$" in str(data))
    assert render(frame) == sent


def test_what_is_raw_has_no_envelope() -> None:
    assert Measured().encode(Event(raw="abc")) == b"abc"
    assert render(Measured().encode(Event(raw=parse_text("$random:7:7")))) == b"7"
