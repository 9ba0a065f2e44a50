"""Targets that speak HTTP/2."""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import h2.events
import pytest
from h2.errors import ErrorCodes
from h2.settings import SettingCodes

from mockd.settings import Settings
from mockd.testing import RunningMockd, running_mockd
from tests.cli.harness import free_port
from tests.nginx import running, running_nginx
from tests.relay.clients import Raw, eventually
from tests.relay.conftest import Relay
from tests.relay.http2_targets import CA, DATA, SSE, Frames, serving_http2
from tests.relay.targets import END, chunk
from tests.servers.environments import python_with
from tests.wire.sockets import curl

Lines = list[Any]


def speaking(relay: Relay, url: str, *mocks: dict[str, Any], **settings: Any) -> RunningMockd:
    return relay(url, *mocks, ca=CA, http2=True, **settings)


def recorded(folder: Path) -> Lines:
    """The lines of the only recording, once it has an end."""
    assert eventually(lambda: [file for file in folder.glob("*") if '"end"' in file.read_text()])
    (file,) = folder.glob("*")
    return [json.loads(line) for line in file.read_text().splitlines()]


def kinds(lines: Lines) -> list[tuple[str, Any]]:
    return [(line[1], line[2]) for line in lines[1:]]


def test_each_frame_is_a_chunk_and_a_line(relay: Relay, tmp_path: Path) -> None:
    asked: list[dict[str, str]] = []

    async def play(frames: Frames) -> None:
        asked.append(await frames.request())
        await frames.headers([*SSE, ("x-one", "1"), ("x-one", "2")])
        await frames.data(b"data: 1\n\ndata", b"", b": 2\n\n")
        await frames.end()
        await frames.more()

    with serving_http2(play) as target, Raw(speaking(relay, target.url, record=str(tmp_path)).url) as client:
        client.get("/a?b=1", "X-Own: mine", "Connection: X-Hop", "X-Hop: 1", "TE: trailers")
        client.until(lambda got: got.endswith(END))
        head = client.head.split(b"\r\n")
        assert head[0] == b"HTTP/1.1 200 OK"
        assert head[1:4] == [b"content-type: text/event-stream", b"x-one: 1", b"x-one: 2"]
        assert client.body == chunk(b"data: 1\n\ndata") + chunk(b": 2\n\n") + END
        lines = recorded(tmp_path)
    assert asked == [
        {
            ":method": "GET",
            ":scheme": "https",
            ":authority": target.url.partition("://")[2],
            ":path": "/a?b=1",
            "x-own": "mine",
            "accept-encoding": "identity",
            "te": "trailers",
        }
    ]
    (_, head_line), *rest = kinds(lines)
    assert (head_line["status"], head_line["reason"], head_line["httpVersion"]) == (200, "", "2")
    assert rest == [("o", "data: 1\n\ndata"), ("o", ": 2\n\n"), ("end", "complete")]

    with running_mockd(settings=Settings(config=(str(tmp_path),))) as replay, Raw(replay.url) as again:
        again.get("/a?b=1").until(lambda got: got.endswith(END))
        assert (again.head.split(b"\r\n")[:4], again.body) == (head[:4], client.body)


async def answers(frames: Frames) -> None:
    await frames.request()
    await frames.headers(SSE)
    await frames.data(b"data: 1\n\n")
    await frames.end()
    with contextlib.suppress(ConnectionError):
        await frames.more()


@pytest.mark.parametrize("http2", [True, False])
def test_a_target_that_speaks_both_is_asked_as_the_settings_say(relay: Relay, http2: bool) -> None:
    seen: list[object] = []

    async def play(frames: Frames) -> None:
        seen.append(frames._visit.writer.get_extra_info("ssl_object").selected_alpn_protocol())
        if http2:
            await answers(frames)

    with serving_http2(play, "h2", "http/1.1") as target, Raw(relay(target.url, ca=CA, http2=http2).url) as client:
        client.get().until(lambda got: b"data: 1" in got)
    assert seen == ["h2" if http2 else "http/1.1"]


