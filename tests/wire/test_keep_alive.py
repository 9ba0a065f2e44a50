"""Connections that are kept alive: closed once they were idle for so long, and not before."""

from __future__ import annotations

import time

from mockd.testing import running_mockd
from tests.wire.sockets import Client, ask_whole

IDLE_S = 0.4
WHOLE = {"matcher": {"path": "/whole"}, "response": {"body": "x"}}
PACED = {"matcher": {"path": "/paced"}, "sse": {"events": [{"data": "x"}] * 6, "timing": {"fixedDelay": 100}}}


def test_an_idle_connection_is_closed(loop: str) -> None:
    with running_mockd(WHOLE, timeout_keep_alive=IDLE_S, loop=loop) as mockd, Client(mockd.url) as client:
        ask_whole(client)
        answered = time.monotonic()
        assert client.read_to_end() == b""
        assert time.monotonic() - answered >= IDLE_S - 0.1


def test_a_connection_that_is_used_stays_and_is_closed_when_it_is_idle(loop: str) -> None:
    with running_mockd(WHOLE, timeout_keep_alive=IDLE_S, loop=loop) as mockd, Client(mockd.url) as client:
        for _ in range(8):
            ask_whole(client)
            time.sleep(IDLE_S / 4)
        ask_whole(client)
        answered = time.monotonic()
        assert client.read_to_end() == b""
        assert time.monotonic() - answered >= IDLE_S - 0.1


def test_an_answer_that_takes_longer_is_not_cut(loop: str) -> None:
    with running_mockd(WHOLE, PACED, timeout_keep_alive=IDLE_S, loop=loop) as mockd, Client(mockd.url) as client:
        ask_whole(client)
        client.ask("/paced").read_head()
        assert len(client.read_chunks()) == 6
        ask_whole(client)
        assert client.read_to_end() == b""


def test_pipelined_requests_are_all_answered_before(loop: str) -> None:
    with running_mockd(WHOLE, PACED, timeout_keep_alive=IDLE_S, loop=loop) as mockd, Client(mockd.url) as client:
        client.ask("/paced").ask("/paced").ask("/whole")
        for _ in range(2):
            client.read_head()
            assert len(client.read_chunks()) == 6
        client.read_head()
        client.read_exactly(1)
        assert client.read_to_end() == b""
