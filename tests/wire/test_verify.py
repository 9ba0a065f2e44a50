"""Verifying which requests came: what is counted, what is said, what cannot be known, and who waits for it."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from starlette.middleware import Middleware

from mockd.client import AdminClient
from mockd.errors import AdminError
from mockd.judging.claims import Look
from mockd.judging.verify import Verifier
from mockd.settings import Settings
from mockd.testing import RunningMockd, _ServerThread, running_mockd
from tests.wire.conftest import Stamp, mounted
from tests.wire.sockets import Client, eventually
from tests.wire.test_journal import MOCKS, SECRET_BODIES, SECRET_HEADERS, SECRET_QUERIES, asked, request
from tests.wire.test_long_searches import EVIL, TEXT


@pytest.fixture(params=["mockd's own", "h11", "mounted", "mounted behind a middleware"])
def server(request: pytest.FixtureRequest) -> Iterator[RunningMockd]:
    if request.param.startswith("mounted"):
        with mounted(*([Middleware(Stamp)] if request.param != "mounted" else [])) as mockd:
            for mock in MOCKS:
                mockd.engine.create(mock)
            yield mockd
    else:
        options = {} if request.param == "mockd's own" else {"http": request.param}
        with running_mockd(*MOCKS, **options) as mockd:
            yield mockd


@pytest.fixture
def one() -> Iterator[RunningMockd]:
    with running_mockd(*MOCKS) as mockd:
        yield mockd


def verified(server: RunningMockd, *given: Any, **more: Any) -> Any:
    with server.admin() as admin:
        return admin.verify(*given, **more)


def ok(server: RunningMockd, *given: Any, **more: Any) -> bool | None:
    found: bool | None = verified(server, *given, **more)["ok"]
    return found


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


# -- what cannot be known ----------------------------------------------------------------------------------------------


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
    assert ok(one, order=order) is known


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
    assert ", and 1 more like it, to test it takes too long" in answer["message"]
    assert ok(one, {"bodyPattern": EVIL}) is True


def test_all_requests_together_are_searched_for_a_bounded_time(
    one: RunningMockd, monkeypatch: pytest.MonkeyPatch
) -> None:
    for body in (*[TEXT] * 10, b"aaa"):
        asked(one, request(one, "/whole", "POST", body))
    monkeypatch.setattr("mockd.judging.claims.LONGEST_LOOK_S", 0.001)
    assert ok(one, {"path": "/whole", "method": "POST", "bodyEquals": "aaa"}) is True
    assert ok(one, {"bodyPattern": EVIL}) is None


# -- credentials -------------------------------------------------------------------------------------------------------

CANARY = "canary7d1f"
SEARCHES: tuple[dict[str, Any], ...] = (
    *({"headers": {line.partition(":")[0]: "*canary*"}} for line in SECRET_HEADERS),
    *({"headers": {line.partition(":")[0]: {"pattern": "canary"}}} for line in SECRET_HEADERS),
    *({"queryParams": {name: {"pattern": "canary"}}} for name in ("key", "api_key", "access_token", "token", "KEY")),
    {"bodyContains": "canary"},
    {"bodyPattern": "canary"},
    {"bodyJsonPath": {"$[?search(@, 'canary')]": {"exists": True}}},
    {"bodyJsonPath": {"$..[?search(@, 'canary')]": {"exists": True}}},
)
"""By each of these somebody could learn a secret, letter by letter."""
SECRETS = [
    *(("/whole", b"", header.format(CANARY)) for header in SECRET_HEADERS),
    *((f"/whole?{query.format(CANARY)}", b"", "X: 1") for query in SECRET_QUERIES),
    *(("/whole", body.format(CANARY).encode("latin-1"), "X: 1") for body in SECRET_BODIES),
]


def test_nobody_learns_a_secret_by_asking(one: RunningMockd) -> None:
    for path, body, header in SECRETS:
        asked(one, request(one, path, "POST" if body else "GET", body, header))
    with one.admin() as admin:
        for search in (*SEARCHES, *({"not": search} for search in SEARCHES)):
            wrong = json.loads(json.dumps(search).replace("canary", "nobody"))
            answers = []
            for spec in (search, wrong):
                for never in (False, True):
                    answers.append(admin.verify({"path": "/whole", **spec}, never=never, times=None if never else 99))
            assert [answer["count"] for answer in answers[:2]] == [answer["count"] for answer in answers[2:]], search
            assert [answer["ok"] for answer in answers[:2]] == [answer["ok"] for answer in answers[2:]], search
            said = json.dumps(answers)
            assert CANARY not in said, search
            near = [[field["matched"] for field in each["fields"]] for each in answers[0]["nearest"]]
            assert near == [[field["matched"] for field in each["fields"]] for each in answers[2]["nearest"]], search


@pytest.mark.parametrize("near", [{"bodyContains": "missing"}, {"bodyJsonPath": {"$": 1}}, {"bodyEquals": "x"}])
def test_the_nearest_requests_are_shown_without_their_secrets(one: RunningMockd, near: dict[str, Any]) -> None:
    for path, body, header in SECRETS:
        asked(one, request(one, path, "POST" if body else "GET", body, header))
        said = json.dumps(verified(one, {"path": "/whole", **near}))
        assert CANARY not in said
        assert '"nearest": [{' in said


@pytest.mark.parametrize(
    "spec",
    [
        {"headers": {"Authorization": f"Bearer {CANARY}"}},
        {"headers": {"Authorization": {"exists": True}}},
        {"queryParams": {"api_key": CANARY}},
        {"bodyJsonPath": {"$.api_key": CANARY}},
        {"bodyJsonPath": {"$.api_key": {"exists": True}}},
        {"bodyJsonPath": {"$.user": "ann"}},
        {"bodyEquals": f'{{"api_key": "{CANARY}", "user": "ann"}}'},
    ],
)
def test_whole_values_of_credentials_are_compared(one: RunningMockd, spec: dict[str, Any]) -> None:
    body = f'{{"api_key": "{CANARY}", "user": "ann"}}'.encode()
    asked(one, request(one, f"/whole?api_key={CANARY}", "POST", body, f"Authorization: Bearer {CANARY}"))
    assert ok(one, spec) is True
    wrong = json.loads(json.dumps(spec).replace(CANARY, "wrong").replace("true", "false").replace("ann}", "x}"))
    if wrong != spec:
        answer = verified(one, wrong)
        assert answer["ok"] is False
        assert CANARY not in json.dumps(answer)


@pytest.mark.parametrize(
    ("spec", "known"),
    [
        ({"headers": {"Authorization": "*a*"}}, None),
        ({"headers": {"Authorization": "*a*"}, "bodyEquals": "x"}, False),
        ({"headers": {"Authorization": "*a*"}, "path": "/other"}, False),
        ({"not": {"headers": {"Authorization": "*a*"}, "bodyEquals": "x"}}, True),
        ({"headers": {"Authorization": "*a*"}, "bodyEquals": "abc"}, None),
        ({"headers": {"X-Other": "*a*"}}, False),
        ({"headers": {"Cookie": {"pattern": "a"}}}, False),
    ],
)
def test_other_criteria_decide_if_they_do(one: RunningMockd, spec: dict[str, Any], known: bool | None) -> None:
    asked(one, request(one, "/whole", "POST", b"abc", "Authorization: Bearer abc"))
    assert ok(one, spec) is known


def test_credentials_that_are_kept_can_be_searched() -> None:
    with running_mockd(*MOCKS, settings=Settings(journal_secrets=True)) as server:
        asked(server, request(server, "/whole", "POST", b'{"api_key": "abc"}', "Authorization: Bearer abc"))
        assert ok(server, {"headers": {"Authorization": "*b*"}, "bodyContains": "abc"}) is True


# -- waiting -----------------------------------------------------------------------------------------------------------


class Waiting:
    """A client that waits for an answer in a thread."""

    def __init__(self, server: RunningMockd, *given: Any, **more: Any) -> None:
        self._server = server
        self.answer: Any = None
        self._thread = threading.Thread(target=self._wait, args=given, kwargs=more)

    def _wait(self, *given: Any, **more: Any) -> None:
        self.answer = verified(self._server, *given, **more)

    def __enter__(self) -> Waiting:
        journal = self._server.engine.journal
        assert journal is not None
        before = len(journal.waits)
        self._thread.start()
        eventually(lambda: len(journal.waits) > before)
        return self

    def __exit__(self, *args: object) -> None:
        self.join()

    def join(self) -> Any:
        self._thread.join(20)
        assert not self._thread.is_alive()
        return self.answer


def waits(server: RunningMockd) -> int:
    assert server.engine.journal is not None
    return len(server.engine.journal.waits)


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
    assert 2 < len(looks) < count / 20
    assert len(searches) == count


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
        assert "as mockd is stopping" in verified(server, "/whole", within_seconds=300)["message"]


def begin_to_stop(server: RunningMockd) -> None:
    """Let a server begin to stop, while it still answers."""
    [thread] = [thread for thread in threading.enumerate() if isinstance(thread, _ServerThread)]

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
