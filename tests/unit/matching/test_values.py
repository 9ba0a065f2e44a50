"""Criteria for headers and query parameters that name no value, and matchers that must not match."""

from __future__ import annotations

from typing import Any

import pytest

from mockd.config.conversion import convert
from mockd.config.models import Matcher
from mockd.errors import ConfigError
from mockd.matching import Rule
from mockd.matching.predicates import KINDS


def rule(matcher: dict[str, Any], id: str = "mock") -> Rule[str]:
    return Rule(convert(matcher, Matcher), 0, id, None, id)


def holds(make: Any, matcher: dict[str, Any], **request: Any) -> bool:
    return make.table(rule(matcher)).resolve(make.request(**request)).__class__.__name__ == "Match"


PLACES = {"headers": "headers", "queryParams": "query"}
"""Each criterion, and where its values stand in a request of `make`."""

THERE: dict[str, Any] = {"exists": True}
ABSENT: dict[str, Any] = {"exists": False}


@pytest.mark.parametrize("field", PLACES)
@pytest.mark.parametrize(
    ("criterion", "values", "expected"),
    [
        (THERE, ["a"], True),
        (THERE, [""], True),
        (THERE, [], False),
        (ABSENT, [], True),
        (ABSENT, ["a"], False),
        (ABSENT, [""], False),
        ({"pattern": "^a+$"}, ["aa"], True),
        ({"pattern": "^a+$"}, ["ab"], False),
        ({"pattern": "^a+$"}, [], False),
        ({"pattern": "b"}, ["abc"], True),
        ({"pattern": "^b"}, ["a", "b"], True),
        ({"pattern": "^$"}, [""], True),
        ({"pattern": "^$"}, [], False),
        ({"pattern": "^*$"}, ["*"], ...),
    ],
)
def test_a_criterion(make: Any, field: str, criterion: dict[str, Any], values: list[str], expected: Any) -> None:
    matcher = {field: {"x": criterion}}
    if expected is ...:
        with pytest.raises(ConfigError, match="not a regular expression") as caught:
            rule(matcher)
        assert caught.value.problems[0].path == (field, "x", "pattern")
        return
    assert holds(make, matcher, **{PLACES[field]: [("x", value) for value in values]}) is expected


def test_names_of_headers_are_found_in_any_case(make: Any) -> None:
    assert holds(make, {"headers": {"X-Key": THERE}}, headers={"x-key": "a"})
    assert not holds(make, {"headers": {"X-Key": ABSENT}}, headers={"x-KEY": "a"})


