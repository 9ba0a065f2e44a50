"""What cannot be known of requests that came, and is not guessed."""

from __future__ import annotations

from typing import Any

import pytest

from mockd.settings import Settings
from mockd.testing import RunningMockd, running_mockd
from tests.wire.sockets import Client, eventually
from tests.wire.test_journal import MOCKS, asked, request
from tests.wire.test_long_searches import EVIL, TEXT
from tests.wire.verify.asking import ok, verified


def test_what_is_left_decides_if_it_does() -> None:
    with running_mockd(*MOCKS, settings=Settings(journal=5)) as server:
        for number in range(8):
            asked(server, request(server, "/whole", "PUT" if number == 7 else "GET"))
        assert ok(server, "/whole", times={"atLeast": 5})
        assert ok(server, "/whole", times={"atMost": 4}) is False
        assert ok(server, "/whole", never=True) is False
        for times, has_nearest in ((4, False), (7, True), ({"atLeast": 5}, True), ({"atMost": 4}, False)):
            answer = verified(server, "GET /whole", times=times)
            assert (answer["ok"], answer["count"], bool(answer["nearest"])) == (None, 4, has_nearest)
            assert "3 older requests were let go of (--journal, --journal-bytes)" in answer["message"]
        assert ok(server, "/whole", times={"atLeast": 9}) is False
        assert ok(server, "/whole", times={"atMost": 8}) is True
        assert ok(server, "/other", never=True) is None
        with server.admin() as admin:
            assert admin.forget_requests(path="/whole")["forgotten"] == 5
            assert admin.verify("/whole", never=True)["ok"] is None
            admin.forget_requests()
            assert admin.verify("/whole", never=True)["ok"] is True
            assert admin.list_requests()["dropped"] == 0


@pytest.mark.parametrize(
    ("order", "known"),
    [
        (["/c", "/d"], True),
        (["/a", "/b", "/c", "/d"], None),
        (["/a", "/d"], None),
        (["/x", "/y", "/c"], None),
        (["/x", "/y", "/z", "/c"], False),
        (["/d", "/c"], None),
        (["/d", "/x"], None),
        (["/d", "/c", "/x", "/y"], False),
        (["/c", {"path": "/x", "key": "t"}], False),
        ([{"path": "/x", "key": "t"}, "/c"], False),
    ],
)
def test_what_is_left_of_an_order(order: list[Any], known: bool | None) -> None:
    with running_mockd(*MOCKS, settings=Settings(journal=2)) as server:
        for path in ("/a", "/b", "/c", "/d"):
            asked(server, request(server, path))
        assert ok(server, order=order) is known


def test_what_was_let_go_of_is_known_for_each_key() -> None:
    with running_mockd(*MOCKS, settings=Settings(journal=2)) as server:
        for key in ("a", "a", "b", "b", "", "c", "c"):
            asked(server, request(server, f"/~{key}/whole" if key else "/whole"))
        found = {key: ok(server, {"path": "/x", "key": key}, never=True) for key in ("a", "b", "", "c", "d")}
        assert found == {"a": None, "b": None, "": None, "c": True, "d": True}
        with server.admin() as admin:
            assert admin.list_requests()["dropped"] == 5
            assert admin.reset(key="a")["requests"] == 0
            admin.reset(key="")
            assert admin.list_requests()["dropped"] == 2
        found = {key: ok(server, {"path": "/x", "key": key}, never=True) for key in ("a", "b", "", "c", "d")}
        assert found == {"a": True, "b": None, "": True, "c": True, "d": True}
        with server.admin() as admin:
            admin.reset()
            assert admin.list_requests()["dropped"] == 0
        assert [ok(server, {"path": "/x", "key": key}, never=True) for key in ("a", "b", "")] == [True] * 3


def test_keys_that_are_let_go_of_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mockd.journal.journal.MOST_KEYS", 2)
    with running_mockd(*MOCKS, settings=Settings(journal=1)) as server:
        for key in ("a", "b", "c", "d", "a", "z"):
            asked(server, request(server, f"/~{key}/whole"))
        found = {key: ok(server, {"path": "/x", "key": key}, times={"atLeast": 3}) for key in ("a", "b", "c", "e", "")}
        assert found == {"a": False, "b": False, "c": False, "e": False, "": False}
        found = {key: ok(server, {"path": "/x", "key": key}, times={"atLeast": 2}) for key in ("a", "b", "c", "e", "")}
        assert found == {"a": None, "b": False, "c": None, "e": None, "": False}