def test_a_target_that_speaks_http_1_alone_is_spoken_to_so(relay: Relay) -> None:
    async def play(frames: Frames) -> None:
        await frames._visit.request()
        await frames._visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    with serving_http2(play, "http/1.1") as target, Raw(speaking(relay, target.url).url) as client:
        assert client.get().until(lambda got: got.endswith(b"ok")).startswith(b"HTTP/1.1 200 OK\r\n")


def test_http2_needs_its_library_and_is_not_loaded_without_need() -> None:
    code = (
        "import sys\n{}\nfrom mockd import Settings, create_app\n"
        "create_app(Settings(proxy=('https://a.test',), http2={}))\nprint(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code.format("", False)], capture_output=True, text=True, check=True, timeout=60
    )
    assert not {"h2", "hpack", "hyperframe"} & set(done.stdout.split())
    hidden = (
        "import importlib.util as util\nfind = util.find_spec\n"
        "util.find_spec = lambda name, *more: None if name == 'h2' else find(name, *more)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code.format(hidden, True)], capture_output=True, text=True, check=False, timeout=60
    )
    assert "--http2 (MOCKD_HTTP2): h2 is not installed" in done.stderr
    assert "install `mockd[http2]`" in done.stderr


# -- ends --------------------------------------------------------------------------------------------------------------


async def reset(frames: Frames) -> None:
    frames.http.reset_stream(1, ErrorCodes.INTERNAL_ERROR)
    await frames.flush()
    await frames.more()


async def close(frames: Frames) -> None:
    pass


async def go_away(frames: Frames) -> None:
    frames.http.close_connection(ErrorCodes.INTERNAL_ERROR, last_stream_id=1)
    await frames.flush()
    await frames.more()


async def break_the_rules(frames: Frames) -> None:
    await frames._visit.send(b"\x00\x00\x04\x00\x00\x00\x00\x00\x01more")  # a frame with data, and then
    await frames._visit.send(b"\x00\x00\x00\x01\x04\x00\x00\x00\x02")  # headers on a stream that nobody has opened
    await frames.more()


async def go_away_before(frames: Frames) -> None:
    frames.http.close_connection(ErrorCodes.NO_ERROR, last_stream_id=0)
    await frames.flush()
    await frames.more()


ENDS: dict[str, tuple[Callable[[Frames], Awaitable[None]], str, str, bytes]] = {
    "reset": (reset, "reset", "rst", b""),
    "closed": (close, "closed", "fin", b""),
    "goaway": (go_away, "closed", "fin", b""),
    "goaway before it": (go_away_before, "closed", "fin", b""),
    "wrong": (break_the_rules, "error", "fin", b"more"),
}


@pytest.mark.parametrize("name", ENDS)
def test_ends_in_the_middle(relay: Relay, tmp_path: Path, name: str) -> None:
    ends, how, seen, more = ENDS[name]

    async def play(frames: Frames) -> None:
        await frames.body(1)
        await frames.headers(SSE)
        await frames.data(b"data: 1\n\n")
        await frames.body(2)
        await ends(frames)

    with serving_http2(play) as target, Raw(speaking(relay, target.url, record=str(tmp_path)).url) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\na")
        client.until(lambda got: b"data: 1" in got)
        client.send(b"b").all()
        assert (client.body, client.end) == (chunk(b"data: 1\n\n") + (chunk(more) if more else b""), seen)
        assert kinds(recorded(tmp_path))[-1] == ("end", how)


@pytest.mark.parametrize("name", ENDS)
def test_ends_before_the_head(relay: Relay, tmp_path: Path, name: str) -> None:
    ends, how, seen, _ = ENDS[name]

    async def play(frames: Frames) -> None:
        await frames.request()
        await ends(frames)

    with serving_http2(play) as target, Raw(speaking(relay, target.url, record=str(tmp_path)).url) as client:
        client.get("/", "Connection: close").all()
        if name == "wrong":
            assert b"target_no_http" in client.body
        else:
            assert (client.got, client.end) == (b"", seen)
        assert kinds(recorded(tmp_path))[-1] == ("end", how)


