"""What was recorded is played as it was: recorded again, it is the same, to the byte and to the chunk."""

from __future__ import annotations

import asyncio
import gzip
import json
import random
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mockd.errors import ConfigError
from mockd.framing.variants import variants
from mockd.recordings.lines import Info, Trailers
from mockd.recordings.reading import Exchange, exchanges
from mockd.settings import Settings
from mockd.testing import RunningMockd, running_mockd
from tests.relay.clients import Raw, eventually
from tests.relay.conftest import Playing, Relay
from tests.relay.targets import END, Play, Visit, chunk, serving
from tests.wire.holding import Admin, of

HOP_BY_HOP = {"transfer-encoding", "connection", "keep-alive", "date"}


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.stream.jsonl"))


def ended(folder: Path, count: int = 1) -> list[Exchange]:
    """The exchanges in a folder, once so many have their end."""
    assert eventually(lambda: sum('"end"' in file.read_text() for file in files(folder)) == count), files(folder)
    return [exchange for file in files(folder) for exchange in exchanges(file)]


def told(exchange: Exchange) -> dict[str, Any]:
    """All of an exchange but its times."""
    head = exchange.head
    headers = [] if head is None else [list(pair) for pair in head.headers if pair[0].lower() not in HOP_BY_HOP]
    lines = [line for _, line in exchange.happened() if isinstance(line, Info | Trailers)]
    return {
        "status": None if head is None else (head.status, head.reason),
        "headers": headers,
        "chunks": [data for _, data in exchange.output()],
        "more": [(getattr(line, "status", 0), line.headers) for line in lines],
        "how": exchange.how,
    }


@pytest.fixture
def again(relay: Relay, tmp_path: Path) -> Callable[..., tuple[Exchange, Exchange]]:
    """Record what a server plays, play that, and record it again: both recordings."""

    def record(play: Play, method: str = "GET", how: str | None = None) -> tuple[Exchange, Exchange]:
        first, second = tmp_path / "first", tmp_path / "second"
        with serving(play) as target, Raw(relay(target.url, record=str(first)).url) as client:
            client.get("/a?b=1", "Connection: close", method=method).all()
            [recorded] = ended(first)
        with running_mockd(settings=Settings(config=(str(first),))) as server:
            with Raw(relay(server.url, record=str(second)).url) as client:
                client.get("/a?b=1", "Connection: close", method=method).all()
            [replayed] = ended(second)
        return recorded, replayed

    return record


HEAD = b"HTTP/1.1 200 Fine By Me\r\nCONTENT-type: %b\r\nX-b: 2\r\nDate: then\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
EVENTS = b"".join(b"data: event %d \xf0\x9f\x98\x80 $uuid {{ request.path }}\n\n" % number for number in range(40))
BINARY = bytes(range(256)) * 8


def cut(data: bytes, seed: int) -> list[bytes]:
    """A body in pieces of random sizes."""
    rng, pieces = random.Random(seed), []
    while data:
        size = rng.choice((1, 2, 3, 10, 60, 200))
        pieces.append(data[:size])
        data = data[size:]
    return pieces


def chunked(type_: bytes, body: bytes, seed: int, end: str) -> Play:
    async def play(visit: Visit) -> None:
        await visit.request()
        rng = random.Random(seed)
        await visit.send(CHUNKED % type_)
        for piece in cut(body, seed):
            await visit.send(chunk(piece))
            if rng.random() < 0.2:
                await asyncio.sleep(rng.random() * 0.01)
        if end == "complete":
            await visit.send(END)
        elif end == "trailers":
            await visit.send(b"0\r\nX-Sum: 1\r\n\r\n")
        elif end == "reset":
            await asyncio.sleep(0.05)
            visit.reset()

    return play


KINDS = {"events": (b"text/event-stream; charset=utf-8", EVENTS), "binary": (b"application/octet-stream", BINARY)}


