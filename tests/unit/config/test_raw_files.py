"""Files whose bytes are events as they stand."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockd.config.events import EventConfig
from mockd.config.events_file import read_events, read_raw
from mockd.errors import ConfigError


def raw_of(content: bytes) -> list[EventConfig]:
    with tempfile.NamedTemporaryFile() as file:
        Path(file.name).write_bytes(content)
        return read_raw(Path(file.name))


def bytes_of(content: bytes) -> list[bytes]:
    return [event.raw_base64 or b"" for event in raw_of(content)]


BLOCKS: dict[str, list[bytes]] = {
    "LF": [b"data: a\n\n", b"data: b\n\n"],
    "CRLF": [b"data: a\r\n\r\n", b"data: b\r\n\r\n"],
    "CR": [b"data: a\r\r", b"data: b\r\r"],
    "mixed": [b"data: a\r\n\n", b"data: b\n\r\n", b"data: c\r\n\r", b"data: d\n\n"],
    "comments with and without blank lines": [b": a\n\n", b": b\ndata: x\n\n", b": c\n\n"],
    "order and unknown fields": [b"retry: 1\ndata: x\nid: 1\nfoo: bar\nevent: e\n\n", b"data: y\n\n"],
    "a last event without its blank line": [b"data: a\n\n", b"data: b\n"],
    "a last event without its line end": [b"data: a\n\n", b"data: b"],
    "a byte order mark": [b"\xef\xbb\xbfdata: a\n\n", b"data: b\n\n"],
    "no UTF-8": [b"data: \xff\xfe\n\n", b"\xc3\n\n"],
    "more blank lines than one": [b"\n\r\ndata: a\n\n\n", b"data: b\r\n\r\n\n"],
    "nothing but blank lines": [b"\n\r\n\r"],
    "lines": [b'{"a":1}\n', b'{"b":2}\r\n', b"3\r", b"4"],
    "one line": [b"data: a"],
    "blanks are no blank line": [b"a\n", b" \n", b"\t\n"],
    "other line breaks are none": [b"a\xe2\x80\xa8\xc2\x85\x0b\x0c\x1c\n", b"b\n"],
}


@pytest.mark.parametrize("blocks", BLOCKS.values(), ids=BLOCKS)
def test_blocks_end_with_their_blank_line(blocks: list[bytes]) -> None:
    assert bytes_of(b"".join(blocks)) == blocks


@given(
    st.lists(st.sampled_from([b"\r", b"\n", b"data: a", b":", b"\xef\xbb\xbf", b"\xff", b"id: 1", b"{"]), min_size=1)
)
def test_nothing_is_lost(parts: list[bytes]) -> None:
    content = b"".join(parts)
    assert b"".join(bytes_of(content)) == content


@pytest.mark.parametrize(
    ("block", "id_"),
    [
        (b"data: a\n\n", None),
        (b"id: 1\ndata: a\n\n", "1"),
        (b"id:1\r\nid:  2\r\n\r\n", " 2"),
        (b"data: id: 1\n\n", None),
        (b"id\ndata: a\n\n", ""),
        (b"id: a\0b\nid: c\0\n\n", None),
        (b"id: \xc3\xa9\xff\n\n", "\xe9\ufffd"),
        (b"\xef\xbb\xbfid: 1\n\n", "1"),
        (b"\n\xef\xbb\xbfid: 1\n\n", None),
        (b": id: 1\n\n", None),
    ],
)
def test_ids_are_those_that_clients_read(block: bytes, id_: str | None) -> None:
    first, second = raw_of(block + b"\xef\xbb\xbfid: 9\n\n")
    assert first.id == id_
    assert second.id is None  # a byte order mark is one only at the start of a stream


@pytest.mark.parametrize(
    ("block", "count"),
    [
        (b"data: a\n\n", 1),
        (b"data\n\n", 1),
        (b": a\ndata: b\n\n", 1),
        (b"hello\n\n", 1),
        (b"\xff\n\n", 1),
        (b": a\n: b\n\n", 0),
        (b"event: a\nid: 1\nretry: 2\n\n", 0),
        (b"\n\n", 0),
    ],
)
def test_what_has_no_content_is_not_counted(block: bytes, count: int) -> None:
    [event] = raw_of(block)
    assert event.count == (None if count else 0)


def test_lines_are_counted_whatever_they_say() -> None:
    assert [event.count for event in raw_of(b": a\nid: 1\n")] == [None, None]
    assert [event.id for event in raw_of(b": a\nid: 1\n")] == [None, None]


def test_a_large_block_is_read_at_once() -> None:
    content = b"data: x\n" * 200_000 + b"\n"
    assert bytes_of(content) == [content]


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "none").write_bytes(b"")
    with pytest.raises(ConfigError, match="none: there is nothing in it"):
        read_raw(tmp_path / "none")


def test_raw_events_may_stand_in_a_list(tmp_path: Path) -> None:
    (tmp_path / "list.ndjson").write_text(
        '{"raw": "event: ping\\n\\n"}\n{"rawBase64": "/w==", "id": "1", "count": 2}\n'
    )
    assert read_events(tmp_path / "list.ndjson") == [
        EventConfig(raw="event: ping\n\n"),
        EventConfig(raw_base64=b"\xff", id="1", count=2),
    ]