def test_a_target_that_takes_no_more_streams_ends_this_one(relay: Relay) -> None:
    async def play(frames: Frames) -> None:
        await frames.request()
        await frames.headers(SSE)
        # As nginx does with the last stream of a connection.
        await frames._visit.send(b"\x00\x00\x08\x07\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00")
        await frames.data(b"data: 1\n\n", b"data: 2\n\n")
        await frames.end()
        with contextlib.suppress(ConnectionError):
            await frames.more()

    with serving_http2(play) as target, Raw(speaking(relay, target.url).url) as client:
        client.get().until(lambda got: got.endswith(END))
        assert client.body == chunk(b"data: 1\n\n") + chunk(b"data: 2\n\n") + END


WRONG = {
    "a header that would be two": [*SSE, ("x-one", "1\r\nx-two: 2")],
    "a header with a zero byte": [*SSE, ("x-one", "a\0b")],
    "no status": [("content-type", "text/plain")],
    "a status that is none": [(":status", "abc")],
    "a change of protocol": [(":status", "101")],
    "headers of a connection": [*SSE, ("connection", "close")],
    "a large head": [*SSE, *((f"x-{number}", "a" * 60_000) for number in range(6))],
}


@pytest.mark.parametrize("name", WRONG)
def test_heads_that_are_none(relay: Relay, tmp_path: Path, name: str) -> None:
    async def play(frames: Frames) -> None:
        await frames.request()
        await frames.headers(WRONG[name], ends=name != "a change of protocol")
        await frames.more()

    with serving_http2(play) as target, Raw(speaking(relay, target.url, record=str(tmp_path)).url) as client:
        client.get("/", "Connection: close").all()
        assert client.got.startswith(b"HTTP/1.1 502 "), client.got
        assert b"target_no_http" in client.body
        assert b"x-two" not in client.head
        assert kinds(recorded(tmp_path))[-1] == ("end", "error")


def test_a_frame_that_is_longer_than_agreed_upon(relay: Relay) -> None:
    async def play(frames: Frames) -> None:
        await frames.request()
        await frames._visit.send(b"\xff\xff\xff\x00\x00\x00\x00\x00\x01" + bytes(100_000))
        await frames.more()

    with serving_http2(play) as target, Raw(speaking(relay, target.url).url) as client:
        client.get("/", "Connection: close").all()
        assert b"a frame of 16,777,215 bytes" in client.body


def test_a_length_that_is_not_true(relay: Relay, tmp_path: Path) -> None:
    async def play(frames: Frames) -> None:
        await frames.request()
        await frames.headers([*SSE, ("content-length", "9")])
        await frames.data(b"data")
        await frames.end()
        await frames.more()

    with serving_http2(play) as target, Raw(speaking(relay, target.url, record=str(tmp_path)).url) as client:
        client.get().all()
        assert (client.body, client.end) == (b"data", "fin")
        assert kinds(recorded(tmp_path))[-2:] == [("o", "data"), ("end", "error")]


# -- what is around the body -------------------------------------------------------------------------------------------


def test_hints_and_trailers(relay: Relay, tmp_path: Path) -> None:
    async def play(frames: Frames) -> None:
        await frames.request()
        await frames.headers([(":status", "103"), ("link", "</a.css>")])
        await frames.headers(SSE)
        await frames.data(b"data: 1\n\n")
        await frames.headers([("x-sum", "1")], ends=True)
        await frames.more()

    with serving_http2(play) as target, Raw(speaking(relay, target.url, record=str(tmp_path)).url) as client:
        client.get("/", "TE: trailers").until(lambda got: b"x-sum" in got)
        assert client.got.startswith(b"HTTP/1.1 103 Early Hints\r\nlink: </a.css>\r\n\r\nHTTP/1.1 200 OK\r\n")
        assert client.got.endswith(chunk(b"data: 1\n\n") + b"0\r\nx-sum: 1\r\n\r\n")
        found = dict(kinds(recorded(tmp_path)))
    assert found["info"]["headers"] == [["link", "</a.css>"]]
    assert found["trailers"]["headers"] == [["x-sum", "1"]]


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("HEAD", [(":status", "200"), ("content-length", "99")]),
        ("GET", [(":status", "204")]),
        ("GET", [(":status", "304"), ("content-length", "99")]),
        ("GET", [(":status", "299"), ("content-length", "0")]),  # which has no phrase
    ],
)
def test_answers_without_a_body(relay: Relay, tmp_path: Path, method: str, headers: list[tuple[str, str]]) -> None:
    async def play(frames: Frames) -> None:
        await frames.request()
        await frames.headers(headers, ends=True)
        await frames.more()

    with serving_http2(play) as target, Raw(speaking(relay, target.url, record=str(tmp_path)).url) as client:
        client.get("/", "Connection: close", method=method).all()
        assert client.got.startswith(f"HTTP/1.1 {headers[0][1]} ".encode())
        assert client.body == b""
        assert kinds(recorded(tmp_path))[-1] == ("end", "complete")


