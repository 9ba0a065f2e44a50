"""Recordings go through an HTTP Archive and back without a loss. Chromium's: `tests/browser/test_archives.py`."""

from __future__ import annotations

import gzip
import json
import zlib
from base64 import b64encode
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

import brotli
import pytest
import zstandard

from mockd.errors import ConfigError
from mockd.recordings.conversions import har
from mockd.recordings.conversions.formats import read_file
from mockd.recordings.lines import Begun, End, Head, Line, Output
from mockd.recordings.rewriting import Story
from tests.recordings.stories import FOLDER, anything, lines_of, recorded, stream, vendors

needs_recordings = pytest.mark.skipif(not FOLDER, reason="MOCKD_RECORDINGS names no folder of recorded streams")


def through(folder: Path, *stories: Story) -> None:
    """All of these stories go through an archive and are the same."""
    before = recorded(folder / "before", *stories)
    said: list[str] = []
    text = har.write(before, said.append)
    after = recorded(folder / "after", *har.read(text.encode(), said.append))
    assert said == []
    assert [exchange.begun for exchange in after] == [exchange.begun for exchange in before]
    assert list(map(lines_of, after)) == list(map(lines_of, before))


@pytest.mark.parametrize("seed", range(5))
def test_whatever_was_recorded_goes_through_and_back(tmp_path: Path, seed: int) -> None:
    rng = Random(seed)
    through(tmp_path, *(anything(rng) for _ in range(40)))


def test_a_stream_that_chromium_took_for_another_charset_is_mended(tmp_path: Path) -> None:
    document = archive(tmp_path)
    [entry] = document["log"]["entries"]
    for name in ("_mockd", "_chunks", "_eventSourceMessages"):
        del entry[name]
    for text, meant in [("data: é€😀", "data: é€😀"), ("data: é", "data: é"), ("data: naïve", "data: naïve")]:
        for said in (text, text.encode().decode("cp1252", "replace")):
            entry["response"]["content"]["text"] = said
            assert read_again(tmp_path, document)[0][0][1] == meant.encode()


@needs_recordings
def test_the_streams_of_vendors_go_through_and_back(tmp_path: Path) -> None:
    through(tmp_path, *(story for _, story in vendors()))


def archive(tmp_path: Path) -> dict[str, Any]:
    [exchange] = recorded(
        tmp_path / "a", stream(Random(3), b"id: 7\ndata: a\n\n: note\n\nevent: x\ndata: b\ndata: c\n\n")
    )
    return json.loads(har.write([exchange], lambda _: None))  # type: ignore[no-any-return]


def read_again(tmp_path: Path, document: dict[str, Any]) -> tuple[list[tuple[int, bytes]], list[str]]:
    said: list[str] = []
    [exchange] = recorded(tmp_path / "b", *har.read(json.dumps(document).encode(), said.append))
    return list(exchange.output()), said


def test_an_archive_has_the_members_that_other_tools_read(tmp_path: Path) -> None:
    [entry] = archive(tmp_path)["log"]["entries"]
    start = datetime.fromisoformat(entry["startedDateTime"]).timestamp()
    messages = entry["_eventSourceMessages"]
    assert [(one["eventName"], one["eventId"], one["data"]) for one in messages] == [
        ("message", "7", "a"),
        ("x", "7", "b\nc"),
    ]
    assert all(start < one["time"] < start + 60 for one in messages)
    assert sum(chunk["bytes"] for chunk in entry["_chunks"]) == entry["response"]["content"]["size"]
    assert entry["request"]["queryString"] == [{"name": "x", "value": "1"}, {"name": "y", "value": ""}]
    assert entry["time"] == pytest.approx(sum(entry["timings"].values()))


def test_without_our_own_member_pieces_and_times_are_those_of_the_chunks(tmp_path: Path) -> None:
    document = archive(tmp_path)
    before, _ = read_again(tmp_path, document)
    del document["log"]["entries"][0]["_mockd"]
    after, said = read_again(tmp_path, document)
    assert after == before
    assert said == []


def test_times_of_chunks_are_from_the_beginning_of_their_page(tmp_path: Path) -> None:
    document = archive(tmp_path)
    [entry] = document["log"]["entries"]
    del entry["_mockd"]
    before, _ = read_again(tmp_path, document)
    document["log"]["pages"] = [{"id": "p", "startedDateTime": "2026-11-28T09:59:59.000Z"}]
    entry["pageref"] = "p"
    for chunk in entry["_chunks"]:
        chunk["ts"] += 1000
    assert read_again(tmp_path, document)[0] == before


def test_a_body_that_was_edited_in_the_archive_wins(tmp_path: Path) -> None:
    document = archive(tmp_path)
    document["log"]["entries"][0]["response"]["content"]["text"] = "data: edited\n\n"
    del document["log"]["entries"][0]["_eventSourceMessages"]
    pieces, said = read_again(tmp_path, document)
    assert [data for _, data in pieces] == [b"data: edited\n\n"]
    assert said == ["the archive says nothing of the pieces in which answers came, and of their times"]


