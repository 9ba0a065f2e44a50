"""The table's answers are those of the plainest implementation there is: ask every rule, sort, take the first."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from mockd.matching import Match, Rule
from mockd.request import RequestView

SEGMENTS = ("a", "", "ab", "v1", "a b")
TEMPLATE_SEGMENTS = ("a", "", "{p}", "{q}", "v{p}", "{r}b", "*", "a*", "*b", "{s}*", "a%20b", "**")
METHODS = ("GET", "POST", "HEAD", "OPTIONS")


def _path(segments: Sequence[str]) -> str:
    return "/" + "/".join(segments)


def _names_once(template: str) -> bool:
    names = re.findall(r"\{(\w)\}", template)
    return len(names) == len(set(names))


PATHS = st.lists(st.sampled_from(SEGMENTS), min_size=1, max_size=2).map(_path)
TEMPLATES = (st.lists(st.sampled_from(TEMPLATE_SEGMENTS), min_size=1, max_size=2).map(_path) | st.just("*")).filter(
    _names_once
)
CRITERIA = st.fixed_dictionaries(
    {},
    optional={
        "method": st.sampled_from(METHODS),
        "headers": st.dictionaries(st.sampled_from(("x", "Y")), st.sampled_from(("1", "2", "*", "1*", "")), max_size=2),
        "query_params": st.dictionaries(st.sampled_from("pq"), st.sampled_from(("1", "")), max_size=2),
        "body_contains": st.sampled_from(("1", "é")),
    },
)
WHERE = (
    st.fixed_dictionaries({"path": TEMPLATES})
    | st.fixed_dictionaries({"path_pattern": st.sampled_from(("a", "^/v", "b$", "/"))})
    | st.just({"body_pattern": "."})
)
RULES = st.lists(st.tuples(WHERE, CRITERIA, st.integers(0, 1)), min_size=1, max_size=8)
PAIRS = st.lists(st.tuples(st.sampled_from(("x", "y", "p", "q")), st.sampled_from(("1", "12", ""))), max_size=3)


def _path_fits(template: str, path: str) -> bool:
    source = ""
    for part in re.findall(r"\{\w\}|\*+|[^{*]+", template.replace("%20", " ")):
        source += "[^/]+" if part[0] == "{" else ".*" if part[0] == "*" else re.escape(part)
    return re.fullmatch(source, path, re.DOTALL) is not None


def _any_header_fits(wanted: str, values: list[str]) -> bool:
    return any(re.fullmatch(re.escape(wanted).replace(r"\*", ".*"), value, re.DOTALL) for value in values)


def _fits(rule: Rule[str], method: str, request: RequestView) -> bool:
    matcher = rule.matcher
    return (
        matcher.method in (None, method)
        and (matcher.path is None or _path_fits(matcher.path, request.path))
        and (matcher.path_pattern is None or re.search(matcher.path_pattern, request.path) is not None)
        and all(_any_header_fits(v, request.headers.get(k.lower(), [])) for k, v in matcher.headers.items())
        and all(value in request.query.get(name, []) for name, value in matcher.query_params.items())
        and (matcher.body_contains or "") in request.text
        and (matcher.body_pattern is None or re.search(matcher.body_pattern, request.text) is not None)
    )


def _reference(rules: list[Rule[str]], request: RequestView) -> str | None:
    order = sorted(enumerate(rules), key=lambda pair: (pair[1].priority, pair[1].score, pair[0]), reverse=True)

    def first(method: str) -> Rule[str] | None:
        return next((rule for _, rule in order if _fits(rule, method, request)), None)

    found = first(request.method)
    if request.method == "HEAD" and (found is None or found.method is None):
        found = first("GET")
    return found and found.target


@settings(deadline=None, max_examples=300)
@given(rules=RULES, path=PATHS, method=st.sampled_from(METHODS), pairs=PAIRS, body=st.sampled_from(("", "1", "é1")))
def test_table_answers_as_the_reference_does(
    make: Any, rules: list[Any], path: str, method: str, pairs: list[tuple[str, str]], body: str
) -> None:
    built = [
        make.rule(f"m{place}", priority=priority, **where, **criteria)
        for place, (where, criteria, priority) in enumerate(rules)
    ]
    request = make.request(path, method, headers=pairs, query=pairs, body=body)
    found = make.table(*built).resolve(request)
    expected = _reference(built, request)
    if isinstance(found, Match):
        assert found.target == expected
    else:
        assert expected is None
        for near in found.near_misses:
            assert near["score"] < near["maxPossibleScore"]
            assert not all(field["matched"] for field in near["fields"])
