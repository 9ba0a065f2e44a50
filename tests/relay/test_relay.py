"""Answers are relayed as they arrive: byte by byte, chunk by chunk, and with the end that they had."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from mockd.settings import Settings
from mockd.testing import running_mockd
from tests.relay.clients import Raw, eventually
from tests.relay.conftest import Relay
from tests.relay.targets import END, Play, Visit, chunk, serving

SSE = (
    b"HTTP/1.1 200 Fine By Me\r\nCONTENT-type: text/event-stream\r\nX-b: 2\r\nX-A: 1\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n"
)


def says(*parts: bytes) -> Play:
    """A server that answers each request with these bytes, and closes the connection."""

    async def play(visit: Visit) -> None:
        await visit.request()
        await visit.send(*parts)

    return play


def test_the_head_and_each_chunk_are_what_the_target_sent(relay: Relay) -> None:
    chunks = [b"data: one\n\n", b"data: t", b"wo\n\ndata: three\n\n", b"\xff\x00\xfe"]
    with serving(says(SSE, *map(chunk, chunks), END)) as target, Raw(relay(target.url).url) as client:
        client.get("/a?b=c").until(lambda got: got.endswith(END))
    assert client.head == (
        b"HTTP/1.1 200 Fine By Me\r\nCONTENT-type: text/event-stream\r\nX-b: 2\r\nX-A: 1\r\ntransfer-encoding: chunked"
    )
    assert client.body == b"".join(map(chunk, chunks)) + END


def test_each_chunk_is_there_before_the_next_is_sent(relay: Relay) -> None:
    seen = threading.Event()

    async def play(visit: Visit) -> None:
        await visit.request()
        await visit.send(SSE, chunk(b"data: 1\n\n"))
        await asyncio.to_thread(seen.wait, 10)
        await visit.send(chunk(b"data: 2\n\n") + END)

    with serving(play) as target, Raw(relay(target.url).url) as client:
        client.get().until(lambda got: b"data: 1" in got)
        assert b"data: 2" not in client.got
        seen.set()
        client.until(lambda got: got.endswith(END))
        assert b"data: 2" in client.got


def test_a_chunk_that_comes_in_pieces_is_one_chunk(relay: Relay) -> None:
    whole = chunk(bytes(range(256)) * 400)
    pieces = [whole[:5], whole[5:50_000], whole[50_000:-1], whole[-1:]]
    with serving(says(SSE, *pieces, END)) as target, Raw(relay(target.url).url) as client:
        client.get().until(lambda got: got.endswith(END))
        assert client.body == whole + END


def test_chunks_are_kept_apart_behind_any_number_of_bytes(relay: Relay) -> None:
    large, last = chunk(bytes(100_000)), chunk(b"data: last\n\n")

    async def play(visit: Visit) -> None:
        await visit.request()
        await visit.send(SSE, *[large] * 12, last[:9])
        await asyncio.sleep(0.1)
        await visit.send(last[9:], END)

    with serving(play) as target, Raw(relay(target.url).url) as client:
        client.get().until(lambda got: got.endswith(END))
        assert client.body == large * 12 + last + END


def test_half_a_chunk_that_stalls_is_passed_on(relay: Relay) -> None:
    whole, seen = chunk(b"data: 1\n\ndata: 2\n\n"), threading.Event()

    async def play(visit: Visit) -> None:
        await visit.request()
        await visit.send(SSE, whole[:13])
        assert await asyncio.to_thread(seen.wait, 10)
        await visit.send(whole[13:], END)

    with serving(play) as target, Raw(relay(target.url).url) as client:
        client.get().until(lambda got: b"data: 1" in got)
        seen.set()
        client.until(lambda got: got.endswith(END))
        assert client.body == chunk(b"data: 1\n\n") + chunk(b"data: 2\n\n") + END


def test_a_length_beside_chunks_does_not_count(relay: Relay) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
    with serving(says(head, chunk(b"hello"), END)) as target, Raw(relay(target.url).url) as client:
        client.get().until(lambda got: got.endswith(END))
    assert b"content-length" not in client.head.lower()
    assert client.body == chunk(b"hello") + END


def test_a_body_with_a_length(relay: Relay) -> None:
    head = (
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\nContent-Type: text/plain\r\n"
        b"Set-Cookie: a=1\r\nSet-Cookie: b=2\r\n\r\n"
    )
    with serving(says(head, b"he", b"llo")) as target, Raw(relay(target.url).url) as client:
        client.get("/", "Connection: close").all()
    assert client.head == (
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\nContent-Type: text/plain\r\n"
        b"Set-Cookie: a=1\r\nSet-Cookie: b=2\r\nconnection: close"
    )
    assert (client.body, client.end) == (b"hello", "fin")


def test_what_an_answer_says_of_its_connection_is_taken_off(relay: Relay) -> None:
    head = (
        b"HTTP/1.1 200 OK\r\nConnection: X-Hop, x-other\r\nX-HOP: 1\r\nX-Other: 2\r\nKeep-Alive: 5\r\nX-Kept: 1\r\n"
        b"Content-Length: 2\r\n\r\nok"
    )
    with serving(says(head)) as target, Raw(relay(target.url).url) as client:
        client.get().until(lambda got: got.endswith(b"ok"))
    assert client.head == b"HTTP/1.1 200 OK\r\nX-Kept: 1\r\nContent-Length: 2"


def test_a_body_that_ends_with_the_connection(relay: Relay) -> None:
    with serving(says(b"HTTP/1.0 200 OK\r\n\r\nhel", b"lo")) as target, Raw(relay(target.url).url) as client:
        client.get().until(lambda got: got.endswith(END))
    assert client.body.endswith(END)
    assert b"".join(client.body.split(b"\r\n")[1::2]) == b"hello"


def test_informational_answers_and_trailers(relay: Relay) -> None:
    early = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
    end = b"0\r\nX-Sum: 9\r\n\r\n"
    with serving(says(early, SSE, chunk(b"data: 1\n\n"), end)) as target, Raw(relay(target.url).url) as client:
        client.get("/", "TE: trailers").until(lambda got: got.endswith(end))
        assert client.got.startswith(early + b"HTTP/1.1 200 Fine By Me\r\n")
        assert client.got.endswith(chunk(b"data: 1\n\n") + end)
    assert b"\r\nTE: trailers\r\n" in target.visits[0].got


@pytest.mark.parametrize(
    "head", [b"HTTP/1.1 204 No Content\r\nX-A: 1\r\n\r\n", b"HTTP/1.1 304 Not Modified\r\nX-A: 1\r\nETag: 1\r\n\r\n"]
)
def test_answers_without_a_body(relay: Relay, head: bytes) -> None:
    with serving(says(head)) as target, Raw(relay(target.url).url) as client:
        client.get("/", "Connection: close").all()
    assert client.got == head.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n")


def test_a_body_that_there_must_not_be_leaves_its_client_in_step(relay: Relay, tmp_path: Path) -> None:
    """Clients go by the length of a 205 (RFC 9112, section 6.3), in a replay too."""
    answer = b"HTTP/1.1 205 Reset\r\nContent-Length: 5\r\n\r\nhello"
    with serving(says(answer)) as target, Raw(relay(target.url, record=str(tmp_path)).url) as client:
        client.get("/a").until(lambda got: got.endswith(b"\r\n\r\n"))
        client.get("/a", "Connection: close").all()
        assert eventually(lambda: sum('"end"' in file.read_text() for file in tmp_path.glob("*")) == 2)
    with running_mockd(settings=Settings(config=(str(tmp_path),))) as replayed, Raw(replayed.url) as again:
        again.get("/a", "Connection: close").all()
    assert client.got.count(b"205 Reset\r\nContent-Length: 0\r\n") == 2
    assert b"205 Reset\r\nContent-Length: 0\r\n" in again.got
    assert b"hello" not in client.got + again.got


def test_a_head_is_asked_for_and_has_no_body(relay: Relay) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"
    with serving(says(head)) as target, Raw(relay(target.url).url) as client:
        client.get("/", "Connection: close", method="HEAD").all()
        assert target.visits[0].got.startswith(b"HEAD / HTTP/1.1\r\n")
    assert client.got == b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\nconnection: close\r\n\r\n"


def test_redirects_are_passed_on(relay: Relay) -> None:
    head = b"HTTP/1.1 302 Found\r\nLocation: http://elsewhere.test/\r\nContent-Length: 0\r\n\r\n"
    with serving(says(head)) as target, Raw(relay(target.url).url) as client:
        client.get("/", "Connection: close").all()
    assert b"302 Found\r\nLocation: http://elsewhere.test/\r\n" in client.got
    assert len(target.visits) == 1


# -- how it ends -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "is_reset"),
    [
        ([SSE, chunk(b"data: 1\n\n")], False),
        ([SSE, chunk(b"data: 1\n\n")], True),
        ([SSE, chunk(b"data: 1\n\n"), b"5\r\nda"], False),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", b"1234"], False),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", b"1234"], True),
        ([], False),
        ([], True),
        ([b"HTTP/1.1 200 OK\r\nX-"], False),
    ],
)
def test_a_connection_that_breaks_off_breaks_off_for_the_client_too(
    relay: Relay, sent: list[bytes], is_reset: bool
) -> None:
    read = threading.Event()

    async def play(visit: Visit) -> None:
        await visit.request()
        await visit.send(*sent)
        await asyncio.to_thread(read.wait, 0.3 if len(sent) < 2 else 10)
        if is_reset:
            visit.reset()

    with serving(play) as target, Raw(relay(target.url).url) as client:
        client.get()
        if len(sent) > 1:
            client.until(lambda got: got.partition(b"\r\n\r\n")[2])
        read.set()
        client.all()
        assert client.end == ("rst" if is_reset else "fin")
        body = b"".join(sent).partition(b"\r\n\r\n")[2]
        assert client.body in (body, body.replace(b"5\r\nda", b""), body.replace(b"5\r\nda", b"2\r\nda\r\n"))
        if len(sent) < 2:
            assert client.got == b""


@pytest.mark.parametrize("parts", [(), (SSE,), (SSE, chunk(b"data: 1\n\n"))])
def test_a_client_that_leaves_is_seen_by_the_target(relay: Relay, parts: tuple[bytes, ...]) -> None:
    async def play(visit: Visit) -> None:
        await visit.request()
        await visit.send(*parts)
        await visit.gone()

    with serving(play) as target:
        server = relay(target.url)
        with Raw(server.url) as client:
            client.get()
            assert eventually(lambda: target.visits)
            if parts:
                client.until(lambda got: got.count(b"\r\n\r\n"))
            if len(parts) > 1:
                client.until(lambda got: b"data: 1" in got)
        assert target.visits[0].left.wait(5)


def test_a_target_that_is_not_there(relay: Relay) -> None:
    with Raw(relay("http://127.0.0.1:9").url) as client:
        client.get("/", "Connection: close").all()
    assert client.got.startswith(b"HTTP/1.1 502 Bad Gateway\r\n")
    assert b'"code":"target_unreachable"' in client.body
    assert b"127.0.0.1:9: " in client.body


@pytest.mark.parametrize("answer", [b"SSH-2.0-OpenSSH\r\n\r\n", b"HTTP/1.1 999 What\r\nContent-Length: 0\r\n\r\n"])
def test_a_target_that_speaks_no_http(relay: Relay, answer: bytes) -> None:
    with serving(says(answer)) as target, Raw(relay(target.url).url) as client:
        client.get("/", "Connection: close").all()
    assert client.got.startswith(b"HTTP/1.1 502 ")
    assert b'"code":"target_no_http"' in client.body


def test_an_order_to_stop_breaks_the_body_off(relay: Relay) -> None:
    async def play(visit: Visit) -> None:
        await visit.request()
        await visit.send(SSE, chunk(b"data: 1\n\n"))
        await visit.gone()

    with serving(play) as target:
        server = relay(target.url)
        with Raw(server.url) as client:
            client.get().until(lambda got: b"data: 1" in got)
            with server.admin() as admin:
                [live] = admin.list_connections()["connections"]
                admin.close_connection(live["id"])
            client.all()
            assert client.body == chunk(b"data: 1\n\n")
        assert target.visits[0].left.wait(5)