# -- bodies of requests ------------------------------------------------------------------------------------------------


def test_an_upload_that_is_larger_than_all_windows(relay: Relay) -> None:
    async def play(frames: Frames) -> None:
        body = await frames.body(3_000_000)
        assert body == bytes(3_000_000)
        await frames.until(h2.events.StreamEnded)
        await frames.headers([(":status", "200")])
        await frames.data(b"ok")
        await frames.end()
        await frames.more()

    with serving_http2(play) as target, Raw(speaking(relay, target.url).url) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3000000\r\n\r\n")
        client.send(bytes(3_000_000)).until(lambda got: b"ok" in got)


def test_an_upload_in_chunks(relay: Relay) -> None:
    async def play(frames: Frames) -> None:
        assert await frames.body(3) == b"one"
        assert not [event for event in frames.seen if isinstance(event, h2.events.StreamEnded)]
        await frames.headers(SSE)
        await frames.data(b"got one")
        assert await frames.body(6) == b"onetwo"
        await frames.until(h2.events.StreamEnded)
        await frames.data(b"got all")
        await frames.end()
        await frames.more()

    with serving_http2(play) as target, Raw(speaking(relay, target.url).url) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk(b"one"))
        client.until(lambda got: b"got one" in got)
        client.send(chunk(b"two") + END).until(lambda got: got.endswith(END))
        assert client.body == chunk(b"got one") + chunk(b"got all") + END


@pytest.mark.parametrize("parts", [(), (b"one",), (b"one", b"two" * 10_000)])
def test_an_upload_without_a_length(relay: Relay, tmp_path: Path, parts: tuple[bytes, ...]) -> None:
    """It ends with the stream, and its head says nothing of chunks."""
    asked: list[dict[str, str]] = []

    async def play(frames: Frames) -> None:
        asked.append(await frames.request())
        body = await frames.body(sum(map(len, parts)))
        await frames.until(h2.events.StreamEnded)
        assert body == b"".join(parts)
        await frames.headers([(":status", "200")])
        await frames.data(b"ok")
        await frames.end()
        await frames.more()

    with serving_http2(play) as target, Raw(speaking(relay, target.url, record=str(tmp_path)).url) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
        for part in parts:
            client.send(chunk(part))
        client.send(END).until(lambda got: got.endswith(END))
        assert client.body == chunk(b"ok") + END
        lines = recorded(tmp_path)
    assert not {"transfer-encoding", "content-length"} & asked[0].keys()
    assert "".join(line[2] for line in lines[1:] if line[1] == "i") == b"".join(parts).decode()


@pytest.mark.parametrize("version", ["1.1", "1.0"])
def test_an_answer_without_a_length_for_clients_of_either_version(relay: Relay, version: str) -> None:
    async def play(frames: Frames) -> None:
        await frames.request()
        await frames.headers(SSE)
        await frames.data(b"data: 1\n\n", b"data: 2\n\n")
        await frames.end()
        await frames.more()

    with serving_http2(play) as target, Raw(speaking(relay, target.url).url) as client:
        client.get("/", "Connection: close", version=version).all()
    assert b"content-length" not in client.head.lower()
    assert (b"transfer-encoding: chunked" in client.head.lower()) == (version == "1.1")
    whole = chunk(b"data: 1\n\n") + chunk(b"data: 2\n\n") + END
    assert client.body == (whole if version == "1.1" else b"data: 1\n\ndata: 2\n\n")


