"""A disk that takes its time, when recordings are written or played: it may change times, and nothing else."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from mockd.events import Event
from mockd.recordings.writing import Recording
from mockd.relay.recorded import LARGE
from mockd.sources import recording
from tests.relay.clients import Raw, eventually
from tests.relay.conftest import Playing, Relay
from tests.relay.targets import END, Visit, chunk, serving
from tests.relay.test_hostile_targets import recorded

HEAD = '{"mockd-stream":1,"request":{"method":"GET","url":"http://x/a","headers":[]}}\n'
SSE = '[0,"head",{"status":200,"headers":[["content-type","text/event-stream"]]}]\n'

CHUNKS: dict[str, list[str]] = {
    "many events in a chunk": [r"data: 1\n\ndata: 2\n\n", r"data: 3\n\ndata: 4\n\ndata: 5\n\n", r"data: 6\n\n"],
    "events over two": [r"data: 1\n\nda", r"ta: 2\n\ndat", r"a: 3\n\ndata", r": 4\n\ndata: 5\n\ndat", r"a: 6\n\n"],
    "events over three": ["data: 1", "1", r"1\n\nda", "ta", ": 2", r"2\n\ndata: ", r"3\n\n"],
}


@pytest.mark.parametrize("what", CHUNKS)
@pytest.mark.parametrize("gap_us", [0, 2000])
@pytest.mark.parametrize("count", [1, 3])
def test_chunks_that_are_played_stay_as_they_are(
    playing: Playing, monkeypatch: pytest.MonkeyPatch, what: str, gap_us: int, count: int
) -> None:
    """Wherever what is read at once ends."""
    batches, reads = recording._batches, threading.Event()

    def slowly(events: Iterator[Event]) -> Iterator[list[Event]]:
        for number, batch in enumerate(batches(events)):
            if number:
                reads.wait(20)
            yield batch

    monkeypatch.setattr(recording, "MOST_SCRIPTED_CHUNKS", 1)
    monkeypatch.setattr(recording, "AHEAD_EVENTS", count)
    monkeypatch.setattr(recording, "_batches", slowly)
    body = "".join(f'[{gap_us},"o","{data}"]\n' for data in CHUNKS[what])
    server = playing(f'{HEAD}{SSE}{body}[0,"end","complete"]\n')
    expected = [chunk(data.replace(r"\n", "\n").encode()) for data in CHUNKS[what]]
    with Raw(server.url) as client:
        client.get("/a").until(lambda got: got.partition(b"\r\n\r\n")[2].startswith(expected[0]))
        reads.set()
        client.until(lambda got: got.endswith(END))
    assert client.body == b"".join(expected) + END


@pytest.mark.parametrize("is_chunked", [False, True])
def test_an_answer_that_its_client_has_read_is_recorded_as_complete(
    relay: Relay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_chunked: bool
) -> None:
    """Though the client has left before it is written."""
    note, writes = Recording.output, threading.Event()

    def slowly(recording: Recording, data: bytes, at: float | None = None) -> None:
        writes.wait(20)
        note(recording, data, at)

    monkeypatch.setattr(Recording, "output", slowly)
    body = bytes(LARGE + 1)
    framed = chunk(body) + END if is_chunked else body
    field = b"Transfer-Encoding: chunked" if is_chunked else b"Content-Length: %d" % len(body)

    async def play(visit: Visit) -> None:
        await visit.request()
        await visit.send(b"HTTP/1.1 200 OK\r\n%b\r\n\r\n%b" % (field, framed))

    with serving(play) as target:
        server = relay(target.url, record=str(tmp_path))
        with Raw(server.url) as client:
            client.get().until(lambda _: client.body.startswith(framed.removesuffix(END)))
        assert eventually(lambda: not server.engine.connections.live())
        writes.set()
        exchange = recorded(tmp_path)
    assert (exchange.how, exchange.output_bytes) == ("complete", len(body))
