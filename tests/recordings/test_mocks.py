"""A recording as a mock sends what was recorded, at its times, and ends as it ended."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

import httpx2
import pytest

from mockd.config.load import load_paths
from mockd.recordings.lines import Begun, End, Head, Output
from mockd.recordings.mocks import mock_of
from mockd.recordings.redaction import Redaction
from mockd.recordings.rewriting import Story
from mockd.testing import running_mockd
from tests.recordings.stories import FOLDER, recorded, stream, vendors


def sent(folder: Path, story: Story) -> tuple[httpx2.Response | None, bytes]:
    """What a client receives from the mock that is made of a story."""
    [exchange] = recorded(folder, story)
    mock = mock_of(exchange)
    for event in mock.get("sse", {}).get("events", ()):
        event["delay"] = 0
    url = exchange.begun.url.removeprefix("https://api.example.com")
    received = b""
    with running_mockd(mock) as mockd:
        try:
            with httpx2.stream(exchange.begun.method, mockd.url + url) as answer:
                for data in answer.iter_bytes():
                    received += data
            return answer, received
        except httpx2.TransportError:
            return None, received


@pytest.mark.parametrize("seed", range(12))
def test_a_mock_sends_the_same_bytes_and_ends_in_the_same_way(tmp_path: Path, seed: int) -> None:
    rng = Random(seed)
    body = rng.choice(
        [b"id: 1\ndata: a\n\n: x\n\ndata: $uuid {{ x }}\n\n", rng.randbytes(200), b'{"a": 1}\n{"a": 2}\n']
    )
    kind = rng.choice(["text/event-stream", "application/x-ndjson", "image/png"])
    story = stream(rng, body, kind)
    how = story.happened[-1][1].how  # type: ignore[index]
    answer, received = sent(tmp_path, story)
    assert (answer is None) == (how in ("reset", "closed"))
    if answer is not None:
        assert received == body
        assert answer.headers["content-type"] == kind
        assert answer.headers["x-id"] == "1"
    else:
        assert body.startswith(received)


@pytest.mark.skipif(not FOLDER, reason="MOCKD_RECORDINGS names no folder of recorded streams")
def test_the_mocks_of_vendors_streams_load(tmp_path: Path) -> None:
    exchanges = recorded(tmp_path / "r", *(story for _, story in vendors()))
    file = tmp_path / "mocks.json"
    mocks = [{**mock_of(exchange), "id": str(number)} for number, exchange in enumerate(exchanges)]
    file.write_text(json.dumps({"version": "1.0", "mocks": mocks}))
    load_paths([str(file)])


def test_a_mock_waits_as_was_waited_and_matches_what_was_not_redacted(tmp_path: Path) -> None:
    head = Head(status=418, headers=[("content-type", "text/event-stream"), ("A", "{{ x }}"), ("B", "1"), ("B", "2")])
    begun = Begun(method="POST", url="https://x/a%20b?key=abc&q=1")
    story = Story(begun, [(5_000, head), (10_000, Output(data=b"da")), (40_500, Output(data=b"ta: x\n\nid: 7\n\n"))])
    [exchange] = recorded(tmp_path, story, redaction=Redaction())
    mock = mock_of(exchange)
    assert mock["matcher"] == {"method": "POST", "path": "/a b", "queryParams": {"q": "1"}}
    assert mock["sse"]["status"] == 418
    assert mock["sse"]["headers"]["B"] == ["1", "2"]
    assert "A" not in mock["sse"]["headers"]
    assert mock["sse"]["events"] == [
        {"raw": "data: x\n\n", "delay": 35.5},
        {"raw": "id: 7\n\n", "id": "7", "count": 0, "delay": 0.0},
    ]
    assert mock["faults"] == ["close after 1 events"]


@pytest.mark.parametrize(
    ("how", "faults"),
    [
        ("complete", []),
        ("client", []),
        ("reset", ["reset after 1 events"]),
        ("timeout", ["stall after 1 events"]),
        ("closed", ["close after 1 events"]),
        ("error", ["close after 1 events"]),
    ],
)
def test_it_ends_as_it_ended(tmp_path: Path, how: str, faults: list[str]) -> None:
    head = Head(status=200, headers=[("content-type", "text/event-stream")])
    story = Story(
        Begun(method="GET", url="https://x"), [(0, head), (0, Output(data=b"data: x\n\n")), (0, End(how=how))]
    )
    [exchange] = recorded(tmp_path, story)
    mock = mock_of(exchange)
    assert mock.get("faults", []) == faults
    assert mock["matcher"]["path"] == "/"


@pytest.mark.parametrize("decoded", [None, "gzip"])
def test_it_has_the_headers_that_were_recorded_and_no_others(tmp_path: Path, decoded: str | None) -> None:
    more = [("Content-Encoding", "gzip"), ("Content-Length", "99")] if decoded else []
    head = Head(status=200, headers=[("X-One", "1"), ("X-Two", "{% if x %}"), *more])
    begun = Begun(method="GET", url="https://api.example.com/a")
    happened = [(0, head), (0, Output(data=b"text")), (0, End(how="complete", decoded=decoded))]
    answer, received = sent(tmp_path, Story(begun, happened))
    assert answer is not None
    assert received == b"text"
    assert set(answer.headers) - {"date", "server", "connection", "transfer-encoding"} == {"x-one"}


def test_an_answer_without_body_or_head_is_a_mock_too(tmp_path: Path) -> None:
    begun = Begun(method="GET", url="https://api.example.com/a")
    answer, received = sent(tmp_path / "a", Story(begun, [(0, Head(status=204)), (0, End(how="complete"))]))
    assert answer is not None
    assert (answer.status_code, received) == (204, b"")
    assert sent(tmp_path / "b", Story(begun, [(0, End(how="reset"))])) == (None, b"")
    assert sent(tmp_path / "c", Story(begun, [(0, Head(status=200)), (0, End(how="closed"))])) == (None, b"")
