"""The lines of a recording: written and read again, they are the same; what is not known is kept."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockd.recordings.lines import (
    Begun,
    BrokenLineError,
    End,
    Head,
    Info,
    Input,
    Line,
    Other,
    Output,
    Trailers,
    decode,
    encode,
)

BEGUN = '{"mockd-stream":1,"recordedAt":"","request":{"method":"GET","url":"/a","httpVersion":"1.1","headers":[]}}'
LATIN = st.text(st.characters(max_codepoint=255), max_size=20)
HEADERS = st.lists(st.tuples(LATIN, LATIN), max_size=3)
GAPS = st.integers(0, 10**12)
LINES: st.SearchStrategy[Line] = st.one_of(
    st.builds(Begun, method=st.text(), url=st.text(), headers=HEADERS, recorded_at=st.text()),
    st.builds(Input, gap_us=GAPS, data=st.binary()),
    st.builds(Output, gap_us=GAPS, data=st.binary() | st.text().map(str.encode)),
    st.builds(Head, gap_us=GAPS, status=st.integers(200, 999), headers=HEADERS, reason=LATIN),
    st.builds(Info, gap_us=GAPS, status=st.integers(100, 199), headers=HEADERS, reason=LATIN),
    st.builds(Trailers, gap_us=GAPS, headers=HEADERS),
    st.builds(End, gap_us=GAPS, how=st.just("reset"), text=st.none() | st.just("why"), redacted=st.lists(st.text())),
)


@given(LINES)
def test_a_line_is_the_same_when_it_is_read_again(line: Line) -> None:
    raw = encode(line)
    assert raw.count(b"\n") == 1
    assert decode(raw) == line
    assert encode(decode(raw)) == raw


@pytest.mark.parametrize(
    "line",
    [
        '[5,"o","text",{"later":1},2]',
        '[5,"ob","/w==","x"]',
        '[5,"later",{"a":1},[2]]',
        '[5,"head",{"status":200,"reason":"","httpVersion":"1.1","headers":[],"later":1}]',
        '[5,"info",{"status":103,"reason":"","headers":[],"later":1},0]',
        '[5,"trailers",{"headers":[["a","b"]],"later":1}]',
        '[5,"end","complete",{"text":"t","redacted":["url"],"decoded":"gzip","decodedRequest":"br","later":1},3]',
        BEGUN.replace('"request"', '"later":1,"request"').replace('"request":{', '"request":{'),
        BEGUN.replace('"headers":[]', '"headers":[],"later":[1]'),
    ],
)
def test_what_is_not_known_is_kept(line: str) -> None:
    read = decode(line.encode())
    assert read.has_unknown
    assert json.loads(encode(read)) == json.loads(line)


def test_text_that_is_utf8_by_itself_is_text_and_all_else_base64() -> None:
    assert encode(Output(data="é\0\r\n".encode())) == '[0,"o","é\\u0000\\r\\n"]\n'.encode()
    assert encode(Output(data="é".encode()[:1])) == b'[0,"ob","ww=="]\n'
    assert encode(Input(data=b"\xff")) == b'[0,"ib","/w=="]\n'


BROKEN: dict[str, Any] = {
    "{": "not JSON",
    '"x"': "an object or a list",
    "[5]": "its time and its kind",
    '[-1,"o",""]': "whole number of microseconds",
    '[1.5,"o",""]': "whole number of microseconds",
    '[true,"o",""]': "whole number of microseconds",
    '[0,5,""]': "its kind is a text",
    '[0,"o"]': "nothing behind 'o'",
    '[0,"o",5]': "the bytes of a body are a text",
    '[0,"ob","x"]': "not base64",
    '[0,"ob","é"]': "not base64",
    '[0,"head",[]]': "no object",
    '[0,"head",{}]': "'status' is a number from 200 to 999",
    '[0,"head",{"status":100}]': "'status' is a number from 200 to 999",
    '[0,"info",{"status":200}]': "'status' is a number from 100 to 199",
    '[0,"head",{"status":200,"reason":5}]': "'reason' is no text",
    '[0,"head",{"status":200,"headers":{"a":"b"}}]': "a list of pairs",
    '[0,"head",{"status":200,"headers":[["a","€"]]}]': "a character of a header is a byte",
    '[0,"end"]': "ends as one of: complete, closed, reset, timeout, client, error",
    '[0,"end","later"]': "ends as one of",
    '[0,"end","reset",{"redacted":"url"}]': "a list of texts",
    '{"request":{}}': "has 'mockd-stream' with a version",
    '{"mockd-stream":0,"request":{}}': "with a version",
    '{"mockd-stream":1}': "an object 'request'",
    '{"mockd-stream":1,"request":{"url":"/"}}': "'method' is missing",
    "[" * 10_000: "not JSON",
}


@pytest.mark.parametrize("line", BROKEN)
def test_a_broken_line_says_what_is_wrong(line: str) -> None:
    with pytest.raises(BrokenLineError) as raised:
        decode(line.encode())
    assert BROKEN[line] in str(raised.value)


def test_a_kind_that_is_not_known_is_a_line() -> None:
    assert decode(b'[7,"mark"]') == Other(gap_us=7, kind="mark")
