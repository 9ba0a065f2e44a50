"""Keys on real sockets: every kind of answer, in every way in which mockd can sit on one."""

from __future__ import annotations

import gc
import json
import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from mockd.keys.registry import Key
from mockd.mocks.mock_set import MockSet
from mockd.settings import Settings
from mockd.streaming.sessions.buffer import Buffer, OfKey
from mockd.streaming.sessions.session import Entry
from mockd.testing import RunningMockd, running_mockd
from tests.wire.conftest import TLS, speaking_tls
from tests.wire.sockets import Client, body_of, eventually

WORDS = [{"data": "one"}, {"data": "two"}]
WHERE = "{{ request.base }} {{ request.path }} {{ request.params.rest }}"
KINDS: dict[str, dict[str, Any]] = {
    "list": {"sse": {"events": WORDS}},
    "burst": {"sse": {"events": WORDS * 500, "timing": {"fixedDelay": 0}}},
    "paced": {"sse": {"events": WORDS, "timing": {"fixedDelay": 5}}},
    "resumable": {"sse": {"events": [{"id": "a", "data": 1}, {"id": "b", "data": 2}], "resume": {"enabled": True}}},
    "template": {"sse": {"template": "openai-chat", "templateParams": {"tokens": ["a", "b"]}}},
    "whole": {"response": {"body": "whole"}},
    "chunked": {"chunked": {"data": "one two three", "chunkSize": 4}},
    "ndjson": {"chunked": {"ndjsonItems": [{"n": 1}, {"n": 2}]}},
    "broken": {"sse": {"events": WORDS}, "faults": ["end after 1 event"]},
}
CARRYING: dict[str, Callable[[str], tuple[str, dict[str, str]]]] = {
    "the path": lambda path: (f"/~k-1._{path}", {}),
    "an escaped path": lambda path: (f"/%7Ek%2D1._{path}", {}),
    "the header": lambda path: (path, {"X-Mockd-Key": "k-1._"}),
    "both": lambda path: (f"/~k-1._{path}", {"x-mockd-key": "k-1._"}),
}


def answer(server: RunningMockd, path: str, *, method: str = "GET", version: str = "1.1", **headers: str) -> bytes:
    """All bytes of an answer."""
    body = b'{"stream": true}' if method == "POST" else b""
    sent = {"Connection": "close", **{name.replace("_", "-"): value for name, value in headers.items()}}
    with Client(server.url) as client:
        client.ask(path, method=method, version=version, headers=sent, body=body)
        return client.read_to_end()


def same(answer: bytes) -> tuple[bytes, list[bytes], bytes]:
    """What is the same in all answers of a mock: status, names of headers, and the body without ids and times."""
    status, *headers = answer.partition(b"\r\n\r\n")[0].split(b"\r\n")
    return (
        status,
        [header.partition(b":")[0] for header in headers],
        re.sub(rb"chatcmpl-\w+|\"created\":\d+", b"", body_of(answer)),
    )


def carried(server: RunningMockd, carrying: str, path: str, **request: str) -> bytes:
    path, headers = CARRYING[carrying](path)
    return answer(server, path, **headers, **request)


@pytest.mark.parametrize("carrying", CARRYING)
@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_is_the_same_with_a_key(everywhere: RunningMockd, kind: str, carrying: str) -> None:
    everywhere.engine.create({"id": "m", "matcher": {"path": "/m"}, **KINDS[kind]})
    requests: list[dict[str, str]] = [{}, {"method": "HEAD"}, {"version": "1.0"}, {"method": "POST"}]
    for request in requests:
        plain = answer(everywhere, "/m", **request)
        assert same(carried(everywhere, carrying, "/m", **request)) == same(plain)
        assert plain.split(b" ")[1] == b"200"
    known = everywhere.engine.connections
    eventually(lambda: known.listed("ended", "m", key="k-1._") and not known.exchanges())
    last = known.listed("ended", "m", key="k-1._")[-1]
    assert (last.path, last.to_json()["key"]) == ("/m", "k-1._")


@pytest.mark.parametrize("carrying", CARRYING)
def test_a_client_resumes_within_its_key(everywhere: RunningMockd, carrying: str) -> None:
    everywhere.engine.create({"id": "m", "matcher": {"path": "/m"}, **KINDS["resumable"]})
    carried(everywhere, carrying, "/m")
    assert b"data: 1" not in carried(everywhere, carrying, "/m", Last_Event_ID="a")
    assert b"data: 1" in answer(everywhere, "/m", Last_Event_ID="a")
    assert b"data: 1" in answer(everywhere, "/~other/m", Last_Event_ID="a")


@pytest.mark.parametrize("carrying", CARRYING)
def test_matching_and_expressions_see_the_path_without_the_key(everywhere: RunningMockd, carrying: str) -> None:
    everywhere.engine.create({"matcher": {"path": "/api/{rest}"}, "response": {"body": WHERE}})
    body = body_of(carried(everywhere, carrying, "/api/x~y")).decode()
    assert body == f"{everywhere.url}/~k-1._ /api/x~y x~y"
    miss = json.loads(body_of(carried(everywhere, carrying, "/apj/x")))
    assert miss["path"] == "/apj/x"


def test_the_key_alone_is_the_root(everywhere: RunningMockd) -> None:
    everywhere.engine.create({"matcher": {"path": "/"}, "response": {"body": "root"}})
    assert [body_of(answer(everywhere, path)) for path in ("/~k", "/~k/", "/~k?x=1")] == [b"root"] * 3