@pytest.mark.parametrize(
    ("criterion", "message"),
    [
        ({}, "a criterion needs exactly one of `exists`, `pattern`; found none"),
        ({"exists": True, "pattern": "a"}, "a criterion needs exactly one of `exists`, `pattern`; found `exists` and"),
        ({"regex": "a"}, "unknown key `regex` (did you mean `pattern`?)"),
        ({"exist": True}, "unknown key `exist` (did you mean `exists`?)"),
        ({"exists": "yes"}, "expected true or false, got text"),
        (5, "expected text or an object, got a whole number"),
        (None, "expected text or an object, got null"),
    ],
)
@pytest.mark.parametrize("field", PLACES)
def test_other_criteria_are_refused(field: str, criterion: Any, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        rule({field: {"a": "b", "x": criterion}})
    [problem] = caught.value.problems
    assert message in str(problem)
    assert problem.path[:2] == (field, "x")


class TestWhichOneWins:
    @pytest.mark.parametrize("field", PLACES)
    def test_a_value_then_a_pattern_then_existence(self, make: Any, winner: Any, field: str) -> None:
        by_rank = {"value": "a", "pattern": {"pattern": "a"}, "exists": THERE}
        rules = [rule({"path": "/", field: {"x": criterion}}, id) for id, criterion in by_rank.items()]
        request = make.request(**{PLACES[field]: {"x": "a"}})
        while rules:
            assert winner(make.table(*rules), request) == rules.pop(0).id

    def test_what_is_absent_wins_over_nothing_said(self, make: Any, winner: Any) -> None:
        table = make.table(rule({"path": "/", "headers": {"x": ABSENT}}, "absent"), rule({"path": "/"}, "any"))
        assert winner(table, make.request()) == "absent"
        assert winner(table, make.request(headers={"x": "1"})) == "any"

    @pytest.mark.parametrize(
        ("matcher", "score"),
        [
            ({"headers": {"x": "a"}}, 10),
            ({"headers": {"x": {"pattern": "a"}}}, 9),
            ({"headers": {"x": THERE}}, 8),
            ({"headers": {"x": ABSENT}}, 8),
            ({"queryParams": {"x": "a"}}, 5),
            ({"queryParams": {"x": {"pattern": "a"}}}, 4),
            ({"queryParams": {"x": THERE}}, 3),
            ({"not": {"method": "GET", "path": "/a", "bodyEquals": "x"}}, 5),
        ],
    )
    def test_scores(self, matcher: dict[str, Any], score: int) -> None:
        assert rule(matcher).score == score


class TestNot:
    @pytest.mark.parametrize(
        ("inner", "request_"),
        [
            ({"method": "POST"}, {"method": "POST"}),
            ({"method": "GET"}, {"method": "HEAD"}),
            ({"path": "/a/{b}"}, {"path": "/a/1"}),
            ({"path": "/a/*"}, {"path": "/a/1/2"}),
            ({"pathPattern": "b$"}, {"path": "/ab"}),
            ({"headers": {"X": "a*"}}, {"headers": {"x": "ab"}}),
            ({"headers": {"X": ABSENT}}, {}),
            ({"queryParams": {"q": {"pattern": "1"}}}, {"query": "q=01"}),
            ({"bodyEquals": "x"}, {"body": "x"}),
            ({"bodyContains": "x"}, {"body": "axb"}),
            ({"bodyPattern": "^a"}, {"body": "axb"}),
            ({"bodyJsonPath": {"$.stream": True}}, {"json_body": {"stream": True}}),
            ({"recorded": {"body": {"a": 1}}}, {"json_body": {"a": 1}}),
        ],
    )
    def test_every_criterion_may_stand_in_it(self, make: Any, inner: dict[str, Any], request_: dict[str, Any]) -> None:
        assert holds(make, inner, **request_)
        assert not holds(make, {"not": inner}, **request_)
        assert holds(make, {"not": {**inner, "bodyContains": "not there"}}, **request_)

    def test_the_table_above_has_them_all(self) -> None:
        mark = next(mark for mark in TestNot.test_every_criterion_may_stand_in_it.pytestmark)  # type: ignore[attr-defined]
        tested = {name for inner, _ in mark.args[1] for name in inner}
        assert {"method", "path", *(kind.field for kind in KINDS)} - tested == {"not"}

    def test_it_stands_beside_other_criteria(self, make: Any) -> None:
        matcher = {"path": "/chat", "not": {"headers": {"Authorization": "Bearer *"}}}
        assert holds(make, matcher, path="/chat")
        assert not holds(make, matcher, path="/chat", headers={"authorization": "Bearer t"})
        assert not holds(make, matcher, path="/other")

    @pytest.mark.parametrize(
        ("inner", "place", "message"),
        [
            ({}, ("not",), "a matcher needs at least one criterion"),
            ({"not": {"path": "/{"}}, ("matcher", "not", "not", "path"), "has a brace"),
            ({"path": "a"}, ("not", "path"), "does not start with `/`"),
            ({"pathPattern": "("}, ("not", "pathPattern"), "not a regular expression"),
            ({"paht": "/a"}, ("not", "paht"), "did you mean `path`?"),
            ({"bodyJsonPath": {"$$": 1}}, ("matcher", "not", "bodyJsonPath", "$$"), ""),
            ({"path": "/{"}, ("matcher", "not", "path"), "has a brace"),
        ],
    )
    def test_mistakes_have_their_place(self, inner: dict[str, Any], place: tuple[str, ...], message: str) -> None:
        with pytest.raises(ConfigError) as caught:
            rule({"path": "/a", "not": inner})
        [problem] = caught.value.problems
        assert (problem.path, message in str(problem)) == (place, True)

    def test_it_may_have_another_in_it(self, make: Any) -> None:
        matcher = {"not": {"path": "/a", "not": {"queryParams": {"q": "1"}}}}
        assert holds(make, matcher, path="/b")
        assert holds(make, matcher, path="/a", query="q=1")
        assert not holds(make, matcher, path="/a")


@pytest.mark.parametrize(
    ("criteria", "request_", "field", "reason"),
    [
        (
            {"headers": {"X": ABSENT}},
            {"headers": {"x": "1"}},
            {"field": "headers.X", "expected": ABSENT, "actual": "1", "maxScore": 8},
            'header X expected none, got "1"',
        ),
        (
            {"headers": {"X": THERE}},
            {},
            {"field": "headers.X", "expected": THERE, "actual": "(missing)", "maxScore": 8},
            "header X expected any value, got (missing)",
        ),
        (
            {"queryParams": {"q": {"pattern": "^a"}}},
            {"query": "q=b"},
            {"field": "queryParams.q", "expected": {"pattern": "^a"}, "actual": "b", "maxScore": 4},
            'query parameter q expected a match of "^a", got "b"',
        ),
        (
            {"not": {"headers": {"X": THERE}}},
            {"headers": {"x": "1"}},
            {"field": "not", "expected": {"headers": {"X": THERE}}, "actual": "(it matched)", "maxScore": 5},
            'not expected no match of {"headers": {"X": {"exists": true}}}, got (it matched)',
        ),
    ],
)
def test_near_misses(
    make: Any, criteria: dict[str, Any], request_: dict[str, Any], field: dict[str, Any], reason: str
) -> None:
    [near] = make.near(make.table(rule({"path": "/", **criteria})), make.request(**request_))
    assert near["fields"][1] == {"matched": False, "score": 0, **field}
    assert near["reason"] == f"path matched, but {reason}"


def test_what_a_request_lacks_brings_it_near_to_nothing(make: Any) -> None:
    table = make.table(rule({"bodyContains": "x", "headers": {"y": ABSENT}, "not": {"path": "/z"}}))
    assert make.near(table, make.request()) == []
    assert len(make.near(table, make.request(body="x", headers={"y": "1"}))) == 1
