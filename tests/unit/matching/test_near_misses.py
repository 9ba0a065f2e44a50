from __future__ import annotations

from typing import Any

import pytest

from mockd.config.models import Matcher
from mockd.jsontext import encode_json
from mockd.matching.table import MatchTable


def test_shape(make: Any) -> None:
    table = make.table(make.rule("m1", name="Events", method="GET", path="/events", headers={"X-Key": "a"}))
    assert make.near(table, make.request("/events", "POST", headers={"x-key": "a"})) == [
        {
            "mockId": "m1",
            "mockName": "Events",
            "score": 25,
            "maxPossibleScore": 35,
            "matchPercentage": 71,
            "fields": [
                {
                    "field": "method",
                    "matched": False,
                    "score": 0,
                    "maxScore": 10,
                    "expected": "GET",
                    "actual": "POST",
                },
                {
                    "field": "path",
                    "matched": True,
                    "score": 15,
                    "maxScore": 15,
                    "expected": "/events",
                    "actual": "/events",
                },
                {
                    "field": "headers.X-Key",
                    "matched": True,
                    "score": 10,
                    "maxScore": 10,
                    "expected": "a",
                    "actual": "a",
                },
            ],
            "reason": 'path and header X-Key matched, but method expected "GET", got "POST"',
        }
    ]


def test_name_is_left_out_where_there_is_none(make: Any) -> None:
    (near,) = make.near(make.table(make.rule(method="GET", path="/a")), make.request("/a", "POST"))
    assert "mockName" not in near


AT_A: dict[str, Any] = {"path": "/a"}


@pytest.mark.parametrize(
    ("criteria", "request_", "reason"),
    [
        ({"method": "get"}, {"method": "POST"}, 'path matched, but method expected "GET", got "POST"'),
        (
            {"method": "GET", "headers": {"x": "a"}},
            {},
            'method and path matched, but header x expected "a", got (missing)',
        ),
        ({"headers": {"x": "a*"}}, {"headers": {"x": "b"}}, 'path matched, but header x expected "a*", got "b"'),
        (
            {"headers": {"x": "a"}},
            {"headers": [("x", "b"), ("x", "c")]},
            'path matched, but header x expected "a", got "[\\"b\\", \\"c\\"]"',
        ),
        (
            {"query_params": {"q": ""}},
            {"query": "q=1"},
            'path matched, but query parameter q expected "", got "1"',
        ),
        ({"query_params": {"q": "1"}}, {}, 'path matched, but query parameter q expected "1", got (missing)'),
        ({"body_contains": "x"}, {"body": "abc"}, 'path matched, but bodyContains expected "x", got "abc"'),
        ({"body_equals": "x"}, {}, 'path matched, but bodyEquals expected "x", got ""'),
        ({"body_pattern": "^x"}, {"body": b"\xff"}, 'path matched, but bodyPattern expected "^x", got "\ufffd"'),
        (
            {"body_json_path": {"$.a": 1}},
            {"json_body": {"a": True}},
            "path matched, but bodyJsonPath $.a expected 1, got true",
        ),
        (
            {"body_json_path": {"$.a": {"exists": True}}},
            {"json_body": {}},
            'path matched, but bodyJsonPath $.a expected "{\\"exists\\": true}", got (missing)',
        ),
        (
            {"body_json_path": {"$.a": 1}},
            {"body": "a=1"},
            "path matched, but bodyJsonPath $.a expected 1, got (not JSON, or nested too deeply)",
        ),
        (
            {"method": "PUT", "query_params": {"q": "1"}, "body_equals": ""},
            {},
            'path and bodyEquals matched, but method expected "PUT", got "GET"; '
            'query parameter q expected "1", got (missing)',
        ),
    ],
)
def test_reason_says_what_matched_and_what_did_not(
    make: Any, criteria: dict[str, Any], request_: dict[str, Any], reason: str
) -> None:
    (near,) = make.near(make.table(make.rule(path="/a", **criteria)), make.request("/a", **request_))
    assert near["reason"] == reason
    assert near["matchPercentage"] < 100