@pytest.mark.parametrize("end", ["complete", "trailers", "closed", "reset"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(3))
def test_chunked_bodies(again: Callable[..., Any], kind: str, end: str, seed: int) -> None:
    type_, body = KINDS[kind]
    recorded, replayed = again(chunked(type_, body, seed, end))
    assert b"".join(told(recorded)["chunks"]) == body
    assert told(recorded) == told(replayed)
    assert recorded.how == {"trailers": "complete"}.get(end, end)


def plain(*parts: bytes, reset: bool = False) -> Play:
    async def play(visit: Visit) -> None:
        await visit.request()
        for part in parts:
            await visit.send(part)
            await asyncio.sleep(0.02)
        if reset:
            visit.reset()

    return play


OTHERS = {
    "of a length": plain(HEAD % b"text/plain" + b"Content-Length: 10\r\n\r\n", b"12345", b"67890"),
    "of a length, cut short": plain(HEAD % b"text/plain" + b"Content-Length: 10\r\n\r\n", b"12345"),
    "of no length": plain(HEAD % b"text/plain" + b"\r\n", b"123", b"456"),
    "empty": plain(HEAD % b"text/event-stream" + b"Content-Length: 0\r\n\r\n"),
    "early hints": plain(
        b"HTTP/1.1 103 Early Hints\r\nLINK: a\r\n\r\n", HEAD % b"a/b" + b"Content-Length: 1\r\n\r\n", b"1"
    ),
    "an error": plain(b"HTTP/1.1 529 Overloaded\r\nRetry-After: 3\r\nContent-Length: 2\r\n\r\n", b"{}"),
    "no body": plain(b"HTTP/1.1 204 Nothing\r\nX-A: 1\r\n\r\n"),
    "no head, closed": plain(),
    "no head, reset": plain(b"", reset=True),
}


@pytest.mark.parametrize("other", OTHERS)
def test_other_answers(again: Callable[..., Any], other: str) -> None:
    recorded, replayed = again(OTHERS[other])
    assert told(recorded) == told(replayed)


def test_an_answer_to_head(again: Callable[..., Any]) -> None:
    recorded, replayed = again(plain(HEAD % b"text/plain" + b"Content-Length: 10\r\n\r\n"), method="HEAD")
    assert told(recorded) == told(replayed)


def test_no_target_is_a_connection_that_is_closed(relay: Relay, tmp_path: Path) -> None:
    with Raw(relay("http://127.0.0.1:9", record=str(tmp_path)).url) as client:
        client.get("/a", "Connection: close").all()
    ended(tmp_path)
    with running_mockd(settings=Settings(config=(str(tmp_path),))) as server, Raw(server.url) as client:
        assert client.get("/a").all() == b""


def test_where_the_client_left_the_answer_is_complete(relay: Relay, tmp_path: Path) -> None:
    async def play(visit: Visit) -> None:
        await visit.request()
        await visit.send(CHUNKED % b"text/event-stream", chunk(b"data: 1\n\n"))
        await visit.gone()

    with serving(play) as target:
        with Raw(relay(target.url, record=str(tmp_path)).url) as client:
            client.get("/a").until(lambda got: b"data: 1" in got)
        [exchange] = ended(tmp_path)
    assert exchange.how == "client"
    with running_mockd(settings=Settings(config=(str(tmp_path),))) as server, Raw(server.url) as client:
        assert client.get("/a").until(lambda got: got.endswith(END)).endswith(b"data: 1\n\n\r\n" + END)


def test_a_prefix_of_the_relay_is_part_of_the_path(tmp_path: Path) -> None:
    with serving(plain(HEAD % b"text/plain" + b"Content-Length: 2\r\n\r\n", b"ok")) as target:
        settings = Settings(proxy=(f"/openai={target.url}/base",), record=str(tmp_path))
        with running_mockd(settings=settings) as server, Raw(server.url) as client:
            client.get("/openai/v1/a%20b", "Connection: close").all()
        assert target.visits[0].got.startswith(b"GET /base/v1/a%20b ")
    with running_mockd(settings=Settings(config=(str(tmp_path),))) as server, Raw(server.url) as client:
        assert client.get("/openai/v1/a%20b", "Connection: close").all().endswith(b"ok")


# -- files that are written here ---------------------------------------------------------------------------------------


def recording(*lines: Any, head: dict[str, Any] | None = None, url: str = "http://x/a", **request: Any) -> str:
    usual = {"status": 200, "reason": "OK", "headers": [["Content-Type", "text/event-stream"]]}
    begun = {"mockd-stream": 1, "request": {"method": "GET", "url": url, "headers": [], **request}}
    return "".join(json.dumps(line) + "\n" for line in (begun, [0, "head", head or usual], *lines))


def chunks_of(client: Raw) -> list[bytes]:
    """The chunks of a body that has come to its end."""
    body, chunks = client.until(lambda got: got.endswith(END)).partition(b"\r\n\r\n")[2], []
    while body:
        size, _, body = body.partition(b"\r\n")
        if not int(size, 16):
            break
        chunks.append(body[: int(size, 16)])
        body = body[int(size, 16) + 2 :]
    return chunks


THREE: tuple[list[Any], ...] = (
    [0, "o", "id: a\ndata: 1\n\nid: b\nda"],
    [10_000, "o", "ta: 2\n\n"],
    [5_000, "o", "id: c\ndata: 3\n\n"],
)
WHOLE = recording(*THREE, [0, "end", "complete"])
CHUNKS = [line[2].encode() for line in THREE]


def got(server: RunningMockd, *headers: str) -> list[bytes]:
    with Raw(server.url) as client:
        return chunks_of(client.get("/a", *headers))


@pytest.mark.parametrize("kind", ["sse", "chunked", "response"])
def test_every_kind_of_answer_plays_one(playing: Playing, kind: str) -> None:
    assert got(playing(WHOLE, kind=kind)) == CHUNKS


@pytest.mark.parametrize("replay", [{"timing": "none"}, {"speed": 10}, {"maxGap": 1}, {"ttft": 1}], ids=str)
def test_chunks_are_the_same_at_any_pace(playing: Playing, replay: dict[str, Any]) -> None:
    assert got(playing(WHOLE, {"replay": replay})) == CHUNKS


def test_a_pace_of_events_is_that_of_whole_events(playing: Playing) -> None:
    chunks = got(playing(WHOLE, {"replay": {"timing": {"itl": 5}}}))
    assert chunks == [b"id: a\ndata: 1\n\n", b"id: b\nda", b"ta: 2\n\n", CHUNKS[2]]


def test_events_are_counted_by_whole_events(playing: Playing) -> None:
    server = playing(WHOLE)
    assert got(server) == CHUNKS
    assert eventually(lambda: [one.events_sent for one in server.engine.connections.listed("ended")] == [3])


@pytest.mark.parametrize(
    ("fault", "chunks"),
    [
        ("drop count=1 after 1 event", [b"id: a\ndata: 1\n\n", CHUNKS[2]]),
        ("duplicate after 2 events", [*CHUNKS, CHUNKS[2]]),
        ("delay 1ms after 20 bytes", [CHUNKS[0][:20], CHUNKS[0][20:], *CHUNKS[1:]]),
    ],
)
def test_faults_strike_events_and_bytes(playing: Playing, fault: str, chunks: list[bytes]) -> None:
    assert got(playing(WHOLE, faults=[fault])) == chunks


def test_a_reset_after_an_event(playing: Playing) -> None:
    with Raw(playing(WHOLE, faults=["reset after 2 events"]).url) as client:
        assert b"data: 3" not in client.get("/a").all()
        assert client.end == "rst"
        assert b"ta: 2" in client.got


def test_framings_change_it(playing: Playing) -> None:
    server = playing(WHOLE, {"framing": {"split": {"bytes": 10}}})
    assert [len(part) for part in got(server)] == [10, 10, 10, 10, 5]


def test_comments_between_its_events(playing: Playing) -> None:
    body = b"".join(got(playing(WHOLE, {"framing": {"comments": {"every": 1, "text": "x"}}})))
    assert body.count(b": x\n") == 2
    assert body.replace(b": x\n", b"") == b"".join(CHUNKS)


ZIPPED = gzip.compress(b"".join(CHUNKS))
CODED = recording(
    [0, "ob", b64encode(ZIPPED[:20]).decode()],
    [5_000, "ob", b64encode(ZIPPED[20:]).decode()],
    [0, "end", "complete"],
    head={
        "status": 200,
        "reason": "OK",
        "headers": [["Content-Type", "text/event-stream"], ["Content-Encoding", "gzip"]],
    },
)


@pytest.mark.parametrize("kind", ["sse", "chunked"])
def test_framings_leave_a_compressed_body_as_it_is(playing: Playing, kind: str) -> None:
    """What would change its bytes is refused."""
    of_any_bytes = {"split", "coalesce", "pause", "charset"}
    for variant in variants("sse" if kind == "sse" else "raw"):
        framing = dict(variant.framing)
        if framing.keys() <= of_any_bytes and not isinstance(framing.get("split"), str):
            assert b"".join(got(playing(CODED, {"framing": framing}, kind=kind))) == ZIPPED, variant.name
        else:
            with pytest.raises(ConfigError, match="the recorded body is compressed, and cannot have"):
                playing(CODED, {"framing": framing}, kind=kind)


@pytest.mark.parametrize(
    "life",
    [
        {"keepaliveInterval": 5},
        {"heartbeat": {"every": 5, "text": "beat"}},
        {"termination": {"finalEvent": {"data": "bye"}}},
        {"termination": {"type": "error"}},
    ],
    ids=str,
)
def test_nothing_is_put_into_a_compressed_body(playing: Playing, life: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="the recorded body is compressed, and cannot have") as raised:
        playing(CODED, {"lifecycle": life})
    assert raised.value.problems[0].path[-3:] == ("sse", "lifecycle", next(iter(life)))


@pytest.mark.parametrize("fault", ["insert raw=x", "unknownEvent", "hugeEvent size=99", "error message=no"])
def test_no_fault_puts_text_into_a_compressed_body(playing: Playing, fault: str) -> None:
    server = playing(CODED, faults=[f"{fault} after 21 bytes"])
    assert b"".join(got(server)) == ZIPPED
    assert eventually(lambda: server.engine.connections.listed("ended"))
    [struck] = server.engine.connections.listed("ended")[0].to_json()["faults"]
    assert (struck["fidelity"], struck["as"]) == (
        "unsupported",
        "the body is compressed already, and other bytes would spoil it",
    )


def test_bytes_that_somebody_has_compressed_are_put_into_it(playing: Playing) -> None:
    data = b64encode(b"x").decode()
    assert b"".join(got(playing(CODED, faults=[f"insert rawBase64={data} after 21 bytes"]))).count(b"x") > ZIPPED.count(
        b"x"
    )


def test_nothing_is_pushed_into_a_compressed_body(playing: Playing) -> None:
    server = playing(CODED, id="coded")
    admin = Admin(server)
    admin.post("/mocks/coded/sse/hold", {"at": 0, "upcoming": 1})
    with Raw(server.url) as client:
        client.get("/a")
        held = of(admin.wait("/mocks/coded/sse", "held=true"))
        status, answer = admin.ask("POST", f"{held}/push", {"data": "pushed"})
        assert (status, "compressed already" in answer["message"]) == (409, True)
        admin.post(f"{held}/release")
        assert b"".join(chunks_of(client)) == ZIPPED


@pytest.mark.parametrize("profile", ["buffering-proxy", "byte-dribbler", "gzip-without-flush", "openrouter"])
def test_profiles_leave_a_compressed_body_as_it_is(playing: Playing, profile: str) -> None:
    with Raw(playing(CODED, profile=profile).url) as client:
        client.get("/a", "Connection: close")
        assert b"".join(chunks_of(client)) == ZIPPED
        assert client.got.lower().count(b"content-encoding: gzip") == 1


def test_a_client_comes_back_by_the_recorded_ids(playing: Playing) -> None:
    server = playing(WHOLE, {"resume": {"enabled": True}})
    assert got(server) == CHUNKS
    assert b"".join(got(server, "Last-Event-ID: b")) == CHUNKS[2]


def test_a_file_without_an_end_is_cut_off(playing: Playing) -> None:
    with Raw(playing(recording(*THREE)).url) as client:
        assert not client.get("/a").all().endswith(END)
        assert client.end == "fin"


def test_another_exchange_of_a_file(playing: Playing) -> None:
    second = recording([0, "o", "data: other\n\n"], [0, "end", "complete"])
    assert got(playing(WHOLE + second, {"replay": {"exchange": 2}})) == [b"data: other\n\n"]


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        (WHOLE, "replay.exchange", "has one exchange in it"),
        (WHOLE + WHOLE, "replay.exchange", "has 2 exchanges in it"),
        ("", "recording", "has no exchange in it"),
    ],
)
def test_an_exchange_that_is_not_there(playing: Playing, text: str, place: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as raised:
        playing(text, {"replay": {"exchange": text.count("mockd-stream") + 1}})
    assert ".".join(map(str, raised.value.problems[0].path)).endswith(f"sse.{place}")


def test_one_event_that_takes_long_is_sent_as_it_came(playing: Playing) -> None:
    letters: list[list[Any]] = [[30_000, "o", letter] for letter in "data: 1234\n\n"]
    assert got(playing(recording(*letters, [0, "end", "complete"]))) == [line[2].encode() for line in letters]


def test_a_long_recording_is_read_as_it_is_played(playing: Playing) -> None:
    events: list[list[Any]] = [[1, "o", f"data: {number} {'x' * 300}\n\n"] for number in range(6000)]
    assert got(playing(recording(*events, [0, "end", "complete"]))) == [line[2].encode() for line in events]


def test_a_long_recording_that_is_gone_breaks_off(
    playing: Playing, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    events: list[list[Any]] = [[1, "o", f"data: {number}\n\n"] for number in range(6000)]
    server = playing(recording(*events, [0, "end", "complete"]))
    (tmp_path / "a.stream.jsonl").unlink()
    with Raw(server.url) as client:
        assert not client.get("/a").all().endswith(END)
    assert "its file cannot be read on: No such file or directory" in caplog.text
