"""Frames against the reference, sse-starlette's `ServerSentEvent.encode` with LF, and what is our own."""

from __future__ import annotations

import json
import random
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sse_starlette.event import ServerSentEvent

from mockd.clock import SystemClock
from mockd.events import JSON_NULL, Event, Fill
from mockd.framing import FRAMINGS, Frame, FrameTemplate
from mockd.placeholders import parse_text, parse_value

SSE = FRAMINGS["sse"]
TEXT = st.text(st.characters(codec="utf-8"))
LINE = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"))
BREAKS = st.lists(st.sampled_from(["a", "\n", "\r", "\r\n", "\u2028", "\u0085", "\x0b", "\x1c", " ", ":", "é"])).map(
    "".join
)


def render(frame: Frame, seed: int = 1) -> bytes:
    if isinstance(frame, FrameTemplate):
        return frame.render(Fill(random.Random(seed), SystemClock()))
    return frame


@given(
    data=TEXT | BREAKS,
    type_=st.none() | LINE,
    id_=st.none() | LINE,
    comment=st.none() | TEXT | BREAKS,
    retry=st.none() | st.integers(0, 10**9),
)
def test_a_frame_is_what_the_reference_makes_of_it(
    data: str, type_: str | None, id_: str | None, comment: str | None, retry: int | None
) -> None:
    frame = SSE.encode(Event(data, type_, id_, retry, comment))
    assert frame == ServerSentEvent(data, event=type_, id=id_, comment=comment, retry=retry, sep="\n").encode()


@given(id_=st.none() | LINE, comment=st.none() | TEXT | BREAKS, retry=st.none() | st.integers(0, 10**9))
def test_so_is_one_without_data(id_: str | None, comment: str | None, retry: int | None) -> None:
    if id_ is None and retry is None:
        id_ = ""
    frame = SSE.encode(Event(None, None, id_, retry, comment))
    assert frame == ServerSentEvent(id=id_, comment=comment, retry=retry, sep="\n").encode()


@given(comment=TEXT | BREAKS)
def test_a_lone_comment_ends_with_one_newline(comment: str) -> None:
    frame = render(SSE.encode(Event(comment=comment)))
    assert frame + b"\n" == ServerSentEvent(comment=comment, sep="\n").encode()


@given(data=TEXT | BREAKS, type_=LINE)
def test_with_crlf_too(data: str, type_: str) -> None:
    frame = FRAMINGS["sse-crlf"].encode(Event(data, type_))
    assert frame == ServerSentEvent(data, event=type_, sep="\r\n").encode()


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
    max_leaves=8,
).filter(lambda value: value is not None and not isinstance(value, str))


@given(value=JSON)
def test_json_is_compact_keeps_its_value_and_its_order(value: Any) -> None:
    frame = render(SSE.encode(Event(value)))
    assert frame.startswith(b"data: ")
    assert frame.endswith(b"\n\n")
    assert frame.count(b"\n") == 2
    text = frame[6:-2].decode()
    back = json.loads(text)
    assert back == value
    assert json.dumps(back) == json.dumps(value)
    assert not re.search("[\u2028\u2029\u0085]", text)


@pytest.mark.parametrize(
    ("event", "frame"),
    [
        (Event("x"), "data: x\n\n"),
        (Event(""), "data: \n\n"),
        (Event(" x "), "data:  x \n\n"),
        (Event("a\nb\r\nc\rd"), "data: a\ndata: b\ndata: c\ndata: d\n\n"),
        (Event("\n"), "data: \ndata: \n\n"),
        (Event("a\u2028b\u0085c\x0bd"), "data: a\u2028b\u0085c\x0bd\n\n"),
        (Event(JSON_NULL), "data: null\n\n"),
        (Event(True), "data: true\n\n"),
        (Event(12345678901234567890), "data: 12345678901234567890\n\n"),
        (Event(0.1), "data: 0.1\n\n"),
        (Event({"z": 1, "a": ["é<>&", None]}), 'data: {"z":1,"a":["é<>&",null]}\n\n'),
        (Event([]), "data: []\n\n"),
        (Event({"a": "\u2028\u2029\u0085\n"}), 'data: {"a":"\\u2028\\u2029\\u0085\\n"}\n\n'),
        (Event(b"raw"), "data: raw\n\n"),
        (Event("x", type="t", id="1", retry=3000, comment="c"), ": c\nid: 1\nevent: t\ndata: x\nretry: 3000\n\n"),
        (Event(id=""), "id: \n\n"),
        (Event("x", id=""), "id: \ndata: x\n\n"),
        (Event(retry=0), "retry: 0\n\n"),
        (Event(comment=""), ": \n"),
        (Event(comment="two\nlines"), ": two\n: lines\n"),
        (Event(comment="c", id="1"), ": c\nid: 1\n\n"),
        (Event(type="t"), "event: t\n\n"),
        (Event(raw="as: it\r\nstands"), "as: it\r\nstands"),
        (Event(raw=b"\x00"), "\x00"),
        (Event(raw={"a": ["\u2028"]}), '{"a":["\\u2028"]}'),
        (Event(raw=""), ""),
    ],
    ids=repr,
)
def test_frames(event: Event, frame: str) -> None:
    assert SSE.encode(event) == frame.encode()


