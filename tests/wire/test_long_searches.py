"""Requests whose mock takes long to find: they get their answers, and all others do not wait for them."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import pytest

from mockd.request import LARGE_BODY
from mockd.testing import RunningMockd, running_mockd
from tests.wire.sockets import Client, ask_whole, eventually

EVIL = r"(?=a)(a|aa)+$"
TEXT = b"a" * 60 + b"!"
SLOW: dict[str, Any] = {"id": "slow", "matcher": {"path": "/slow", "bodyPattern": EVIL}, "response": {"body": "slow"}}
WHOLE: dict[str, Any] = {"id": "whole", "matcher": {"path": "/whole"}, "response": {"body": "x"}}
LARGE: list[dict[str, Any]] = [
    {
        "matcher": {"path": "/large", "bodyJsonPath": {"$.kind": "stream"}},
        "sse": {"events": [{"data": "{{ request.body.name }}"}]},
    },
    {"matcher": {"path": "/large", "bodyPattern": '"whole".*A"}$'}, "response": {"body": "{{ request.path }}"}},
    {"matcher": {"path": "/large", "bodyContains": "constant"}, "response": {"body": "constant"}},
]


def answer(client: Client) -> tuple[int, bytes]:
    status, headers = client.read_head()
    if "content-length" in headers:
        return status, client.read_exactly(int(headers["content-length"]))
    return status, b"".join(client.read_chunks())


def large(kind: str) -> bytes:
    return json.dumps({"kind": kind, "name": "Ada", "image": "A" * 2 * LARGE_BODY}).encode()


@pytest.mark.parametrize(
    ("kind", "said"),
    [("stream", b"data: Ada\n\n"), ("whole", b"/large"), ("constant", b"constant"), ("other", b'"no_match"')],
)
def test_large_bodies_are_matched(everywhere: RunningMockd, kind: str, said: bytes) -> None:
    for mock in LARGE:
        everywhere.engine.create(mock)
    with Client(everywhere.url) as client:
        for _ in range(2):
            status, body = answer(client.ask("/large", method="POST", body=large(kind)))
            assert status == (404 if kind == "other" else 200)
            assert said in body


def test_what_takes_too_long_is_a_miss_that_says_so(everywhere: RunningMockd) -> None:
    everywhere.engine.create(SLOW)
    with Client(everywhere.url) as client:
        status, body = answer(client.ask("/slow", method="POST", body=TEXT))
    assert status == 404
    miss = json.loads(body)
    assert miss["error"]["message"].endswith("got (not tested, as that would take too long)")
    assert miss["nearMisses"][0]["fields"][1]["matched"] is False


def test_others_do_not_wait(server: RunningMockd) -> None:
    server.engine.create(SLOW)
    server.engine.create(WHOLE)
    with Client(server.url) as slow, Client(server.url) as other:
        ask_whole(other)
        slow.ask("/slow", method="POST", body=TEXT)
        for _ in range(20):
            ask_whole(other)
        slow.socket.setblocking(False)
        with pytest.raises(BlockingIOError):
            slow.socket.recv(1)
        slow.socket.settimeout(20)
        assert answer(slow)[0] == 404


def test_pipelined_requests_are_answered_in_order(server: RunningMockd) -> None:
    server.engine.create(SLOW)
    server.engine.create(WHOLE)
    with Client(server.url) as client:
        client.ask("/whole").ask("/slow", method="POST", body=TEXT).ask("/whole")
        assert [answer(client)[0] for _ in range(3)] == [200, 404, 200]


def test_a_client_may_leave_meanwhile(server: RunningMockd) -> None:
    server.engine.create(SLOW)
    server.engine.create(WHOLE)
    for leave in (Client.close, Client.reset):
        client = Client(server.url).ask("/slow", method="POST", body=TEXT)
        time.sleep(0.05)
        leave(client)
    with Client(server.url) as other:
        ask_whole(other)
        assert answer(other.ask("/slow", method="POST", body=TEXT))[0] == 404
    eventually(lambda: not len(server.engine.connections))


def test_a_mock_that_is_deleted_meanwhile_does_not_answer(server: RunningMockd) -> None:
    server.engine.create({**SLOW, "priority": 1})
    server.engine.create({**WHOLE, "matcher": {"path": "/slow"}})
    with Client(server.url) as client, server.admin() as admin:
        client.ask("/slow", method="POST", body=TEXT)
        time.sleep(0.05)
        admin.delete_mock("whole")
        assert answer(client)[0] == 404


def test_a_model_whose_script_takes_too_long_says_its_other_reply(server: RunningMockd) -> None:
    script = [{"when": {"regex": EVIL}, "reply": {"text": "no"}}, {"when": {"regex": "a!$"}, "reply": {"text": "yes"}}]
    template = {"template": "openai-chat", "templateParams": {"script": script, "text": "last"}}
    server.engine.create({"matcher": {"path": "/chat"}, "sse": template})
    server.engine.create(WHOLE)
    asked = {"model": "m", "stream": True, "messages": [{"role": "user", "content": TEXT.decode()}]}
    with Client(server.url) as client, Client(server.url) as other:
        client.ask("/chat", method="POST", body=json.dumps(asked).encode())
        ask_whole(other)
        status, body = answer(client)
    assert status == 200
    assert b'"content":"yes"' in body
    assert b'"content":"no"' not in body


@pytest.mark.parametrize("chat", [False, True])
def test_others_do_not_wait_for_large_bodies_either(server: RunningMockd, chat: bool) -> None:
    """Not for what comes after the search either, such as the choice of a scripted reply."""
    script = [{"when": {"regex": EVIL}, "reply": {"text": "no"}}]
    template = {"template": "openai-chat", "templateParams": {"script": script, "text": "last"}}
    pattern = {"path": "/asked", **({} if chat else {"bodyPattern": EVIL})}
    server.engine.create({"id": "asked", "matcher": pattern, "sse": template})
    server.engine.create(WHOLE)
    asked = {
        "messages": [{"role": "user", "content": TEXT.decode()}],
        "stream": True,
        "z": "a" * 60 + "!" + "A" * 2 * LARGE_BODY,
    }
    with Client(server.url) as slow, Client(server.url) as other:
        ask_whole(other)
        slow.ask("/asked", method="POST", body=json.dumps(asked).encode())
        time.sleep(0.1)
        for _ in range(5):
            ask_whole(other)
        slow.socket.setblocking(False)
        with pytest.raises(BlockingIOError):
            slow.socket.recv(1)


def finders() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name.startswith("mockd-find")}


@pytest.mark.parametrize(("size", "is_apart"), [(LARGE_BODY, False), (LARGE_BODY + 1, True)])
@pytest.mark.parametrize("http", ["httptools", "h11"])
def test_only_large_bodies_are_looked_into_in_a_thread(http: str, size: int, is_apart: bool) -> None:
    before = finders()
    with running_mockd(WHOLE, http=http) as mockd, Client(mockd.url) as client:
        assert answer(client.ask("/whole", method="POST", body=b"a" * size)) == (200, b"x")
        assert bool(finders() - before) is is_apart
