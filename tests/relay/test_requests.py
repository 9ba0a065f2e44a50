"""Requests reach the target as they came, but for what a relay must change; their bodies as they come."""

from __future__ import annotations

import asyncio
import threading

import pytest

from tests.relay.clients import Raw, eventually
from tests.relay.conftest import Relay
from tests.relay.targets import END, Visit, chunk, serving

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


async def answers(visit: Visit) -> None:
    await visit.request()
    await visit.send(OK)


def head_of(visit: Visit) -> list[bytes]:
    return visit.got.partition(b"\r\n\r\n")[0].split(b"\r\n")


def test_headers_keep_their_order_and_spelling(relay: Relay) -> None:
    with serving(answers) as target, Raw(relay(target.url).url) as client:
        client.send(
            b"GET /a%2Fb/../c?x=%20&y HTTP/1.1\r\n"
            b"X-ONE: 1\r\nhost: localhost:1\r\nx-Two: a\r\nCookie: c=1\r\nX-TWO: b\r\n"
            b"Accept-Encoding: gzip, br\r\nAuthorization: Bearer t\r\naccept-encoding: zstd\r\n\r\n"
        ).until(lambda got: got.endswith(b"ok"))
    assert head_of(target.visits[0]) == [
        b"GET /a%2Fb/../c?x=%20&y HTTP/1.1",
        b"host: " + target.url.removeprefix("http://").encode(),  # which comes first, as it should
        b"X-ONE: 1",
        b"x-Two: a",
        b"Cookie: c=1",
        b"X-TWO: b",
        b"Accept-Encoding: identity",
        b"Authorization: Bearer t",
        b"Connection: close",
    ]


def test_spaces_around_a_value_are_no_part_of_it(relay: Relay) -> None:
    with serving(answers) as target, Raw(relay(target.url).url) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-ONE:a\r\nX-Two: \t b c \t\r\nX-Three: \r\n\r\n")
        client.until(lambda got: got.endswith((b"ok", b"}")))
        assert head_of(target.visits[0])[2:5] == [b"X-ONE: a", b"X-Two: b c", b"X-Three: "]


def test_what_is_about_the_connection_and_what_is_ours_is_taken_off(relay: Relay) -> None:
    with serving(answers) as target, Raw(relay(target.url).url) as client:
        client.get(
            "/~k1/a",
            "Connection: keep-alive, X-Hop",
            "X-Hop: 1",
            "Keep-Alive: 5",
            "Proxy-Connection: keep-alive",
            "Proxy-Authorization: Basic x",
            "TE: gzip",
            "Upgrade: h2c",
            "X-Mockd-Key: k1",
            "X-Mockd-Anything: 1",
            "X-Kept: 1",
        ).until(lambda got: got.endswith(b"ok"))
    assert head_of(target.visits[0]) == [
        b"GET /a HTTP/1.1",
        b"Host: " + target.url.removeprefix("http://").encode(),
        b"X-Kept: 1",
        b"Accept-Encoding: identity",
        b"Connection: close",
    ]


def test_a_key_in_a_header_cuts_nothing_off(relay: Relay) -> None:
    with serving(answers) as target, Raw(relay(target.url).url) as client:
        client.get("/a/b", "X-Mockd-Key: k1").until(lambda got: got.endswith(b"ok"))
    assert head_of(target.visits[0])[0] == b"GET /a/b HTTP/1.1"


def test_a_header_of_the_settings_that_has_the_key_is_ours_too(relay: Relay) -> None:
    with serving(answers) as target, Raw(relay(target.url, key_header="X-Test").url) as client:
        client.get("/", "X-Test: k1").until(lambda got: got.endswith(b"ok"))
    assert b"X-Test" not in target.visits[0].got


def test_content_codings_are_asked_for_if_the_settings_say_so(relay: Relay) -> None:
    with serving(answers) as target, Raw(relay(target.url, accept_encoding="client").url) as client:
        client.get("/", "Accept-Encoding: gzip").until(lambda got: got.endswith(b"ok"))
        client.get("/").until(lambda got: got.count(b"ok") == 2)
    assert b"Accept-Encoding: gzip" in target.visits[0].got
    assert b"ncoding" not in target.visits[1].got


def test_paths_below_a_prefix_and_a_path(relay: Relay) -> None:
    with serving(answers) as target:
        server = relay(f"/api={target.url}/v1/")
        for path in ("/api/a?b", "/api", "/api/", "/apis"):
            with Raw(server.url) as client:
                client.get(path, "Connection: close").all()
    assert [head_of(visit)[0] for visit in target.visits] == [
        b"GET /v1/a?b HTTP/1.1",
        b"GET /v1 HTTP/1.1",
        b"GET /v1/ HTTP/1.1",
    ]


