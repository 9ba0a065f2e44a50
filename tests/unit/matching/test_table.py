from __future__ import annotations

import subprocess
import sys
from typing import Any

from mockd.matching import Match, Miss


def test_match_has_target_and_captures(make: Any) -> None:
    found = make.table(make.rule("one", path="/users/{id}/v{n}")).resolve(make.request("/users/7/v2"))
    assert isinstance(found, Match)
    assert (found.target, found.captures) == ("one", {"id": "7", "n": "2"})


def test_named_groups_of_a_path_pattern_are_captures(make: Any) -> None:
    found = make.table(make.rule(path_pattern=r"/(?P<kind>\w+)/(\d+)(?P<rest>/x)?")).resolve(make.request("/a/12"))
    assert isinstance(found, Match)
    assert found.captures == {"kind": "a"}


def test_empty_table_misses(make: Any) -> None:
    found = make.table().resolve(make.request("/"))
    assert isinstance(found, Miss)
    assert found.near_misses == []


def test_priority_comes_before_score(make: Any, winner: Any) -> None:
    table = make.table(
        make.rule("low", path="/*", priority=-1),
        make.rule("high", path_pattern="a", priority=1),
        make.rule("specific", method="GET", path="/a", headers={"x": "*"}),
    )
    assert winner(table, make.request("/a", headers={"x": "1"})) == "high"
    assert winner(table, make.request("/b", headers={"x": "1"})) == "low"


def test_score_comes_before_order(make: Any, winner: Any) -> None:
    rules = [
        make.rule("exact", path="/a/b"),
        make.rule("pattern", path_pattern="^/a/"),
        make.rule("capture", path="/a/{x}"),
        make.rule("star", path="/a/*"),
    ]
    assert winner(make.table(*rules), make.request("/a/b")) == "exact"
    assert winner(make.table(*rules), make.request("/a/c")) == "pattern"
    assert winner(make.table(*rules[2:]), make.request("/a/c")) == "capture"
    assert winner(make.table(*rules[2:]), make.request("/a/c/d")) == "star"


def test_last_loaded_wins_a_tie(make: Any, winner: Any) -> None:
    one, two = make.rule("one", path="/a/{x}"), make.rule("two", path="/{y}/b")
    assert winner(make.table(one, two), make.request("/a/b")) == "two"
    assert winner(make.table(two, one), make.request("/a/b")) == "one"


def test_next_in_rank_answers_when_a_criterion_does_not_hold(make: Any, winner: Any) -> None:
    table = make.table(make.rule("any", path="/a"), make.rule("body", path="/a", body_contains="x"))
    assert winner(table, make.request("/a", body="x")) == "body"
    assert winner(table, make.request("/a", body="y")) == "any"


def test_rules_without_a_path_answer_every_path(make: Any, winner: Any) -> None:
    table = make.table(make.rule("header", headers={"x": "1"}), make.rule("path", path="/a", priority=1))
    assert winner(table, make.request("/b", headers={"x": "1"})) == "header"
    assert winner(table, make.request("/a", headers={"x": "1"})) == "path"
    assert winner(table, make.request("/b")) is None


def test_head_is_answered_by_a_mock_for_get(make: Any, winner: Any) -> None:
    table = make.table(make.rule("get", method="GET", path="/a"), make.rule("post", method="POST", path="/b"))
    assert winner(table, make.request("/a", "HEAD")) == "get"
    assert winner(table, make.request("/b", "HEAD")) is None


def test_head_prefers_a_mock_for_head(make: Any, winner: Any) -> None:
    table = make.table(
        make.rule("head", method="HEAD", path="/a"), make.rule("get", method="GET", path="/a", headers={"x": "1"})
    )
    assert winner(table, make.request("/a", "HEAD", headers={"x": "1"})) == "head"


def test_mock_for_every_method_hides_no_better_mock_from_head(make: Any, winner: Any) -> None:
    table = make.table(make.rule("get", method="GET", path="/a"), make.rule("all", path="/*"))
    assert winner(table, make.request("/a", "HEAD")) == "get"
    assert winner(table, make.request("/b", "HEAD")) == "all"


def test_rules_can_serve_in_several_tables(make: Any, winner: Any) -> None:
    one, two = make.rule("one", path="/a"), make.rule("two", path="/a")
    old, new = make.table(one, two), make.table(one)
    assert winner(old, make.request("/a")) == "two"
    assert winner(new, make.request("/a")) == "one"


def test_json_path_is_imported_only_for_mocks_that_use_it() -> None:
    code = (
        "import sys\n"
        "from mockd.config.models import Matcher\n"
        "from mockd.matching import MatchTable, Rule\n"
        "MatchTable([Rule(Matcher(path='/a', body_contains='x'), 0, 'a', None, 1)])\n"
        "assert 'jsonpath' not in sys.modules\n"
        "Rule(Matcher(body_json_path={'$.a': 1}), 0, 'a', None, 1)\n"
        "assert 'jsonpath' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
