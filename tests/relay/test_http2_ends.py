"""Targets that speak HTTP/2: how answers end, and what is no answer."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from h2.errors import ErrorCodes

from tests.relay.clients import Raw
from tests.relay.conftest import Relay
from tests.relay.http2_targets import SSE, Frames, kinds, recorded, serving_http2, speaking
from tests.relay.targets import END, chunk

Lines = list[Any]


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