def test_an_upload_goes_on_while_the_client_does_not_read(relay: Relay) -> None:
    got_all = threading.Event()

    async def play(frames: Frames) -> None:
        await frames.body(1)
        await frames.headers(SSE)
        await frames.data(*[bytes(16_000)] * 16)  # a whole window, which nobody takes
        await frames.body(2_000_000)
        got_all.set()
        await frames.end()
        await frames.more()

    with serving_http2(play) as target, Raw(speaking(relay, target.url).url) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2000000\r\n\r\n")
        client.send(bytes(2_000_000))
        assert got_all.wait(20)
        client.until(lambda got: got.endswith(END))


def test_a_target_that_takes_nothing_stops_the_client(relay: Relay) -> None:
    async def play(frames: Frames) -> None:
        await frames.request()
        await asyncio.sleep(30)

    with serving_http2(play) as target, Raw(speaking(relay, target.url, request_timeout=0.5).url) as client:
        client.socket.settimeout(1)
        client.send(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000000\r\n\r\n")
        sent = 0
        with contextlib.suppress(TimeoutError):
            while sent < 100_000_000:
                sent += client.socket.send(bytes(1_000_000))
        assert sent < 20_000_000


def test_a_client_that_waits_to_be_told_to_continue(relay: Relay, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mockd.relay.upstream.CONTINUE_S", 60.0)

    async def play(frames: Frames) -> None:
        assert (await frames.request())["expect"] == "100-continue"
        await frames.headers([(":status", "100")])
        assert await frames.body(5) == b"hello"
        await frames.headers([(":status", "200")])
        await frames.data(b"thanks")
        await frames.end()
        await frames.more()

    with serving_http2(play) as target, Raw(speaking(relay, target.url).url) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
        client.until(lambda got: got == b"HTTP/1.1 100 Continue\r\n\r\n")
        client.send(b"hello").until(lambda got: b"thanks" in got)


@pytest.mark.parametrize("resets", [True, False])
def test_an_answer_that_does_not_wait_for_the_body(relay: Relay, tmp_path: Path, resets: bool) -> None:
    seen: list[int | None] = []

    async def play(frames: Frames) -> None:
        await frames.request()
        await frames.headers([(":status", "413")])
        await frames.data(b"no")
        await frames.end()
        if resets:
            frames.http.reset_stream(1, ErrorCodes.NO_ERROR)
            await frames.flush()
            with contextlib.suppress(ConnectionError):
                await frames.more()
            return
        event = await frames.until(h2.events.StreamReset)
        assert isinstance(event, h2.events.StreamReset)
        seen.append(event.error_code)
        await frames.until(h2.events.ConnectionTerminated)
        seen.append(frames.http.remote_settings.enable_push)

    with serving_http2(play) as target, Raw(speaking(relay, target.url, record=str(tmp_path)).url) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999\r\n\r\nabc")
        client.until(lambda got: got.endswith(END))
        assert client.body == chunk(b"no") + END
        assert kinds(recorded(tmp_path))[-1] == ("end", "complete")
        # Nothing was wrong, the connection is given up, and nothing was to be pushed on it.
        assert resets or eventually(lambda: seen == [ErrorCodes.NO_ERROR, 0]), seen


# -- flow --------------------------------------------------------------------------------------------------------------


def test_a_client_that_does_not_read_slows_the_target(relay: Relay) -> None:
    sent = [0]
    is_read = threading.Event()

    async def play(frames: Frames) -> None:
        await frames.request()
        await frames.headers(SSE)
        while sent[0] < 20_000_000:
            room = min(frames.http.local_flow_control_window(1), 16_000)
            if room <= 0:
                await frames.more()
            else:
                await frames.data(bytes(room))
                sent[0] += room
        await frames.end()
        await frames.more()

    with serving_http2(play) as target, Raw(speaking(relay, target.url).url) as client:
        client.get().until(lambda got: b"\r\n\r\n" in got)
        before = -1
        while before != sent[0]:
            before = sent[0]
            is_read.wait(0.3)
        assert sent[0] < 15_000_000
        size = 0
        while not (data := client.socket.recv(1_000_000)).endswith(END):
            size += len(data)
        assert sent[0] >= 20_000_000
        assert size > 19_000_000


def test_a_client_that_leaves_is_a_reset_for_the_target(relay: Relay, tmp_path: Path) -> None:
    seen: list[int | None] = []

    async def play(frames: Frames) -> None:
        await frames.request()
        await frames.headers(SSE)
        await frames.data(b"data: 1\n\n")
        event = await frames.until(h2.events.StreamReset)
        assert isinstance(event, h2.events.StreamReset)
        seen.append(event.error_code)

    with serving_http2(play) as target:
        with Raw(speaking(relay, target.url, record=str(tmp_path)).url) as client:
            client.get().until(lambda got: b"data: 1" in got)
        assert eventually(lambda: seen)
        assert seen == [ErrorCodes.CANCEL]
        assert kinds(recorded(tmp_path))[-1] == ("end", "client")


def test_pings_and_new_settings_are_answered(relay: Relay) -> None:
    async def play(frames: Frames) -> None:
        await frames.request()
        frames.http.ping(b"12345678")
        frames.http.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 1_000_000, SettingCodes.MAX_FRAME_SIZE: 20_000})
        await frames.flush()
        await frames.until(h2.events.PingAckReceived)
        await frames.until(h2.events.SettingsAcknowledged)
        await frames.headers(SSE)
        await frames.data(b"data: 1\n\n")
        await frames.end()
        await frames.more()

    with serving_http2(play) as target, Raw(speaking(relay, target.url).url) as client:
        client.get().until(lambda got: got.endswith(END))