@pytest.mark.parametrize(
    ("template", "path"),
    [
        ("/events", "/events/"),
        ("/events/", "/events"),
        ("/events", "//events"),
        ("/events", "/Events"),
        ("/events", "/event"),
        ("/events", "/evnets"),
        ("/v1/chat/completions", "/v1/chat/completion"),
        ("/v1/chat/completions", "/chat/completions"),
        ("/v1/chat/completions", "/v1/completions"),
        ("/users/{id}/posts", "/users/7/comments"),
        ("/users/{id}/posts", "/users/7/posts/"),
        ("/users/{id}", "/users"),
        ("/users/v{n}/x", "/users/v1/y"),
        ("/a/*", "/a"),
        ("/Files/*", "/files/x"),
    ],
)
def test_path_that_is_nearly_the_same_is_near(make: Any, template: str, path: str) -> None:
    (near,) = make.near(make.table(make.rule(method="GET", path=template)), make.request(path))
    assert near["reason"] == f'method matched, but path expected "{template}", got "{path}"'
    assert near["score"] == 10


@pytest.mark.parametrize(
    ("template", "path"),
    [
        ("/events", "/users"),
        ("/events", "/"),
        ("/", "/events"),
        ("/a/b/c", "/x/y/c"),
        ("/v1/chat/completions", "/completions"),
        ("*.json", "/events/all"),
        ("/users/{id}", "/orders/7/lines"),
    ],
)
def test_path_that_is_quite_another_is_not_near(make: Any, template: str, path: str) -> None:
    assert make.near(make.table(make.rule(method="GET", path=template)), make.request(path)) == []


def test_mock_without_a_method_is_near_by_its_path_alone(make: Any) -> None:
    (near,) = make.near(make.table(make.rule(path="/events")), make.request("/event"))
    assert near["reason"] == 'path expected "/events", got "/event"'
    assert near["score"] == near["matchPercentage"] == 0


def test_like_path_under_another_method_is_not_near(make: Any) -> None:
    assert make.near(make.table(make.rule(method="POST", path="/events")), make.request("/event")) == []


def test_mock_of_which_only_the_method_holds_is_not_near(make: Any) -> None:
    table = make.table(make.rule(method="GET", headers={"x": "1"}), make.rule(method="GET", path_pattern="^/zzz"))
    assert make.near(table, make.request("/a")) == []


def test_mock_without_a_path_is_near_by_another_criterion(make: Any) -> None:
    (near,) = make.near(
        make.table(make.rule(method="GET", path_pattern="^/a", headers={"x": "1"})), make.request("/ab", "PUT")
    )
    assert near["reason"] == (
        'pathPattern matched, but method expected "GET", got "PUT"; header x expected "1", got (missing)'
    )


def test_method_holds_for_head_where_get_is_answered(make: Any) -> None:
    (near,) = make.near(make.table(make.rule(method="GET", path="/a", headers={"x": "1"})), make.request("/a", "HEAD"))
    assert near["reason"] == 'method and path matched, but header x expected "1", got (missing)'


def test_three_nearest_by_share_then_rank(make: Any) -> None:
    table = make.table(
        make.rule("typing error", method="GET", path="/api/stream"),
        make.rule("header", method="GET", path="/api/streams", headers={"x": "1"}),
        make.rule("earlier", method="GET", path="/api/streams", query_params={"q": "1"}),
        make.rule("later", method="GET", path="/api/streams", query_params={"q": "2"}),
        make.rule("body", method="PUT", path="/api/streams", body_equals=""),
    )
    nearest = make.near(table, make.request("/api/streams"))
    assert [near["mockId"] for near in nearest] == ["later", "earlier", "body"]


def test_a_mock_that_asks_for_much_is_not_nearer_for_it(make: Any) -> None:
    table = make.table(
        make.rule("much", method="POST", path="/chat", headers={"user-agent": "sdk*", "x": "1"}, body_equals="?"),
        make.rule("little", method="POST", path="/chat"),
    )
    nearest = make.near(table, make.request("/chat", headers={"user-agent": "sdk/1"}))
    assert [(near["mockId"], near["score"]) for near in nearest] == [("little", 15), ("much", 25)]
    shares = [near["matchPercentage"] for near in nearest]
    assert shares == sorted(shares, reverse=True)


