"""The forms in which tools write archives and cassettes: what each member means, with and without it."""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
import yaml

from mockd.errors import ConfigError
from mockd.recordings.conversions.formats import read_file
from mockd.recordings.conversions.har import read as read_har
from mockd.recordings.conversions.vcr import read as read_vcr
from mockd.recordings.conversions.vcr import write as write_vcr
from mockd.recordings.lines import Begun, End, Head, Input, Line, Output
from mockd.recordings.rewriting import Story
from tests.recordings.stories import recorded

Told = tuple[Story, list[str]]
"""An exchange, and what was said."""


def in_archive(entry: dict[str, Any] | None = None, **log: Any) -> Told:
    """What becomes of an archive whose entry differs so from a plain one; `request.method` is a member of a member."""
    plain: dict[str, Any] = {
        "startedDateTime": "2026-01-01T00:00:00Z",
        "request": {"method": "GET", "url": "http://a.test/"},
        "response": {"status": 200},
    }
    for name, value in (entry or {}).items():
        place, _, member = name.rpartition(".")
        (plain[place] if place else plain)[member] = value
    said: list[str] = []
    [story] = read_har(json.dumps({"log": {"entries": [plain], **log}}).encode(), said.append)
    return story, said


def in_cassette(request: dict[str, Any], response: dict[str, Any], **more: Any) -> Told:
    said: list[str] = []
    interaction = {"request": {"method": "GET", **request}, "response": response, **more}
    [story] = read_vcr(json.dumps({"interactions": [interaction]}).encode(), said.append)
    return story, said


def only(story: Story, kind: type[Line]) -> Any:
    [line] = [line for _, line in story.happened if isinstance(line, kind)]
    return line


def times(story: Story) -> list[int]:
    return [at_us for at_us, _ in story.happened]


# -- archives ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ("HTTP/1.0", "1.0"),
        ("http/1.1", "1.1"),
        ("h2", "2"),
        ("HTTP/2.0", "2"),
        ("http/2", "2"),
        ("h3", "3"),
        ("", "1.1"),
        (None, "1.1"),
    ],
)
def test_versions_of_http(said: str | None, version: str) -> None:
    story, _ = in_archive({"request.httpVersion": said, "response.httpVersion": said})
    assert (story.begun.http_version, only(story, Head).http_version) == (version, version)


def test_headers_of_an_archive() -> None:
    headers = [{"name": name, "value": value} for name, value in ((":path", "/"), ("X-A", "é"), ("x-b", "€"))]
    story, _ = in_archive({"request.headers": headers, "response.headers": headers})
    expected = [("X-A", "é"), ("x-b", "€".encode().decode("latin-1"))]
    assert (story.begun.headers, only(story, Head).headers) == (expected, expected)


@pytest.mark.parametrize(
    ("data", "sent"),
    [
        ({"text": "é"}, "é".encode()),
        ({"text": "4pyT", "encoding": "base64"}, "✓".encode()),
        ({"text": "4pyT", "_encoding": "base64"}, "✓".encode()),
    ],
)
def test_bodies_of_an_archive(data: dict[str, Any], sent: bytes) -> None:
    story, _ = in_archive({"request.postData": data})
    assert only(story, Input).data == sent
    if "_encoding" not in data:
        story, said = in_archive({"response.content": data})
        assert only(story, Output).data == sent
        assert said == ["the archive says nothing of the pieces in which answers came, and of their times"]


def test_an_archive_without_bodies_says_so() -> None:
    assert in_archive({"response.content": {"size": 5}})[1] == ["the archive was made without the bodies of answers"]
    assert in_archive({"response.content": {"size": 0}})[1] == []


def test_the_head_comes_when_all_before_it_is_over() -> None:
    timings = {"blocked": 1, "dns": 2, "connect": 4, "ssl": 3, "send": 8, "wait": 16, "receive": 32}
    assert times(in_archive({"timings": timings})[0]) == [31_000, 63_000]
    assert times(in_archive({"timings": {"blocked": -1, "dns": None, "wait": 5, "receive": -1}})[0]) == [5000, 5000]


@pytest.mark.parametrize("status", [0, 200])
def test_an_error_is_how_it_ended(status: int) -> None:
    story, _ = in_archive({"response.status": status, "response._error": "net::ERR_ABORTED"})
    assert (only(story, End).how, only(story, End).text) == ("error", "net::ERR_ABORTED")
    assert any(isinstance(line, Head) for _, line in story.happened) is (status == 200)


@pytest.mark.parametrize("page_ms", [0, 2000])
def test_chunks_are_never_before_the_head(page_ms: int) -> None:
    """Their times are from the beginning of the page, if there is one."""
    chunks = [{"ts": page_ms + 1, "bytes": 1}, {"ts": page_ms + 40, "bytes": 2}]
    page = {"id": "p", "startedDateTime": "2025-12-31T23:59:58Z"}
    entry = {"timings": {"wait": 10}, "response.content": {"text": "abc"}, "_chunks": chunks}
    story, said = in_archive(entry | ({"pageref": "p"} if page_ms else {}), pages=[page])
    assert times(story) == [10_000, 10_000, 40_000, 40_000]
    assert [line.data for _, line in story.happened if isinstance(line, Output)] == [b"a", b"bc"]
    assert said == []


def test_chunks_of_another_body_do_not_count() -> None:
    story, said = in_archive({"response.content": {"text": "abc"}, "_chunks": [{"ts": 1, "bytes": 2}]})
    assert only(story, Output).data == b"abc"
    assert len(said) == 1


