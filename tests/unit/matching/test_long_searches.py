"""What would take too long to test does not match, and everybody who looks is told so."""

from __future__ import annotations

import json
import logging
import time
from typing import Any

import pytest
from jsonpath import JSONPathEnvironment

from mockd.config.models import Matcher, ValueTest
from mockd.engine import Engine
from mockd.errors import ConfigError
from mockd.matching import Match, Miss
from mockd.matching.json_path import compile_json_path
from mockd.patterns import APART, AT_ONCE, NotAtOnceError
from mockd.request import LARGE_BODY, MOST_VALUES, NOT_JSON, RequestView

EVIL = r"(?=a)(a|aa)+$"
TEXT = "a" * 60 + "!"
SHORT = APART._replace(seconds=0.05)
NOT_TESTED = "(not tested, as that would take too long)"
WIDE = {"n": [{"a": [1, 2]} for _ in range(20_000)]}
CASES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "bodyPattern": ({"body_pattern": EVIL}, {"body": TEXT}),
    "pathPattern": ({"path_pattern": EVIL}, {"path": "/" + TEXT}),
    "headers.x": ({"headers": {"x": ValueTest(pattern=EVIL)}}, {"headers": {"x": TEXT}}),
    "queryParams.x": ({"query_params": {"x": ValueTest(pattern=EVIL)}}, {"query": {"x": TEXT}}),
    "not": ({"not_": Matcher(body_pattern=EVIL)}, {"body": TEXT}),
    "not.not": ({"not_": Matcher(not_=Matcher(body_pattern=EVIL))}, {"body": TEXT}),
    "search": ({"body_json_path": {f"$[?search(@, '{EVIL}')]": {"exists": True}}}, {"json_body": [TEXT]}),
    "match": ({"body_json_path": {f"$[?match(@, '{EVIL}')]": {"exists": True}}}, {"json_body": [TEXT]}),
    "a pattern of the request": (
        {"body_json_path": {"$.n[?search(@, $.p)]": {"exists": True}}},
        {"json_body": {"p": EVIL, "n": [TEXT]}},
    ),
    "descendants": ({"body_json_path": {"$..x": 1}}, {"json_body": WIDE}),
    "absent descendants": ({"body_json_path": {"$..x": {"exists": False}}}, {"json_body": WIDE}),
    "wildcards": ({"body_json_path": {"$.*.*.*.*": 7}}, {"json_body": WIDE}),
    "nested filters": (
        {"body_json_path": {"$.n[?@.a[?@ == 3]]": {"exists": True}}},
        {"json_body": WIDE},
    ),
    "literal filters": ({"body_json_path": {"$.n[?1 == 2]": {"exists": True}}}, {"json_body": {"n": [0] * 150_000}}),
    "one count": ({"body_json_path": {"$[?count(@..*) == 9]": {"exists": True}}}, {"json_body": WIDE}),
    "counts in filters": ({"body_json_path": {"$.n[?count(@..*) == 9]": {"exists": True}}}, {"json_body": WIDE}),
}
"""For each kind of criterion, one that takes long to test, and a request for which it does."""


@pytest.fixture(params=CASES)
def case(make: Any, request: pytest.FixtureRequest) -> tuple[Any, RequestView]:
    criteria, asked = CASES[request.param]
    return make.rule("slow", method="POST", **criteria), make.request(method="POST", **asked)


def test_it_is_not_tested_in_the_event_loop(make: Any, case: tuple[Any, RequestView]) -> None:
    rule, request = case
    request.allow(AT_ONCE)
    with pytest.raises(NotAtOnceError):
        make.table(rule).resolve(request)


def test_it_does_not_match(make: Any, case: tuple[Any, RequestView], caplog: pytest.LogCaptureFixture) -> None:
    rule, request = case
    request.allow(SHORT)
    assert isinstance(make.table(rule).resolve(request), Miss)
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.getMessage() == "slow: does not match a request, as it would take too long to test it"


@pytest.mark.parametrize("kind", sorted(CASES.keys() - {"pathPattern"}))
def test_a_near_miss_says_that_it_was_not_tested(make: Any, kind: str) -> None:
    criteria, asked = CASES[kind]
    request = make.request(**asked)
    request.allow(SHORT)
    (near,) = make.near(make.table(make.rule(path="/", **criteria)), request)
    assert (near["fields"][1]["matched"], near["fields"][1]["actual"]) == (False, NOT_TESTED)
    assert near["reason"].endswith(f"got {NOT_TESTED}")


def test_others_match_all_the_same(make: Any, case: tuple[Any, RequestView]) -> None:
    rule, request = case
    request.allow(SHORT)
    found = make.table(make.rule("plain", path=request.path), rule).resolve(request)
    assert isinstance(found, Match)
    assert found.target == "plain"