def test_of_equal_shares_the_higher_score_is_nearer(make: Any) -> None:
    table = make.table(
        make.rule("more", path="/a", query_params={"q": "1"}, body_contains="?"),
        make.rule("less", headers={"x": "1", "y": "1"}, priority=1),
    )
    nearest = make.near(table, make.request("/a", query="q=1", headers={"x": "1"}))
    assert [(near["mockId"], near["matchPercentage"]) for near in nearest] == [("more", 50), ("less", 50)]


def test_equal_shares_are_sorted_by_likeness_of_the_path(make: Any) -> None:
    table = make.table(
        make.rule("one letter", method="GET", path="/api/stream"), make.rule("more", method="GET", path="/api/strong")
    )
    nearest = make.near(table, make.request("/api/streams"))
    assert [near["mockId"] for near in nearest] == ["one letter", "more"]


def test_values_of_the_request_are_cut(make: Any) -> None:
    table = make.table(make.rule(path="/a", body_equals="x", headers={"h": "x"}, body_json_path={"$": 1}))
    (near,) = make.near(table, make.request("/a", headers={"h": "é" * 500}, json_body=["long"] * 100_000))
    for field in near["fields"][1:]:
        assert len(field["actual"]) == 201
        assert field["actual"].endswith("…")
    assert len(near["reason"]) < 1000


def test_near_misses_can_always_be_sent_as_json_in_utf_8(make: Any) -> None:
    wanted = {"$.s": 1, "$.t": 1, "$.missing": 1}
    table = make.table(make.rule(path="/a", query_params={"q": "1"}, body_json_path=wanted))
    request = make.request("/a", query="q=%FF", body=rb'{"s": "\ud800", "t": ["\udfff"]}')
    encode_json(make.near(table, request))


@pytest.mark.parametrize(
    ("criteria", "given"),
    [
        ({"headers": {"Authorization": "Bearer CANARY-1"}}, {"headers": {"authorization": "Bearer CANARY-2"}}),
        ({"headers": {"authorization": "CANARY-1*", "x": "1"}}, {"headers": {"authorization": "CANARY-1, CANARY-2"}}),
        ({"headers": {"Cookie": "CANARY-1", "x": "1"}}, {"headers": {"cookie": "CANARY-1"}}),
        ({"query_params": {"api_key": "CANARY-1"}}, {"query": "api_key=CANARY-2"}),
        ({"query_params": {"key": "CANARY-1"}}, {"query": "key=CANARY-2&key=CANARY-3"}),
        ({"not_": Matcher(headers={"Cookie": "CANARY-1"}), "headers": {"x": "1"}}, {"headers": {"cookie": "CANARY-1"}}),
        ({"not_": Matcher(not_=Matcher(query_params={"token": "CANARY-1"})), "headers": {"x": "1"}}, {}),
    ],
)
def test_credentials_are_not_repeated(make: Any, criteria: dict[str, Any], given: dict[str, Any]) -> None:
    (near,) = make.near(make.table(make.rule(path="/a", **criteria)), make.request("/a", **given))
    said = repr(near).replace("'expected': 'CANARY-1*'", "")  # a pattern is no credential
    assert "CANARY" not in said
    assert "(a value that is not shown)" in said


def test_a_credential_that_is_missing_is_said_to_be(make: Any) -> None:
    table = make.table(make.rule(path="/a", headers={"Authorization": "Bearer *"}))
    (near,) = make.near(table, make.request("/a"))
    assert near["reason"] == 'path matched, but header Authorization expected "Bearer *", got (missing)'


def test_a_mock_that_is_not_enabled_is_named(make: Any) -> None:
    other = make.rule("other", path="/b")
    disabled = make.rule("off", path="/a/{id}", headers={"X-Key": "a"})
    table = MatchTable([other], [disabled])
    (near,) = make.near(table, make.request("/a/1", headers={"x-key": "a"}))
    assert (near["mockId"], near["matchPercentage"]) == ("off", 99)
    assert near["reason"] == "path and header X-Key matched, but the mock is not enabled"
    (near,) = make.near(table, make.request("/a/1"))
    assert near["reason"].endswith('expected "a", got (missing); the mock is not enabled')
    assert make.near(MatchTable([other]), make.request("/a/1")) == []
