"""Waiting for requests: who waits, until when, and at what cost."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from mockd.errors import AdminError
from mockd.judging.claims import Claim, Look
from mockd.judging.verify import Verifier
from mockd.settings import Settings
from mockd.testing import RunningMockd, _ServerThread, running_mockd
from tests.wire.sockets import Client, eventually
from tests.wire.test_journal import MOCKS, asked, request
from tests.wire.test_long_searches import SLOW, TEXT
from tests.wire.verify.asking import Waiting, ok, verified, waits


@pytest.mark.parametrize(
    ("given", "paths"),
    [
        ({"request": "/whole"}, ["/whole"]),
        ({"request": "/whole", "times": {"atLeast": 2}}, ["/whole", "/x", "/whole"]),
        ({"request": {"mock": "whole"}}, ["/list", "/whole"]),
        ({"order": ["/a", "/b"]}, ["/b", "/a", "/b"]),
        ({"request": {"key": "t"}}, ["/whole", "/~t/whole"]),
    ],
)
def test_it_waits_until_it_is_so(server: RunningMockd, given: dict[str, Any], paths: list[str]) -> None:
    with Waiting(server, **given, within_seconds=300) as waiting:
        for number, path in enumerate(paths):
            asked(server, request(server, path))
            if number < len(paths) - 1:
                assert waits(server) == 1
    assert waiting.answer["ok"] is True
    assert waits(server) == 0


@pytest.mark.parametrize("given", [{"never": True}, {"times": 1}, {"times": {"atMost": 1}}])
def test_it_waits_no_longer_than_until_it_cannot_be_so(one: RunningMockd, given: dict[str, Any]) -> None:
    with Waiting(one, "/whole", **given, within_seconds=300) as waiting:
        for _ in range(2):
            asked(one, request(one, "/whole"))
    assert waiting.answer["ok"] is False


@pytest.mark.parametrize(
    ("given", "held"),
    [
        ({"never": True}, True),
        ({"times": {"atMost": 1}}, True),
        ({"times": 0}, True),
        ({"times": 1}, False),
        ({}, False),
    ],
)
def test_it_waits_no_longer_than_it_was_told_to(one: RunningMockd, given: dict[str, Any], held: bool) -> None:
    assert ok(one, "/whole", **given, within_seconds=0.1) is held


def test_what_holds_already_is_not_waited_for(one: RunningMockd) -> None:
    asked(one, request(one, "/whole"))
    assert ok(one, "/whole", within_seconds=300) is True


@pytest.mark.parametrize("body", [b"x" * 40_000 + b"needle", b"needle"], ids=["large", "small"])
def test_a_body_that_comes_later_wakes_who_waits(server: RunningMockd, body: bytes) -> None:
    raw = request(server, "/large", "POST", body)
    with Client(server.url) as client, server.admin() as admin:
        client.send(raw[:-3])
        eventually(lambda: admin.list_requests()["total"] == 1)
        with Waiting(server, {"mock": "large", "bodyContains": "needle"}, within_seconds=300) as waiting:
            client.send(raw[-3:])
        assert waiting.answer["ok"] is True


def test_many_requests_are_looked_at_together_and_each_only_once(monkeypatch: pytest.MonkeyPatch) -> None:
    looks, searches = [], []
    look, search = Verifier._look, Look.searched
    monkeypatch.setattr(Verifier, "_look", lambda *args: looks.append(1) or look(*args))
    monkeypatch.setattr(Look, "searched", lambda *args: searches.append(1) or search(*args))
    count = 3000
    with (
        running_mockd(*MOCKS, settings=Settings(journal=count)) as server,
        Client(server.url) as client,
        Waiting(server, "/whole", times={"atLeast": count}, within_seconds=300) as waiting,
    ):
        for _ in range(count // 20):
            client.send(b"GET /whole HTTP/1.1\r\nHost: x\r\n\r\n" * 20)
            for _ in range(20):
                client.read_until(b'{"a":1}')
    assert waiting.answer["ok"] is True
    assert 1 < len(looks) < count / 20
    assert len(searches) == count


def test_a_mock_that_takes_long_to_find_wakes_who_waits() -> None:
    after: dict[str, Any] = {"id": "after", "matcher": {"path": "/slow"}, "response": {"body": "x"}}
    with running_mockd(SLOW, after) as server:
        with Waiting(server, {"mock": "after"}, within_seconds=300) as waiting:
            asked(server, request(server, "/slow", "POST", TEXT))
        assert waiting.answer["ok"] is True


def test_what_is_known_of_requests_goes_with_them(monkeypatch: pytest.MonkeyPatch) -> None:
    claims: list[Any] = []
    look = Verifier._look
    monkeypatch.setattr(Verifier, "_look", lambda self, claim: claims.append(claim) or look(self, claim))
    with running_mockd(*MOCKS, settings=Settings(journal=10)) as server:
        spec = {"path": "/whole", "headers": {"x-a": "b"}}
        with Waiting(server, spec, within_seconds=300), Client(server.url) as client:
            for _ in range(10):
                before = len(claims)
                client.send(b"GET /whole HTTP/1.1\r\nHost: x\r\n\r\n" * 15)
                for _ in range(15):
                    client.read_until(b'{"a":1}')
                eventually(lambda before=before: len(claims) > before)
            asked(server, request(server, "/whole", "GET", b"", "X-A: b"))
        assert 0 < len(claims[0].expected[0].known) <= 30


OTHERS: tuple[Any, ...] = (
    "/list",
    "POST /whole",
    {"path": "/whole", "key": "other"},
    {"path": "/{name}/more"},
)


@pytest.mark.parametrize("spec", OTHERS, ids=str)
def test_who_waits_looks_only_for_what_may_be_meant(spec: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    words: list[str] = []
    look = Verifier._look

    def noted(self: Verifier, claim: Claim) -> Any:
        words.append(claim.expected[0].words)
        return look(self, claim)

    monkeypatch.setattr(Verifier, "_look", noted)
    with running_mockd(*MOCKS) as server, Waiting(server, spec, within_seconds=300) as waiting:
        for _ in range(3):
            with Waiting(server, "GET /whole", times={"atLeast": 2}, within_seconds=300):
                for _ in range(2):
                    asked(server, request(server, "/whole"))
            server.engine.journal.forget(lambda exchange: True)  # type: ignore[union-attr]
        begin_to_stop(server)
        waiting.join()
    assert sum(said != "GET /whole" for said in words) == 2


def test_many_kinds_of_requests_at_once_wake_all_who_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mockd.journal.journal.KINDS_TOLD_APART", 0)
    looks: list[Claim] = []
    look = Verifier._look
    monkeypatch.setattr(Verifier, "_look", lambda self, claim: looks.append(claim) or look(self, claim))
    with running_mockd(*MOCKS) as server, Waiting(server, "/list", within_seconds=300):
        asked(server, request(server, "/whole"))
        eventually(lambda: len(looks) == 2)
        asked(server, request(server, "/list"))


def test_who_waits_is_let_go_when_the_key_is_deleted(one: RunningMockd) -> None:
    waiting = Waiting(one, {"path": "/whole", "key": "t"}, within_seconds=300)
    with one.admin() as admin, Waiting(one, "/whole", within_seconds=300), waiting:
        admin.delete_key("t")
        answer = waiting.join()
        assert waits(one) == 1
        asked(one, request(one, "/whole"))
    assert (answer["ok"], answer["count"]) == (False, 0)
    assert "as the key 't' was deleted" in answer["message"]


def test_who_waits_is_let_go_when_the_server_stops() -> None:
    with running_mockd(*MOCKS) as server:
        with Waiting(server, "/whole", within_seconds=300) as waiting:
            begin_to_stop(server)
            answer = waiting.join()
        assert answer["ok"] is False
        assert "as mockd is stopping" in answer["message"]
        asked(server, request(server, "/list"))
        assert ok(server, "/list", within_seconds=300) is True
        assert "as mockd is stopping" in verified(server, "/whole", within_seconds=300)["message"]


def begin_to_stop(server: RunningMockd) -> None:
    """Let a server begin to stop, while it still answers."""
    servers = [thread for thread in threading.enumerate() if isinstance(thread, _ServerThread)]
    [thread] = [thread for thread in servers if thread._engine is server.engine]

    async def stop() -> None:
        server.engine.begin_shutdown()

    asyncio.run_coroutine_threadsafe(stop(), thread._loop).result(20)


def test_a_client_that_leaves_waits_no_more(server: RunningMockd) -> None:
    body = b'{"request": "/whole", "withinSeconds": 300}'
    with Client(server.admin_url) as client:
        client.ask("/verify", method="POST", body=body)
        eventually(lambda: waits(server) == 1)
    eventually(lambda: waits(server) == 0)


def test_only_so_many_may_wait() -> None:
    with running_mockd(*MOCKS, settings=Settings(max_waits=1)) as server:
        with Waiting(server, "/whole", within_seconds=300) as waiting:
            with pytest.raises(AdminError, match="--max-waits allows") as refused:
                verified(server, "/whole", within_seconds=300)
            assert (refused.value.status, refused.value.code) == (503, "too_many_waits")
            assert ok(server, "/whole") is False
            asked(server, request(server, "/whole"))
        assert waiting.answer["ok"] is True


def test_a_key_is_not_forgotten_while_somebody_waits_for_it() -> None:
    with running_mockd(*MOCKS, settings=Settings(key_max_age=0)) as server, server.admin() as admin:
        with Waiting(server, {"key": "t"}, within_seconds=300) as waiting:
            admin.list_keys()
            assert server.engine.keys.is_known("t")
            asked(server, request(server, "/~t/whole"))
        assert waiting.answer["ok"] is True
        assert not server.engine.keys.is_known("t")
