"""Verifying which requests came: what is counted, what is said, what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mockd.client import AdminClient
from mockd.errors import AdminError
from mockd.settings import Settings
from mockd.testing import RunningMockd, running_mockd
from tests.wire.sockets import Client
from tests.wire.test_journal import asked, request
from tests.wire.verify.asking import ok, verified

# -- what is counted ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "count"),
    [
        ("/whole", 3),
        ("POST /whole", 2),
        ("post /whole", 2),
        ("GET /whole", 1),
        ("/wh*", 3),
        ("/{name}", 4),
        ("*", 5),
        ("GET /a/b c", 1),
        ({"method": "POST"}, 2),
        ({"path": "/whole", "method": "POST"}, 2),
        ({"pathPattern": "^/w"}, 3),
        ({"headers": {"X-Team": "red"}}, 1),
        ({"headers": {"x-team": "r*"}}, 1),
        ({"headers": {"x-team": {"exists": False}}}, 4),
        ({"headers": {"x-team": {"pattern": "^r.d$"}}}, 1),
        ({"queryParams": {"n": "1"}}, 1),
        ({"bodyContains": "needle"}, 1),
        ({"bodyEquals": '{"a": {"b": 1}, "text": "a needle"}'}, 1),
        ({"bodyPattern": "n.*dle"}, 1),
        ({"bodyJsonPath": {"$.a.b": 1}}, 1),
        ({"bodyJsonPath": {"$.a[?@ > 0]": {"exists": True}}}, 1),
        ({"not": {"path": "/whole"}}, 2),
        ({"path": "/whole", "not": {"method": "GET", "queryParams": {"n": "1"}}}, 2),
        ({"mock": "whole"}, 3),
        ({"mock": "list"}, 1),
        ({"mock": "none"}, 0),
        ({"mock": "whole", "method": "POST"}, 2),
        ({"key": ""}, 5),
        ({"key": "other"}, 0),
        ({"mock": "whole", "key": ""}, 3),
    ],
)
def test_requests_are_counted_as_they_would_match(server: RunningMockd, spec: Any, count: int) -> None:
    body = b'{"a": {"b": 1}, "text": "a needle"}'
    asked(server, request(server, "/whole?n=1"))
    asked(server, request(server, "/whole", "POST", body, "X-Team: red"))
    asked(server, request(server, "/whole", "POST"))
    asked(server, request(server, "/list"))
    asked(server, request(server, "/a/b%20c"))
    answer = verified(server, spec, times=count)
    assert (answer["ok"], answer["count"], answer["nearest"]) == (True, count, [])
    assert ok(server, spec, times=count + 1) is False
    assert ok(server, spec) is (count > 0)
    assert ok(server, spec, never=True) is (count == 0)


@pytest.mark.parametrize(
    ("path", "method", "body"),
    [
        ("/chat", "POST", b'{"messages": [{"role": "user", "content": "hi"}], "stream": true}'),
        ("/list", "GET", b""),
        ("/paced", "GET", b""),
        ("/nd", "GET", b""),
        ("/whole", "GET", b""),
        ("/whole", "HEAD", b""),
        ("/nothing", "GET", b""),
        ("/broken", "GET", b""),
        ("/large", "POST", b"x" * 40_000 + b"needle"),
    ],
)
def test_requests_with_every_kind_of_answer_are_counted(
    server: RunningMockd, path: str, method: str, body: bytes
) -> None:
    asked(server, request(server, path, method, body))
    assert ok(server, f"{method} {path}", times=1)


def test_a_request_counts_from_its_beginning(one: RunningMockd) -> None:
    with Client(one.url) as client:
        client.ask("/endless").read_until(b"x\n\n")
        assert ok(one, {"path": "/endless", "mock": "endless"})


def test_a_preflight_is_not_counted(one: RunningMockd) -> None:
    asked(one, request(one, "/list", "OPTIONS", b"", "Origin: http://a.test", "Access-Control-Request-Method: GET"))
    assert ok(one, "/list", never=True)


def test_requests_of_a_key_are_told_apart(one: RunningMockd) -> None:
    asked(one, request(one, "/~t1/whole"))
    asked(one, request(one, "/whole", "GET", b"", "X-Mockd-Key: t1"))
    asked(one, request(one, "/whole"))
    for key, count in (("t1", 2), ("", 1), ("t2", 0)):
        assert ok(one, {"path": "/whole", "key": key}, times=count)
    assert ok(one, "/whole", times=3)
    assert ok(one, "/~t1/whole", never=True)


@pytest.mark.parametrize(
    ("times", "held"),
    [
        (0, [True, False, False, False]),
        (2, [False, False, True, False]),
        ({"atLeast": 2}, [False, False, True, True]),
        ({"atLeast": 0}, [True, True, True, True]),
        ({"atMost": 1}, [True, True, False, False]),
        ({"atLeast": 1, "atMost": 2}, [False, True, True, False]),
    ],
)
def test_how_often(one: RunningMockd, times: Any, held: list[bool]) -> None:
    found = [ok(one, "/whole", times=times)]
    for _ in range(3):
        asked(one, request(one, "/whole"))
        found.append(ok(one, "/whole", times=times))
    assert found == held


@pytest.mark.parametrize(
    ("order", "held", "count"),
    [
        (["/a"], True, 1),
        (["/a", "/b", "/c"], True, 3),
        (["/a", "/c"], True, 2),
        (["/c"], True, 1),
        (["/b", "/b"], True, 2),
        (["/a", "/a"], False, 1),
        (["/b", "/a"], False, 1),
        (["/b", "/c", "/b"], True, 3),
        (["/x", "/a"], False, 0),
        ([{"path": "/a", "method": "GET"}, {"key": "", "path": "/b"}], True, 2),
    ],
)
def test_in_which_order(one: RunningMockd, order: list[Any], held: bool, count: int) -> None:
    for path in ("/a", "/b", "/c", "/b"):
        asked(one, request(one, path))
    answer = verified(one, order=order)
    assert (answer["ok"], answer["count"]) == (held, count)


# -- what is said ------------------------------------------------------------------------------------------------------


NEAREST = "; the nearest request: "


@pytest.mark.parametrize(
    ("given", "what", "came"),
    [
        ({"request": "POST /whole"}, "POST /whole at least once", ", and it came 2 times"),
        ({"request": "POST /whole", "times": 2}, "POST /whole exactly 2 times", ", and it came 2 times"),
        (
            {"request": "/whole", "never": True},
            "a request for /whole never",
            ", but it came 2 times, the last time as {last}",
        ),
        (
            {"request": {"mock": "whole"}, "times": {"atMost": 1}},
            'a request of the mock "whole" at most once',
            ", but it came 2 times, the last time as {last}",
        ),
        (
            {"request": {"path": "/whole", "headers": {"X-A": "b"}, "key": ""}, "never": True},
            "a request for /whole with header X-A without a key never",
            ", and it came 0 times",
        ),
        (
            {"request": "GET /whole"},
            "GET /whole at least once",
            f', but it came 0 times{NEAREST}path matched, but method expected "GET", got "POST"',
        ),
        (
            {"request": "POST /whol"},
            "POST /whol at least once",
            f', but it came 0 times{NEAREST}method matched, but path expected "/whol", got "/whole"',
        ),
        (
            {"request": {"path": "/whole", "mock": "list"}},
            'a request for /whole of the mock "list" at least once',
            f', but it came 0 times{NEAREST}path matched, but mock expected "list", got "whole"',
        ),
        (
            {"request": {"method": "PUT", "key": "t"}},
            "a PUT request of the key 't' at least once",
            ", but it came 0 times",
        ),
        (
            {"order": ["/whole", "POST /whole"]},
            "a request for /whole, then POST /whole, in this order",
            ", and so they came",
        ),
        (
            {"order": ["/whole", "PUT /x"]},
            "a request for /whole, then PUT /x, in this order",
            ", but after a request for /whole came no PUT /x",
        ),
        ({"order": ["/x"]}, "a request for /x, in this order", ", but there came no request for /x"),
        (
            {"request": "/x", "times": {"atLeast": 2, "atMost": 5}, "within_seconds": 0.01},
            "a request for /x at least 2 times and at most 5 times within 0.01 s",
            ", but it came 0 times",
        ),
        (
            {"order": ["PUT /x"] * 7},
            "PUT /x, then PUT /x, then PUT /x, then PUT /x, then PUT /x, and so on, 7 in all, in this order",
            ", but there came no PUT /x",
        ),
    ],
)
def test_the_message_is_a_sentence(one: RunningMockd, given: dict[str, Any], what: str, came: str) -> None:
    for _ in range(2):
        asked(one, request(one, "/whole", "POST", b"abc"))
    with one.admin() as admin:
        last = admin.list_requests()["requests"][-1]["id"]
        assert admin.verify(**given)["message"] == f"expected {what}{came.format(last=last)}"


def test_a_journal_without_requests_is_said(one: RunningMockd) -> None:
    assert verified(one, "/whole")["message"].endswith("it came 0 times; no request is in the journal")


def test_the_nearest_requests_are_named(one: RunningMockd) -> None:
    for path, method in (("/list", "GET"), ("/whol", "POST"), ("/whole", "GET"), ("/whole", "PUT"), ("/whole", "GET")):
        asked(one, request(one, path, method))
    with one.admin() as admin:
        ids = [entry["id"] for entry in admin.list_requests()["requests"]]
        answer = admin.verify({"method": "POST", "path": "/whole", "headers": {"X-A": {"exists": False}}})
        some_fit = admin.verify("GET /whole", times=3)
    assert (some_fit["count"], [near["requestId"] for near in some_fit["nearest"]]) == (2, [ids[3]])
    assert [near["requestId"] for near in answer["nearest"]] == [ids[4], ids[3], ids[2]]
    near = answer["nearest"][0]
    assert near.keys() == {"requestId", "score", "maxPossibleScore", "matchPercentage", "fields", "reason"}
    assert near["fields"][0] == {
        "field": "method", "matched": False, "score": 0, "maxScore": 10, "expected": "POST", "actual": "GET",
    }  # fmt: skip


# -- what is refused ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "path", "said"),
    [
        ({}, None, "found neither"),
        ([], None, "expected an object, got a list"),
        ({"request": "/a", "order": ["/a"]}, None, "found both"),
        ({"request": "/a", "times": -1}, "$.times", ">= 0"),
        ({"request": "/a", "times": 1.5}, "$.times", "whole number"),
        ({"request": "/a", "times": {}}, "$.times", "needs `atLeast`"),
        ({"request": "/a", "times": {"atLeast": 2, "atMost": 1}}, "$.times.atLeast", "more than `atMost`"),
        ({"request": "/a", "times": {"min": 2}}, "$.times.min", "did you mean `atLeast`?"),
        ({"request": "/a", "never": True, "times": 0}, "$.never", "does not go with `times`"),
        ({"request": "/a", "time": 1}, "$.time", "did you mean `times`?"),
        ({"request": "/a", "matcher": {}}, "$.matcher", "did you mean `request`?"),
        ({"order": []}, "$.order", "length >= 1"),
        ({"order": ["/a"] * 101}, "$.order", "length <= 100"),
        ({"order": ["/a"], "times": 1}, "$.times", "does not go with `order`"),
        ({"order": ["/a"], "never": True}, "$.never", "does not go with `order`"),
        ({"order": ["/a", {"url": "/b"}]}, "$.order[1].url", "did you mean `path`?"),
        ({"order": ["/a", {"bodyJsonPath": {"$[": 1}}]}, "$.order[1].bodyJsonPath.$[", "not a JSONPath"),
        ({"order": ["/a", {"not": {"path": "/{a}/{a}"}}]}, "$.order[1].not.path", "{a}"),
        ({"request": {"path": "/{a"}}, "$.request.path", "{"),
        ({"request": {"bodyPattern": "("}}, "$.request.bodyPattern", "not a regular expression"),
        ({"request": {"key": "a b"}}, "$.request.key", "is no key"),
        ({"request": {}}, "$.request", "at least one criterion"),
        ({"request": 7}, "$.request", "text or an object"),
        ({"request": "POST"}, "$.request", "does not start with `/`"),
        ({"request": ""}, "$.request", "write it like"),
        ({"request": "GTE /a"}, "$.request", "'GTE' is not one of"),
        ({"request": "/a?b=1"}, "$.request", "queryParams"),
        ({"request": "/a", "withinSeconds": 601}, "$.withinSeconds", "more than 600"),
        ({"request": "/a", "withinSeconds": "11m"}, "$.withinSeconds", "more than 600"),
        ({"request": "/a", "withinSeconds": -1}, "$.withinSeconds", ">= 0"),
        ({"request": "/a", "within": 1}, "$.within", "did you mean `withinSeconds`?"),
    ],
)  # fmt: skip
def test_nonsense_is_refused_with_its_place(one: RunningMockd, given: Any, path: str | None, said: str) -> None:
    with one.admin() as admin, pytest.raises(AdminError) as refused:
        admin._call("POST", "/verify", given)
    details = refused.value.details
    assert (refused.value.status, details["error"], details.get("path")) == (400, "validation_error", path)
    assert said in f"{details['message']} ({details.get('hint')})"


def test_without_a_journal_nothing_can_be_verified() -> None:
    with running_mockd(settings=Settings(journal=0)) as server, pytest.raises(AdminError, match="--journal 0"):
        verified(server, "/a")


# -- back to the start -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("do", "left"),
    [
        (lambda admin: admin.reset(), []),
        (lambda admin: admin.reset(key="a"), ["", "b"]),
        (lambda admin: admin.reset(key=""), ["a", "b"]),
        (lambda admin: admin.delete_key("a"), ["", "b"]),
    ],
)
def test_a_reset_and_a_key_that_is_deleted_empty_the_journal(
    one: RunningMockd, do: Callable[[AdminClient], Any], left: list[str]
) -> None:
    for path in ("/whole", "/~a/whole", "/~b/whole"):
        asked(one, request(one, path))
    with one.admin() as admin:
        answer = do(admin)
        assert answer.get("requests", 1) == 3 - len(left)
        assert [entry["key"] for entry in admin.list_requests()["requests"]] == left
        assert admin.verify({"path": "/whole", "key": "a"}, never=True)["ok"] is ("a" not in left)
