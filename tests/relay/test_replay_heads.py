"""The head of a recording as it is played, what its mock says of that, and the end that follows from it."""

from __future__ import annotations

import gzip
from typing import Any

import pytest

from tests.relay.clients import Raw, eventually
from tests.relay.conftest import Playing
from tests.relay.targets import END
from tests.relay.test_replay import CHUNKS, THREE, WHOLE, chunks_of, recording

SSE = ["Content-Type", "text/event-stream"]


def headed(*headers: list[str], status: int = 200) -> dict[str, Any]:
    return {"status": status, "reason": "OK", "headers": [SSE, *headers]}


def lines_of(head: bytes) -> dict[str, list[str]]:
    """The values of each header."""
    found: dict[str, list[str]] = {}
    for line in head.decode("latin-1").split("\r\n")[1:]:
        name, _, value = line.partition(": ")
        found.setdefault(name.lower(), []).append(value)
    return found


def test_a_mock_has_headers_and_an_end_of_its_own(playing: Playing) -> None:
    config = {
        "headers": {"X-A": "1", "content-type": "a/b"},
        "lifecycle": {"termination": {"finalEvent": {"data": "z"}}},
    }
    with Raw(playing(WHOLE, config).url) as client:
        assert chunks_of(client.get("/a"))[-1] == b"data: z\n\n"
        assert b"x-a: 1" in client.head.lower()
        assert b"text/event-stream" not in client.head


def test_its_own_status_wins(playing: Playing) -> None:
    with Raw(playing(WHOLE, {"status": 503}).url) as client:
        chunks_of(client.get("/a"))
        assert client.head.startswith(b"HTTP/1.1 503 ")


def test_nothing_is_cut_off_that_was_coded(playing: Playing) -> None:
    headers = [["Content-Type", "text/event-stream"], ["Content-Encoding", "gzip"], ["Content-Length", "99"]]
    head = {"status": 200, "reason": "OK", "headers": headers}
    text = recording([0, "o", "data: 1\n\n"], [0, "end", "complete", {"decoded": "gzip"}], head=head)
    with Raw(playing(text).url) as client:
        assert chunks_of(client.get("/a")) == [b"data: 1\n\n"]
        assert b"gzip" not in client.head


@pytest.mark.parametrize(
    ("recorded", "own", "seen"),
    [
        (["then"], {}, ["now"]),
        ([], {}, []),
        (["then"], {"Date": {"omit": True}}, []),
        (["then"], {"date": "mine"}, ["mine"]),
        ([], {"date": "mine"}, ["mine"]),
    ],
)
def test_the_date_is_the_servers_if_one_was_recorded_unless_the_mock_says_otherwise(
    playing: Playing, recorded: list[str], own: dict[str, Any], seen: list[str]
) -> None:
    text = recording(*THREE, [0, "end", "complete"], head=headed(*(["Date", value] for value in recorded)))
    with Raw(playing(text, {"headers": own}).url) as client:
        chunks_of(client.get("/a"))
        dates = lines_of(client.head).get("date", [])
    assert ["now" if value.endswith(" GMT") else value for value in dates] == seen


@pytest.mark.parametrize(
    ("framing", "more"),
    [
        ({"comments": {"every": 1, "text": "x"}}, {}),
        ({"charset": "utf-8"}, {"content-type": ["text/event-stream; charset=utf-8"]}),
        ({"encoding": "gzip"}, {"content-encoding": ["gzip"]}),
        ({"finalBlankLine": False}, {}),
    ],
    ids=str,
)
def test_the_head_of_another_framing(playing: Playing, framing: dict[str, Any], more: dict[str, list[str]]) -> None:
    body = b"".join(CHUNKS)
    text = recording(*THREE, [5_000, "end", "complete"], head=headed(["Content-Length", str(len(body))]))
    with Raw(playing(text, {"framing": framing}).url) as client:
        got = b"".join(chunks_of(client.get("/a")))
        headers = lines_of(client.head)
    assert headers == {**headers, **more}
    assert "content-length" not in headers
    plain = gzip.decompress(got) if "encoding" in framing else got.replace(b": x\n", b"")
    assert plain == (body[:-1] if "finalBlankLine" in framing else body)


SHORT = {
    # method, status, headers, how it ended, whether the connection goes on
    "a client that left": ("GET", 200, [["Content-Length", "10"]], "client", False),
    "a length that was not kept": ("GET", 200, [["Content-Length", "10"]], "complete", False),
    "a length that was kept": ("GET", 200, [["Content-Length", "5"]], "complete", True),
    "a length that does not count": (
        "GET", 200, [["Content-Length", "10"], ["Transfer-Encoding", "chunked"]], "complete", True,
    ),
    "what was decoded": ("GET", 200, [["Content-Length", "10"]], "decoded", True),
    "an answer to HEAD": ("HEAD", 200, [["Content-Length", "10"]], "complete", True),
    "an answer to HEAD, as that to GET": ("GET", 200, [["Content-Length", "10"]], "recorded for HEAD", False),
    "a status without a body": ("GET", 304, [["Content-Length", "10"]], "complete", True),
}  # fmt: skip


@pytest.mark.parametrize("case", SHORT)
def test_what_is_shorter_than_its_head_says_is_cut_off(playing: Playing, case: str) -> None:
    method, status, headers, how, goes_on = SHORT[case]
    of_head = "HEAD" in (method, how.rpartition(" ")[2])
    has_body = not of_head and status != 304
    lines = [[0, "o", "12345"]] if has_body else []
    end = [0, "end", how if how == "client" else "complete", {"decoded": "gzip"} if how == "decoded" else {}]
    text = recording(*lines, end, head=headed(*headers, status=status), method="HEAD" if of_head else method)
    server = playing(text, kind="chunked")
    with Raw(server.url) as client:
        client.get("/a", method=method).until(
            lambda got: got.partition(b"\r\n\r\n")[2].endswith((b"12345", END)) if has_body else b"\r\n\r\n" in got
        )
        if goes_on:
            client.get("/a", method=method).until(lambda got: got.count(b"HTTP/1.1 ") == 2)
        else:
            client.all()
        assert (client.got.count(b"HTTP/1.1 "), client.end) == ((2, None) if goes_on else (1, "fin"))
        ends = [] if method == "HEAD" else ["completed"] * 2 if goes_on else ["aborted"]
        assert eventually(lambda: [one.outcome for one in server.engine.connections.listed("ended")] == ends)