def test_messages_of_an_archive() -> None:
    messages = [
        {"time": 1767225599, "eventName": "message", "eventId": "", "data": "1"},
        {"time": 1767225600.5, "eventName": "e", "eventId": "7", "data": "2\n3"},
    ]
    story, _ = in_archive({"_eventSourceMessages": messages, "timings": {"wait": 10}})
    outputs = [(at_us, line.data) for at_us, line in story.happened if isinstance(line, Output)]
    assert outputs == [(10_000, b"data: 1\n\n"), (500_000, b"event: e\nid: 7\ndata: 2\ndata: 3\n\n")]


# -- cassettes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "body"),
    [
        ({"body": None}, None),
        ({"body": {"string": "é"}}, "é".encode()),
        ({"body": {"string": ""}}, None),
        ({"body": {"base64_string": b64encode(b"\xff").decode()}}, b"\xff"),
        ({"body": "é"}, "é".encode()),
        ({"content": "a"}, b"a"),
        ({"parsed_body": {"a": 1}}, b'{"a":1}'),
    ],
)
def test_bodies_of_a_cassette(form: dict[str, Any], body: bytes | None) -> None:
    story, _ = in_cassette({"uri": "http://a.test/", **form}, {"status": {"code": 200, "message": "OK"}, **form})
    for kind in (Input, Output):
        assert [line.data for _, line in story.happened if isinstance(line, kind)] == ([] if body is None else [body])


def test_names_of_a_cassette() -> None:
    headers = {"X-A": ["1", "2"], "X-B": "three"}
    expected = [("X-A", "1"), ("X-A", "2"), ("X-B", "three")]
    story, said = in_cassette({"url": "http://a.test/", "headers": headers}, {"status_code": 404, "headers": headers})
    assert (story.begun.url, story.begun.headers) == ("http://a.test/", expected)
    assert (only(story, Head).status, only(story, Head).reason, only(story, Head).headers) == (404, "", expected)
    assert said == ["a cassette says nothing of pieces, times and ends: each answer comes at once, as one piece"]
    story, _ = in_cassette({"uri": "http://a.test/"}, {"status": {"code": 200, "message": None}})
    assert only(story, Head).reason == ""


def test_times_of_a_cassette_stay_text() -> None:
    text = (
        "interactions: [{request: {method: GET, uri: 'http://a.test/'}, response: {status_code: 200}, recorded_at: %s}]"
    )
    [story] = read_vcr((text % "2026-01-01T00:00:00").encode(), lambda _: None)
    assert story.begun.recorded_at == "2026-01-01T00:00:00"


def test_a_body_that_was_stored_decoded_gets_a_head_that_fits() -> None:
    headers = {"Content-Encoding": ["gzip"], "Content-Length": ["999"], "X": ["1"]}
    story, _ = in_cassette({"uri": "/"}, {"status_code": 200, "headers": headers, "body": "plain"})
    assert only(story, Head).headers == [("Content-Length", "5"), ("X", "1")]
    assert only(story, End).decoded == "gzip"
    story, _ = in_cassette({"uri": "/"}, {"status_code": 204, "headers": headers})
    assert (len(only(story, Head).headers), only(story, End).decoded) == (3, None)


def test_what_is_written_into_a_cassette(tmp_path: Path) -> None:
    headers = [("X-A", "1"), ("Transfer-Encoding", "chunked"), ("X-A", "2"), ("Content-Encoding", "gzip")]
    lines = [(0, Head(status=200, reason="Fine", headers=headers)), (0, Output(data="€".encode()))]
    begun = Begun(method="GET", url="http://a.test/", headers=[("X-B", "3")])
    stories = [Story(begun, [*lines, (0, End(how="complete", decoded="gzip"))]), Story(begun, [(0, End(how="reset"))])]
    said: list[str] = []
    text = write_vcr(recorded(tmp_path, *stories), said.append)
    assert "€" in text
    assert yaml.safe_load(text)["interactions"] == [
        {
            "request": {"body": None, "headers": {"X-B": ["3"]}, "method": "GET", "uri": "http://a.test/"},
            "response": {
                "body": {"string": "€"},
                "headers": {"X-A": ["1", "2"]},
                "status": {"code": 200, "message": "Fine"},
            },
        }
    ]
    assert said[1:] == ["GET http://a.test/ has no answer, and is left out"]


# -- which format it is ------------------------------------------------------------------------------------------------

ARCHIVE = b'{"log": {"entries": []}}'


@pytest.mark.parametrize(
    ("name", "content", "count"),
    [
        ("a", b"\xef\xbb\xbf" + ARCHIVE, 0),
        ("a", b"\n\n" + ARCHIVE, 0),
        ("a", b"interactions: []\n", 0),
        ("A.YAML", b"# a comment\ninteractions: []\n", 0),
        ("a", b": hi\n\n", 1),
    ],
)
def test_what_a_file_is_is_seen(tmp_path: Path, name: str, content: bytes, count: int) -> None:
    (tmp_path / name).write_bytes(content)
    assert len(list(read_file(tmp_path / name, "auto", lambda _: None))) == count


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b'{"mockd-stream":1}', "it is a recording already"),
        (b"what", "it is not known what it is"),
        (b'{"log": {}}', "not an HTTP Archive: 'entries' is missing in it"),
        (b'{"log": {"entries": [{}]}}', "entry 0 is not as it should be: 'request' is missing in it"),
        (b'{"log": {"entries": [5]}}', "entry 0 is not as it should be: a part of it is of another type"),
    ],
)
def test_what_cannot_be_read_is_said(tmp_path: Path, content: bytes, text: str) -> None:
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(ConfigError, match=text):
        list(read_file(tmp_path / "a", "auto", lambda _: None))
