"""Targets that speak HTTP/2: who does, what is around a body, and its flow."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import h2.events
import pytest
from h2.errors import ErrorCodes
from h2.settings import SettingCodes

from mockd.settings import Settings
from mockd.testing import running_mockd
from tests.relay.clients import Raw, eventually
from tests.relay.conftest import Relay
from tests.relay.http2_targets import CA, SSE, Frames, answers, kinds, recorded, serving_http2, speaking
from tests.relay.targets import END, chunk

Lines = list[Any]


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
