"""Events whose lines have another form: a reader that follows the standard reads the same of them."""

from __future__ import annotations

import random
import re
from functools import partial
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mockd.clock import SystemClock
from mockd.config.framing import FramingConfig
from mockd.events import Event, Fill
from mockd.framing import FRAMINGS, Framing
from mockd.framing.varied import varied
from mockd.placeholders import parse_text
from tests.unit.test_framing import BREAKS, LINE, TEXT
from tests.wire.framing.reading import event_stream

FIELDS = ["comment", "id", "event", "data", "retry"]
FRAMING = st.fixed_dictionaries(
    {},
    optional={
        "lineEnding": st.sampled_from(["lf", "crlf", "cr", "mixed"]),
        "spaceAfterColon": st.booleans(),
        "fieldOrder": st.permutations(FIELDS).flatmap(lambda order: st.integers(1, 5).map(lambda size: order[:size])),
    },
)
EVENTS = st.lists(
    st.builds(
        partial(Event),
        data=st.none() | TEXT | BREAKS | st.just({"a": " b"}),
        type=st.none() | LINE,
        id=st.none() | LINE,
        retry=st.none() | st.integers(0, 9),
        comment=st.none() | TEXT | BREAKS,
    ),
    max_size=4,
)


def in_form(framing: dict[str, Any], name: str = "sse") -> Framing:
    return varied(FRAMINGS[name], msgspec.convert(framing, FramingConfig))


def filled(framing: Framing, event: Event) -> bytes:
    return framing.row(event).filled(Fill(random.Random(1), SystemClock()))[0]


@given(framing=FRAMING, events=EVENTS, name=st.sampled_from(["sse", "sse-crlf"]))
@example(framing={"lineEnding": "mixed"}, events=[Event(""), Event("\r"), Event(comment="\r")], name="sse")
def test_every_form_reads_the_same(framing: dict[str, Any], events: list[Event], name: str) -> None:
    form, usual = in_form(framing, name), FRAMINGS["sse"]
    body = b"".join(filled(form, event) for event in events)
    assert event_stream(body) == event_stream(b"".join(filled(usual, event) for event in events))


@given(framing=FRAMING, data=TEXT | BREAKS, type_=st.none() | LINE, other=st.text(st.sampled_from("ab é\n")))
def test_it_understands_its_own_bytes(framing: dict[str, Any], data: str, type_: str | None, other: str) -> None:
    form = in_form(framing)
    payload = filled(form, Event(data, type=type_, id="1"))
    lines = "\n".join(re.split("\r\n|\r|\n", data))
    assert form.read(payload) == (type_, lines)
    assert form.data_of(payload) == lines.encode()
    changed = event_stream(form.with_data(payload, other.encode())).messages
    assert [message.data for message in changed] == [other]
    assert event_stream(form.with_retry(payload, 77)).retry == 77
    assert event_stream(form.with_retry(payload, 77)).messages == event_stream(payload).messages


@given(framing=FRAMING, text=TEXT | BREAKS)
def test_a_hole_may_hold_anything(framing: dict[str, Any], text: str) -> None:
    event = Event(parse_text("{{ request.path }} and {{ request.path }}"), comment=parse_text("{{ request.path }}"))
    for data in (event.data, parse_text("{{ request.path }}")):
        form = in_form(framing)
        row = form.row(event._replace(data=data))
        fill = Fill(random.Random(1), SystemClock())
        fill.rendered = {one.source: text for one in row.expressions}
        usual = FRAMINGS["sse"].row(event._replace(data=data)).filled(fill)[0]
        assert event_stream(row.filled(fill)[0]) == event_stream(usual)


@pytest.mark.parametrize(
    ("framing", "event", "payload"),
    [
        ({"lineEnding": "cr"}, Event("a\nb", id="1"), b"id: 1\rdata: a\rdata: b\r\r"),
        ({"lineEnding": "crlf"}, Event(comment="c"), b": c\r\n"),
        ({"spaceAfterColon": False}, Event(" a", type="t", comment="c"), b": c\nevent:t\ndata:  a\n\n"),
        ({"spaceAfterColon": False}, Event("a: b"), b"data:a: b\n\n"),
        ({"spaceAfterColon": False}, Event(""), b"data:\n\n"),
        ({"fieldOrder": ["data", "comment"]}, Event("a\nb", id="1", comment="c"), b"data: a\ndata: b\n: c\nid: 1\n\n"),
        (
            {"fieldOrder": ["retry", "event"]},
            Event("a", type="t", retry=5, id="1"),
            b"retry: 5\nevent: t\nid: 1\ndata: a\n\n",
        ),
        ({"lineEnding": "cr"}, Event(raw="data: a\n\n"), b"data: a\n\n"),
    ],
    ids=str,
)
def test_forms(framing: dict[str, Any], event: Event, payload: bytes) -> None:
    assert filled(in_form(framing), event) == payload


def test_mixed_line_ends_have_all_kinds_and_are_the_same_each_time() -> None:
    form = in_form({"lineEnding": "mixed"})
    bodies = [b"".join(filled(form, Event(parse_text(f"{n} $uuid"), id=str(n))) for n in range(9)) for _ in range(2)]
    assert bodies[0] == bodies[1]
    assert {b"\r\n", b"\r", b"\n"} == set(re.findall(b"\r\n|\r|\n", bodies[0]))
    assert not re.search(b"\r\n(?=\r\n)", bodies[0]), "a blank line ends otherwise than the line before"


def test_lines_of_json() -> None:
    form = in_form({"lineEnding": "crlf"}, "ndjson")
    payload = filled(form, Event({"a": 1}))
    assert payload == b'{"a":1}\r\n'
    assert form.data_of(payload) == b'{"a":1}'
    assert form.with_data(payload, b"{") == b"{\r\n"


@pytest.mark.parametrize("name", ["raw", "json-array"])
def test_what_has_no_lines_stays_as_it_is(name: str) -> None:
    assert in_form({"lineEnding": "cr"}, name) is FRAMINGS[name]
