"""Targets that speak HTTP/2: bodies of requests."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from pathlib import Path
from typing import Any

import h2.events
import pytest
from h2.errors import ErrorCodes
from h2.settings import SettingCodes

from tests.relay.clients import Raw, eventually
from tests.relay.conftest import Relay
from tests.relay.http2_targets import SSE, Frames, kinds, recorded, serving_http2, speaking
from tests.relay.targets import END, chunk

Lines = list[Any]


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


@pytest.mark.parametrize("is_open", [False, True], ids=["a small window", "an open window"])
def test_a_target_that_takes_nothing_stops_the_client(relay: Relay, is_open: bool) -> None:
    async def play(frames: Frames) -> None:
        await frames.request()
        if is_open:
            frames.http.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 2**31 - 1})
            frames.http.increment_flow_control_window(2**31 - 1 - 65535)
            await frames.flush()
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