@pytest.mark.parametrize("path", ["/../x", "/a/%2e%2e/../x", "/a/..", "/..%2fx", "/.%2E/x", "/a\\..\\..\\x"])
def test_no_request_leaves_the_path_of_the_target(relay: Relay, path: str) -> None:
    with serving(answers) as target:
        with Raw(relay(f"{target.url}/v1").url) as client:
            client.get(path, "Connection: close").all()
        assert client.got.startswith(b"HTTP/1.1 400 ")
        assert target.visits == []
        with Raw(relay(target.url).url) as client:  # which has none
            client.get("/a/../x?..", "Connection: close").all()
        assert head_of(target.visits[0])[0] == b"GET /a/../x?.. HTTP/1.1"


# -- bodies ------------------------------------------------------------------------------------------------------------


def test_a_body_is_passed_on_as_it_comes(relay: Relay) -> None:
    """The target sees each part before the next is sent, and answers before the last."""

    async def play(visit: Visit) -> None:
        await visit.body(lambda body: body.endswith(b"one"))
        await visit.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", chunk(b"got one"))
        await visit.body(lambda body: body.endswith(b"two"))
        await visit.send(chunk(b"got two"), END)

    with serving(play) as target, Raw(relay(target.url).url) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 6\r\n\r\none")
        client.until(lambda got: got.endswith(chunk(b"got one")))
        client.send(b"two").until(lambda got: got.endswith(END))
    assert client.got.endswith(chunk(b"got one") + chunk(b"got two") + END)


def test_a_chunked_body_stays_chunked(relay: Relay) -> None:
    async def play(visit: Visit) -> None:
        await visit.body(lambda body: body.endswith(b"0\r\n\r\n"))
        await visit.send(OK)

    with serving(play) as target, Raw(relay(target.url).url) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk(b"abc"))
        assert eventually(lambda: target.visits and target.visits[0].got.endswith(chunk(b"abc")))
        client.send(chunk(b"de") + END).until(lambda got: got.endswith(b"ok"))
    assert b"\r\nTransfer-Encoding: chunked\r\n" in target.visits[0].got
    assert target.visits[0].got.endswith(chunk(b"abc") + chunk(b"de") + END)


def test_a_whole_body_that_came_with_its_head(relay: Relay) -> None:
    async def play(visit: Visit) -> None:
        if (await visit.request()).startswith(b"PUT"):
            await visit.body(lambda body: len(body) == 5)
        await visit.send(OK)

    with serving(play) as target, Raw(relay(target.url).url) as client:
        client.send(b"PUT /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello").until(
            lambda got: got.endswith(b"ok")
        )
        client.send(b"GET /y HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").all()
    assert client.got.count(b"HTTP/1.1 200 OK") == 2