def test_keepalive_is_a_comment_with_one_newline() -> None:
    assert SSE.keepalive == b": keepalive\n"


# -- holes -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "rendered"),
    [
        ("$random:7:7", "7"),
        ("x$random:7:7", "x7"),
        ({"n": "$random:7:7"}, '{"n":7}'),
        ({"n": "n=$random:7:7"}, '{"n":"n=7"}'),
        (["$random:-7:-7", "$random(8,8)"], "[-7,8]"),
        ({"p": "$pick:a"}, '{"p":"a"}'),
        ({"p": "$pick:1"}, '{"p":"1"}'),
        ({"p": '$pick(a"b)'}, '{"p":"a\\"b"}'),
        ({"p": "$pick(a\\b\t)"}, '{"p":"a\\\\b"}'),
        ({"p": "$pick(a\u2028b)"}, '{"p":"a\\u2028b"}'),
        ({"p": "é$pick(ü)é"}, '{"p":"éüé"}'),
        ({"$random:1:1": "k"}, '{"$random:1:1":"k"}'),
        ({"a": {"b": [{"c": "$pick:x"}]}}, '{"a":{"b":[{"c":"x"}]}}'),
        ({"a": "$random(1,1)$pick(-)$random:2:2"}, '{"a":"1-2"}'),
    ],
    ids=repr,
)
def test_holes_in_data(value: Any, rendered: str) -> None:
    frame = SSE.encode(Event(parse_value(value)))
    assert render(frame) == f"data: {rendered}\n\n".encode()


def test_holes_in_every_text_field() -> None:
    parsed = parse_text("<$pick:x>")
    frame = SSE.encode(Event("d", type=parsed, id=parsed, comment=parsed))
    assert render(frame) == b": <x>\nid: <x>\nevent: <x>\ndata: d\n\n"


def test_holes_are_filled_in_afresh_each_time() -> None:
    frame = SSE.encode(Event(parse_text("$uuid")))
    assert render(frame, seed=1) == render(frame, seed=1) != render(frame, seed=2)


@given(text=st.lists(st.sampled_from(["\ue000", "\ue001", "t0", "j0", '"', "\\", "\n", "x", "é"])).map("".join))
def test_no_text_is_taken_for_a_hole(text: str) -> None:
    frame = SSE.encode(Event(parse_value({"a": text, "b": "$random:4:4", "c": text + "$pick:y"})))
    assert json.loads(render(frame)[6:]) == {"a": text, "b": 4, "c": text + "y"}


# -- outside SSE -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "raw"),
    [
        ("text\n", b"text\n"),
        (b"\x00\xff", b"\x00\xff"),
        ({"a": 1}, b'{"a":1}'),
        (["\u2028"], b'["\\u2028"]'),
        (JSON_NULL, b"null"),
        (None, b""),
    ],
)
def test_raw(data: Any, raw: bytes) -> None:
    assert FRAMINGS["raw"].encode(Event(data)) == raw


@pytest.mark.parametrize(
    ("data", "line"),
    [
        ('{"a":1}', b'{"a":1}\n'),
        (b'{"a":"\xe2\x80\xa8\xc2\x85"}', b'{"a":"\\u2028\\u0085"}\n'),
        ({"a": "\u2029"}, b'{"a":"\\u2029"}\n'),
        (3, b"3\n"),
        (JSON_NULL, b"null\n"),
        (None, b""),
    ],
)
def test_ndjson(data: Any, line: bytes) -> None:
    assert FRAMINGS["ndjson"].encode(Event(data)) == line


@given(value=JSON)
def test_an_item_is_one_line_to_every_reader(value: Any) -> None:
    line = render(FRAMINGS["ndjson"].encode(Event(value))).decode()
    assert len(line.splitlines()) == 1 or re.search("[\x0b\x0c\x1c-\x1e\x7f]", line)
    assert json.loads(line) == value