# -- real servers ------------------------------------------------------------------------------------------------------

APP = """
import asyncio

async def app(scope, receive, send):
    assert scope["http_version"] == "2"
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    headers = [(b"content-type", b"text/event-stream"), (b"x-got", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    for number in range(5):
        await send({"type": "http.response.body", "body": b"data: %d\\n\\n" % number, "more_body": True})
        await asyncio.sleep(0.02)
    await send({"type": "http.response.body", "body": bytes(500_000)})
"""


def compared(relay: Relay, url: str, path: str, folder: Path, *options: str) -> list[str]:
    """The body that curl gets directly, which is the same by way of the relay."""
    ways = []
    for way, base in enumerate((url, speaking(relay, url, record=str(folder / "recorded")).url)):
        file = folder / f"answer-{way}"
        more = ["--http2", "--cacert", CA] if way == 0 else []
        said = curl(
            base + path,
            *more,
            *options,
            "--output",
            str(file),
            "--write-out",
            "%{http_code} %{http_version} %header{x-got}",
        )
        ways.append((said[0], said[1].split(" "), file.read_bytes()))
    (code, directly, body), (code_relayed, relayed, body_relayed) = ways
    assert (code, code_relayed, body) == (0, 0, body_relayed)
    assert (directly[1], relayed[1]) == ("2", "1.1")
    assert directly[0] == relayed[0]
    assert directly[2:] == relayed[2:]
    assert body
    assert kinds(recorded(folder / "recorded"))[-1] == ("end", "complete")
    head = next(value for kind, value in kinds(recorded(folder / "recorded")) if kind == "head")
    assert head["httpVersion"] == "2"
    return directly


def test_hypercorn(relay: Relay, tmp_path: Path) -> None:
    python, port = python_with("hypercorn", print), free_port()
    (tmp_path / "served.py").write_text(APP)
    (tmp_path / "upload").write_bytes(bytes(1_500_000))
    tls = ["--certfile", str(DATA / "cert.pem"), "--keyfile", str(DATA / "key.pem")]
    command = [str(python), "-m", "hypercorn", *tls, "--bind", f"127.0.0.1:{port}", "served:app"]
    with running(command, port, tmp_path):
        upload = ["--data-binary", f"@{tmp_path / 'upload'}"]
        assert compared(relay, f"https://127.0.0.1:{port}", "/a", tmp_path, *upload)[2:] == ["1500000"]


def test_nginx(relay: Relay, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(range(256)) * 20_000)
    server = f"""
        ssl_certificate {DATA}/cert.pem; ssl_certificate_key {DATA}/key.pem; keepalive_requests 1;
        location / {{ root {tmp_path}; }}
    """
    with running_nginx(tmp_path, server, "ssl http2") as place:
        compared(relay, f"https://{place}", "/file", tmp_path)
