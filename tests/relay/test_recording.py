"""What is relayed is recorded as it was: bytes, chunks, heads, and how it ended."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mockd.errors import ConfigError
from mockd.recordings.lines import End, Head, Input
from mockd.recordings.reading import Exchange, Remarks, exchanges
from mockd.settings import Settings
from tests.relay.clients import Raw, eventually
from tests.relay.conftest import Relay
from tests.relay.targets import END, Visit, chunk, serving

SSE = b"HTTP/1.1 200 Fine By Me\r\nCONTENT-type: text/event-stream\r\nX-b: 2\r\nTransfer-Encoding: chunked\r\n\r\n"
CHUNKS = [b"data: one\n\n", b"data: t", b"wo\n\n", b"\xff\x00"]


async def streams(visit: Visit) -> None:
    await visit.request()
    await visit.send(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", SSE, *map(chunk, CHUNKS), b"0\r\nX-Sum: 1\r\n\r\n")


def recorded(folder: Path) -> Iterator[Exchange]:
    for file in sorted(folder.glob("*.stream.jsonl")):
        remarks = Remarks()
        yield from exchanges(file, remarks)
        assert remarks.problems == []


def ended(folder: Path, count: int = 1) -> list[Exchange]:
    """The exchanges in a folder, once so many have their end."""
    assert eventually(lambda: sum('"end"' in file.read_text() for file in folder.glob("*")) == count)
    return list(recorded(folder))


def test_an_exchange_is_recorded_as_it_was(relay: Relay, tmp_path: Path) -> None:
    with serving(streams) as target:
        server = relay(target.url, record=str(tmp_path / "a"))
        with Raw(server.url) as client:
            client.send(
                b"POST /v1/chat?x=1 HTTP/1.1\r\nHost: localhost\r\nX-One: 1\r\nAuthorization: Bearer secret-token-1\r\n"
                b"Content-Length: 5\r\n\r\n"
            )
            client.send(b"hello").until(lambda got: got.endswith(b"0\r\nX-Sum: 1\r\n\r\n"))
        [exchange] = ended(tmp_path / "a")
        assert b"Bearer secret-token-1" in target.visits[0].got
    assert exchange.begun.method == "POST"
    assert exchange.begun.url == f"{target.url}/v1/chat?x=1"
    assert ["X-One", "1"] in [list(header) for header in exchange.begun.headers]
    assert exchange.input() == b"hello"
    head = exchange.head
    assert head is not None
    assert (head.status, head.reason, head.http_version) == (200, "Fine By Me", "1.1")
    assert [list(header) for header in head.headers][:2] == [["CONTENT-type", "text/event-stream"], ["X-b", "2"]]
    [file] = (tmp_path / "a").iterdir()
    assert exchange.how == "complete", file.read_text()
    assert [data for _, data in exchange.output()] == CHUNKS, file.read_text()
    assert file.name == "001-post-v1-chat.stream.jsonl"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    text = file.read_text()
    assert "secret-token-1" not in text
    assert '"info"' in text
    assert '"trailers"' in text


@pytest.mark.parametrize(("ending", "how"), [("fin", "closed"), ("rst", "reset"), ("client", "client")])
def test_how_it_ended_is_recorded(relay: Relay, tmp_path: Path, ending: str, how: str) -> None:
    async def play(visit: Visit) -> None:
        await visit.request()
        await visit.send(SSE, chunk(b"data: 1\n\n"))
        if ending == "client":
            await visit.gone()
        elif ending == "rst":
            await visit.body(lambda body: body == b"go")
            visit.reset()

    with serving(play) as target, Raw(relay(target.url, record=str(tmp_path)).url) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n")
        client.until(lambda got: got.endswith(chunk(b"data: 1\n\n")))
        if ending == "client":
            client.socket.close()
        else:
            client.send(b"go")
        [exchange] = ended(tmp_path)
    assert exchange.how == how
    assert [data for _, data in exchange.output()] == [b"data: 1\n\n"]


def test_a_target_that_is_not_there_is_recorded_as_such(relay: Relay, tmp_path: Path) -> None:
    with Raw(relay("http://127.0.0.1:9", record=str(tmp_path)).url) as client:
        client.get("/", "Connection: close").all()
    [exchange] = ended(tmp_path)
    assert (exchange.head, exchange.how) == (None, "error")


def test_a_body_that_is_there_is_before_an_answer_that_does_not_wait_for_it(relay: Relay, tmp_path: Path) -> None:
    """A mock that looks into bodies makes mockd read them. The target takes nothing of this one, and says so."""

    async def refuses(visit: Visit) -> None:
        await visit.request()
        await visit.send(b"HTTP/1.1 413 No\r\nContent-Length: 0\r\n\r\n")
        await visit.gone()

    mock = {"matcher": {"method": "POST", "bodyContains": "y"}, "response": {}}
    with serving(refuses) as target, Raw(relay(target.url, mock, record=str(tmp_path)).url) as client:
        body = b"x" * 8_000_000
        client.send(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        client.until(lambda got: got.startswith(b"HTTP/1.1 413 No") and b"\r\n\r\n" in got)
        [exchange] = ended(tmp_path)
    assert [type(line) for _, line in exchange.happened()] == [Input, Head, End]


@pytest.mark.parametrize(
    ("method", "head"), [("GET", b"204 No Content\r\n\r\n"), ("HEAD", b"200 OK\r\nContent-Length: 9\r\n\r\n")]
)
def test_answers_without_a_body_are_complete(relay: Relay, tmp_path: Path, method: str, head: bytes) -> None:
    async def play(visit: Visit) -> None:
        await visit.request()
        await visit.send(b"HTTP/1.1 " + head)

    with serving(play) as target, Raw(relay(target.url, record=str(tmp_path)).url) as client:
        client.get("/", "Connection: close", method=method).all()
    [exchange] = ended(tmp_path)
    assert exchange.how == "complete"


def test_only_what_is_chosen_is_recorded(relay: Relay, tmp_path: Path) -> None:
    with serving(streams) as target:
        url = relay(target.url, record=str(tmp_path), only=("/v1/*",), skip=("*/health",)).url
        for path in ("/v1/a", "/v1/health", "/other"):
            with Raw(url) as client:
                client.get(path, "Connection: close").all()
                assert client.got.endswith(b"X-Sum: 1\r\n\r\n")
    assert [exchange.begun.url.rpartition("/")[2] for exchange in ended(tmp_path)] == ["a"]


@pytest.mark.parametrize(
    ("mode", "of_empty", "of_known", "of_new"),
    [
        (None, "relayed", "replayed", "refused"),
        ("once", "relayed", "replayed", "refused"),
        ("new", "relayed", "replayed", "relayed"),
        ("all", "relayed", "relayed", "relayed"),
        ("none", "refused", "replayed", "refused"),
    ],
)
def test_the_modes_of_recording(
    relay: Relay, tmp_path: Path, mode: str | None, of_empty: str, of_known: str, of_new: str
) -> None:
    """What an empty folder makes of a request, and what one with a recording makes of the same and of another."""

    def outcome(path: str, mode: str | None, folder: str) -> str:
        visits, files = len(target.visits), set((tmp_path / folder).glob("*"))
        with Raw(relay(target.url, record=str(tmp_path / folder), record_mode=mode).url) as client:
            client.get(path, "Connection: close").all()
        if b"data: one" not in client.got:
            assert client.got.startswith(b"HTTP/1.1 404 Not Found\r\n")
            assert b"x-should-retry: false" in client.head
            assert b'"not_recorded"' in client.body
            assert f"there is no recording of GET {path}, and --record-mode {mode or 'once'} ".encode() in client.body
        is_relayed = len(target.visits) > visits
        assert is_relayed is (set((tmp_path / folder).glob("*")) > files)
        return "relayed" if is_relayed else "replayed" if b"data: one" in client.got else "refused"

    with serving(streams) as target:
        assert outcome("/a", mode, "empty") == of_empty
        assert outcome("/a", "all", "filled") == "relayed"
        assert len(ended(tmp_path / "filled")) == 1
        assert outcome("/a", mode, "filled") == of_known
        assert outcome("/b", mode, "filled") == of_new


def test_recordings_in_folders_of_the_folder_count(relay: Relay, tmp_path: Path) -> None:
    (tmp_path / "older").mkdir()
    (tmp_path / "older" / "001-get-b.stream.jsonl").touch()
    with serving(streams) as target, Raw(relay(target.url, record=str(tmp_path)).url) as client:
        client.get("/a", "Connection: close").all()
        assert b'"not_recorded"' in client.body
        assert target.visits == []


def test_one_run_records_all_it_gets_into_a_folder_that_was_empty(relay: Relay, tmp_path: Path) -> None:
    with serving(streams) as target:
        url = relay(target.url, record=str(tmp_path)).url
        for _ in range(3):
            with Raw(url) as client:
                client.get("/a", "Connection: close").all()
    assert len(ended(tmp_path, 3)) == 3


def test_most_bytes_of_an_exchange(relay: Relay, tmp_path: Path) -> None:
    async def play(visit: Visit) -> None:
        await visit.request()
        await visit.send(SSE, *[chunk(b"x" * 100)] * 10, END)

    with serving(play) as target, Raw(relay(target.url, record=str(tmp_path), max_bytes=250).url) as client:
        client.get().until(lambda got: got.endswith(END))
        [exchange] = ended(tmp_path)
    assert client.body.count(b"x") == 1000
    assert sum(len(data) for _, data in exchange.output()) <= 250


def test_values_that_are_given_are_redacted(relay: Relay, tmp_path: Path) -> None:
    async def play(visit: Visit) -> None:
        await visit.request()
        await visit.send(SSE, chunk(b"data: my name is Ann"), chunk(b"abel Smith\n\n"), END)

    with serving(play) as target, Raw(relay(target.url, record=str(tmp_path), redact=("Annabel",)).url) as client:
        client.get().until(lambda got: got.endswith(END))
        [exchange] = ended(tmp_path)
    assert b"Annabel" not in b"".join(data for _, data in exchange.output())
    assert [len(data) for _, data in exchange.output()] == [20, 12]


@pytest.mark.parametrize("given", [{"record_mode": "new"}, {"only": ("/a",)}, {"redact": ("x",)}, {"max_bytes": 1}])
def test_settings_that_record_nothing_are_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="nothing is recorded"):
        Settings(proxy=("http://a.test",), **given)


def test_a_mock_that_records_needs_a_folder(relay: Relay) -> None:
    mock = {"matcher": {"path": "/x"}, "proxy": {"target": "http://a.test", "record": True}}
    with pytest.raises(ConfigError, match=r"proxy\.record: there is no folder for recordings"):
        relay("http://a.test", mock)
