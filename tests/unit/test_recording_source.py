"""The events of a recording, as they are played."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from mockd.config.replay import Replay
from mockd.events import Event
from mockd.recordings.lines import Begun, End, Head, Line, Output
from mockd.recordings.reading import exchanges
from mockd.recordings.redaction import Redaction
from mockd.recordings.rewriting import Story, write_new
from mockd.sources import recording
from mockd.sources.recording import RecordingSource


def played(folder: Path, *pieces: tuple[int, bytes]) -> list[Event]:
    """The events of an event stream that has these pieces, each so many microseconds after the one before."""
    at_us = 0
    happened: list[tuple[int, Line]] = [(0, Head(status=200, headers=[("content-type", "text/event-stream")]))]
    for gap_us, data in pieces:
        at_us += gap_us
        happened.append((at_us, Output(data=data)))
    story = Story(Begun(method="GET", url="http://x/a"), [*happened, (at_us, End(how="complete"))])
    [file] = write_new([story], folder, Redaction(is_on=False))
    [exchange] = exchanges(file)
    *events, end = RecordingSource(exchange, Replay())._events()
    assert end.raw == b""
    return events


@pytest.mark.parametrize("end", [b"\n\n", b"\r\n\r\n", b"\r\r", b"\r\n\n"])
def test_an_event_ends_where_its_end_is_cut_in_two(tmp_path: Path, end: bytes) -> None:
    for size in range(1, len(end)):
        if end[size - 1 : size + 1] == b"\r\n" and size > 1:
            continue  # a CR is an end already
        pieces = (0, b"data: 1" + end[:size]), (10, end[size:] + b"id: b\ndata: 2" + end)
        events = played(tmp_path / f"{size}", *pieces)
        assert [(event.raw, event.counts) for event in events] == [
            (b"data: 1" + end, 1),
            (b"id: b\ndata: 2" + end, 1),
        ]
        assert [event.id for event in events] == [None, "b"]


def test_each_chunk_of_an_event_that_takes_long_is_by_itself(tmp_path: Path) -> None:
    slow = round(recording.LONGEST_EVENT_S * 1e6) + 1
    events = played(tmp_path, (0, b"id: a\nda"), (slow, b"ta: 1"), (slow, b"\n\n"))
    assert [(event.raw, event.counts, event.delay_s) for event in events] == [
        (b"id: a\nda", 0, 0.0),
        (b"ta: 1", 0, slow / 1e6),
        (b"\n\n", 1, pytest.approx(slow / 1e6)),
    ]
    assert events[-1].id == "a"


def test_what_was_before_an_event_is_no_part_of_it(tmp_path: Path) -> None:
    slow = round(recording.LONGEST_EVENT_S * 1e6) + 1
    events = played(tmp_path, (0, b"id: a\ndata: 1"), (slow, b"\n\n: comment\n\n"), (0, b"data: 2\n\n"))
    assert [(event.raw, event.counts, event.id) for event in events] == [
        (b"id: a\ndata: 1", 0, None),
        (b"\n\n", 1, "a"),
        (b": comment\n\n", 0, None),
        (b"data: 2\n\n", 1, None),
    ]


@pytest.mark.parametrize(("size", "count"), [(65536, 300), (1, recording.MOST_SCRIPTED_CHUNKS + 1)])
def test_an_event_without_an_end_needs_little_memory(tmp_path: Path, size: int, count: int) -> None:
    head = Head(status=200, headers=[("content-type", "text/event-stream")])
    story = Story(Begun(method="GET", url="http://x/a"), [(0, head), *[(0, Output(data=bytes(size)))] * count])
    [file] = write_new([story], tmp_path, Redaction(is_on=False))
    [exchange] = exchanges(file)
    source = RecordingSource(exchange, Replay())
    assert source.script is None
    tracemalloc.start()
    try:
        assert sum(len(event.raw) for event in source._events()) == count * size
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()


def test_each_chunk_of_an_event_that_is_large_is_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "MOST_OF_EVENT", 10)
    events = played(tmp_path, (0, b"data: 12345"), (1, b"67890"), (1, b"\n\n"))
    assert [(event.raw, event.counts) for event in events] == [(b"data: 12345", 0), (b"67890\n\n", 1)]