def test_behind_a_key_is_no_admin_api(everywhere: RunningMockd) -> None:
    everywhere.engine.create({"matcher": {"path": "/*"}, "response": {"body": "any"}})
    for path in ("/~k/__mockd", "/~k/__mockd/status", "/~k/__mockd/"):
        assert answer(everywhere, path).startswith(b"HTTP/1.1 404"), path
    assert body_of(answer(everywhere, "/~k/__mockd2")) == b"any"
    assert b'"running"' in answer(everywhere, "/__mockd/status", X_Mockd_Key="k")


def test_a_preflight_is_answered_for_the_path_without_its_key(everywhere: RunningMockd) -> None:
    everywhere.engine.create({"matcher": {"method": "GET", "path": "/open"}, "response": {}})
    everywhere.engine.create({"matcher": {"method": "GET", "path": "/shut"}, "response": {}, "cors": False})
    asked = {"Origin": "https://a.test", "Access-Control-Request-Method": "GET"}
    asked["Access-Control-Request-Headers"] = "x-mockd-key"
    for start in ("", "/~k", "/~!"):
        assert answer(everywhere, f"{start}/open", method="OPTIONS", **asked).startswith(b"HTTP/1.1 204"), start
    assert b"access-control-allow-headers: x-mockd-key" in answer(everywhere, "/open", method="OPTIONS", **asked)
    own = {"matcher": {"method": "GET", "path": "/open"}, "response": {}, "cors": False}
    everywhere.engine.create(own, "own")
    assert answer(everywhere, "/~own/open", method="OPTIONS", **asked).startswith(b"HTTP/1.1 404")
    for start in ("", "/~k"):
        assert answer(everywhere, f"{start}/shut", method="OPTIONS", **asked).startswith(b"HTTP/1.1 404"), start


def test_under_tls() -> None:
    mocks = [{"id": kind, "matcher": {"path": f"/{kind}"}, **part} for kind, part in KINDS.items()]
    with running_mockd(*mocks, **TLS) as plain:
        server = speaking_tls(plain)
        for kind in KINDS:
            assert same(carried(server, "the path", f"/{kind}")) == same(answer(server, f"/{kind}"))


def test_a_large_body_is_looked_at_apart(everywhere: RunningMockd) -> None:
    text = "x" * 100_000
    for key, body in (("", "all"), ("k", "own")):
        mock = {"matcher": {"path": "/m", "bodyContains": "needle"}, "response": {"body": body}}
        everywhere.engine.create(mock, key)
    for path, expected in (("/m", b"all"), ("/~k/m", b"own"), ("/~other/m", b"all"), ("/~!/m", b"invalid_key")):
        with Client(everywhere.url) as client:
            client.ask(path, method="POST", headers={"Connection": "close"}, body=f"{text} needle".encode())
            assert expected in client.read_to_end()
    known = everywhere.engine.connections
    eventually(lambda: not known.exchanges())
    assert [stream.owner for stream in known.listed("ended")[-3:]] == ["", "k", ""]


def test_keys_that_come_and_go_leave_nothing() -> None:
    ids = [{"id": "$uuid", "data": 1}]
    mocks: list[dict[str, Any]] = [
        {"id": "s", "matcher": {"path": "/s"}, "sse": {"events": ids, "resume": {"enabled": True}}},
        {"id": "e", "matcher": {"path": "/e"}, "response": {}, "faults": ["status 500 for requests 1"]},
    ]
    settings = Settings(key_max_age=0, max_ended=10)
    with running_mockd(*mocks, settings=settings) as server, server.admin() as admin:

        def kept(first: int) -> Counter[type]:
            """What there is after another hundred keys."""
            for number in range(first, first + 100):
                key = f"k{number}"
                own = admin.create_mock({"matcher": {"path": "/own"}, **KINDS["resumable"]}, key=key)["id"]
                for path in ("s", "e", "own", "missing"):
                    answer(server, f"/~{key}/{path}")
                admin.delete_mock(own, key=key)
            gc.collect()
            return Counter(
                type(thing) for thing in gc.get_objects() if isinstance(thing, Key | MockSet | OfKey | Buffer | Entry)
            )

        few = kept(0)
        assert kept(100) == few
        assert admin.list_keys() == {"keys": [], "total": 0}
        assert server.engine.streams.buffer("s") == []


def test_a_key_with_a_live_stream_is_not_forgotten() -> None:
    ticks = {"events": [{"data": "tick"}], "repeat": 0, "timing": {"fixedDelay": 5}, "resume": {"enabled": True}}
    mock = {"id": "m", "matcher": {"path": "/m"}, "sse": ticks}
    with running_mockd(mock, settings=Settings(key_max_age=0, max_keys=1)) as server, server.admin() as admin:
        with Client(server.url) as client:
            client.ask("/~first/m").read_until(b"tick")
            assert [key["connections"] for key in admin.list_keys()["keys"]] == [1]
            refused = answer(server, "/~second/m")
            assert refused.startswith(b"HTTP/1.1 503")
            assert b"retry-after: 1\r\n" in refused
            assert b'"too_many_keys"' in refused
            assert answer(server, "/~second/missing").startswith(b"HTTP/1.1 404")
        eventually(lambda: admin.list_keys()["total"] == 0)
        with Client(server.url) as client:
            client.ask("/~second/m").read_until(b"tick")