@pytest.mark.parametrize("goes_on", [True, False])
def test_a_client_that_waits_for_the_target_to_want_its_body(
    relay: Relay, goes_on: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mockd.relay.upstream.CONTINUE_S", 60.0)

    async def play(visit: Visit) -> None:
        head = await visit.request()
        assert b"Expect: 100-continue" in head
        if goes_on:
            await visit.send(b"HTTP/1.1 100 Continue\r\n\r\n")
            await visit.body(lambda body: body == b"hello")
            await visit.send(OK)
        else:
            await visit.send(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")

    with serving(play) as target, Raw(relay(target.url).url) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
        if goes_on:
            client.until(lambda got: got.endswith(b"HTTP/1.1 100 Continue\r\n\r\n"))
            client.send(b"hello").until(lambda got: got.endswith(b"ok"))
            assert client.got.count(b"100 Continue") == 1
        else:
            client.until(lambda got: got.endswith(b"no"))
            assert client.got.startswith(b"HTTP/1.1 413 Too Large\r\n")


def test_a_target_that_does_not_say_that_it_wants_a_body_gets_it(relay: Relay, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mockd.relay.upstream.CONTINUE_S", 0.1)

    async def play(visit: Visit) -> None:
        await visit.body(lambda body: body == b"hello")
        await visit.send(OK)

    with serving(play) as target, Raw(relay(target.url).url) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
        client.until(lambda got: got.endswith(b"HTTP/1.1 100 Continue\r\n\r\n"))
        client.send(b"hello").until(lambda got: got.endswith(b"ok"))


def test_a_client_that_leaves_in_the_middle_of_its_body(relay: Relay) -> None:
    async def play(visit: Visit) -> None:
        await visit.body(lambda body: body == b"half")
        await visit.gone()

    with serving(play) as target:
        with Raw(relay(target.url).url) as client:
            client.send(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nhalf")
            assert eventually(lambda: target.visits and target.visits[0].got.endswith(b"half"))
        assert target.visits[0].left.wait(5)


def test_a_large_body_waits_for_a_target_that_does_not_read(relay: Relay) -> None:
    """Nobody holds more of it than a little: the client cannot send it all."""
    reads = threading.Event()
    size = 64 * 1024 * 1024
    sent = 0

    async def play(visit: Visit) -> None:
        head = await visit.request()
        assert b"Content-Length" in head
        await asyncio.to_thread(reads.wait, 20)
        got = len(visit.got)
        while got < size:
            got += len(await visit._reader.read(1 << 20))
        await visit.send(OK)

    with serving(play) as target, Raw(relay(target.url, max_body=1000, request_timeout=0.3).url) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % size)
        client.socket.settimeout(0.5)
        block = bytes(1 << 20)
        try:
            while sent < size:
                sent += client.socket.send(block)
        except TimeoutError:
            pass
        assert sent < size // 2
        reads.set()
        client.socket.settimeout(20)
        while sent < size:
            sent += client.socket.send(block[: size - sent])
        client.until(lambda got: got.endswith(b"ok"))
        assert client.got.startswith(b"HTTP/1.1 200 OK")


def test_the_journal_has_the_beginning_of_a_body_and_its_size(relay: Relay) -> None:
    async def play(visit: Visit) -> None:
        await visit.body(lambda body: len(body) == 200_000)
        await visit.send(OK)

    with serving(play) as target:
        server = relay(target.url, body_limit=1000)
        with Raw(server.url) as client:
            client.send(b"POST /up HTTP/1.1\r\nHost: localhost\r\nContent-Length: 200000\r\n\r\n")
            client.send(b"a" * 200_000).until(lambda got: got.endswith(b"ok"))
        with server.admin() as admin:
            [entry] = admin.list_requests()["requests"]
            whole = admin.get_request(entry["id"])
    assert whole["bodyBytes"] == 200_000
    assert whole["body"] == "a" * 1000


def test_a_mock_that_looks_at_the_body_is_asked_first(relay: Relay) -> None:
    mock = {
        "matcher": {"path": "/x", "bodyContains": "mock me"},
        "response": {"body": "mocked"},
    }
    with serving(answers) as target:
        server = relay(target.url, mock)
        for body, answer in ((b"mock me", b"mocked"), (b"do not!", b"ok")):
            with Raw(server.url) as client:
                head = ["Connection: close", "Content-Length: 7", "Expect: 100-continue"]
                client.get("/x", *head, method="POST").until(lambda got: b"100 Continue" in got)
                client.send(body).all()
            assert client.got.endswith(b"\r\n\r\n" + answer)
    assert len(target.visits) == 1


def test_a_slow_upload_has_its_time_from_part_to_part(relay: Relay) -> None:
    async def play(visit: Visit) -> None:
        await visit.body(lambda body: len(body) == 6)
        await visit.send(OK)

    with serving(play) as target, Raw(relay(target.url, request_timeout=0.6).url) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 6\r\n\r\n")
        for place in range(5):
            so_far = b"\r\n\r\n" + b"x" * place
            assert eventually(lambda so_far=so_far: target.visits and target.visits[0].got.endswith(so_far))
            threading.Event().wait(0.2)
            client.send(b"x")
        client.send(b"x").until(lambda got: got.endswith(b"ok"))
        assert client.got.startswith(b"HTTP/1.1 200 OK")
    with serving(play) as target, Raw(relay(target.url, request_timeout=0.3).url) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 6\r\n\r\nx").all()
        assert client.end is not None


def test_trailers_of_a_request_do_not_become_headers(relay: Relay) -> None:
    """Somebody before mockd may have looked at the headers alone."""
    head = b"POST / HTTP/1.1\r\nHost: localhost\r\nX-One: 1\r\nTransfer-Encoding: chunked\r\n\r\n"
    rest = b"2\r\nab\r\n0\r\nX-Admin: yes\r\n\r\n"

    async def play(visit: Visit) -> None:
        await visit.body(lambda body: body.endswith(END))
        await visit.send(OK)

    for parts in ((head + rest,), (head, rest)):
        with serving(play) as target, Raw(relay(target.url).url) as client:
            for part in parts:
                client.send(part)
                assert eventually(lambda target=target: target.visits)
            client.until(lambda got: got.endswith(b"ok"))
            assert b"X-One: 1" in target.visits[0].got
            assert b"x-admin" not in target.visits[0].got.lower()


def test_a_length_stays_whatever_the_connection_says(relay: Relay) -> None:
    async def play(visit: Visit) -> None:
        await visit.body(lambda body: body == b"ab")
        await answers(visit)

    with serving(play) as target, Raw(relay(target.url).url) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: localhost\r\nConnection: Content-Length\r\nContent-Length: 2\r\n\r\nab")
        client.until(lambda got: got.endswith(b"ok"))
        assert b"Content-Length: 2\r\n" in target.visits[0].got


@pytest.mark.parametrize(
    "rest",
    [
        b"Content-Length: 1\r\n\r\nab",  # and the beginning of a request that is none
        b"Transfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n",
        b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    ],
)
def test_what_is_no_request_is_refused_without_complaints(
    relay: Relay, rest: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with serving(answers) as target, Raw(relay(target.url).url) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: localhost\r\n" + rest).all()
        # The answer to a request that is one is given up with what follows it.
        assert client.got[:13] in (b"", b"HTTP/1.1 400 ")
        assert all(b"zz" not in visit.got and b"abc" not in visit.got for visit in target.visits)
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []
