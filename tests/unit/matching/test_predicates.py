from __future__ import annotations

from typing import Any

import pytest

from mockd.errors import ConfigError

CASES: list[tuple[dict[str, Any], dict[str, Any], bool]] = [
    # method
    ({"method": "GET"}, {"method": "GET"}, True),
    ({"method": "get"}, {"method": "GET"}, True),
    ({"method": "GET"}, {"method": "get"}, True),
    ({"method": "GET"}, {"method": "POST"}, False),
    ({"method": "OPTIONS"}, {"method": "OPTIONS"}, True),
    # pathPattern is searched, unanchored
    ({"path_pattern": "b"}, {"path": "/abc"}, True),
    ({"path_pattern": "^/b"}, {"path": "/abc"}, False),
    ({"path_pattern": r"^/v\d+$"}, {"path": "/v12"}, True),
    ({"path_pattern": r"^/v\d+$"}, {"path": "/v12/x"}, False),
    # headers: exact or with stars, any of several values, names in any case
    ({"headers": {"X-Key": "a"}}, {"headers": {"x-key": "a"}}, True),
    ({"headers": {"x-key": "a"}}, {"headers": {"X-KEY": "a"}}, True),
    ({"headers": {"x": "a"}}, {"headers": {"x": "A"}}, False),
    ({"headers": {"x": "a"}}, {"headers": {"x": "ab"}}, False),
    ({"headers": {"x": "a"}}, {}, False),
    ({"headers": {"x": ""}}, {"headers": {"x": ""}}, True),
    ({"headers": {"x": ""}}, {}, False),
    ({"headers": {"x": "*"}}, {"headers": {"x": ""}}, True),
    ({"headers": {"x": "*"}}, {}, False),
    ({"headers": {"x": "Bearer *"}}, {"headers": {"x": "Bearer abc"}}, True),
    ({"headers": {"x": "Bearer *"}}, {"headers": {"x": "Basic abc"}}, False),
    ({"headers": {"x": "*json"}}, {"headers": {"x": "application/json"}}, True),
    ({"headers": {"x": "*json"}}, {"headers": {"x": "application/json; charset=utf-8"}}, False),
    ({"headers": {"x": "*json*"}}, {"headers": {"x": "application/json; charset=utf-8"}}, True),
    ({"headers": {"x": "a*b"}}, {"headers": {"x": "a-b"}}, True),
    ({"headers": {"x": "a*b"}}, {"headers": {"x": "ab"}}, True),
    ({"headers": {"x": "a*b"}}, {"headers": {"x": "a-c"}}, False),
    ({"headers": {"x": "a*b*c"}}, {"headers": {"x": "a.bb.c"}}, True),
    ({"headers": {"x": "a.c*"}}, {"headers": {"x": "abc"}}, False),
    ({"headers": {"x": "b"}}, {"headers": [("x", "a"), ("x", "b")]}, True),
    ({"headers": {"x": "b*"}}, {"headers": [("x", "a"), ("x", "b1")]}, True),
    ({"headers": {"x": "a", "y": "b"}}, {"headers": {"x": "a"}}, False),
    ({"headers": {"x": "a", "y": "b"}}, {"headers": {"x": "a", "y": "b"}}, True),
    # query parameters: exact, any of several values, empty text is present and empty
    ({"query_params": {"q": "1"}}, {"query": {"q": "1"}}, True),
    ({"query_params": {"q": "1"}}, {"query": {"q": "10"}}, False),
    ({"query_params": {"q": "1"}}, {"query": [("q", "0"), ("q", "1")]}, True),
    ({"query_params": {"q": "a b"}}, {"query": "q=a+b"}, True),
    ({"query_params": {"q": "é"}}, {"query": "q=%C3%A9"}, True),
    ({"query_params": {"q": "*"}}, {"query": {"q": "1"}}, False),
    ({"query_params": {"q": ""}}, {"query": "q="}, True),
    ({"query_params": {"q": ""}}, {"query": "q"}, True),
    ({"query_params": {"q": ""}}, {"query": "q=1"}, False),
    ({"query_params": {"q": ""}}, {"query": "p="}, False),
    ({"query_params": {"Q": "1"}}, {"query": "q=1"}, False),
    # body
    ({"body_contains": "ell"}, {"body": "hello"}, True),
    ({"body_contains": "ELL"}, {"body": "hello"}, False),
    ({"body_contains": "é"}, {"body": "café".encode()}, True),
    ({"body_contains": "é"}, {"body": "café".encode("latin-1")}, False),
    ({"body_contains": "\ufffd"}, {"body": b"\xff"}, False),
    ({"body_contains": ""}, {"body": b""}, True),
    ({"body_contains": "\ud800"}, {"body": "?"}, False),
    ({"body_equals": "hello"}, {"body": "hello"}, True),
    ({"body_equals": "hello"}, {"body": "hello\n"}, False),
    ({"body_equals": ""}, {"body": b""}, True),
    ({"body_equals": ""}, {"body": b"x"}, False),
    ({"body_pattern": r"\d+"}, {"body": "n = 12"}, True),
    ({"body_pattern": r"^\d+$"}, {"body": "n = 12"}, False),
    ({"body_pattern": "^é$"}, {"body": "é"}, True),
    # all that is given must hold
    ({"method": "POST", "path": "/a", "body_contains": "x"}, {"path": "/a", "method": "POST", "body": "x"}, True),
    ({"method": "POST", "path": "/a", "body_contains": "x"}, {"path": "/a", "method": "POST", "body": "y"}, False),
    ({"method": "POST", "path": "/a", "body_contains": "x"}, {"path": "/b", "method": "POST", "body": "x"}, False),
]


@pytest.mark.parametrize(("criteria", "request_", "expected"), CASES)
def test_criteria(make: Any, criteria: dict[str, Any], request_: dict[str, Any], expected: bool) -> None:
    assert make.holds(criteria, make.request(**request_)) is expected


DOCUMENT = {
    "stream": True,
    "off": False,
    "n": 1,
    "f": 1.0,
    "big": 12345678901234567890,
    "text": "1",
    "nothing": None,
    "empty": "",
    "list": [1, {"a": 1.0}],
    "messages": [{"role": "system"}, {"role": "user", "content": "hi"}],
}

JSON_CASES: list[tuple[str, Any, bool]] = [
    ("$.stream", True, True),
    ("$.stream", 1, False),
    ("$.stream", "true", False),
    ("$.off", False, True),
    ("$.off", 0, False),
    ("$.n", 1, True),
    ("$.n", 1.0, True),
    ("$.n", True, False),
    ("$.n", "1", False),
    ("$.f", 1, True),
    ("$.big", 12345678901234567890, True),
    ("$.big", 12345678901234567891, False),
    ("$.text", "1", True),
    ("$.text", 1, False),
    ("$.nothing", None, True),
    ("$.missing", None, False),
    ("$.empty", "", True),
    ("$.list", [1.0, {"a": 1}], True),
    ("$.list", [{"a": 1}, 1], False),
    ("$.list", [1, {"a": True}], False),
    ("$.list[1]", {"a": 1}, True),
    ("$.list[1]", {"a": 1, "b": 2}, False),
    ("$.text[0]", "1", False),
    ("$.text[0]", {"exists": True}, False),
    ("$.text[-1]", {"exists": False}, True),
    ("$.list[0][0]", {"exists": True}, False),
    ("$.messages[*].role", "user", True),
    ("$.messages[*].role", "tool", False),
    ("$.messages[-1].role", "user", True),
    ("$..content", "hi", True),
    ("$.messages[?@.role == 'user'].content", "hi", True),
    ("$.stream", {"exists": True}, True),
    ("$.nothing", {"exists": True}, True),
    ("$.missing", {"exists": True}, False),
    ("$.missing", {"exists": False}, True),
    ("$.off", {"exists": False}, False),
    ("$.messages[?@.role == 'tool']", {"exists": False}, True),
]


@pytest.mark.parametrize(("expression", "expected", "fits"), JSON_CASES)
def test_body_json_path(make: Any, expression: str, expected: Any, fits: bool) -> None:
    assert make.holds({"body_json_path": {expression: expected}}, make.request(json_body=DOCUMENT)) is fits


def test_exists_with_another_key_or_another_type_is_a_plain_value(make: Any) -> None:
    request = make.request(json_body={"a": {"exists": "yes"}, "b": {"exists": True, "n": 1}})
    assert make.holds({"body_json_path": {"$.a": {"exists": "yes"}}}, request)
    assert make.holds({"body_json_path": {"$.b": {"exists": True, "n": 1}}}, request)


@pytest.mark.parametrize("expected", [1, None, {"exists": True}, {"exists": False}])
@pytest.mark.parametrize("body", [b"", b"{", b"a=1", b"\xff"])
def test_body_that_is_not_json_fails_every_json_path(make: Any, expected: Any, body: bytes) -> None:
    assert not make.holds({"body_json_path": {"$.a": expected}}, make.request(body=body))


@pytest.mark.parametrize("body", ['"[broken"', '"{\\"a\\": 1}"', '"text"', "5", "null", "true"])
def test_scalar_body_has_a_root_and_nothing_below(make: Any, body: str) -> None:
    request = make.request(body=body)
    assert make.holds({"body_json_path": {"$": {"exists": True}}}, request)
    assert make.holds({"body_json_path": {"$.a": {"exists": False}, "$..*": {"exists": False}}}, request)


def test_body_nested_deeper_than_can_be_searched_fits_nothing(make: Any) -> None:
    request = make.request(body='{"x":' * 500 + "1" + "}" * 500)
    assert not make.holds({"body_json_path": {"$..y": {"exists": False}}}, request)
    assert make.holds({"body_json_path": {"$.y": {"exists": False}}}, request)


NOT_JSON_PATHS = (
    *("", "a", "$.", "$[", "$.a ", " $.a", "$.a | $.b", "$.~a", "^.a", "$[?@.a =~ /x/]", "$[?nosuch(@.a)]", "$[01]"),
    *("$[" + "9" * 30 + "]", "$[" + "9" * 5000 + "]", "$[?@.a == 1e400", "$" + "[?(" * 3000),
)


@pytest.mark.parametrize("expression", NOT_JSON_PATHS, ids=lambda expression: expression[:20])
def test_json_path_outside_the_standard_is_refused_when_the_rule_is_built(make: Any, expression: str) -> None:
    with pytest.raises(ConfigError, match="not a JSONPath: ") as caught:
        make.rule(body_json_path={"$.fine": 1, expression: 1})
    assert [problem.path for problem in caught.value.problems] == [("matcher", "bodyJsonPath", expression)]


@pytest.mark.parametrize(
    ("criteria", "score"),
    [
        ({"method": "GET"}, 10),
        ({"path": "/a"}, 15),
        ({"path": "/{a}"}, 12),
        ({"path": "/*"}, 10),
        ({"path_pattern": "a"}, 14),
        ({"headers": {"a": "1", "b": "2"}}, 20),
        ({"query_params": {"a": "1", "b": "2"}}, 10),
        ({"body_contains": "a"}, 20),
        ({"body_equals": "a"}, 25),
        ({"body_pattern": "a"}, 22),
        ({"body_json_path": {"$.a": 1, "$.b": 2}}, 30),
        ({"method": "POST", "path": "/a", "body_contains": "x"}, 45),
    ],
)
def test_score_is_the_sum_over_the_criteria(make: Any, criteria: dict[str, Any], score: int) -> None:
    assert make.rule(**criteria).score == score


@pytest.mark.parametrize("field", ["path_pattern", "body_pattern"])
@pytest.mark.parametrize("pattern", ["(", "a{99999999999999999999}", "(" * 5000], ids=["open", "huge", "deep"])
def test_pattern_that_cannot_be_compiled_is_refused(make: Any, field: str, pattern: str) -> None:
    with pytest.raises(ValueError, match="not a regular expression"):
        make.rule(**{field: pattern})