LARGE = b'{"text": "' + b"y" * 70_000 + b' needle"}'


@pytest.mark.parametrize(
    ("spec", "known"),
    [
        ({"bodyContains": "needle"}, None),
        ({"bodyContains": "yyy"}, True),
        ({"bodyPattern": "needle"}, None),
        ({"bodyPattern": "yyy"}, None),
        ({"bodyEquals": "yyy"}, False),
        ({"bodyEquals": LARGE.decode()}, None),
        ({"bodyEquals": LARGE.decode() + "y"}, False),
        ({"bodyEquals": "z" * len(LARGE)}, False),
        ({"bodyJsonPath": {"$.text": {"exists": True}}}, None),
        ({"not": {"bodyContains": "needle"}}, None),
        ({"not": {"bodyContains": "yyy"}}, False),
        ({"not": {"bodyContains": "needle", "method": "GET"}}, True),
        ({"path": "/other", "bodyContains": "needle"}, False),
        ({"path": "/whole"}, True),
    ],
)
def test_what_is_known_of_a_body_that_was_cut(server: RunningMockd, spec: dict[str, Any], known: bool | None) -> None:
    asked(server, request(server, "/whole", "POST", LARGE))
    answer = verified(server, spec)
    assert answer["ok"] is known
    assert (", only the beginning of its body was kept (--body-limit)" in answer["message"]) is (known is None)
    assert ok(server, spec, never=True) is (None if known is None else not known)


@pytest.mark.parametrize(
    ("order", "known"),
    [
        ([{"bodyContains": "needle"}, "/list"], None),
        ([{"bodyContains": "needle", "method": "GET"}, "/list"], False),
        ([{"bodyContains": "yyy"}, "/list"], True),
        (["/list", {"bodyContains": "needle"}], False),
    ],
)
def test_what_is_known_of_an_order_with_a_body_that_was_cut(
    one: RunningMockd, order: list[Any], known: bool | None
) -> None:
    asked(one, request(one, "/whole", "POST", LARGE))
    asked(one, request(one, "/list"))
    answer = verified(one, order=order)
    assert answer["ok"] is known
    assert " more, " not in answer["message"]


def test_what_is_known_of_a_body_that_is_on_its_way(one: RunningMockd) -> None:
    with one.admin() as admin, Client(one.url) as client:
        client.send(b"POST /whole HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc")
        eventually(lambda: admin.list_requests()["total"] == 1)
        assert admin.verify("/whole", times=1)["ok"] is True
        for spec, reason in (
            ({"bodyContains": "d"}, "its body is not there"),
            ({"mock": "whole"}, "which mock answers"),
        ):
            answer = admin.verify(spec)
            assert answer["ok"] is None
            assert reason in answer["message"]
        client.send(b"defghij")
        assert admin.verify({"bodyContains": "d", "mock": "whole"}, within_seconds=20)["ok"] is True


def test_what_takes_too_long_to_test_is_not_known(one: RunningMockd) -> None:
    for body in (TEXT, b"aaa", TEXT):
        asked(one, request(one, "/whole", "POST", body))
    answer = verified(one, {"bodyPattern": EVIL}, times=1)
    assert (answer["ok"], answer["count"]) == (None, 1)
    assert " and 1 more, to test it takes too long" in answer["message"]
    assert ok(one, {"bodyPattern": EVIL}) is True


def test_all_requests_together_are_searched_for_a_bounded_time(
    one: RunningMockd, monkeypatch: pytest.MonkeyPatch
) -> None:
    for body in (*[TEXT] * 10, b"aaa"):
        asked(one, request(one, "/whole", "POST", body))
    monkeypatch.setattr("mockd.judging.claims.LONGEST_LOOK_S", 0.001)
    assert ok(one, {"path": "/whole", "method": "POST", "bodyEquals": "aaa"}) is True
    assert ok(one, {"bodyPattern": EVIL}) is None