def test_messages_are_framed_if_nothing_else_is_there(tmp_path: Path) -> None:
    document = archive(tmp_path)
    [entry] = document["log"]["entries"]
    for name in ("_mockd", "_chunks"):
        del entry[name]
    del entry["response"]["content"]["text"]
    pieces, said = read_again(tmp_path, document)
    assert [data for _, data in pieces] == [b"id: 7\ndata: a\n\n", b"event: x\nid: 7\ndata: b\ndata: c\n\n"]
    assert said == []


CODED = b"id: 7\ndata: a\n\ndata: \xe2\x82\xac" + b" and more of it" * 100 + b"\n\n"
CODINGS: dict[str, bytes] = {
    "gzip": gzip.compress(CODED),
    "deflate": zlib.compress(CODED),
    "br": brotli.compress(CODED),
    "zstd": zstandard.compress(CODED),
}


def in_coding(coding: str, raw: bytes, how: str = "complete", decoded: str | None = None) -> Story:
    """An answer with this head and these bytes, in three pieces."""
    headers = [("Content-Type", "text/event-stream"), ("Content-Encoding", coding)]
    pieces = [raw[:5], raw[5:20], raw[20:]]
    happened: list[tuple[int, Line]] = [(10, Head(status=200, reason="OK", headers=headers))]
    happened += [(20_000 * number, Output(data=piece)) for number, piece in enumerate(pieces, 1)]
    begun = Begun(method="GET", url="https://a.test/", recorded_at="2026-11-28T10:00:00.000Z")
    return Story(begun, [*happened, (80_000, End(how=how, decoded=decoded))])


def response_of(folder: Path, story: Story) -> tuple[dict[str, Any], dict[str, Any]]:
    """What an archive of it has: the response, and the entry."""
    document = json.loads(har.write(recorded(folder, story), lambda _: None))
    [entry] = document["log"]["entries"]
    return entry["response"], entry


@pytest.mark.parametrize("coding", CODINGS)
def test_a_body_in_a_coding_is_in_the_archive_without_it(tmp_path: Path, coding: str) -> None:
    raw = CODINGS[coding]
    story = in_coding(coding, raw)
    response, entry = response_of(tmp_path / "a", story)
    assert response["content"]["text"] == CODED.decode()
    assert "encoding" not in response["content"]
    assert response["content"]["size"] == len(CODED)
    assert response["content"]["compression"] == len(CODED) - len(raw)
    assert response["bodySize"] == len(raw)
    assert {"name": "Content-Encoding", "value": coding} in response["headers"]
    assert sum(chunk["bytes"] for chunk in entry["_chunks"]) == len(CODED)
    assert [message["eventId"] for message in entry["_eventSourceMessages"]] == ["7", "7"]
    through(tmp_path / "b", story)


@pytest.mark.parametrize("coding", CODINGS)
def test_a_body_in_a_coding_that_breaks_off_is_there_as_far_as_it_came(tmp_path: Path, coding: str) -> None:
    story = in_coding(coding, CODINGS[coding][:-1], how="closed")
    response, _ = response_of(tmp_path / "a", story)
    assert CODED.startswith(response["content"]["text"].encode())
    through(tmp_path / "b", story)


@pytest.mark.parametrize(
    ("story", "text", "size"),
    [
        (in_coding("gzip", b"\xff not in gzip"), b64encode(b"\xff not in gzip").decode(), 13),
        (in_coding("unheard-of", CODED), CODED.decode(), len(CODED)),
        (in_coding("gzip", CODED, decoded="gzip"), CODED.decode(), -1),
    ],
    ids=["not in its coding", "an unknown coding", "stored decoded"],
)
def test_a_body_of_which_no_coding_can_be_taken_off_is_as_it_is(
    tmp_path: Path, story: Story, text: str, size: int
) -> None:
    response, _ = response_of(tmp_path / "a", story)
    assert (response["content"]["text"], response["bodySize"]) == (text, size)
    assert "compression" not in response["content"]
    through(tmp_path / "b", story)


def test_a_body_in_a_coding_that_was_edited_in_the_archive_wins(tmp_path: Path) -> None:
    document = json.loads(har.write(recorded(tmp_path / "a", in_coding("gzip", CODINGS["gzip"])), lambda _: None))
    [entry] = document["log"]["entries"]
    entry["response"]["content"]["text"] = "data: edited\n\n"
    del entry["_eventSourceMessages"]
    [exchange] = recorded(tmp_path / "b", *har.read(json.dumps(document).encode(), lambda _: None))
    assert [data for _, data in exchange.output()] == [b"data: edited\n\n"]
    assert exchange.end is not None
    assert exchange.end.decoded == "gzip"


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"log": 5}',
        '{"log": {"entries": [5]}}',
        '{"log": {"entries": [{"request": {}, "response": {}}]}}',
    ],
)
def test_what_is_no_archive_is_said(tmp_path: Path, content: str) -> None:
    file = tmp_path / "x.har"
    file.write_text(content)
    with pytest.raises(ConfigError, match=r"x\.har: (not an HTTP Archive|entry 0 is not)"):
        list(read_file(file, "har", lambda _: None))
