"""Recordings that are sent as they stand, on real sockets: every byte, over every protocol."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mockd.config.load import parse_collection
from mockd.engine import Engine
from mockd.settings import Settings
from mockd.testing import RunningMockd, running_mockd
from tests.wire.sockets import Client

RECORDINGS = os.environ.get("MOCKD_RECORDINGS", "")
KINDS: dict[str, dict[str, Any]] = {
    "sse": {},
    "sse in one go": {"flush": "auto"},
    "sse with resume": {"resume": {"enabled": True}},
    "chunked": {},
    "ndjson": {"format": "ndjson"},
}
RAW = (
    b"\xef\xbb\xbf: hello\r\n\r\n"
    b"retry: 5\nfoo: bar\ndata:no blank\nid: 1\n\n"
    b"data: \xff\xfe\r\r"
    b"event: ping\n\n"
    b"id: 2\ndata: $$x$$ $uuid {% csrf %} {{ request.path }}\r\n\r\n"
    b"data: cut off"
)
"""What a recording may have in it that mockd would not write."""
REST = RAW.partition(b"id: 1\n\n")[2]


def mock(path: str, name: str, kind: str, **config: Any) -> dict[str, Any]:
    part = {"eventsFile": name, "raw": True, "flush": "event", **KINDS[kind], **config}
    return {"matcher": {"path": path}, "sse" if kind.startswith("sse") else "chunked": part}


def add(server: RunningMockd, folder: Path, *mocks: dict[str, Any]) -> None:
    """Add mocks with the data files of a folder."""
    server.engine.import_specs(parse_collection(list(mocks), root=folder), replace=True, dry_run=False)


@pytest.mark.parametrize("kind", KINDS)
def test_every_byte(everywhere: RunningMockd, tmp_path: Path, kind: str) -> None:
    (tmp_path / "recorded").write_bytes(RAW)
    add(everywhere, tmp_path, mock("/s", "recorded", kind))
    with Client(everywhere.url) as client:
        client.ask("/s").read_head()
        assert b"".join(client.read_chunks()) == RAW


@pytest.mark.parametrize("kind", KINDS)
def test_every_byte_over_http_1_0(server: RunningMockd, tmp_path: Path, kind: str) -> None:
    (tmp_path / "recorded").write_bytes(RAW)
    add(server, tmp_path, mock("/s", "recorded", kind))
    with Client(server.url) as client:
        client.ask("/s", version="1.0").read_head()
        assert client.read_to_end() == RAW


PAUSE = {"perEventDelays": [0, 0, 100]}
"""Time to leave after the first id."""


def test_a_client_comes_back(everywhere: RunningMockd, tmp_path: Path) -> None:
    (tmp_path / "recorded").write_bytes(RAW)
    add(everywhere, tmp_path, mock("/s", "recorded", "sse with resume", timing=PAUSE))
    with Client(everywhere.url) as client:
        client.ask("/s").read_until(b"id: 1\n\n")
    with Client(everywhere.url) as client:
        client.ask("/s", headers={"Last-Event-ID": "1"}).read_head()
        assert b"".join(client.read_chunks()) == REST


def test_a_client_comes_back_over_http_1_0(server: RunningMockd, tmp_path: Path) -> None:
    (tmp_path / "recorded").write_bytes(RAW)
    add(server, tmp_path, mock("/s", "recorded", "sse with resume", timing=PAUSE))
    with Client(server.url) as client:
        client.ask("/s", version="1.0").read_until(b"id: 1\n\n")
    with Client(server.url) as client:
        client.ask("/s", version="1.0", headers={"Last-Event-ID": "1"}).read_head()
        assert client.read_to_end() == REST


def test_a_heartbeat_of_no_bytes_ends_no_body(everywhere: RunningMockd) -> None:
    life = {"heartbeat": {"every": 5, "text": "{{ request.query.q }}"}}
    chunked = {"data": "ab", "chunkSize": 1, "timing": {"initialDelay": 50, "fixedDelay": 50}, "lifecycle": life}
    everywhere.engine.create({"matcher": {"path": "/s"}, "chunked": chunked})
    with Client(everywhere.url) as client:
        client.ask("/s").read_head()
        assert client.read_chunks() == [b"a", b"b"]


# -- recordings of real services ---------------------------------------------------------------------------------------

needs_recordings = pytest.mark.skipif(not RECORDINGS, reason="MOCKD_RECORDINGS names no folder of recorded streams")
FILES = sorted(file for file in Path(RECORDINGS).rglob("*") if file.is_file()) if RECORDINGS else []


@pytest.fixture(scope="module")
def replayed() -> Iterator[RunningMockd]:
    """Every recording, under its path, as each kind of stream."""
    engine = Engine(Settings(files_root=RECORDINGS))
    names = [str(file.relative_to(RECORDINGS)) for file in FILES]
    mocks = [mock(f"/{kind}/{name}".replace(" ", "-"), name, kind) for kind in KINDS for name in names]
    with running_mockd(*mocks, engine=engine) as server:
        yield server


@needs_recordings
@pytest.mark.parametrize("kind", KINDS)
def test_recordings_are_sent_as_they_are(replayed: RunningMockd, kind: str) -> None:
    assert FILES
    with Client(replayed.url) as client:
        for file in FILES:
            client.ask(f"/{kind}/{file.relative_to(RECORDINGS)}".replace(" ", "-")).read_head()
            assert b"".join(client.read_chunks()) == file.read_bytes(), file.name


WRAPPED = {"LF": b"\n", "CRLF": b"\r\n", "CR": b"\r"}


@needs_recordings
@pytest.mark.parametrize("line_end", WRAPPED.values(), ids=WRAPPED)
def test_so_are_the_event_streams_that_they_were(server: RunningMockd, tmp_path: Path, line_end: bytes) -> None:
    """The payloads as the services framed them, each with an id behind its data and comments between."""
    streams = {}
    for number, file in enumerate(FILES):
        lines = [b"data: %b\nid: %d\n\n: c\n\n" % (line, at) for at, line in enumerate(file.read_bytes().splitlines())]
        streams[f"{number}.txt"] = b"".join(lines).removesuffix(b"\n").replace(b"\n", line_end)
    for name, content in streams.items():
        (tmp_path / name).write_bytes(content)
    add(server, tmp_path, *[mock(f"/{name}", name, "sse with resume") for name in streams])
    with Client(server.url) as client:
        for name, content in streams.items():
            client.ask(f"/{name}").read_head()
            assert b"".join(client.read_chunks()) == content, name