def test_a_thousand_mocks_take_no_longer_than_one(make: Any, caplog: pytest.LogCaptureFixture) -> None:
    rules = [make.rule(f"m{number}", path="/a", body_pattern=EVIL) for number in range(1000)]
    rules += [make.rule(f"c{number}", path="/a", body_contains="b" * number) for number in range(2, 1000)]
    rules += [make.rule(f"s{number}", path=f"/a*{number}") for number in range(1000)]
    rules += [make.rule(f"h{number}", path="/a", headers={"x": f"*{number}*"}) for number in range(1000)]
    request = make.request("/a", body=TEXT * 20_000, headers={"x": "x" * 100_000})
    began = time.monotonic()
    miss = make.table(*rules).resolve(request)
    assert len(miss.near_misses) == 3
    assert time.monotonic() - began < 10  # of 500 s, if each had its own time
    assert len(caplog.records) == 1


def test_captures_that_would_take_too_long_do_not_match(make: Any) -> None:
    rule = make.rule(path_pattern=r"^/(?P<x>(a|aa)+)!|^/")
    request = make.request("/" + TEXT.replace("!", "?!"))
    request.allow(SHORT)
    assert isinstance(make.table(rule).resolve(request), Miss)


def test_a_preflight_is_not_about_a_mock_that_would_take_too_long(make: Any) -> None:
    rule = make.rule(path_pattern=EVIL)
    request = make.request(TEXT, "OPTIONS")
    request.allow(AT_ONCE)
    assert make.table(rule).announced_by(request, "GET") is None


NO_ENGINE = "(?=a)(?:(?:ab?){9999}){9999}"


@pytest.mark.parametrize(
    ("criteria", "place"),
    [
        ({"path_pattern": NO_ENGINE}, ("pathPattern",)),
        ({"body_pattern": NO_ENGINE}, ("bodyPattern",)),
        ({"headers": {"X-A": ValueTest(pattern=NO_ENGINE)}}, ("headers", "X-A", "pattern")),
        ({"query_params": {"a": ValueTest(pattern=NO_ENGINE)}}, ("queryParams", "a", "pattern")),
        ({"not_": Matcher(body_pattern=NO_ENGINE)}, ("not", "bodyPattern")),
    ],
)
def test_a_pattern_that_cannot_be_run_is_refused_with_its_place(
    make: Any, criteria: dict[str, Any], place: tuple[str, ...]
) -> None:
    with pytest.raises(ConfigError) as caught:
        make.rule(**criteria)
    (problem,) = caught.value.problems
    assert problem.path == ("matcher", *place)
    assert problem.message == "a pattern that mockd cannot run: no engine runs it: it repeats too much"
    assert problem.hint


def test_so_is_one_of_a_script() -> None:
    params = {"script": [{"reply": {"text": "a"}}, {"when": {"regex": NO_ENGINE}, "reply": {"text": "b"}}]}
    with pytest.raises(ConfigError) as caught:
        Engine().create({"matcher": {"path": "/"}, "sse": {"template": "openai-chat", "templateParams": params}})
    (problem,) = caught.value.problems
    assert problem.path == ("sse", "templateParams", "script", 1, "when", "regex")


def test_long_paths_are_not_likened_to_those_of_mocks(make: Any) -> None:
    table = make.table(make.rule(path="/aaaa/b"))
    assert make.near(table, make.request("/aaaa/c"))
    assert not make.near(table, make.request("/aaaa/" + "c" * 2000))


class TestJson:
    def test_a_large_body_with_too_many_values_is_taken_as_none(self) -> None:
        body = b"[" + b"[]," * (MOST_VALUES // 2 - 1) + b"1]"
        assert len(RequestView({"method": "POST", "path": "/", "headers": []}, body).json) == MOST_VALUES // 2
        body = b"[" + b"[]," * (MOST_VALUES // 2) + b"1]"
        assert RequestView({"method": "POST", "path": "/", "headers": []}, body).json is NOT_JSON

    def test_text_counts_for_one(self) -> None:
        body = json.dumps({"image": "A" * 5_000_000}).encode()
        assert len(body) > LARGE_BODY
        assert len(RequestView({"method": "POST", "path": "/", "headers": []}, body).json["image"]) == 5_000_000

    def test_a_large_text_is_read_as_a_small_one(self) -> None:
        body = ("é\U0001f600" * 500_000).encode() + b"\xff" + "é".encode()[:1]
        assert RequestView({"method": "POST", "path": "/", "headers": []}, body).text == body.decode("utf-8", "replace")


def test_what_json_paths_select_is_what_the_library_selects(make: Any) -> None:
    document = {"n": [{"a": [1, {"x": 2}], "t": "abc"}, {"a": [], "x": None, "t": "b\n"}], "p": "^a.c", "x": [[1], [2]]}
    request = make.request(json_body=document)
    for query in (
        *("$..x", "$.n[*].a[*]", "$..[0]", "$.n[::2]", "$.n[?@.a]", "$.n[?@.a[?@ == 1]]", "$.n[?count(@.*) > 2]"),
        *("$.n[?match(@.t, 'a.c')]", "$.n[?search(@.t, $.p)].t", "$.n[?match(@.t, 'b')]", "$.n[?search(@.t, '(')]"),
        *("$.n[?@.a == $.n[1].a]", "$.n[?!@.x]", "$.n[?length(@.t) == 3 && @.a[0] == 1]", "$.x[?@[0] == 2]", "$.x.*.*"),
    ):
        assert compile_json_path(query)(request) == JSONPathEnvironment(strict=True).findall(query, document), query
